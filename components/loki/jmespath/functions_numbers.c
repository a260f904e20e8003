/* JMESPath's functions of numbers and of types. */
#include <math.h>
#include "base/num.h"
#include "components/loki/jmespath/ast.h"

static bool fn_abs(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    *ret = jv_num(fabs(args[0].v.num));
    return true;
}

static bool fn_ceil(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    *ret = jv_num(ceil(args[0].v.num));
    return true;
}

static bool fn_floor(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    *ret = jv_num(floor(args[0].v.num));
    return true;
}

static f64 sum_of(const struct jv *v)
{
    f64 sum = 0;

    for (u32 i = 0; i < v->n; i++)
        sum += v->elems[i].num;
    return sum;
}

static bool fn_sum(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    *ret = jv_num(sum_of(&args[0].v));
    return true;
}

static bool fn_avg(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *v = &args[0].v;

    *ret = v->n ? jv_num(sum_of(v) / v->n) : jv_null();
    return true;
}

static bool fn_to_array(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    struct jv *one;

    *ret = args[0].v;
    if (ret->type == JV_ARRAY) return true;
    one = jmespath_array(s, 1);
    if (!one) return false;
    *one = args[0].v;
    *ret = jv_arr(one, 1);
    return true;
}

static bool fn_to_number(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    f64 num;

    *ret = args[0].v;
    if (ret->type == JV_NUMBER) return true;
    bool read = ret->type == JV_STRING && num_parse_f64(ret->str, &num) == 0;
    *ret = read ? jv_num(num) : jv_null();
    return true;
}

static bool fn_type(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    static const char *const names[] = {
        [JV_NULL] = "null",     [JV_BOOL] = "boolean", [JV_NUMBER] = "number",
        [JV_STRING] = "string", [JV_ARRAY] = "array",  [JV_OBJECT] = "object"};

    *ret = jv_str(str_of(names[args[0].v.type]));
    return true;
}

static bool fn_not_null(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    size_t i = 0;

    while (i + 1 < n && args[i].v.type == JV_NULL)
        i++;
    *ret = args[i].v;
    return true;
}

const struct function jmespath_fn_numbers[] = {
    {"abs", fn_abs, 1, 1, {A_NUMBER}},
    {"avg", fn_avg, 1, 1, {A_NUMBERS}},
    {"ceil", fn_ceil, 1, 1, {A_NUMBER}},
    {"floor", fn_floor, 1, 1, {A_NUMBER}},
    {"not_null", fn_not_null, 1, FN_MANY, {A_ANY}},
    {"sum", fn_sum, 1, 1, {A_NUMBERS}},
    {"to_array", fn_to_array, 1, 1, {A_ANY}},
    {"to_number", fn_to_number, 1, 1, {A_ANY}},
    {"type", fn_type, 1, 1, {A_ANY}},
    {0},
};
