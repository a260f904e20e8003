/* Lines: JSON, logfmt, or the body alone. */
#include <errno.h>
#include <stdlib.h>

#include "components/otelcol/exporter_loki.h"

#include "base/arena.h"
#include "base/budget.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/num.h"
#include "base/utf8.h"
#include "components/common/logfmt.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"

/* --- JSON --- */

static bool is_zero(struct str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i]) return false;
    return true;
}

static void json_id(struct json_out *j, const char *key, struct str id)
{
    char hex[64];

    if (is_zero(id) || id.n > 16) return;
    for (size_t i = 0; i < id.n; i++)
        snprintf(hex + 2 * i, 3, "%02x", (u8)id.p[i]);
    json_key(j, str_of(key));
    json_str(j, str_n(hex, 2 * id.n));
}

static int by_key(const void *a, const void *b)
{
    const struct loki_attr *const *x = a, *const *y = b;
    int order = str_cmp((*x)->key, (*y)->key);

    return order ? order : (*x > *y) - (*x < *y);
}

/* By key; of equal keys the last one counts. */
static void json_sorted(struct json_out *j, const struct loki_attr **v, size_t n)
{
    if (n) qsort(v, n, sizeof(*v), by_key);
    json_obj(j);
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && str_eq(v[i]->key, v[i + 1]->key)) continue;
        struct otlp_value value = otlp_value_read(v[i]->value);
        json_key(j, v[i]->key);
        otlp_value_json(j, &value);
    }
    json_obj_end(j);
}

static void json_attrs(struct json_out *j, const char *key, const loki_attrs *list)
{
    const struct loki_attr **v = budget_alloc((list->n + 1) * sizeof(*v));
    size_t n = 0;

    if (!v) {
        j->b->err = -ENOMEM;
        return;
    }
    for (size_t i = 0; i < list->n; i++)
        if (!list->v[i].gone) v[n++] = &list->v[i];
    if (n > 0) {
        json_key(j, str_of(key));
        json_sorted(j, v, n);
    }
    free(v);
}

static void json_member(struct json_out *j, const char *key, struct str text)
{
    if (text.n == 0) return;
    json_key(j, str_of(key));
    json_str(j, text);
}

static void json_scope(struct json_out *j, const struct loki_record *r)
{
    if (r->scope_name.n == 0) return;
    json_key(j, STR("instrumentation_scope"));
    json_obj(j);
    json_member(j, "name", r->scope_name);
    json_member(j, "version", r->scope_version);
    json_obj_end(j);
}

int loki_line_json(const struct loki_record *r, struct buf *line)
{
    struct json_out j = {.b = line, .html = true};

    json_obj(&j);
    if (r->body.type != OTLP_V_NONE) {
        json_key(&j, STR("body"));
        otlp_value_json(&j, &r->body);
    }
    json_id(&j, "traceid", r->trace_id);
    json_id(&j, "spanid", r->span_id);
    json_member(&j, "severity", r->severity_text);
    if (r->flags) {
        json_key(&j, STR("flags"));
        json_u64(&j, r->flags);
    }
    json_attrs(&j, "attributes", &r->attributes);
    json_attrs(&j, "resources", &r->resource);
    json_scope(&j, r);
    json_obj_end(&j);
    return buf_err(line);
}

/* --- logfmt: pairs first, since some replace others of the same key --- */

struct pairs {
    struct arena arena;
    VEC(struct label) list;
    struct buf text;
    size_t room; /* bytes that texts of ours may still take */
    int err;
};

#define PAIRS_MAX ((size_t)16 << 20)

static struct str keep(struct pairs *p, struct str s)
{
    if (s.n >= p->room) {
        p->err = -E2BIG;
        return STR("");
    }
    p->room -= s.n + 1;
    return arena_str(&p->arena, s);
}

static void add_pair(struct pairs *p, struct str key, struct str value)
{
    if (p->list.n * sizeof(struct label) >= PAIRS_MAX)
        p->err = -E2BIG;
    else
        vec_push(&p->list, ((struct label){key, value}));
}

static void replace_pair(struct pairs *p, struct str key, struct str value)
{
    vec_each (&p->list, l)
        if (str_eq(l->name, key)) {
            l->value = value;
            return;
        }
    add_pair(p, key, value);
}

static struct str scalar_text(struct pairs *p, const struct otlp_value *v)
{
    if (v->type == OTLP_V_STR || v->type == OTLP_V_BYTES) return v->s;
    buf_reset(&p->text);
    if (v->type == OTLP_V_DOUBLE)
        num_f64_g(&p->text, v->f);
    else
        otlp_value_text(&p->text, v);
    return keep(p, buf_view(&p->text));
}

static struct str joined(struct pairs *p, struct str prefix, struct str name)
{
    buf_reset(&p->text);
    buf_str(&p->text, prefix);
    if (prefix.n > 0) buf_ch(&p->text, '_');
    buf_str(&p->text, name);
    return keep(p, buf_view(&p->text));
}

static void add_value(struct pairs *p, struct str key, struct str any_value);

static void add_map(struct pairs *p, struct str key, struct str map)
{
    struct str name, value;

    for (struct pb_in in = pb_in(map); !p->err && otlp_value_next_entry(&in, &name, &value);)
        add_value(p, joined(p, key, name), value);
}

static void add_list(struct pairs *p, struct str key, struct str list)
{
    struct str value;
    char digits[24];
    size_t i = 0;

    for (struct pb_in in = pb_in(list); !p->err && otlp_value_next_element(&in, &value); i++) {
        int n = snprintf(digits, sizeof(digits), "%zu", i);
        add_value(p, joined(p, key, str_n(digits, (size_t)n)), value);
    }
}

/* Maps and lists are flattened; nesting is bounded by what a request may hold (OTLP_DEPTH). */
static void add_typed(struct pairs *p, struct str key, const struct otlp_value *v)
{
    switch (v->type) {
    case OTLP_V_NONE: return;
    case OTLP_V_MAP: add_map(p, key, v->s); return;
    case OTLP_V_ARRAY: add_list(p, key, v->s); return;
    case OTLP_V_STR:
    case OTLP_V_BOOL:
    case OTLP_V_INT:
    case OTLP_V_DOUBLE:
    case OTLP_V_BYTES: add_pair(p, key, scalar_text(p, v)); return;
    }
}

static void add_value(struct pairs *p, struct str key, struct str any_value)
{
    struct otlp_value v = otlp_value_read(any_value);

    add_typed(p, key, &v);
}

/* A body that is logfmt gives its pairs, any other text is msg. */
static void add_text_body(struct pairs *p, struct str text)
{
    struct logfmt in;

    logfmt_init(&in, text, &p->arena);
    while (logfmt_next(&in))
        add_pair(p, in.key, in.value);
    if (!in.failed) return;
    vec_clear(&p->list);
    add_pair(p, STR("msg"), text);
}

static void add_body(struct pairs *p, const struct otlp_value *body)
{
    if (body->type == OTLP_V_STR)
        add_text_body(p, body->s);
    else
        add_typed(p,
                  body->type == OTLP_V_MAP     ? STR("")
                  : body->type == OTLP_V_ARRAY ? STR("body")
                                               : STR("msg"),
                  body);
}

static void add_id(struct pairs *p, const char *key, struct str id)
{
    if (is_zero(id)) return;
    buf_reset(&p->text);
    hex_encode(&p->text, id.p, id.n);
    replace_pair(p, str_of(key), keep(p, buf_view(&p->text)));
}

static void add_attrs(struct pairs *p, const char *prefix, const loki_attrs *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (!list->v[i].gone)
            add_value(p, joined(p, str_of(prefix), list->v[i].key), list->v[i].value);
}

static void gather(struct pairs *p, const struct loki_record *r)
{
    add_body(p, &r->body);
    add_id(p, "traceID", r->trace_id);
    add_id(p, "spanID", r->span_id);
    if (r->severity_text.n > 0) replace_pair(p, STR("severity"), r->severity_text);
    if (r->flags)
        replace_pair(p, STR("flags"),
                     scalar_text(p, &(struct otlp_value){.type = OTLP_V_INT, .i = r->flags}));
    add_attrs(p, "attribute", &r->attributes);
    add_attrs(p, "resource", &r->resource);
    if (r->scope_name.n == 0) return;
    add_pair(p, STR("instrumentation_scope_name"), r->scope_name);
    if (r->scope_version.n > 0) add_pair(p, STR("instrumentation_scope_version"), r->scope_version);
}

/* Without what may not stand in a key. */
static void write_key(struct buf *out, struct str key)
{
    while (key.n > 0) {
        u32 c;
        bool bad = false;
        size_t n = utf8_decode(key, &c, &bad);
        if (c > ' ' && c != '=' && c != '"' && c != UTF8_INVALID && !bad) buf_add(out, key.p, n);
        key = str_sub(key, n, key.n);
    }
}

static bool needs_quotes(struct str value)
{
    while (value.n > 0) {
        u32 c;
        size_t n = utf8_decode(value, &c, NULL);
        if (c <= ' ' || c == '=' || c == '"' || c == UTF8_INVALID) return true;
        value = str_sub(value, n, value.n);
    }
    return false;
}

static int write_pairs(const struct pairs *p, struct buf *line, char *why, size_t cap)
{
    for (size_t i = 0; i < p->list.n; i++) {
        const struct label *l = &p->list.v[i];
        struct json_out j = {.b = line};
        if (i > 0) buf_ch(line, ' ');
        size_t before = line->n;
        write_key(line, l->name);
        if (line->n == before && !buf_err(line)) {
            snprintf(why, cap, "invalid key");
            return -EINVAL;
        }
        buf_ch(line, '=');
        if (needs_quotes(l->value))
            json_str(&j, l->value);
        else
            buf_str(line, l->value);
    }
    return buf_err(line);
}

int loki_line_logfmt(const struct loki_record *r, struct buf *line, char *why, size_t cap)
{
    struct pairs p = {.text = BUF_INIT(PAIRS_MAX), .room = PAIRS_MAX};

    arena_init(&p.arena, 0);
    gather(&p, r);
    if (buf_err(&p.text)) p.err = buf_err(&p.text);
    int err = p.err ? p.err : write_pairs(&p, line, why, cap);
    vec_done(&p.list);
    arena_done(&p.arena);
    buf_done(&p.text);
    return err;
}

/* --- which --- */

static struct str format_of(const struct loki_record *r, struct buf *text)
{
    struct str value;

    if (!loki_attr_get(&r->resource, STR(LOKI_HINT_FORMAT), &value) &&
        !loki_attr_get(&r->attributes, STR(LOKI_HINT_FORMAT), &value))
        return STR("json");
    struct otlp_value v = otlp_value_read(value);
    buf_reset(text);
    otlp_value_text(text, &v);
    return buf_view(text);
}

int loki_record_line(struct loki_record *r, struct buf *line, char *why, size_t cap)
{
    struct str format = format_of(r, &r->scratch);
    int err;

    if (str_is(format, "json")) {
        err = loki_line_json(r, line);
    } else if (str_is(format, "logfmt")) {
        err = loki_line_logfmt(r, line, why, cap);
    } else if (str_is(format, "raw")) {
        otlp_value_text(line, &r->body);
        err = buf_err(line);
    } else {
        snprintf(why, cap, "invalid format %.*s. Expected one of: json, logfmt, raw",
                 (int)MIN(format.n, 60u), format.p ? format.p : "");
        return -EINVAL;
    }
    if (err == -E2BIG) {
        snprintf(why, cap, "the line would be too large");
        return -EINVAL;
    }
    return err;
}
