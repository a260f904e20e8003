/* Durations and byte sizes: runs of "number unit", in the forms of Go's time package and of its
 * usual units package. */
#include "base/num.h"

#include <errno.h>
#include <math.h>
#include "base/xalloc.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_sign(struct str *s)
{
    bool neg = s->n && s->p[0] == '-';

    if (neg || (s->n && s->p[0] == '+')) *s = str_sub(*s, 1, s->n);
    return neg;
}

/* What stands before the next digit or point: a unit's name. */
static struct str take_unit(struct str *s)
{
    size_t n = 0;

    while (n < s->n && s->p[n] != '.' && !is_digit(s->p[n]))
        n++;
    struct str unit = str_n(s->p, n);
    *s = str_sub(*s, n, s->n);
    return unit;
}

/* Takes the digits at the front; false when they pass 2^63. */
static bool take_whole(struct str *s, u64 *ret, size_t *ret_digits)
{
    u64 v = 0;
    size_t n = 0;

    for (; n < s->n && is_digit(s->p[n]); n++) {
        if (v > (UINT64_C(1) << 63) / 10) return false;
        v = v * 10 + (u64)(s->p[n] - '0');
        if (v > UINT64_C(1) << 63) return false;
    }
    *s = str_sub(*s, n, s->n);
    *ret = v;
    *ret_digits = n;
    return true;
}

/* --- durations --- */

struct unit {
    struct str name;
    u64 size;
};

static const struct unit dur_units[] = {
    {{"ns", 2}, 1},
    {{"us", 2}, 1000},
    {{"\xC2\xB5s", 3}, 1000}, /* U+00B5 micro sign */
    {{"\xCE\xBCs", 3}, 1000}, /* U+03BC Greek mu */
    {{"ms", 2}, NS_PER_MS},
    {{"s", 1}, NS_PER_SEC},
    {{"m", 1}, 60 * NS_PER_SEC},
    {{"h", 1}, 3600 * NS_PER_SEC},
};

static u64 dur_unit(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(dur_units); i++) {
        if (str_eq(dur_units[i].name, name)) return dur_units[i].size;
    }
    return 0;
}

/* Digits past what 63 bits hold are cut, not rounded. */
static u64 take_fraction(struct str *s, f64 *ret_scale, size_t *ret_digits)
{
    u64 v = 0;
    size_t n = 0;
    bool full = false;

    *ret_scale = 1;
    for (; n < s->n && is_digit(s->p[n]); n++) {
        u64 next = v * 10 + (u64)(s->p[n] - '0');

        full = full || v > INT64_MAX / 10 || next > UINT64_C(1) << 63;
        if (full) continue;
        v = next;
        *ret_scale *= 10;
    }
    *s = str_sub(*s, n, s->n);
    *ret_digits = n;
    return v;
}

enum dur_fault { DUR_OK, DUR_INVALID, DUR_NO_UNIT, DUR_BAD_UNIT };

/* One "number unit" added to *sum; *ret_unit names the unit for the message. */
static enum dur_fault take_term(struct str *s, u64 *sum, struct str *ret_unit)
{
    const u64 most = UINT64_C(1) << 63;
    size_t before, after = 0;
    u64 whole, fraction = 0;
    f64 scale = 1;

    if (!is_digit(s->p[0]) && s->p[0] != '.') return DUR_INVALID;
    if (!take_whole(s, &whole, &before)) return DUR_INVALID;
    if (s->n && s->p[0] == '.') {
        *s = str_sub(*s, 1, s->n);
        fraction = take_fraction(s, &scale, &after);
    }
    if (before + after == 0) return DUR_INVALID;
    *ret_unit = take_unit(s);
    if (ret_unit->n == 0) return DUR_NO_UNIT;
    u64 unit = dur_unit(*ret_unit);
    if (!unit) return DUR_BAD_UNIT;
    if (whole > most / unit) return DUR_INVALID;
    u64 term = whole * unit + (u64)((f64)fraction * ((f64)unit / scale));
    if (term > most || *sum + term > most) return DUR_INVALID;
    *sum += term;
    return DUR_OK;
}

/* Quotes as the messages of Go's time package do: bytes outside printable ASCII in hexadecimal. */
static void add_quoted(struct buf *b, struct str s)
{
    buf_ch(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        u8 c = (u8)s.p[i];

        if (c < ' ' || c >= 0x80)
            buf_printf(b, "\\x%02x", c);
        else if (c == '"' || c == '\\')
            buf_printf(b, "\\%c", c);
        else
            buf_ch(b, (char)c);
    }
    buf_ch(b, '"');
}

static int dur_fail(enum dur_fault fault, struct str unit, struct str whole, char **ret_err)
{
    struct buf b = BUF_INIT(SIZE_MAX / 2);

    if (!ret_err) return -EINVAL;
    if (fault == DUR_BAD_UNIT) {
        buf_cstr(&b, "time: unknown unit ");
        add_quoted(&b, unit);
        buf_cstr(&b, " in duration ");
    } else {
        buf_cstr(&b, fault == DUR_NO_UNIT ? "time: missing unit in duration "
                                          : "time: invalid duration ");
    }
    add_quoted(&b, whole);
    *ret_err = buf_take(&b, NULL);
    return -EINVAL;
}

int dur_parse(struct str s, i64 *ret_ns, char **ret_err)
{
    struct str whole = s, unit = {0};
    bool neg = take_sign(&s);
    u64 sum = 0;
    enum dur_fault fault = s.n == 0 ? DUR_INVALID : DUR_OK;

    if (str_eq(s, STR("0"))) s.n = 0;
    while (s.n && fault == DUR_OK)
        fault = take_term(&s, &sum, &unit);
    if (fault == DUR_OK && sum > (u64)INT64_MAX + neg) fault = DUR_INVALID;
    if (fault != DUR_OK) return dur_fail(fault, unit, whole, ret_err);
    *ret_ns = (i64)(neg ? -sum : sum);
    return 0;
}

/* v / size with as many decimals as needed; size is a power of ten. */
static void add_decimal(struct buf *b, u64 v, u64 size)
{
    u64 rest = v % size;

    buf_printf(b, "%llu", (unsigned long long)(v / size));
    if (rest) buf_ch(b, '.');
    while (rest) {
        size /= 10;
        buf_ch(b, (char)('0' + rest / size));
        rest %= size;
    }
}

static void format_short(struct buf *b, u64 v)
{
    if (v < 1000)
        buf_printf(b, "%uns", (unsigned)v);
    else if (v < NS_PER_MS)
        add_decimal(b, v, 1000), buf_cstr(b, "\xC2\xB5s");
    else
        add_decimal(b, v, NS_PER_MS), buf_cstr(b, "ms");
}

void dur_format(struct buf *b, i64 ns)
{
    u64 v = ns < 0 ? -(u64)ns : (u64)ns;
    u64 minute = 60 * NS_PER_SEC, hour = 60 * minute;

    if (ns < 0) buf_ch(b, '-');
    if (v && v < NS_PER_SEC) {
        format_short(b, v);
        return;
    }
    if (v >= hour) buf_printf(b, "%lluh", (unsigned long long)(v / hour));
    if (v >= minute) buf_printf(b, "%um", (unsigned)(v % hour / minute));
    add_decimal(b, v % minute, NS_PER_SEC);
    buf_ch(b, 's');
}

/* --- byte sizes --- */

static const char size_letters[] = "BKMGTPE";

/* The size of a unit named by one letter and `suffix` ("B" alone is a byte in both families); 0
 * when unknown. */
static f64 size_unit(struct str name, struct str suffix)
{
    if (str_eq(name, STR("B"))) return 1;
    if (name.n != 1 + suffix.n || !str_ends(name, suffix)) return 0;
    const char *at = memchr(size_letters + 1, name.p[0], sizeof(size_letters) - 2);
    return at ? ldexp(1, 10 * (int)(at - size_letters)) : 0;
}

/* Go takes the digits after the point as an integer over a power of ten. */
static bool take_size_number(struct str *s, f64 *ret)
{
    size_t before, after = 0;
    u64 whole, fraction = 0;

    if (!is_digit(s->p[0]) && s->p[0] != '.') return false;
    if (!take_whole(s, &whole, &before)) return false;
    if (s->n && s->p[0] == '.') {
        *s = str_sub(*s, 1, s->n);
        if (!take_whole(s, &fraction, &after)) return false;
    }
    *ret = (f64)whole + (f64)fraction / pow(10, (f64)after);
    return before + after > 0;
}

static int size_fail(int rc, char *text, char **ret_err)
{
    if (ret_err)
        *ret_err = text;
    else
        free(text);
    return rc;
}

static int size_parse(struct str s, struct str suffix, i64 *ret, char **ret_err)
{
    struct str whole = s;
    bool neg = take_sign(&s);
    f64 sum = 0, number = 0;

    if (s.n == 0)
        return size_fail(-EINVAL, xprintf("units: invalid " STR_FMT, STR_ARG(whole)), ret_err);
    if (str_eq(s, STR("0"))) s.n = 0;
    while (s.n) {
        if (!take_size_number(&s, &number))
            return size_fail(-EINVAL, xprintf("units: invalid " STR_FMT, STR_ARG(whole)), ret_err);
        struct str name = take_unit(&s);
        f64 unit = size_unit(name, suffix);
        if (unit == 0)
            return size_fail(-EINVAL,
                             xprintf("units: unknown unit " STR_FMT " in " STR_FMT, STR_ARG(name),
                                     STR_ARG(whole)),
                             ret_err);
        sum += number * unit;
    }
    if (sum >= 0x1p63) return size_fail(-ERANGE, xprintf("units: overflow parsing unit"), ret_err);
    *ret = (i64)(neg ? -sum : sum);
    return 0;
}

/* Two families of names for the same powers of 1024, never mixed in one text; the message is the
 * second one's. */
int bytesize_parse(struct str s, i64 *ret_bytes, char **ret_err)
{
    if (size_parse(s, STR("iB"), ret_bytes, NULL) == 0) return 0;
    return size_parse(s, STR("B"), ret_bytes, ret_err);
}

void bytesize_format(struct buf *b, i64 n)
{
    i64 part[sizeof(size_letters) - 1];
    int top = 0;

    for (i64 rest = n; top < (int)ARRAY_LEN(part) && (rest || top == 0); rest /= 1024)
        part[top++] = rest % 1024;
    if (n == 0) buf_cstr(b, "0B");
    for (int i = top - 1; i >= 0; i--) {
        if (part[i] == 0) continue;
        buf_printf(b, "%lld%c%s", (long long)part[i], size_letters[i], i ? "iB" : "");
    }
}
