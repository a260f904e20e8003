/* Static check of a body against its schema, without evaluating: every fault at once (unknown and
 * duplicate names with a suggestion, missing ones, literal types, allowed values, blocks and
 * labels). Spec: language.md 11, runtime.md 20 (validate). */
#ifndef VALUE_CHECK_H
#define VALUE_CHECK_H

#include "parser/ast.h"
#include "value/schema.h"

/* What is known of an expression without running it. */
struct static_type {
    bool known;
    enum vtype type;
    const char *capsule; /* V_CAPSULE: its name, or NULL */
    u32 signals;
    bool is_list; /* V_ARRAY: element facts are below */
    enum vtype elem;
    const char *elem_capsule;
};
struct type_env {
    /* Type of a reference or call, which the caller knows from exports and signatures. */
    struct static_type (*type_of)(void *arg, const struct expr *e);
    void *arg;
};

void check_body(const struct schema *s, const struct block *block, const struct body *body,
                const struct type_env *env, struct diags *diags);

#endif
