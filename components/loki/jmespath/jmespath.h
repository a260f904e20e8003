/* JMESPath, Community edition (spec A.4, stage.json): expressions over JSON. An expression is
 * compiled once, immutable; each search works in an arena of its own. */
#ifndef COMPONENTS_LOKI_JMESPATH_H
#define COMPONENTS_LOKI_JMESPATH_H

#include "base/arena.h"
#include "base/buf.h"

/* A JSON value in an arena. Objects keep the last of duplicate keys. */
enum jv_type { JV_NULL, JV_BOOL, JV_NUMBER, JV_STRING, JV_ARRAY, JV_OBJECT };
struct jv {
    enum jv_type type;
    bool b;
    f64 num;
    struct str str, raw; /* string contents; text of the value in its document, if it has one */
    struct jv_member *members; /* of objects: in document order */
    struct jv *elems;
    size_t n;
};
struct jv_member {
    struct str key;
    struct jv *value;
};
/* 0 or -EBADMSG with *ret_err static text. Depth is bounded. */
int jv_parse(struct str text, struct arena *a, struct jv *ret, const char **ret_err);
/* Compact JSON; html: < > & escaped as Go does. */
void jv_write(const struct jv *v, bool html, struct buf *out);

struct jmespath;
struct jmespath *jmespath_new(struct str expr, char **ret_err);
void jmespath_free(struct jmespath *p); /* takes NULL */
/* Whether the expression is a single field name (a fast path for callers), and which. */
bool jmespath_is_field(const struct jmespath *p, struct str *ret_name);
/* 0 with *ret (JV_NULL: no match); -EINVAL with *ret_err in the arena when it fails at run time. */
int jmespath_search(const struct jmespath *p, const struct jv *doc, struct arena *a, struct jv *ret,
                    const char **ret_err);

#endif
