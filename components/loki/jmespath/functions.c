/* Functions of JMESPath: found by name, given only arguments of the types they declare. */
#include "components/loki/jmespath/ast.h"

static const struct function *const tables[] = {jmespath_fn_text, jmespath_fn_lists,
                                                jmespath_fn_numbers};

const struct function *jmespath_function(struct str name)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        for (const struct function *f = tables[i]; f->name; f++)
            if (str_is(name, f->name)) return f;
    return NULL;
}

static bool all_are(const struct jv *v, enum jv_type type)
{
    if (v->type != JV_ARRAY) return false;
    for (u32 i = 0; i < v->n; i++)
        if (v->elems[i].type != type) return false;
    return true;
}

static bool fits(const struct arg *arg, u16 types)
{
    if (arg->fn) return types & A_EXPR;
    if (types & 1 << arg->v.type) return true;
    return ((types & A_NUMBERS) && all_are(&arg->v, JV_NUMBER)) ||
           ((types & A_STRINGS) && all_are(&arg->v, JV_STRING)) ||
           ((types & A_ARRAYS) && all_are(&arg->v, JV_ARRAY));
}

static bool count_fits(struct search *s, const struct function *fn, size_t n)
{
    if (n >= fn->min && (fn->max == FN_MANY || n <= fn->max)) return true;
    return jmespath_fail(s, "%s() got %zu arguments and takes %s%u", fn->name, n,
                         n < fn->min ? "at least " : "at most ", n < fn->min ? fn->min : fn->max);
}

bool jmespath_call(struct search *s, const struct function *fn, const struct arg *args, size_t n,
                   struct jv *ret)
{
    u16 types = 0;

    if (!count_fits(s, fn, n)) return false;
    for (size_t i = 0; i < n; i++) {
        if (i < 4 && fn->types[i]) types = fn->types[i];
        if (!jmespath_steps(s, args[i].v.type == JV_ARRAY ? args[i].v.n : 1)) return false;
        if (!fits(&args[i], types))
            return jmespath_fail(s, "argument %zu of %s() has the wrong type", i + 1, fn->name);
    }
    return fn->call(s, args, n, ret);
}
