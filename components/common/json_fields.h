/* Objects of JSON into structs by tables: the fields that are named are taken, all others skipped,
 * null and missing ones stay as they were. For answers of APIs, which grow fields with every
 * version. Pure. */
#ifndef COMPONENTS_COMMON_JSON_FIELDS_H
#define COMPONENTS_COMMON_JSON_FIELDS_H

#include "base/json.h"

struct json_field {
    const char *name;
    enum {
        JSON_FIELD_STR,    /* struct str, in the scratch arena of the reader or its input */
        JSON_FIELD_BOOL,   /* bool */
        JSON_FIELD_I64,    /* i64 */
        JSON_FIELD_OBJECT, /* its fields lie in the same struct: sub, n_sub */
        JSON_FIELD_READ    /* by `read`, which takes one value that is not null */
    } kind;
    size_t off;
    const struct json_field *sub;
    size_t n_sub;
    int (*read)(struct json_in *j, void *member);
};
#define JSON_FIELD(T, m, nm, kind_)                                                                \
    {                                                                                              \
        .name = (nm), .kind = (kind_), .off = offsetof(T, m)                                       \
    }
#define JSON_FIELD_FN(T, m, nm, fn)                                                                \
    {                                                                                              \
        .name = (nm), .kind = JSON_FIELD_READ, .off = offsetof(T, m), .read = (fn)                 \
    }
#define JSON_FIELD_SUB(nm, table)                                                                  \
    {                                                                                              \
        .name = (nm), .kind = JSON_FIELD_OBJECT, .sub = (table), .n_sub = ARRAY_LEN(table)         \
    }

/* Takes one value, an object. 0, or -EBADMSG: no JSON, or a value of another type than the table's
 * (j->err says what). */
int json_read_fields(struct json_in *j, const struct json_field *fields, size_t n, void *out);

#endif
