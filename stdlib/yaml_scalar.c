/* Plain scalars by their look, tagged ones by their tag, all others are strings. */
#include "stdlib/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include "base/digest.h"
#include "base/num.h"
#include "base/xalloc.h"

#define TAG_PREFIX      "tag:yaml.org,2002:"
#define NUMBER_TEXT_MAX 512 /* longer plain scalars are no numbers */

/* --- words --- */

struct word {
    const char *text;
    enum { WORD_NULL, WORD_TRUE, WORD_FALSE, WORD_NAN, WORD_INF, WORD_NEG_INF } means;
};

static const struct word words[] = {
    {"", WORD_NULL},         {"~", WORD_NULL},        {"null", WORD_NULL},     {"Null", WORD_NULL},
    {"NULL", WORD_NULL},     {"true", WORD_TRUE},     {"True", WORD_TRUE},     {"TRUE", WORD_TRUE},
    {"false", WORD_FALSE},   {"False", WORD_FALSE},   {"FALSE", WORD_FALSE},   {".nan", WORD_NAN},
    {".NaN", WORD_NAN},      {".NAN", WORD_NAN},      {".inf", WORD_INF},      {".Inf", WORD_INF},
    {".INF", WORD_INF},      {"+.inf", WORD_INF},     {"+.Inf", WORD_INF},     {"+.INF", WORD_INF},
    {"-.inf", WORD_NEG_INF}, {"-.Inf", WORD_NEG_INF}, {"-.INF", WORD_NEG_INF},
};

static struct value word_value(const struct word *w)
{
    switch (w->means) {
    case WORD_NULL: return value_null();
    case WORD_TRUE: return value_bool(true);
    case WORD_FALSE: return value_bool(false);
    case WORD_NAN: return value_float(NAN);
    case WORD_INF: return value_float(INFINITY);
    case WORD_NEG_INF: return value_float(-INFINITY);
    }
    UNREACHABLE();
}

static bool word(struct str s, struct value *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!str_is(s, words[i].text)) continue;
        *ret = word_value(&words[i]);
        return true;
    }
    return false;
}

/* --- numbers --- */

/* 0x, 0o, 0b, or a leading zero for octal. */
static unsigned take_base(struct str *s)
{
    if (s->n < 2 || s->p[0] != '0') return 10;
    char c = (char)(s->p[1] | 0x20);
    unsigned base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
    *s = str_sub(*s, base ? 2 : 1, s->n);
    return base ? base : 8;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static bool magnitude(struct str s, u64 *ret)
{
    unsigned base = take_base(&s);
    u64 v = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned d = (unsigned)digit(s.p[i]);
        if (d >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
            return false;
    }
    *ret = v;
    return s.n > 0;
}

static bool integer(struct str s, struct value *ret)
{
    u64 v;
    bool negative = s.n > 0 && s.p[0] == '-', sign = negative || (s.n > 0 && s.p[0] == '+');
    if (!magnitude(str_sub(s, sign, s.n), &v)) return false;
    if (negative && v > (u64)INT64_MAX + 1) return false;
    if (sign && !negative && v > INT64_MAX) return false;
    if (negative)
        *ret = value_int((i64)-v);
    else
        *ret = v <= INT64_MAX ? value_int((i64)v) : value_uint(v);
    return true;
}

static size_t run_of_digits(struct str s, size_t at)
{
    while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
        at++;
    return at;
}

/* [sign] digits[.digits] or .digits, [exponent]: names such as inf and hexadecimal floats are text.
 */
static bool looks_decimal(struct str s)
{
    size_t at = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'), whole = run_of_digits(s, at),
           end = whole;
    if (end < s.n && s.p[end] == '.') end = run_of_digits(s, end + 1);
    if (whole == at && end <= at + 1) return false;
    if (end < s.n && (s.p[end] == 'e' || s.p[end] == 'E')) {
        size_t exp = end + 1;
        if (exp < s.n && (s.p[exp] == '-' || s.p[exp] == '+')) exp++;
        end = run_of_digits(s, exp);
        if (end == exp) return false;
    }
    return end == s.n;
}

static bool number(struct str s, struct value *ret)
{
    char plain[NUMBER_TEXT_MAX];
    size_t n = 0;
    f64 f;
    if (s.n == 0 || s.n > sizeof(plain) || !strchr("0123456789+-.", s.p[0])) return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '_') plain[n++] = s.p[i];
    struct str text = str_n(plain, n);
    if (integer(text, ret)) return true;
    if (!looks_decimal(text) || num_parse_f64(text, &f)) return false;
    *ret = value_float(f);
    return true;
}

/* --- all plain ones --- */

static bool time_text(struct str s, struct value *ret)
{
    struct buf text = BUF_INIT(128);
    bool is = yaml_timestamp(s, &text);
    if (is) *ret = value_str(buf_view(&text));
    buf_done(&text);
    return is;
}

static struct value plain(struct str s)
{
    struct value v;
    if (word(s, &v) || time_text(s, &v) || number(s, &v)) return v;
    return value_str(s);
}

bool yaml_plain_is_string(struct str s)
{
    struct value v;
    if (word(s, &v)) return false;
    if (!time_text(s, &v)) return !number(s, &v);
    value_unref(v);
    return false;
}

/* --- tagged ones --- */

static int misfit(struct str s, struct str tag, char **err)
{
    *err = xprintf("yaml: cannot decode `" STR_FMT "` as a !!" STR_FMT, STR_ARG(s), STR_ARG(tag));
    return -EINVAL;
}

static int binary(struct str s, struct value *ret, char **err)
{
    struct buf bytes = BUF_INIT(s.n + 1);
    int rc = base64_decode(&bytes, BASE64_STD, s, NULL);
    if (!rc) *ret = value_str(buf_view(&bytes));
    buf_done(&bytes);
    if (rc) *err = xstrdup("yaml: !!binary value contains invalid base64 data");
    return rc ? -EINVAL : 0;
}

static bool tag_takes(struct str tag, struct value v)
{
    if (str_is(tag, "null")) return v.type == V_NULL;
    if (str_is(tag, "bool")) return v.type == V_BOOL;
    if (str_is(tag, "int")) return v.type == V_NUMBER && v.numkind != NUM_FLOAT;
    if (str_is(tag, "float")) return v.type == V_NUMBER;
    return true;
}

static int tagged(struct str s, struct str tag, struct value *ret, char **err)
{
    if (str_is(tag, "str")) {
        *ret = value_str(s);
        return 0;
    }
    if (str_is(tag, "binary")) return binary(s, ret, err);
    struct value v = plain(s);
    if (!tag_takes(tag, v)) {
        value_unref(v);
        return misfit(s, tag, err);
    }
    *ret = str_is(tag, "float") ? value_float(value_num_f64(v)) : v;
    return 0;
}

int yaml_scalar(const struct yaml_node *n, struct value *ret, char **err)
{
    if (str_starts(n->tag, STR(TAG_PREFIX)))
        return tagged(n->text, str_sub(n->tag, sizeof(TAG_PREFIX) - 1, n->tag.n), ret, err);
    *ret = n->tag.n > 0 || n->style != YAML_PLAIN ? value_str(n->text) : plain(n->text);
    return 0;
}

bool yaml_is_merge(const struct yaml_node *n)
{
    if (n->kind != YAML_SCALAR || !str_is(n->text, "<<")) return false;
    return str_is(n->tag, TAG_PREFIX "merge") || (n->tag.n == 0 && n->style == YAML_PLAIN);
}
