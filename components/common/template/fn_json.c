/* JSON, as Go's encoding/json reads and writes it. */
#include <errno.h>
#include <math.h>
#include "base/json.h"
#include "base/num.h"
#include "base/time_layout.h"
#include "components/common/template/run.h"

/* --- writing --- */

struct writer {
    struct run *r;
    struct buf *out;
    bool html, pretty;
    int level;
};

static void value(struct writer *w, struct tval v);

static void text(struct writer *w, struct str s)
{
    struct json_out j = {.b = w->out, .html = w->html};
    json_str(&j, s);
}

static void line(struct writer *w)
{
    if (!w->pretty) return;
    buf_ch(w->out, '\n');
    for (int i = 0; i < w->level; i++)
        buf_cstr(w->out, "  ");
}

static void begin(struct writer *w, char c)
{
    buf_ch(w->out, c);
    w->level++;
}

static void item(struct writer *w, size_t i)
{
    if (i) buf_ch(w->out, ',');
    line(w);
}

static void end(struct writer *w, char c, bool any)
{
    w->level--;
    if (any) line(w);
    buf_ch(w->out, c);
}

static void list(struct writer *w, struct tlist l)
{
    begin(w, '[');
    for (size_t i = 0; i < l.n && !buf_err(w->out) && !run_failed(w->r); i++) {
        item(w, i);
        value(w, l.v[i]);
    }
    end(w, ']', l.n > 0);
}

static void member(struct writer *w, size_t i, struct str key, struct tval v)
{
    item(w, i);
    text(w, key);
    buf_cstr(w->out, w->pretty ? ": " : ":");
    value(w, v);
}

static void map(struct writer *w, struct tmap *m)
{
    tmap_force(w->r, m);
    begin(w, '{');
    for (size_t i = 0; i < m->n && !buf_err(w->out) && !run_failed(w->r); i++)
        member(w, i, m->v[i].key, m->v[i].value);
    end(w, '}', m->n > 0);
}

static void time_text(struct writer *w, const struct ttime *t)
{
    struct buf b = run_buf();
    struct time_layout *l = time_layout_new(str_of(time_layout_named(STR("RFC3339Nano"))));
    time_layout_format_s(l, t->unix_s, t->nsec, t->zone, &b);
    time_layout_free(l);
    text(w, buf_view(&b));
    buf_done(&b);
}

static void cert(struct writer *w, const struct tcert *c)
{
    begin(w, '{');
    member(w, 0, STR("Cert"), tv_str(c->cert));
    member(w, 1, STR("Key"), tv_str(c->key));
    end(w, '}', true);
}

static void number(struct writer *w, f64 f)
{
    if (isfinite(f))
        num_f64_json(w->out, f);
    else
        run_fail(w->r, "json: unsupported value: %s", f != f ? "NaN" : f > 0 ? "+Inf" : "-Inf");
}

static void parts(struct writer *w, struct tval v)
{
    switch ((enum ttype)v.type) {
    case T_NIL: buf_cstr(w->out, "null"); return;
    case T_BOOL: buf_cstr(w->out, v.i ? "true" : "false"); return;
    case T_INT: buf_printf(w->out, "%lld", (long long)v.i); return;
    case T_FLOAT: number(w, v.f); return;
    case T_STRING: text(w, v.s); return;
    case T_LIST: list(w, v.list); return;
    case T_MAP: map(w, v.map); return;
    case T_TIME: time_text(w, v.time); return;
    case T_VERSION: text(w, to_text(w->r, v)); return;
    case T_CERT: cert(w, v.cert); return;
    }
}

static void value(struct writer *w, struct tval v)
{
    if (++w->r->depth > DEPTH_LIMIT || ++w->r->steps > STEP_LIMIT)
        run_too_big(w->r);
    else
        parts(w, v);
    w->r->depth--;
}

static struct tval written(struct run *r, struct tval v, bool html, bool pretty)
{
    struct buf b = run_buf();
    struct writer w = {.r = r, .out = &b, .html = html, .pretty = pretty};
    value(&w, v);
    return run_value(r, &b);
}

/* What cannot be written is an empty text, where it must not be an error. */
static struct tval forgiving(struct run *r, struct tval v, bool pretty)
{
    struct tval out = written(r, v, true, pretty);
    if (r->code != -EINVAL) return out;
    r->code = 0;
    r->err = NULL;
    return tv_str((struct str){0});
}

FN(to_json)
{
    return forgiving(r, a[0], false);
}

FN(to_pretty)
{
    return forgiving(r, a[0], true);
}

FN(must_to_json)
{
    return written(r, a[0], true, false);
}

FN(must_to_pretty)
{
    return written(r, a[0], true, true);
}

FN(to_raw)
{
    return written(r, a[0], false, false);
}

/* --- reading --- */

static bool read_value(struct run *r, struct json_in *j, struct tval *ret);

static bool read_list(struct run *r, struct json_in *j, struct tval *ret)
{
    bool first = true;
    size_t n = 0, cap = 0;
    struct tval *v = NULL;
    while (json_next_elem(j, &first)) {
        if (n == cap) {
            struct tval more = tlist_new(r, ELEM_ANY, cap ? 2 * cap : 8);
            if (run_failed(r)) return false;
            if (n) memcpy(more.list.v, v, n * sizeof(*v));
            v = more.list.v;
            cap = more.list.n;
        }
        if (!read_value(r, j, &v[n++])) return false;
    }
    *ret = (struct tval){.type = T_LIST, .list = {v, n}};
    return !j->err;
}

/* The key is told raw: read once more when it holds escapes. */
static struct str key_text(struct run *r, struct str raw)
{
    struct json_in j;
    if (str_chr(raw, '\\') < 0) return raw;
    json_in_init(&j, str_n(raw.p - 1, raw.n + 2), r->arena);
    return json_value(&j) == JSON_STRING ? j.raw : raw;
}

static bool read_map(struct run *r, struct json_in *j, struct tval *ret)
{
    bool first = true;
    struct str key;
    struct tval v, m = {.type = T_MAP, .map = tmap_new(r)};
    while (json_next_key(j, &key, &first)) {
        if (!read_value(r, j, &v)) return false;
        tmap_put(r, m.map, key_text(r, key), v);
    }
    *ret = m;
    return !j->err && !run_failed(r);
}

static bool read_number(struct json_in *j, struct tval *ret)
{
    f64 f;
    if (num_parse_f64(j->raw, &f)) return false;
    *ret = tv_float(f);
    return true;
}

static bool read_value(struct run *r, struct json_in *j, struct tval *ret)
{
    if (++r->steps > STEP_LIMIT) run_too_big(r);
    if (run_failed(r)) return false;
    switch (json_value(j)) {
    case JSON_NULL: *ret = TV_NIL; return true;
    case JSON_BOOL: *ret = tv_bool(str_is(j->raw, "true")); return true;
    case JSON_NUMBER: return read_number(j, ret);
    case JSON_STRING: *ret = tv_str(j->raw); return true;
    case JSON_ARR: return read_list(r, j, ret);
    case JSON_OBJ: return read_map(r, j, ret);
    case JSON_ERROR:
    case JSON_END: return false;
    }
    return false;
}

static bool read_text(struct run *r, struct str s, struct tval *ret, const char **ret_why)
{
    struct json_in j;
    json_in_init(&j, s, r->arena);
    bool ok = read_value(r, &j, ret) && json_value(&j) == JSON_END;
    *ret_why = j.err ? j.err : s.n ? "invalid JSON" : "unexpected end of JSON input";
    return ok;
}

FN(from_json)
{
    struct tval v;
    const char *why;
    return read_text(r, a[0].s, &v, &why) ? v : TV_NIL;
}

FN(must_from_json)
{
    struct tval v;
    const char *why;
    return read_text(r, a[0].s, &v, &why) ? v : run_fail(r, "%s", why);
}

static const struct tfunc funcs[] = {
    {"toJson", "a", to_json},         {"mustToJson", "a", must_to_json},
    {"toPrettyJson", "a", to_pretty}, {"mustToPrettyJson", "a", must_to_pretty},
    {"toRawJson", "a", to_raw},       {"mustToRawJson", "a", to_raw},
    {"fromJson", "s", from_json},     {"mustFromJson", "s", must_from_json},
};
FUNC_TABLE(fn_json, funcs);
