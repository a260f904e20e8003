/* printf: Go's directives (base/gofmt.h) over values of templates. */
#include "base/gofmt.h"

#include "components/common/template/run.h"

static void value(struct run *r, struct gofmt_directive *d, struct tval v, u32 verb);

/* --- values --- */

static void bad_verb(struct run *r, struct gofmt_directive *d, struct tval v, u32 verb)
{
    gofmt_bad_verb(d, verb, tv_go_type(v));
    value(r, d, v, 'v');
    buf_ch(d->out, ')');
}

/* The text that a type with a String method of its own shows. */
static bool own_text(struct run *r, struct gofmt_directive *d, struct tval v, u32 verb)
{
    bool strings =
        v.type == T_TIME || v.type == T_VERSION || (v.type == T_INT && v.sub >= INT_DURATION);
    if (!strings || !strchr("vsxXq", (int)(verb & 0x7f)) || d->sharp_v) return false;
    if (v.type == T_INT && (verb == 'x' || verb == 'X')) return false;
    struct buf b = run_buf();
    tv_print(r, &b, v);
    return gofmt_show_text(d, run_text(r, &b), verb);
}

static void element(struct run *r, struct gofmt_directive *d, struct tval v, u32 verb)
{
    if (v.type == T_NIL && (verb == 'v' || verb == 's'))
        buf_cstr(d->out, d->sharp_v ? "interface {}(nil)" : verb == 's' ? "%!s(<nil>)" : "<nil>");
    else
        value(r, d, v, verb);
}

static bool done(struct run *r, const struct gofmt_directive *d)
{
    return buf_err(d->out) || run_failed(r);
}

static void list(struct run *r, struct gofmt_directive *d, struct tval v, u32 verb)
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

static void map(struct run *r, struct gofmt_directive *d, struct tval v, u32 verb)
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

static void cert(struct run *r, struct gofmt_directive *d, struct tval v, u32 verb)
{
    buf_ch(d->out, '{');
    value(r, d, tv_str(v.cert->cert), verb);
    buf_ch(d->out, ' ');
    value(r, d, tv_str(v.cert->key), verb);
    buf_ch(d->out, '}');
}

static bool known(struct run *r, struct gofmt_directive *d, struct tval v, u32 verb)
{
    if (own_text(r, d, v, verb)) return true;
    switch ((enum ttype)v.type) {
    case T_NIL: gofmt_show_nil(d, verb); return true;
    case T_BOOL: return gofmt_show_bool(d, v.i, verb);
    case T_INT: return gofmt_show_whole(d, (u64)v.i, true, verb);
    case T_FLOAT: return gofmt_show_float(d, v.f, verb);
    case T_STRING: return gofmt_show_text(d, v.s, verb);
    case T_LIST: list(r, d, v, verb); return true;
    case T_MAP: map(r, d, v, verb); return true;
    case T_CERT: cert(r, d, v, verb); return true;
    case T_TIME:
    case T_VERSION: return false;
    }
    return false;
}

static void value(struct run *r, struct gofmt_directive *d, struct tval v, u32 verb)
{
    if (++r->depth > DEPTH_LIMIT || ++r->steps > STEP_LIMIT)
        run_too_big(r);
    else if (verb == 'T')
        gofmt_string(d, str_of(tv_go_type(v)));
    else if (!known(r, d, v, verb))
        bad_verb(r, d, v, verb);
    r->depth--;
}

/* --- the arguments of a format --- */

struct args {
    struct run *r;
    const struct tval *v;
};

/* A run that has failed shows nothing more: its text is thrown away. */
static void show_nth(void *arg, struct gofmt_directive *d, size_t i, u32 verb)
{
    struct args *a = arg;

    if (!run_failed(a->r)) value(a->r, d, a->v[i], verb);
}

static bool whole_nth(void *arg, size_t i, i64 *ret)
{
    struct tval v = ((struct args *)arg)->v[i];

    if (v.type != T_INT) return false;
    *ret = v.i;
    return true;
}

static const char *type_nth(void *arg, size_t i)
{
    struct tval v = ((struct args *)arg)->v[i];

    return v.type == T_NIL ? "" : tv_go_type(v);
}

void tpl_format(struct run *r, struct buf *out, struct str format, const struct tval *args,
                size_t n)
{
    struct args a = {r, args};

    gofmt(out, format,
          &(struct gofmt_args){
              .n = n, .arg = &a, .show = show_nth, .whole = whole_nth, .type = type_nth});
}
