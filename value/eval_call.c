/* f(args): arguments are evaluated, counted, converted to the parameters' kinds, and handed to the
 * function. */
#include "value/eval_int.h"

#include <errno.h>
#include <stdlib.h>
#include "base/xalloc.h"
#include "value/convert.h"
#include "value/fault.h"

static const struct func_env *env_of(const struct scope *scope)
{
    for (; scope; scope = scope->parent)
        if (scope->env) return scope->env;
    return NULL;
}

static void drop(struct value *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        value_unref(v[i]);
    free(v);
}

static int eval_args(struct eval *ev, const struct expr *e, struct value **ret)
{
    struct value *args = xcalloc(e->call.n + 1, sizeof(*args));
    for (size_t i = 0; i < e->call.n; i++) {
        if (eval_node(ev, e->call.args[i], &args[i])) {
            drop(args, i);
            return -EINVAL;
        }
    }
    *ret = args;
    return 0;
}

static int check_count(struct eval *ev, const struct expr *e, const struct func *f)
{
    size_t need = f->variadic ? f->n_params - 1u : f->n_params;
    bool fine = f->variadic ? e->call.n >= need : e->call.n == need;
    if (fine) return 0;
    return eval_fault(ev, DIAG_EVAL_CALL, e->call.fn, "expected %s%zu args, got %zu",
                      f->variadic ? "at least " : "", need, e->call.n);
}

/* The expression to blame for a fault at a path inside an argument. */
static const struct expr *blame(struct eval *ev, const struct expr *arg, struct value v,
                                const struct vpath *path)
{
    return path->n > 0 ? eval_origin(ev, v, arg) : arg;
}

/* Replaces each argument by what its parameter takes. */
static int convert_args(struct eval *ev, const struct expr *e, const struct func *f,
                        struct value *args)
{
    for (size_t i = 0; i < e->call.n; i++) {
        struct value converted;
        struct vfault fault = {0};
        if (convert_param(f->params[MIN(i, f->n_params - 1u)], args[i], &converted, &fault)) {
            fault_report(ev->diags, DIAG_EVAL_TYPE,
                         blame(ev, e->call.args[i], args[i], &fault.path), &fault.path, fault.text);
            vfault_done(&fault);
            return -EINVAL;
        }
        value_unref(args[i]);
        args[i] = converted;
    }
    return 0;
}

static void report(struct eval *ev, const struct expr *e, const struct value *args,
                   const struct func_error *err)
{
    const struct expr *at = e->call.fn;
    if (err->no_pos) {
        diag_error(ev->diags, DIAG_EVAL_FUNCTION, NO_SPAN, "%s", err->text);
        return;
    }
    if (err->arg >= 0) at = blame(ev, e->call.args[err->arg], args[err->arg], &err->path);
    fault_report(ev->diags, DIAG_EVAL_FUNCTION, at, &err->path, err->text);
}

static int invoke(struct eval *ev, const struct expr *e, const struct func *f, struct value *args,
                  struct value *ret)
{
    struct func_error err = {.arg = -1};
    if (check_count(ev, e, f) || convert_args(ev, e, f, args)) return -EINVAL;
    int rc = f->call(env_of(ev->scope), args, e->call.n, ret, &err);
    if (rc) report(ev, e, args, &err);
    func_error_done(&err);
    return rc ? -EINVAL : 0;
}

static int call(struct eval *ev, const struct expr *e, struct value fn, struct value *ret)
{
    struct value *args;
    if (fn.type != V_FUNCTION)
        return eval_fault(ev, DIAG_EVAL_TYPE, e->call.fn, "should be function, got %s",
                          vtype_name(fn.type));
    if (eval_args(ev, e, &args)) return -EINVAL;
    int rc = invoke(ev, e, fn.func, args, ret);
    drop(args, e->call.n);
    return rc;
}

int eval_call(struct eval *ev, const struct expr *e, struct value *ret)
{
    struct value fn;
    if (eval_node(ev, e->call.fn, &fn)) return -EINVAL;
    int rc = call(ev, e, fn, ret);
    value_unref(fn);
    return rc;
}
