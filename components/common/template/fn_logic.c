/* Defaults and choices. */
#include "components/common/template/run.h"

FN(default_)
{
    return n < 2 || is_empty(r, a[1]) ? a[0] : a[1];
}

FN(empty)
{
    return tv_bool(is_empty(r, a[0]));
}

FN(coalesce)
{
    for (size_t i = 0; i < n; i++)
        if (!is_empty(r, a[i])) return a[i];
    return TV_NIL;
}

FN(all)
{
    for (size_t i = 0; i < n; i++)
        if (is_empty(r, a[i])) return tv_bool(false);
    return tv_bool(true);
}

FN(any)
{
    for (size_t i = 0; i < n; i++)
        if (!is_empty(r, a[i])) return tv_bool(true);
    return tv_bool(false);
}

FN(ternary)
{
    return a[2].i ? a[0] : a[1];
}

FN(fail)
{
    return run_fail(r, STR_FMT, STR_ARG(a[0].s));
}

static const struct tfunc funcs[] = {
    {"default", "aa.", default_}, {"empty", "a", empty}, {"coalesce", "a.", coalesce},
    {"all", "a.", all},           {"any", "a.", any},    {"ternary", "aab", ternary},
    {"fail", "s", fail},
};
FUNC_TABLE(fn_logic, funcs);
