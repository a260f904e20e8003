/* Formats: literal text, directives with flags, width, precision and argument indexes, and the
 * marks of what is wrong with them. */
#include "base/gofmt_int.h"

#include "base/utf8.h"

#define NUMBER_MAX 1000000 /* larger widths and precisions are refused, as Go does */

struct format {
    struct gofmt_directive d;
    struct str text;
    size_t at;
    const struct gofmt_args *args;
    size_t arg;      /* the next one */
    bool reordered;  /* an index was used: arguments left over are fine */
    bool good_index; /* of the current directive */
    bool after_index;
};

static bool at_end(const struct format *f)
{
    return f->at >= f->text.n;
}

static bool next_is(const struct format *f, char c)
{
    return !at_end(f) && f->text.p[f->at] == c;
}

/* --- parts of a directive --- */

static bool flag(struct gofmt_directive *d, char c)
{
    switch (c) {
    case '#': d->sharp = true; return true;
    case '0': d->zero = true; return true;
    case '+': d->plus = true; return true;
    case '-': d->minus = true; return true;
    case ' ': d->space = true; return true;
    default: return false;
    }
}

/* Digits at the current place; too large a number takes all the text, so that the verb is missing.
 */
static bool number(struct format *f, int *ret)
{
    size_t start = f->at;
    int v = 0;
    for (; !at_end(f) && f->text.p[f->at] >= '0' && f->text.p[f->at] <= '9'; f->at++) {
        v = v * 10 + (f->text.p[f->at] - '0');
        if (v > NUMBER_MAX) {
            f->at = f->text.n;
            return false;
        }
    }
    *ret = v;
    return f->at > start;
}

/* [n]: the next argument is the n-th. A broken index makes the directive a BADINDEX. */
static bool index_body(struct format *f, size_t close)
{
    int n = 0;
    size_t start = f->at + 1;
    struct format inner = {.text = str_sub(f->text, 0, close), .at = start};
    bool digits = number(&inner, &n);
    f->at = close + 1;
    if (!digits || inner.at != close || n < 1 || (size_t)n > f->args->n) return false;
    f->arg = (size_t)n - 1;
    return true;
}

static void arg_index(struct format *f)
{
    f->after_index = false;
    if (!next_is(f, '[')) return;
    f->reordered = true;
    ssize_t close = str_chr(str_sub(f->text, f->at, f->text.n), ']');
    if (close < 0) {
        f->good_index = false;
        f->at++;
        return;
    }
    f->after_index = index_body(f, f->at + (size_t)close);
    if (!f->after_index) f->good_index = false;
}

/* The integer argument of a '*'. */
static bool star(struct format *f, int *ret)
{
    f->at++;
    if (f->arg >= f->args->n) return false;
    i64 n;
    if (!f->args->whole(f->args->arg, f->arg++, &n) || n > NUMBER_MAX || n < -NUMBER_MAX)
        return false;
    *ret = (int)n;
    return true;
}

static void width(struct format *f)
{
    struct gofmt_directive *d = &f->d;
    if (!next_is(f, '*')) {
        d->has_width = number(f, &d->width);
        if (f->after_index && d->has_width) f->good_index = false;
        return;
    }
    d->has_width = star(f, &d->width);
    if (!d->has_width) buf_cstr(d->out, "%!(BADWIDTH)");
    f->after_index = false;
    if (d->width >= 0) return;
    d->width = -d->width;
    d->minus = true;
    d->zero = false;
}

static void precision(struct format *f)
{
    struct gofmt_directive *d = &f->d;
    if (!next_is(f, '.') || f->at + 1 >= f->text.n) return;
    f->at++;
    if (f->after_index) f->good_index = false;
    arg_index(f);
    if (!next_is(f, '*')) {
        if (!number(f, &d->prec)) d->prec = 0;
        d->has_prec = true;
        return;
    }
    d->has_prec = star(f, &d->prec) && d->prec >= 0;
    if (!d->has_prec) {
        d->prec = 0;
        buf_cstr(d->out, "%!(BADPREC)");
    }
    f->after_index = false;
}

static void mark(struct format *f, u32 verb, const char *what)
{
    buf_cstr(f->d.out, "%!");
    utf8_encode(f->d.out, verb);
    buf_printf(f->d.out, "(%s)", what);
}

static void argument(struct format *f, u32 verb)
{
    struct gofmt_directive *d = &f->d;
    if (verb == 'v' || verb == 'w') {
        d->sharp_v = d->sharp;
        d->plus_v = d->plus;
        d->sharp = d->plus = false;
    }
    f->args->show(f->args->arg, d, f->arg++, verb);
}

static void verb(struct format *f)
{
    u32 c;
    if (at_end(f)) {
        buf_cstr(f->d.out, "%!(NOVERB)");
        return;
    }
    f->at += utf8_decode(str_sub(f->text, f->at, f->text.n), &c, NULL);
    if (c == '%')
        buf_ch(f->d.out, '%');
    else if (!f->good_index)
        mark(f, c, "BADINDEX");
    else if (f->arg >= f->args->n)
        mark(f, c, "MISSING");
    else
        argument(f, c);
}

static void directive(struct format *f)
{
    f->d = (struct gofmt_directive){.out = f->d.out};
    f->good_index = true;
    while (!at_end(f) && flag(&f->d, f->text.p[f->at]))
        f->at++;
    arg_index(f);
    width(f);
    precision(f);
    if (!f->after_index) arg_index(f);
    verb(f);
}

/* --- the whole --- */

static void literal(struct format *f)
{
    struct str rest = str_sub(f->text, f->at, f->text.n);
    ssize_t percent = str_chr(rest, '%');
    size_t n = percent < 0 ? rest.n : (size_t)percent;
    buf_add(f->d.out, rest.p, n);
    f->at += n;
}

static void extra(struct format *f)
{
    const struct gofmt_args *args = f->args;

    f->d = (struct gofmt_directive){.out = f->d.out};
    buf_cstr(f->d.out, "%!(EXTRA ");
    for (size_t i = f->arg; i < args->n; i++) {
        const char *type = args->type(args->arg, i);
        if (i > f->arg) buf_cstr(f->d.out, ", ");
        if (*type) buf_printf(f->d.out, "%s=", type);
        args->show(args->arg, &f->d, i, 'v');
    }
    buf_ch(f->d.out, ')');
}

void gofmt(struct buf *out, struct str format, const struct gofmt_args *args)
{
    struct format f = {.d = {.out = out}, .text = format, .args = args};
    while (!at_end(&f) && !buf_err(out)) {
        literal(&f);
        if (at_end(&f)) break;
        f.at++;
        directive(&f);
    }
    if (!f.reordered && f.arg < args->n) extra(&f);
}
