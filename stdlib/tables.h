/* The rows of each namespace, and the shorthand they are written with. */
#ifndef STDLIB_TABLES_H
#define STDLIB_TABLES_H

#include "stdlib/stdlib.h"
#include "value/func.h"
#include "value/limits.h"

struct func_table {
    const struct func *rows;
    size_t n;
};
extern const struct func_table funcs_array, funcs_convert, funcs_encoding, funcs_file, funcs_string,
    funcs_sys, funcs_top;

#define CALL_ARGS                                                                                  \
    const struct func_env *env, const struct value *args, size_t n, struct value *ret,             \
        struct func_error *err
#define PARAMS(...)                                                                                \
    .params = (const enum param_kind[]){__VA_ARGS__},                                              \
    .n_params = sizeof((enum param_kind[]){__VA_ARGS__}) / sizeof(enum param_kind)

/* The finished text as a string, and the buffer done; an error when it hit its limit. */
int result_text(struct buf *text, struct value *ret, struct func_error *err);
/* The error of a result with too many elements. */
int result_too_long(struct func_error *err);
/* Arguments a function converts itself. */
int want_type(const struct value *args, size_t i, enum vtype type, struct func_error *err);

#endif
