/* Calls: arguments against parameters, as Go's reflection would have it, and the call itself. */
#include "components/common/template/exec.h"

#include <errno.h>

/* --- parameters --- */

static const char *param_type(char p)
{
    static const char *const names[] = {['s'] = "string",        ['i'] = "int",
                                        ['l'] = "int64",         ['f'] = "float64",
                                        ['b'] = "bool",          ['a'] = "interface {}",
                                        ['t'] = "time.Time",     ['m'] = "map[string]interface {}",
                                        ['d'] = "time.Duration", ['v'] = "[]interface {}",
                                        ['w'] = "[]string",      ['n'] = "*semver.Version"};
    return names[(u8)p];
}

static bool fits(char p, struct tval v)
{
    switch (p) {
    case 'a': return true;
    case 's': return v.type == T_STRING;
    case 'i': return v.type == T_INT && v.sub == INT_INT;
    case 'l': return v.type == T_INT && v.sub == INT_INT64;
    case 'd': return v.type == T_INT && v.sub == INT_DURATION;
    case 'f': return v.type == T_FLOAT;
    case 'b': return v.type == T_BOOL;
    case 'm': return v.type == T_MAP && v.sub == ELEM_ANY;
    case 't': return v.type == T_TIME;
    case 'v': return v.type == T_LIST && v.sub == ELEM_ANY;
    case 'w': return v.type == T_LIST && v.sub == ELEM_STRING;
    case 'n': return v.type == T_VERSION;
    default: return false;
    }
}

/* nil is an empty map or list where one is wanted. */
static bool zero_of(struct run *r, char p, struct tval *v)
{
    if (p == 'a') *v = TV_NIL;
    if (p == 'm') *v = (struct tval){.type = T_MAP, .map = tmap_new(r)};
    if (p == 'v' || p == 'w')
        *v = (struct tval){.type = T_LIST, .sub = p == 'v' ? ELEM_ANY : ELEM_STRING};
    return p == 'a' || p == 'm' || p == 'v' || p == 'w';
}

static struct tval checked(struct run *r, char p, struct tval v)
{
    if (run_failed(r)) return TV_NIL;
    if (v.type == T_NIL && zero_of(r, p, &v)) return v;
    if (fits(p, v)) return v;
    if (v.type == T_NIL) return run_fail(r, "invalid value; expected %s", param_type(p));
    return run_fail(r, "wrong type for value; expected %s; got %s", param_type(p), tv_go_type(v));
}

/* --- constants take the type of their parameter --- */

static struct tval number_arg(struct run *r, char p, const struct node *n)
{
    const struct number *c = &n->number;
    if (p == 'f' && c->is_float) return tv_float(c->f);
    if (p == 'i' && c->is_int) return tv_int(c->i);
    if (p == 'l' && c->is_int) return tv_int64(c->i);
    if (p == 'd' && c->is_int) return tv_duration(c->i);
    if (p == 'a') return c->shows_float || !c->is_int ? tv_float(c->f) : tv_int(c->i);
    return run_fail(r, "expected %s; found " STR_FMT, param_type(p), STR_ARG(n->text));
}

static struct tval constant_arg(struct run *r, char p, const struct node *n)
{
    struct tval v = n->kind == NODE_BOOL ? tv_bool(n->truth) : tv_str(n->text);
    if (fits(p, v)) return v;
    return run_fail(r, "expected %s; found " STR_FMT, param_type(p), STR_ARG(n->text));
}

static struct tval argument(struct run *r, struct tval dot, char p, const struct node *n)
{
    switch (n->kind) {
    case NODE_NUMBER: return number_arg(r, p, n);
    case NODE_BOOL:
    case NODE_STRING: return constant_arg(r, p, n);
    case NODE_NIL: {
        struct tval v = TV_NIL;
        if (zero_of(r, p, &v)) return v;
        return run_fail(r, "cannot assign nil to %s", param_type(p));
    }
    default: return checked(r, p, eval_operand(r, dot, n, NULL, NULL));
    }
}

/* --- the call --- */

struct shape {
    size_t n; /* parameters, the repeated one too */
    bool variadic;
};

static struct shape shape_of(const struct tfunc *f)
{
    size_t n = strlen(f->params);
    bool variadic = n > 0 && f->params[n - 1] == '.';
    return (struct shape){n - variadic, variadic};
}

static char param_at(const struct tfunc *f, const struct shape *s, size_t i)
{
    return f->params[MIN(i, s->n - 1)];
}

static bool count_fits(struct run *r, const struct tfunc *f, const struct shape *s, size_t n)
{
    if (s->variadic ? n + 1 >= s->n : n == s->n) return true;
    run_fail(r, "wrong number of args for %s: want %s%zu got %zu", f->name,
             s->variadic ? "at least " : "", s->variadic ? s->n - 1 : s->n, n);
    return false;
}

/* `and` and `or` stop at the argument that decides. */
static struct tval decide(struct run *r, struct tval dot, const struct tfunc *f,
                          const struct command *c, const struct tval *final)
{
    bool until = f->name[0] == 'o';
    struct tval v = TV_NIL;
    for (size_t i = 1; c && i < c->n && !run_failed(r); i++) {
        v = argument(r, dot, 'a', c->args[i]);
        if (!run_failed(r) && tv_truth(r, v) == until) return v;
    }
    return final ? checked(r, 'a', *final) : v;
}

static size_t weight(struct tval v)
{
    if (v.type == T_STRING) return v.s.n / 256;
    if (v.type == T_LIST) return v.list.n;
    return v.type == T_MAP ? v.map->n : 0;
}

static struct tval invoke(struct run *r, const struct tfunc *f, struct tval *args, size_t n)
{
    for (size_t i = 0; i < n; i++)
        run_steps(r, weight(args[i]));
    if (run_failed(r)) return TV_NIL;
    struct tval v = f->fn(r, args, n);
    if (run_failed(r) && strncmp(r->err, "error calling ", 14) != 0 && r->code == -EINVAL)
        r->err = arena_printf(r->arena, "error calling %s: %s", f->name, r->err);
    return v;
}

/* receiver: the first argument of a method. */
static struct tval call(struct run *r, struct tval dot, const struct tfunc *f,
                        const struct tval *receiver, const struct command *c,
                        const struct tval *final)
{
    struct shape s = shape_of(f);
    size_t own = c ? c->n - 1 : 0, head = receiver != NULL, n = head + own + (final != NULL);
    if (!count_fits(r, f, &s, n) || !run_room(r, n * sizeof(struct tval))) return TV_NIL;
    struct tval *args = arena_array(r->arena, struct tval, n + 1);
    if (receiver) args[0] = *receiver;
    for (size_t i = 0; i < own && !run_failed(r); i++)
        args[head + i] = argument(r, dot, param_at(f, &s, head + i), c->args[i + 1]);
    if (final && !run_failed(r)) args[n - 1] = checked(r, param_at(f, &s, n - 1), *final);
    if (run_failed(r)) return TV_NIL;
    return invoke(r, f, args, n);
}

struct tval call_function(struct run *r, struct tval dot, const struct node *n,
                          const struct command *c, const struct tval *final)
{
    struct tval v = TV_NIL;
    if (++r->depth > DEPTH_LIMIT) {
        run_too_big(r);
    } else if (!n->func->fn) {
        struct shape s = shape_of(n->func);
        if (count_fits(r, n->func, &s, (c ? c->n - 1 : 0) + (final != NULL)))
            v = decide(r, dot, n->func, c, final);
    } else {
        v = call(r, dot, n->func, NULL, c, final);
    }
    r->depth--;
    return v;
}

struct tval call_method(struct run *r, struct tval dot, const struct tfunc *f, struct tval receiver,
                        const struct command *c, const struct tval *final)
{
    return call(r, dot, f, &receiver, c, final);
}
