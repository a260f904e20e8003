/* eq, ne, lt, le, gt, ge: values of one basic kind compare; nothing compares with another kind. */
#include "components/common/template/run.h"

static const char incompatible[] = "incompatible types for comparison";
static const char not_basic[] = "invalid type for comparison";

static bool is_basic(struct tval v)
{
    return v.type == T_BOOL || v.type == T_INT || v.type == T_FLOAT || v.type == T_STRING;
}

/* Values that are nothing are equal to each other only. */
static bool equal(struct run *r, struct tval a, struct tval b)
{
    if (a.type == T_NIL || b.type == T_NIL) return a.type == b.type;
    if (a.type != b.type && is_basic(a) && is_basic(b)) {
        run_fail(r, incompatible);
        return false;
    }
    if (a.type == T_LIST || a.type == T_MAP || b.type == T_LIST || b.type == T_MAP) {
        struct tval bad = a.type == T_LIST || a.type == T_MAP ? a : b;
        run_fail(r, "non-comparable type %s", tv_go_type(bad));
        return false;
    }
    if (a.type != b.type) {
        run_fail(r, incompatible);
        return false;
    }
    if (is_basic(a)) a.sub = b.sub = 0;
    return tv_equal(r, a, b);
}

FN(eq)
{
    if (n == 1) return run_fail(r, "missing argument for comparison");
    for (size_t i = 1; i < n && !run_failed(r); i++)
        if (equal(r, a[0], a[i])) return tv_bool(true);
    return tv_bool(false);
}

FN(ne)
{
    return tv_bool(!equal(r, a[0], a[1]));
}

/* <0, 0, >0; 2 when one is not a number. */
static int order(struct run *r, struct tval a, struct tval b)
{
    if (!is_basic(a) || !is_basic(b) || (a.type == T_BOOL && b.type == T_BOOL))
        run_fail(r, not_basic);
    else if (a.type != b.type)
        run_fail(r, incompatible);
    else if (a.type == T_STRING)
        return str_cmp(a.s, b.s);
    else if (a.type == T_INT)
        return (a.i > b.i) - (a.i < b.i);
    else if (a.f != a.f || b.f != b.f)
        return 2;
    else
        return (a.f > b.f) - (a.f < b.f);
    return 0;
}

FN(lt)
{
    return tv_bool(order(r, a[0], a[1]) < 0);
}

FN(le)
{
    return tv_bool(order(r, a[0], a[1]) <= 0);
}

/* Go has these as the opposites of the two above, not a number or not. */
FN(gt)
{
    return tv_bool(order(r, a[0], a[1]) > 0);
}

FN(ge)
{
    return tv_bool(order(r, a[0], a[1]) >= 0);
}

static const struct tfunc funcs[] = {
    {"eq", "aa.", eq}, {"ne", "aa", ne}, {"lt", "aa", lt},
    {"le", "aa", le},  {"gt", "aa", gt}, {"ge", "aa", ge},
};
FUNC_TABLE(fn_compare, funcs);
