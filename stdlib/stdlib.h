/* The standard library: functions and constants a configuration may use. Functions are const rows;
 * what they see of the world comes through struct func_env. A struct stdlib owns the namespace
 * objects of one environment; immutable once made, so any thread may evaluate against it. */
#ifndef STDLIB_STDLIB_H
#define STDLIB_STDLIB_H

#include "value/eval.h"
#include "value/func.h"

struct func_env {
    /* The value of an environment variable; false when unset. NULL: there are none. */
    bool (*getenv)(void *arg, const char *name, struct str *ret);
    void *arg;
    const char *hostname;  /* "" when unknown */
    const char *os, *arch; /* "linux", "amd64" */
    const char *version;   /* "v1.2.3" */
};

struct stdlib;
/* env is borrowed and must outlive it. */
struct stdlib *stdlib_new(const struct func_env *env);
void stdlib_free(struct stdlib *l); /* takes NULL */
/* The outermost scope: all names of the library. Borrowed. */
const struct scope *stdlib_scope(const struct stdlib *l);

/* The environment of this process: getenv, host name, architecture of the build. Strings live in
 * *host (HOST_NAME_MAX + 1 bytes). */
#define STDLIB_HOST_MAX 256
void func_env_process(struct func_env *env, char host[STDLIB_HOST_MAX], const char *version);

/* True when first is a name of the library ("string", "coalesce", "env"): such a reference is not a
 * component. */
bool stdlib_has(struct str first);
/* Function by its dotted name ("string.join", "join"), or NULL. */
const struct func *stdlib_find(struct str name);
/* All functions, aliases included, ordered by table; NULL past the end. */
const struct func *stdlib_func(size_t i);
/* All constants; NULL past the end. */
struct constant {
    const char *name; /* behind "constants." */
    const char *doc;
    size_t off; /* of the text in struct func_env */
};
const struct constant *stdlib_constant(size_t i);
/* What to use in place of a deprecated function; NULL for one that is not. */
const struct func *stdlib_instead(const struct func *f);

/* A parameter as users read it. Texts are borrowed from the function's row. */
struct func_param {
    struct str name, type; /* "list", "list(string)" */
    bool repeats, optional;
};
/* The i-th; false past the end. */
bool func_param(const struct func *f, size_t i, struct func_param *ret);
/* "string.join(list, sep) string". */
void func_signature(const struct func *f, struct buf *out);

#endif
