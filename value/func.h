/* A function callable from a configuration: one const row per function (stdlib/). */
#ifndef VALUE_FUNC_H
#define VALUE_FUNC_H

#include "value/value.h"
#include "value/vpath.h"

/* What a failed function says: text is owned (free it by func_error_done). arg: index of the
 * argument at fault, -1 the function itself; path: where inside that argument; no_pos: the error
 * has no position. */
struct func_error {
    char *text;
    int arg;
    struct vpath path;
    bool no_pos;
};

enum param_kind {
    P_ANY,
    P_STRING,
    P_NUMBER,
    P_BOOL,
    P_ARRAY,
    P_ARRAY_STR,
    P_OBJECT,
    P_STRING_OR_SECRET
};

struct func_env; /* what functions may see: environment variables, host name, version;
                    stdlib/stdlib.h */

struct func {
    const char *name; /* "string.join" */
    const char *doc;
    const enum param_kind *params;
    u8 n_params;
    bool variadic; /* the last parameter repeats (0 or more times) */
    bool deprecated, experimental;
    /* args are already converted to the parameter kinds (P_STRING_OR_SECRET: to string). 0 and an
     * owned *ret, or -EINVAL and *err filled. */
    int (*call)(const struct func_env *env, const struct value *args, size_t n, struct value *ret,
                struct func_error *err);
    const char *param_names; /* for documentation: "list, sep", "values...", "keep?" (optional) */
    const char *param_types; /* "list(any), bool"; NULL: the kinds say it */
    const char *returns;     /* "string" */
};

/* Sets it and returns -EINVAL. */
int func_error_set(struct func_error *e, int arg, const char *fmt, ...) PRINTF(3, 4);
void func_error_done(struct func_error *e);

#endif
