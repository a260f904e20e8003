/* printf: Go's directives over values of templates. Numbers and texts are the standard library's.
 */
#include "base/num.h"
#include "base/utf8.h"
#include "components/loki/template/run.h"
#include "stdlib/gofmt_int.h"

#define NUMBER_MAX 1000000

struct format {
    struct run *r;
    struct directive d;
    struct str text;
    size_t at;
    const struct tval *args;
    size_t n, arg;
    bool reordered, good_index, after_index;
};

static void value(struct run *r, struct directive *d, struct tval v, u32 verb);

/* --- values --- */

static void bad_verb(struct run *r, struct directive *d, struct tval v, u32 verb)
{
    buf_cstr(d->out, "%!");
    utf8_encode(d->out, verb);
    if (v.type == T_NIL) {
        buf_cstr(d->out, "(<nil>)");
        return;
    }
    struct directive plain = {.out = d->out};
    buf_printf(d->out, "(%s=", tv_go_type(v));
    value(r, &plain, v, 'v');
    buf_ch(d->out, ')');
}

static bool whole(struct directive *d, i64 i, u32 verb)
{
    u64 u = (u64)i;
    switch (verb) {
    case 'd': gofmt_integer(d, u, true, 10, verb, false); return true;
    case 'b': gofmt_integer(d, u, true, 2, verb, false); return true;
    case 'o':
    case 'O': gofmt_integer(d, u, true, 8, verb, false); return true;
    case 'x': gofmt_integer(d, u, true, 16, verb, false); return true;
    case 'X': gofmt_integer(d, u, true, 16, verb, true); return true;
    case 'c': gofmt_char(d, u); return true;
    case 'q': gofmt_quoted_char(d, u); return true;
    case 'U': gofmt_unicode(d, u); return true;
    default: return false;
    }
}

static bool floating(struct directive *d, f64 f, u32 verb)
{
    switch (verb) {
    case 'v': gofmt_float(d, f, 'g', -1); return true;
    case 'b':
    case 'g':
    case 'G':
    case 'x':
    case 'X': gofmt_float(d, f, verb, -1); return true;
    case 'f':
    case 'e':
    case 'E': gofmt_float(d, f, verb, 6); return true;
    case 'F': gofmt_float(d, f, 'f', 6); return true;
    default: return false;
    }
}

static bool text(struct directive *d, struct str s, u32 verb)
{
    switch (verb) {
    case 'v':
        if (d->sharp_v)
            gofmt_quoted(d, s);
        else
            gofmt_string(d, s);
        return true;
    case 's': gofmt_string(d, s); return true;
    case 'x': gofmt_hex(d, s, false); return true;
    case 'X': gofmt_hex(d, s, true); return true;
    case 'q': gofmt_quoted(d, s); return true;
    default: return false;
    }
}

/* The text that a type with a String method of its own shows. */
static bool own_text(struct run *r, struct directive *d, struct tval v, u32 verb)
{
    bool strings =
        v.type == T_TIME || v.type == T_VERSION || (v.type == T_INT && v.sub >= INT_DURATION);
    if (!strings || !strchr("vsxXq", (int)(verb & 0x7f)) || d->sharp_v) return false;
    if (v.type == T_INT && (verb == 'x' || verb == 'X')) return false;
    struct buf b = run_buf();
    tv_print(r, &b, v);
    text(d, run_text(r, &b), verb);
    return true;
}

static void element(struct run *r, struct directive *d, struct tval v, u32 verb)
{
    if (v.type == T_NIL && (verb == 'v' || verb == 's'))
        buf_cstr(d->out, d->sharp_v ? "interface {}(nil)" : verb == 's' ? "%!s(<nil>)" : "<nil>");
    else
        value(r, d, v, verb);
}

static bool done(struct run *r, const struct directive *d)
{
    return buf_err(d->out) || run_failed(r);
}

static void list(struct run *r, struct directive *d, struct tval v, u32 verb)
{
    if (d->sharp_v)
        buf_printf(d->out, "%s{", tv_go_type(v));
    else
        buf_ch(d->out, '[');
    for (size_t i = 0; i < v.list.n && !done(r, d); i++) {
        if (i) buf_cstr(d->out, d->sharp_v ? ", " : " ");
        element(r, d, v.list.v[i], verb);
    }
    buf_ch(d->out, d->sharp_v ? '}' : ']');
}

static void map(struct run *r, struct directive *d, struct tval v, u32 verb)
{
    tmap_force(r, v.map);
    if (d->sharp_v)
        buf_printf(d->out, "%s{", tv_go_type(v));
    else
        buf_cstr(d->out, "map[");
    for (size_t i = 0; i < v.map->n && !done(r, d); i++) {
        if (i) buf_cstr(d->out, d->sharp_v ? ", " : " ");
        value(r, d, tv_str(v.map->v[i].key), verb);
        buf_ch(d->out, ':');
        element(r, d, v.map->v[i].value, verb);
    }
    buf_ch(d->out, d->sharp_v ? '}' : ']');
}

static void cert(struct run *r, struct directive *d, struct tval v, u32 verb)
{
    buf_ch(d->out, '{');
    value(r, d, tv_str(v.cert->cert), verb);
    buf_ch(d->out, ' ');
    value(r, d, tv_str(v.cert->key), verb);
    buf_ch(d->out, '}');
}

static bool known(struct run *r, struct directive *d, struct tval v, u32 verb)
{
    if (own_text(r, d, v, verb)) return true;
    switch ((enum ttype)v.type) {
    case T_NIL:
        if (verb == 'v') gofmt_pad(d, STR("<nil>"));
        return verb == 'v';
    case T_BOOL:
        if (verb == 't' || verb == 'v') gofmt_pad(d, v.i ? STR("true") : STR("false"));
        return verb == 't' || verb == 'v';
    case T_INT: return whole(d, v.i, verb == 'v' ? 'd' : verb);
    case T_FLOAT: return floating(d, v.f, verb);
    case T_STRING: return text(d, v.s, verb);
    case T_LIST: list(r, d, v, verb); return true;
    case T_MAP: map(r, d, v, verb); return true;
    case T_CERT: cert(r, d, v, verb); return true;
    case T_TIME:
    case T_VERSION: return false;
    }
    return false;
}

static void value(struct run *r, struct directive *d, struct tval v, u32 verb)
{
    if (++r->depth > DEPTH_LIMIT || ++r->steps > STEP_LIMIT)
        run_too_big(r);
    else if (verb == 'T')
        gofmt_string(d, str_of(tv_go_type(v)));
    else if (!known(r, d, v, verb))
        bad_verb(r, d, v, verb);
    r->depth--;
}

/* --- directives --- */

static bool at_end(const struct format *f)
{
    return f->at >= f->text.n;
}

static bool next_is(const struct format *f, char c)
{
    return !at_end(f) && f->text.p[f->at] == c;
}

static bool flag(struct directive *d, char c)
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

/* Too large a number takes all the text, so that the verb is missing. */
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

static bool index_body(struct format *f, size_t close)
{
    int n = 0;
    size_t start = f->at + 1;
    struct format inner = {.text = str_sub(f->text, 0, close), .at = start};
    bool digits = number(&inner, &n);
    f->at = close + 1;
    if (!digits || inner.at != close || n < 1 || (size_t)n > f->n) return false;
    f->arg = (size_t)n - 1;
    return true;
}

/* [n]: the next argument is the n-th. */
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

static bool star(struct format *f, int *ret)
{
    f->at++;
    if (f->arg >= f->n) return false;
    struct tval v = f->args[f->arg++];
    if (v.type != T_INT || v.i > NUMBER_MAX || v.i < -NUMBER_MAX) return false;
    *ret = (int)v.i;
    return true;
}

static void width(struct format *f)
{
    struct directive *d = &f->d;
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
    struct directive *d = &f->d;
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
    struct directive *d = &f->d;
    if (verb == 'v') {
        d->sharp_v = d->sharp;
        d->plus_v = d->plus;
        d->sharp = d->plus = false;
    }
    value(f->r, d, f->args[f->arg++], verb);
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
    else if (f->arg >= f->n)
        mark(f, c, "MISSING");
    else
        argument(f, c);
}

static void directive(struct format *f)
{
    f->d = (struct directive){.out = f->d.out};
    f->good_index = true;
    while (!at_end(f) && flag(&f->d, f->text.p[f->at]))
        f->at++;
    arg_index(f);
    width(f);
    precision(f);
    if (!f->after_index) arg_index(f);
    verb(f);
}

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
    f->d = (struct directive){.out = f->d.out};
    buf_cstr(f->d.out, "%!(EXTRA ");
    for (size_t i = f->arg; i < f->n; i++) {
        if (i > f->arg) buf_cstr(f->d.out, ", ");
        if (f->args[i].type == T_NIL) {
            buf_cstr(f->d.out, "<nil>");
            continue;
        }
        buf_printf(f->d.out, "%s=", tv_go_type(f->args[i]));
        value(f->r, &f->d, f->args[i], 'v');
    }
    buf_ch(f->d.out, ')');
}

void tpl_format(struct run *r, struct buf *out, struct str format, const struct tval *args,
                size_t n)
{
    struct format f = {.r = r, .d = {.out = out}, .text = format, .args = args, .n = n};
    while (!at_end(&f) && !done(r, &f.d)) {
        literal(&f);
        if (at_end(&f)) break;
        f.at++;
        directive(&f);
    }
    if (!f.reordered && f.arg < n) extra(&f);
}
