/* All functions together: lookup by name, and the scope in which configurations see them. */
#include "stdlib/tables.h"

#include <stdlib.h>
#include <unistd.h>
#include "base/xalloc.h"

static const struct func_table *const tables[] = {
    &funcs_array,  &funcs_convert, &funcs_encoding, &funcs_file,
    &funcs_string, &funcs_sys,     &funcs_top,
};

const struct func *stdlib_func(size_t i)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        if (i < tables[t]->n) return &tables[t]->rows[i];
        i -= tables[t]->n;
    }
    return NULL;
}

const struct func *stdlib_find(struct str name)
{
    const struct func *f;
    for (size_t i = 0; (f = stdlib_func(i)); i++)
        if (str_is(name, f->name)) return f;
    return NULL;
}

const struct constant *stdlib_constant(size_t i)
{
    static const struct constant all[] = {
        {"hostname", "The name of the machine.", offsetof(struct func_env, hostname)},
        {"os", "The operating system: linux.", offsetof(struct func_env, os)},
        {"arch", "The processor as Go names it: amd64, arm64.", offsetof(struct func_env, arch)},
        {"version", "The version of this build.", offsetof(struct func_env, version)},
    };
    return i < ARRAY_LEN(all) ? &all[i] : NULL;
}

/* --- for readers --- */

const struct func *stdlib_instead(const struct func *f)
{
    const struct func *other;
    if (!f->deprecated) return NULL;
    for (size_t i = 0; (other = stdlib_func(i)); i++)
        if (other->call == f->call && !other->deprecated) return other;
    UNREACHABLE();
}

static const char *kind_name(enum param_kind k)
{
    switch (k) {
    case P_ANY: return "any";
    case P_STRING: return "string";
    case P_NUMBER: return "number";
    case P_BOOL: return "bool";
    case P_ARRAY: return "list";
    case P_ARRAY_STR: return "list(string)";
    case P_OBJECT: return "object";
    case P_STRING_OR_SECRET: return "string or secret";
    }
    UNREACHABLE();
}

bool stdlib_has(struct str first)
{
    const struct func *f;
    if (str_is(first, "constants")) return true;
    for (size_t i = 0; (f = stdlib_func(i)); i++) {
        struct str rest = str_of(f->name);
        if (str_eq(first, str_cut(&rest, '.'))) return true;
    }
    return false;
}

/* The i-th of a list of words with commas between them; none: empty. */
static struct str nth_word(const char *list, size_t i)
{
    struct str rest = str_of(list), word = STR("");
    for (size_t n = 0; n <= i; n++)
        word = str_trim(str_cut(&rest, ','));
    return word;
}

static bool take_mark(struct str *name, struct str mark)
{
    bool marked = str_ends(*name, mark);
    if (marked) name->n -= mark.n;
    return marked;
}

bool func_param(const struct func *f, size_t i, struct func_param *ret)
{
    struct func_param p = {.name = nth_word(f->param_names, i)};
    if (p.name.n == 0) return false;
    p.repeats = take_mark(&p.name, STR("..."));
    p.optional = take_mark(&p.name, STR("?"));
    p.type = f->param_types ? nth_word(f->param_types, i)
                            : str_of(kind_name(f->params[MIN(i, f->n_params - 1u)]));
    *ret = p;
    return true;
}

void func_signature(const struct func *f, struct buf *out)
{
    buf_printf(out, "%s(%s) %s", f->name, f->param_names, f->returns);
}

/* --- scope --- */

struct stdlib {
    struct scope scope;
    struct value names; /* object: namespaces, functions, constants */
};

static bool lookup(const struct scope *s, struct str name, struct value *ret)
{
    const struct stdlib *l = s->data;
    const struct value *v = value_member(l->names, name);
    if (!v) return false;
    *ret = value_ref(*v);
    return true;
}

static struct value constants(const struct func_env *env)
{
    struct object_builder b = {0};
    const struct constant *c;
    for (size_t i = 0; (c = stdlib_constant(i)); i++) {
        const char *text = *(const char *const *)(const void *)((const char *)env + c->off);
        object_set_take(&b, str_of(c->name), value_cstr(text));
    }
    return object_done(&b);
}

/* The functions of one namespace, by what stands after the dot. */
static struct value namespace(struct str name)
{
    struct object_builder b = {0};
    const struct func *f;
    for (size_t i = 0; (f = stdlib_func(i)); i++) {
        struct str rest = str_of(f->name);
        if (str_eq(str_cut(&rest, '.'), name) && rest.n > 0)
            object_set_take(&b, rest, value_func(f));
    }
    return object_done(&b);
}

static struct value all_names(const struct func_env *env)
{
    struct object_builder b = {0};
    const struct func *f;
    struct str last = {0};
    object_set_take(&b, STR("constants"), constants(env));
    for (size_t i = 0; (f = stdlib_func(i)); i++) {
        struct str rest = str_of(f->name), first = str_cut(&rest, '.');
        if (rest.n == 0)
            object_set_take(&b, first, value_func(f));
        else if (!str_eq(first, last))
            object_set_take(&b, last = first, namespace(first));
    }
    return object_done(&b);
}

struct stdlib *stdlib_new(const struct func_env *env)
{
    struct stdlib *l = xnew(struct stdlib);
    l->scope = (struct scope){.lookup = lookup, .env = env, .data = l};
    l->names = all_names(env);
    return l;
}

void stdlib_free(struct stdlib *l)
{
    if (!l) return;
    value_unref(l->names);
    free(l);
}

const struct scope *stdlib_scope(const struct stdlib *l)
{
    return &l->scope;
}

/* --- this process --- */

static bool process_getenv(void *arg, const char *name, struct str *ret)
{
    const char *value = getenv(name);
    (void)arg;
    if (!value) return false;
    *ret = str_of(value);
    return true;
}

static const char *architecture(void)
{
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#elif defined(__riscv)
    return "riscv64";
#elif defined(__s390x__)
    return "s390x";
#elif defined(__powerpc64__)
    return "ppc64le";
#elif defined(__arm__)
    return "arm";
#else
    return "386";
#endif
}

void func_env_process(struct func_env *env, char host[STDLIB_HOST_MAX], const char *version)
{
    if (gethostname(host, STDLIB_HOST_MAX) != 0) host[0] = '\0';
    host[STDLIB_HOST_MAX - 1] = '\0';
    *env = (struct func_env){.getenv = process_getenv,
                             .hostname = host,
                             .os = "linux",
                             .arch = architecture(),
                             .version = version};
}
