/* The schema table: one description of a block from which everything else is derived — decoding,
 * defaults, static check, encoding for the API, `explain`, reference pages, completion. Components,
 * config blocks and their sub-blocks all use it; nobody decodes by hand.
 *
 * A row's kind is inferred from the C member, so it cannot lie about its struct. Tables are const.
 * A table without binding (size 0, offsets 0) describes something this build has no code for; only
 * `check`, `explain` and docs use it.
 *
 *     struct echo_args { i64 limit; struct dur timeout; struct str mode; struct tls_args tls; };
 *     static const struct row echo_rows[] = {
 *         ATTR(struct echo_args, limit, .doc = "Most entries to print.", .def = "10", .min = 1,
 * .has_min = true), ATTR(struct echo_args, timeout, .doc = "...", .def = "\"500ms\""), ATTR(struct
 * echo_args, mode, .doc = "...", .def = "\"basic\"", .one_of = ONE_OF_TEXT("basic", "full")),
 *         BLOCK(struct echo_args, tls, &tls_schema, .doc = "..."),
 *     };
 *     static const struct schema echo_schema = SCHEMA(struct echo_args, echo_rows);
 */
#ifndef VALUE_SCHEMA_H
#define VALUE_SCHEMA_H

#include "base/arena.h"
#include "base/signal.h"
#include "parser/diag.h"
#include "value/value.h"

/* --- member types; memory of all of them lives in the decoding arena, capsules and values hold
 * references released with it --- */
struct dur {
    i64 ns;
};
struct bytesize {
    i64 n;
};
struct secret {
    struct str s;
}; /* from string or secret; never printed */
struct opt_secret_text {
    struct str s;
    bool is_secret, set;
}; /* "accepts plain string", keeps secrecy */
struct opt_str {
    struct str s;
    bool set;
};
struct opt_i64 {
    i64 v;
    bool set;
};
struct opt_f64 {
    f64 v;
    bool set;
};
struct opt_bool {
    bool v;
    bool set;
};
struct opt_dur {
    i64 ns;
    bool set;
};
struct str_list {
    struct str *v;
    size_t n;
};
struct str_pair {
    struct str key, value;
};
struct str_map {
    struct str_pair *v;
    size_t n;
}; /* sorted by key */
struct secret_map {
    struct str_pair *v;
    size_t n;
};
struct capsule_ref {
    struct capsule *c;
}; /* NULL when unset */
struct capsule_list {
    struct capsule **v;
    size_t n;
};
/* struct value itself: "any". struct str: string, terminated. bool, i64, f64. */

enum kind {
    K_BOOL,
    K_I64,
    K_F64,
    K_STR,
    K_DUR,
    K_BYTES,
    K_SECRET,
    K_OPT_SECRET,
    K_OPT_STR,
    K_OPT_I64,
    K_OPT_F64,
    K_OPT_BOOL,
    K_OPT_DUR,
    K_STR_LIST,
    K_STR_MAP,
    K_SECRET_MAP,
    K_CAPSULE,
    K_CAPSULE_LIST,
    K_ANY,
    K_BLOCK, /* embedded struct, 0..1 (1 when required); absent: its own defaults, unless .omitted
                says otherwise */
    K_BLOCK_PTR, /* pointer to a struct; NULL when absent */
    K_BLOCKS,    /* struct { T *v; size_t n; }: repeatable, source order */
    K_ONE_OF,    /* struct one_of_list: ordered list of differently named blocks (stage.*) */
    K_LABEL,     /* struct str: the block's label */
    K_MAP_BLOCK, /* struct value: free-form body as an object */
};

/* For switches that treat all attributes, or all blocks, alike: `case ATTR_KINDS: return ...;` (a
 * label is neither). */
#define DATA_KINDS                                                                                 \
    K_BOOL:                                                                                        \
    case K_I64:                                                                                    \
    case K_F64:                                                                                    \
    case K_STR:                                                                                    \
    case K_DUR:                                                                                    \
    case K_BYTES:                                                                                  \
    case K_SECRET:                                                                                 \
    case K_OPT_SECRET:                                                                             \
    case K_OPT_STR:                                                                                \
    case K_OPT_I64:                                                                                \
    case K_OPT_F64:                                                                                \
    case K_OPT_BOOL:                                                                               \
    case K_OPT_DUR:                                                                                \
    case K_STR_LIST:                                                                               \
    case K_STR_MAP:                                                                                \
    case K_SECRET_MAP:                                                                             \
    case K_ANY
#define CAPSULE_KINDS                                                                              \
    K_CAPSULE:                                                                                     \
    case K_CAPSULE_LIST
#define ATTR_KINDS                                                                                 \
    DATA_KINDS:                                                                                    \
    case CAPSULE_KINDS
#define BLOCK_KINDS                                                                                \
    K_BLOCK:                                                                                       \
    case K_BLOCK_PTR:                                                                              \
    case K_BLOCKS:                                                                                 \
    case K_ONE_OF:                                                                                 \
    case K_MAP_BLOCK

#define KIND_OF(x)                                                                                 \
    _Generic((x), bool                                                                             \
             : K_BOOL, i64                                                                         \
             : K_I64, f64                                                                          \
             : K_F64, struct str                                                                   \
             : K_STR, struct dur                                                                   \
             : K_DUR, struct bytesize                                                              \
             : K_BYTES, struct secret                                                              \
             : K_SECRET, struct opt_secret_text                                                    \
             : K_OPT_SECRET, struct opt_str                                                        \
             : K_OPT_STR, struct opt_i64                                                           \
             : K_OPT_I64, struct opt_f64                                                           \
             : K_OPT_F64, struct opt_bool                                                          \
             : K_OPT_BOOL, struct opt_dur                                                          \
             : K_OPT_DUR, struct str_list                                                          \
             : K_STR_LIST, struct str_map                                                          \
             : K_STR_MAP, struct secret_map                                                        \
             : K_SECRET_MAP, struct capsule_ref                                                    \
             : K_CAPSULE, struct capsule_list                                                      \
             : K_CAPSULE_LIST, struct value                                                        \
             : K_ANY)

enum stability { STABILITY_GA, STABILITY_PUBLIC_PREVIEW, STABILITY_EXPERIMENTAL };
const char *stability_name(enum stability s); /* "generally-available", ... */
bool stability_parse(struct str s, enum stability *ret);

struct schema;
struct row;

/* What the value of a K_ANY row is made of, where the language has no kind of its own for it: a
 * list of maps, a map of lists, objects with certain fields. Judged by decoding and by the check.
 * A target is a map of texts whose values may be of any type but null and secrets: they are made
 * texts where the target is used. */
enum shape_form { SHAPE_LIST, SHAPE_MAP, SHAPE_TARGET, SHAPE_OBJECT };
struct shape {
    enum shape_form form;
    const char *name;       /* as readers see it: "list(map(string))" */
    const struct row *rows; /* one nameless row for every element; object: its fields */
    size_t n_rows;
};

struct row {
    const char *name;
    const char *doc; /* one sentence; required by the registry self-test */
    enum kind kind;
    u32 off, size;
    const char *def; /* default as configuration text ("\"1s\"", "10", "[]"); NULL: zero / unset */
    bool required;
    bool deprecated;
    bool own; /* Weir's: the reference does not have it (docs/differences.md tells why) */
    const char *const
        *one_of;    /* allowed texts, NULL-terminated (K_STR, K_OPT_STR, elements of K_STR_LIST) */
    bool fold_case; /* upper and lower case are the same among them */
    const char *one_of_error; /* canonical message with %s for the value; NULL: ours */
    const struct schema *sub; /* blocks */
    f64 min, max; /* numbers; durations in nanoseconds, sizes in bytes; bounds are allowed values */
    bool has_min, has_max;
    u8 unsigned_bits; /* K_I64: an unsigned integer of so many bits (32 at most); 0: all 64, signed
                       */
    const struct capsule_type *capsule; /* K_CAPSULE, K_CAPSULE_LIST: the type taken */
    const char *capsule_name;           /* the same for rows without code: "otelcol.Consumer" */
    const struct shape *shape;          /* K_ANY; NULL: really anything */
    u32 signals; /* rows that hold receivers (arguments: where data goes; exports: what is taken) */
    enum stability stability;
    void (*def_fn)(struct arena *a,
                   void *member); /* computed defaults (host name); runs when nothing is written */
    u32 elem_size;                /* K_BLOCKS: sizeof one element */
    const char *alias_of;         /* a deprecated other name of this row */
    const struct one_of_def *variants; /* K_ONE_OF: NULL-named end */
    size_t n_variants;
};

/* One variant of an ordered group. */
struct one_of_def {
    const char *name; /* full dotted block name: "stage.regex" */
    const char *doc;  /* one sentence; as for rows */
    const struct schema *sub;
    const void *ops; /* the component's own table (prepare, run, flush) */
};
struct one_of {
    const struct one_of_def *def;
    void *args;
    struct span span;
};
struct one_of_list {
    struct one_of *v;
    size_t n;
};

/* Rules across rows; names are rows of the same schema. */
enum rule_kind {
    RULE_AT_MOST_ONE,
    RULE_EXACTLY_ONE,
    RULE_AT_LEAST_ONE,
    RULE_REQUIRES /* [0] needs one of the others */
};
struct rule {
    enum rule_kind kind;
    const char *names[8];
    const char *message; /* canonical text */
};

struct schema {
    const struct row *rows;
    size_t n_rows;
    size_t size;  /* of the struct; 0: no binding */
    i32 span_off; /* offset of a `struct span` member that is set to the block's span; -1: none */
    i32 present_off; /* offset of a bool member set to true when the block was written; -1: none */
    const struct rule *rules;
    size_t n_rules;
    /* Further checks of decoded values, after defaults: add errors to diags with spans found by
     * schema_span(). May be NULL. Runs only when the body itself had no fault. */
    void (*validate)(const void *args, const struct span *at, struct diags *diags);
    bool freeform; /* any attribute (rows describe known ones) */
    i32 rest_off;  /* freeform: offset of a `struct value` that takes the attributes without a row,
                      as  an object in source order; -1: none */
    bool opaque;   /* the body is read by somebody else: neither decoded, checked nor searched for
                      references */
};

#define ATTR_AS(T, m, nm, ...)                                                                     \
    {                                                                                              \
        .name = (nm), .kind = KIND_OF(((T *)0)->m), .off = offsetof(T, m),                         \
        .size = sizeof(((T *)0)->m), __VA_ARGS__                                                   \
    }
#define ATTR(T, m, ...) ATTR_AS(T, m, #m, __VA_ARGS__)
#define BLOCK_AS(T, m, nm, sub_, ...)                                                              \
    {                                                                                              \
        .name = (nm), .kind = K_BLOCK, .off = offsetof(T, m), .size = sizeof(((T *)0)->m),         \
        .sub = (sub_), __VA_ARGS__                                                                 \
    }
#define BLOCK(T, m, sub_, ...) BLOCK_AS(T, m, #m, sub_, __VA_ARGS__)
#define BLOCK_PTR_AS(T, m, nm, sub_, ...)                                                          \
    {                                                                                              \
        .name = (nm), .kind = K_BLOCK_PTR, .off = offsetof(T, m), .size = sizeof(*((T *)0)->m),    \
        .sub = (sub_), __VA_ARGS__                                                                 \
    }
#define BLOCK_PTR(T, m, sub_, ...) BLOCK_PTR_AS(T, m, #m, sub_, __VA_ARGS__)
#define BLOCKS_AS(T, m, nm, sub_, ...)                                                             \
    {                                                                                              \
        .name = (nm), .kind = K_BLOCKS, .off = offsetof(T, m), .size = sizeof(((T *)0)->m),        \
        .elem_size = sizeof(*((T *)0)->m.v), .sub = (sub_), __VA_ARGS__                            \
    }
#define BLOCKS(T, m, sub_, ...) BLOCKS_AS(T, m, #m, sub_, __VA_ARGS__)
#define LABEL_ROW(T, m, ...)                                                                       \
    {                                                                                              \
        .name = "label", .kind = K_LABEL, .off = offsetof(T, m), .size = sizeof(struct str),       \
        __VA_ARGS__                                                                                \
    }
#define ONE_OF_BLOCKS(T, m, nm, variants_, ...)                                                    \
    {                                                                                              \
        .name = (nm), .kind = K_ONE_OF, .off = offsetof(T, m), .size = sizeof(struct one_of_list), \
        .variants = (variants_), .n_variants = ARRAY_LEN(variants_), __VA_ARGS__                   \
    }
#define ONE_OF_TEXT(...) ((const char *const[]){__VA_ARGS__, NULL})

/* SCHEMA writes "none" for the offsets first, and a table overrides what it has. */
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
#define SCHEMA(T, rows_, ...)                                                                      \
    {                                                                                              \
        .rows = (rows_), .n_rows = ARRAY_LEN(rows_), .size = sizeof(T), .span_off = -1,            \
        .present_off = -1, .rest_off = -1, ##__VA_ARGS__                                           \
    }
#define SCHEMA_EMPTY                                                                               \
    {                                                                                              \
        .rows = NULL, .n_rows = 0, .size = 1, .span_off = -1, .present_off = -1, .rest_off = -1    \
    }

/* Attributes without a row are kept (rest_off). */
static inline bool schema_keeps_rest(const struct schema *s)
{
    return s->freeform && s->rest_off >= 0;
}
/* The row of an attribute or block; of an ordered group when the name is one of its variants. NULL
 * when there is none. */
const struct row *schema_row(const struct schema *s, struct str name);
/* The same for block names, with the variant when the row is an ordered group (else NULL there). */
const struct row *schema_block(const struct schema *s, struct str name,
                               const struct one_of_def **ret_variant);
/* The row of an object's field, or NULL. */
const struct row *shape_field(const struct shape *s, struct str name);
/* The row of the body's label, or NULL. */
const struct row *schema_label(const struct schema *s);
/* Inside validate: where the row's statement stands, or the block when it is not written. */
struct span schema_span(const struct schema *s, const struct span *at, const char *row);
bool kind_is_block(enum kind k);

/* Self-test of a table and of all tables below it: names unique, rows documented, kinds and sizes
 * agree, defaults decode, rules name rows. Problems are appended as lines that start with `name`;
 * returns how many. */
size_t schema_lint(const struct schema *s, const char *name, struct buf *out);

#endif
