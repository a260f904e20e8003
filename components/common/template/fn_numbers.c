/* Sprig's numbers. */
#include <math.h>
#include "base/num.h"
#include "components/common/template/decimal.h"
#include "components/common/template/text.h"

FN(atoi_)
{
    i64 i = 0;
    return tv_int(num_parse_i64(a[0].s, &i) == 0 ? i : 0);
}

FN(int_)
{
    return tv_int(to_int64(r, a[0]));
}

FN(int64_)
{
    return tv_int64(to_int64(r, a[0]));
}

FN(float64_)
{
    return tv_float(to_float(r, a[0]));
}

/* Reads octal, whatever its name says. */
FN(to_decimal)
{
    struct str s = to_text(r, a[0]);
    i64 v = 0;
    bool minus = s.n > 0 && s.p[0] == '-';
    size_t i = minus || (s.n > 0 && s.p[0] == '+');
    if (i == s.n) return tv_int64(0);
    for (; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '7' || v > INT64_MAX / 8 - 1) return tv_int64(0);
        v = v * 8 + (s.p[i] - '0');
    }
    return tv_int64(minus ? -v : v);
}

/* --- integers: they wrap around as Go's do --- */

FN(add1)
{
    return tv_int64((i64)((u64)to_int64(r, a[0]) + 1));
}

FN(add)
{
    u64 sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (u64)to_int64(r, a[i]);
    return tv_int64((i64)sum);
}

FN(sub)
{
    return tv_int64((i64)((u64)to_int64(r, a[0]) - (u64)to_int64(r, a[1])));
}

FN(mul)
{
    u64 v = (u64)to_int64(r, a[0]);
    for (size_t i = 1; i < n; i++)
        v *= (u64)to_int64(r, a[i]);
    return tv_int64((i64)v);
}

FN(div_)
{
    i64 x = to_int64(r, a[0]), y = to_int64(r, a[1]);
    if (y == 0) return run_fail(r, "runtime error: integer divide by zero");
    return tv_int64(y == -1 ? (i64)(0 - (u64)x) : x / y);
}

FN(mod)
{
    i64 x = to_int64(r, a[0]), y = to_int64(r, a[1]);
    if (y == 0) return run_fail(r, "runtime error: integer divide by zero");
    return tv_int64(y == -1 ? 0 : x % y);
}

FN(max_)
{
    i64 v = to_int64(r, a[0]);
    for (size_t i = 1; i < n; i++)
        v = MAX(v, to_int64(r, a[i]));
    return tv_int64(v);
}

FN(min_)
{
    i64 v = to_int64(r, a[0]);
    for (size_t i = 1; i < n; i++)
        v = MIN(v, to_int64(r, a[i]));
    return tv_int64(v);
}

/* --- floats --- */

FN(maxf)
{
    f64 v = to_float(r, a[0]);
    for (size_t i = 1; i < n; i++) {
        f64 w = to_float(r, a[i]);
        if (w > v || w != w) v = w;
    }
    return tv_float(v);
}

FN(minf)
{
    f64 v = to_float(r, a[0]);
    for (size_t i = 1; i < n; i++) {
        f64 w = to_float(r, a[i]);
        if (w < v || w != w) v = w;
    }
    return tv_float(v);
}

FN(floor_)
{
    return tv_float(floor(to_float(r, a[0])));
}

FN(ceil_)
{
    return tv_float(ceil(to_float(r, a[0])));
}

/* Up from the fraction given (0.5), at so many places. */
FN(round_)
{
    f64 on = n > 2 ? a[2].f : 0.5, pow10 = pow(10, (f64)a[1].i), whole;
    f64 digit = pow10 * to_float(r, a[0]), part = modf(digit, &whole);
    return tv_float((part >= on ? ceil(digit) : floor(digit)) / pow10);
}

static bool finite_arg(struct run *r, struct tval v, struct decimal *ret)
{
    f64 f = to_float(r, v);
    if (!isfinite(f)) {
        run_fail(r, "Cannot create a Decimal from %s", f != f ? "NaN" : f > 0 ? "+Inf" : "-Inf");
        return false;
    }
    *ret = decimal_of(f);
    return true;
}

typedef struct decimal (*decimal_fn)(struct decimal, struct decimal);

static struct tval fold(struct run *r, struct decimal v, const struct tval *a, size_t n,
                        decimal_fn fn)
{
    for (size_t i = 0; i < n; i++) {
        struct decimal x;
        if (!finite_arg(r, a[i], &x)) return TV_NIL;
        if (fn == decimal_div && decimal_is_zero(x)) return run_fail(r, "decimal division by 0");
        v = fn(v, x);
    }
    return tv_float(decimal_value(v));
}

static struct tval folded(struct run *r, const struct tval *a, size_t n, decimal_fn fn)
{
    struct decimal v;
    return finite_arg(r, a[0], &v) ? fold(r, v, a + 1, n - 1, fn) : TV_NIL;
}

FN(addf)
{
    return fold(r, decimal_of(0), a, n, decimal_add);
}

FN(add1f)
{
    struct tval one = tv_float(1);
    struct decimal v;
    return finite_arg(r, a[0], &v) ? fold(r, v, &one, 1, decimal_add) : TV_NIL;
}

FN(subf)
{
    return folded(r, a, n, decimal_sub);
}

FN(mulf)
{
    return folded(r, a, n, decimal_mul);
}

FN(divf)
{
    return folded(r, a, n, decimal_div);
}

/* --- sequences --- */

/* How many numbers from start by step before stop. */
static u64 steps_of(i64 start, i64 stop, i64 step)
{
    u64 gap, by;
    if ((stop < start && step >= 0) || (stop >= start && step <= 0)) return 0;
    gap = stop < start ? (u64)start - (u64)stop : (u64)stop - (u64)start;
    by = step < 0 ? 0 - (u64)step : (u64)step;
    return gap / by + (gap % by != 0);
}

static struct tval sequence(struct run *r, i64 start, i64 stop, i64 step)
{
    u64 n = steps_of(start, stop, step);
    struct tval l = tlist_new(r, ELEM_INT, n);
    for (size_t i = 0; i < l.list.n; i++)
        l.list.v[i] = tv_int((i64)((u64)start + i * (u64)step));
    return l;
}

FN(until_step)
{
    return sequence(r, a[0].i, a[1].i, a[2].i);
}

FN(until)
{
    return sequence(r, 0, a[0].i, a[0].i < 0 ? -1 : 1);
}

/* seq END, seq START END, seq START STEP END: END is part of it. */
FN(seq)
{
    struct buf b = run_buf();
    if (n == 0 || n > 3) return tv_str((struct str){0});
    i64 start = n == 1 ? 1 : a[0].i, end = a[n - 1].i;
    i64 toward = end < start ? -1 : 1, step = n == 3 ? a[1].i : toward;
    if (n == 3 && toward < 0 && step > 0) return tv_str((struct str){0});
    struct tval l = sequence(r, start, (i64)((u64)end + (u64)toward), step);
    for (size_t i = 0; i < l.list.n; i++)
        buf_printf(&b, "%s%lld", i ? " " : "", (long long)l.list.v[i].i);
    return run_value(r, &b);
}

static const struct tfunc funcs[] = {
    {"atoi", "s", atoi_},       {"int", "a", int_},     {"int64", "a", int64_},
    {"float64", "a", float64_}, {"add1", "a", add1},    {"toDecimal", "a", to_decimal},
    {"add", "a.", add},         {"sub", "aa", sub},     {"mul", "aa.", mul},
    {"div", "aa", div_},        {"mod", "aa", mod},     {"max", "aa.", max_},
    {"biggest", "aa.", max_},   {"min", "aa.", min_},   {"maxf", "aa.", maxf},
    {"minf", "aa.", minf},      {"floor", "a", floor_}, {"ceil", "a", ceil_},
    {"round", "aif.", round_},  {"addf", "a.", addf},   {"add1f", "a", add1f},
    {"subf", "aa.", subf},      {"mulf", "aa.", mulf},  {"divf", "aa.", divf},
    {"until", "i", until},      {"seq", "i.", seq},     {"untilStep", "iii", until_step},
};
FUNC_TABLE(fn_numbers, funcs);
