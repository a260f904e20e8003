/* Conversions that many functions share, with the rules of spf13/cast: what is no number is 0. */
#include "base/num.h"
#include "components/common/template/literal.h"
#include "components/common/template/run.h"

struct str to_text(struct run *r, struct tval v)
{
    struct buf b = run_buf();
    if (v.type == T_STRING) return v.s;
    tv_print(r, &b, v);
    return run_text(r, &b);
}

/* "5.000" counts as 5. */
static struct str without_zero_fraction(struct str s)
{
    size_t n = s.n;
    while (n > 0 && s.p[n - 1] == '0')
        n--;
    return n > 0 && n < s.n && s.p[n - 1] == '.' ? str_sub(s, 0, n - 1) : s;
}

static i64 whole_of(f64 f)
{
    if (f != f || f < -9.2e18 || f > 9.2e18) return INT64_MIN; /* as the processor does for Go */
    return (i64)f;
}

i64 to_int64(struct run *r, struct tval v)
{
    i64 i = 0;
    switch ((enum ttype)v.type) {
    case T_BOOL: return v.i;
    case T_INT: return v.sub == INT_DURATION ? 0 : v.i;
    case T_FLOAT: return whole_of(v.f);
    case T_STRING: return literal_int(without_zero_fraction(v.s), &i) == 0 ? i : 0;
    default: return 0;
    }
}

f64 to_float(struct run *r, struct tval v)
{
    f64 f = 0;
    switch ((enum ttype)v.type) {
    case T_BOOL: return (f64)v.i;
    case T_INT: return v.sub == INT_DURATION ? 0 : (f64)v.i;
    case T_FLOAT: return v.f;
    case T_STRING: return num_parse_f64(v.s, &f) == 0 ? f : 0;
    default: return 0;
    }
}

bool is_empty(const struct run *r, struct tval v)
{
    return !tv_truth(r, v);
}
