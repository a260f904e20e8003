/* What type a value has. */
#include "components/common/template/run.h"

FN(type_of)
{
    return tv_str(str_of(tv_go_type(a[0])));
}

FN(type_is)
{
    return tv_bool(str_is(a[0].s, tv_go_type(a[1])));
}

FN(type_is_like)
{
    const char *type = tv_go_type(a[1]);
    return tv_bool(str_is(a[0].s, type) || (type[0] == '*' && str_is(a[0].s, type + 1)));
}

FN(kind_of)
{
    return tv_str(str_of(tv_kind(a[0])));
}

FN(kind_is)
{
    return tv_bool(str_is(a[0].s, tv_kind(a[1])));
}

FN(deep_equal)
{
    return tv_bool(tv_equal(r, a[0], a[1]));
}

static const struct tfunc funcs[] = {
    {"typeOf", "a", type_of}, {"typeIs", "sa", type_is}, {"typeIsLike", "sa", type_is_like},
    {"kindOf", "a", kind_of}, {"kindIs", "sa", kind_is}, {"deepEqual", "aa", deep_equal},
};
FUNC_TABLE(fn_types, funcs);
