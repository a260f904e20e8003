/* One pass: a run begins at a digit and goes on over digits and delimiters. Digits are 0 to 9; a
 * number that does not fit 63 bits is none, as in Alloy. */
#include "components/loki/process/luhn.h"

#include "base/num.h"
#include "base/utf8.h"

#define MOST_DIGITS 64 /* leading zeros included */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The width of the delimiter that text begins with; 0: it is none. */
static size_t delimiter_width(const struct luhn *l, struct str text)
{
    u32 c, other;
    bool bad;

    if (l->delimiters.n == 0) return 0;
    size_t width = utf8_decode(text, &c, &bad);
    for (struct str rest = l->delimiters; rest.n && !bad;) {
        size_t n = utf8_decode(rest, &other, NULL);
        if (other == c) return width;
        rest = str_sub(rest, n, rest.n);
    }
    return 0;
}

struct run {
    char digits[MOST_DIGITS];
    size_t from, to, end; /* to: behind the last digit; end: behind the delimiters after it */
    size_t last;          /* where the last delimiter of those begins */
    size_t n;             /* digits, those that did not fit included */
};

static struct run take_run(const struct luhn *l, struct str text, size_t from)
{
    struct run r = {.from = from, .end = from};
    size_t width;

    while (r.end < text.n) {
        if (is_digit(text.p[r.end])) {
            if (r.n < MOST_DIGITS) r.digits[r.n] = text.p[r.end];
            r.n++;
            r.to = ++r.end;
        } else if ((width = delimiter_width(l, str_sub(text, r.end, text.n))) > 0) {
            r.last = r.end;
            r.end += width;
        } else {
            break;
        }
    }
    return r;
}

/* From the right, every second digit counts double, its own digits added. */
static bool passes(const struct run *r)
{
    int sum = 0;
    i64 value;

    if (r->n > MOST_DIGITS || num_parse_i64(str_n(r->digits, r->n), &value)) return false;
    for (size_t i = 0; i < r->n; i++) {
        int d = r->digits[r->n - 1 - i] - '0';

        if (i % 2) d = d > 4 ? 2 * d - 9 : 2 * d;
        sum += d;
    }
    return sum % 10 == 0;
}

static bool replaces(const struct luhn *l, struct str text, const struct run *r)
{
    if ((i64)r->n < l->min_length || !passes(r)) return false;
    return !l->skip || !l->skip(l->arg, text, r->from, r->to);
}

size_t luhn_replace(const struct luhn *l, struct str text, struct buf *out)
{
    size_t at = 0, copied = 0, n = 0;

    while (at < text.n) {
        if (!is_digit(text.p[at])) {
            at++;
            continue;
        }
        struct run r = take_run(l, text, at);
        at = r.end;
        if (!replaces(l, text, &r)) continue;
        buf_str(out, str_sub(text, copied, r.from));
        buf_str(out, l->replacement);
        copied = r.to < r.end ? r.last : r.end; /* the last delimiter stays */
        n++;
    }
    buf_str(out, str_sub(text, copied, text.n));
    return n;
}
