/* The blocks the language itself brings: declare, argument, export, foreach, the four imports, and
 * what an instance of a declared component takes. Described by the same tables as components, so
 * that check, explain, the reference pages and the API treat all alike. Const tables. */
#ifndef RUNTIME_BLOCKS_H
#define RUNTIME_BLOCKS_H

#include "runtime/component.h"

/* declare "name" { ... }: the body is a template of its own and never decoded. */
extern const struct component_def declare_def;

/* argument "name" { }: inside modules; exports `value`. */
struct argument_args {
    bool optional;
    struct value def; /* `default` */
    struct str comment;
};
extern const struct component_def argument_def;

/* export "name" { value = ... } */
struct export_args {
    struct value value;
};
extern const struct component_def export_def;

/* foreach "name" { collection, var, template { } }: the template's body is never decoded here. */
struct foreach_args {
    struct value collection; /* an array, or null: none */
    struct str var;
    struct str id; /* "": the whole item is the key */
    bool hash_string_id;
    bool enable_metrics;
    struct {
        bool written;
    } body; /* `template` */
};
extern const struct component_def foreach_def;

/* An instance of a declared component: any attribute, kept as one object. */
struct custom_args {
    struct value args; /* an object, in the order written */
};
extern const struct component_def custom_def;

/* Every block of the language, for explain and the reference pages; imports included. */
struct block_kind {
    const struct component_def *def;
    int kind; /* enum node_kind */
};
extern const struct block_kind language_blocks[];
extern const size_t language_blocks_count;

#endif
