/* Actions of otelcol.processor.attributes at work: each is a function over a record's attributes,
 * and a row in the table of kinds. Source: spec D.4. */
#include <errno.h>

#include "base/digest.h"
#include "base/num.h"
#include "base/xalloc.h"
#include "components/otelcol/attributes_action_int.h"
#include "telemetry/otlp_value.h"

/* --- values from the context --- */

/* All values of one key, joined by ';'. False: none. */
static bool join_metadata(const struct client_info *c, struct str key, struct buf *out)
{
    bool any = false;
    for (size_t i = 0; i < c->n_metadata; i++) {
        if (!str_ieq(str_of(c->metadata[i].key), key)) continue;
        if (any) buf_ch(out, ';');
        buf_cstr(out, c->metadata[i].value);
        any = true;
    }
    return any;
}

static bool find_auth(const struct client_info *c, struct str key, struct buf *out)
{
    for (size_t i = 0; i < c->n_auth; i++) {
        if (!str_is(key, c->auth[i].key)) continue;
        buf_cstr(out, c->auth[i].value);
        return true;
    }
    return false;
}

static bool context_value(const struct client_info *c, struct str key, struct buf *out)
{
    static const struct str metadata = {"metadata.", 9}, auth = {"auth.", 5};
    if (str_is(key, "client.address")) {
        buf_cstr(out, c->peer_ip);
        return out->n > 0;
    }
    if (str_starts(key, auth)) return find_auth(c, str_sub(key, auth.n, key.n), out);
    if (str_starts(key, metadata)) key = str_sub(key, metadata.n, key.n);
    return join_metadata(c, key, out);
}

static void look_up(struct action_run *r, size_t i, const struct client_info *client)
{
    struct buf text = BUF_INIT(SIZE_MAX);
    r->of[i].at = r->values.n;
    r->of[i].set = context_value(client, r->list->v[i].from, &text);
    if (r->of[i].set)
        otlp_value_write(&r->values,
                         &(struct otlp_value){.type = OTLP_V_STR, .s = buf_view(&text)});
    r->of[i].n = r->values.n - r->of[i].at;
    if (buf_err(&text) && !buf_err(&r->values)) r->values.err = buf_err(&text);
    buf_done(&text);
}

int action_run_begin(struct action_run *r, const struct action_list *list,
                     const struct client_info *client)
{
    r->list = list;
    r->values.max = SIZE_MAX;
    buf_reset(&r->values);
    if (list->n > r->cap) {
        r->of = xrealloc(r->of, list->n * sizeof(*r->of));
        r->cap = list->n;
    }
    for (size_t i = 0; i < list->n; i++) {
        r->of[i].set = false;
        if (list->v[i].source == FROM_CONTEXT && client) look_up(r, i, client);
    }
    return buf_err(&r->values);
}

void action_run_done(struct action_run *r)
{
    buf_done(&r->values);
    free(r->of);
    *r = (struct action_run){0};
}

/* --- running --- */

/* The value to set; false: its source is not there. */
static bool source_value(const struct action *a, size_t nth, const struct action_run *r,
                         struct otlp_edit *e, struct str *ret)
{
    const struct otlp_attr *from;
    switch (a->source) {
    case FROM_VALUE: *ret = a->value; return true;
    case FROM_CONTEXT:
        if (!r->of[nth].set) return false;
        *ret = str_n(r->values.p + r->of[nth].at, r->of[nth].n);
        return true;
    case FROM_ATTRIBUTE:
        from = otlp_attr_find(e, a->from);
        if (from) *ret = from->value;
        return from;
    }
    return false;
}

static void run_insert(const struct action *a, size_t nth, const struct action_run *r,
                       struct otlp_edit *e)
{
    struct str value;
    if (!otlp_attr_find(e, a->key) && source_value(a, nth, r, e, &value))
        otlp_attr_add(e, a->key, value);
}

static void run_update(const struct action *a, size_t nth, const struct action_run *r,
                       struct otlp_edit *e)
{
    struct str value;
    struct otlp_attr *attr = otlp_attr_find(e, a->key);
    if (attr && source_value(a, nth, r, e, &value)) otlp_attr_set(e, attr, value);
}

static void run_upsert(const struct action *a, size_t nth, const struct action_run *r,
                       struct otlp_edit *e)
{
    struct str value;
    if (source_value(a, nth, r, e, &value)) otlp_attr_put(e, a->key, value);
}

/* Attributes with the key, which may be given more than once, and those whose keys match. */
static void run_delete(const struct action *a, size_t nth, const struct action_run *r,
                       struct otlp_edit *e)
{
    u32 n;
    struct otlp_attr *attrs = otlp_attrs(e, &n);
    for (u32 i = 0; i < n; i++) {
        bool named = a->key.n > 0 && str_eq(attrs[i].key, a->key);
        if (!attrs[i].gone &&
            (named || (a->pattern && regex_match(a->pattern, attrs[i].key, 0, NULL, 0) > 0)))
            otlp_attr_remove(e, &attrs[i]);
    }
}

/* The value as AnyValue bytes in scratch memory; false when there is none left. */
static bool build(struct otlp_edit *e, const struct otlp_value *v, struct str *ret)
{
    struct buf b = BUF_INIT(SIZE_MAX);
    otlp_value_write(&b, v);
    char *p = otlp_edit_scratch(e, b.n);
    if (p && b.n) memcpy(p, b.p, b.n);
    *ret = str_n(p, b.n);
    bool ok = p && !buf_err(&b);
    if (!ok) otlp_edit_fail(e, -ENOMEM);
    buf_done(&b);
    return ok;
}

static void set_value(struct otlp_edit *e, struct otlp_attr *attr, const struct otlp_value *v)
{
    struct str value;
    if (build(e, v, &value)) otlp_attr_set(e, attr, value);
}

/* The bytes that are hashed; empty for what cannot be. Numbers are little endian, as machines here
 * are. */
static struct str hash_input(const struct otlp_value *v)
{
    switch (v->type) {
    case OTLP_V_STR: return v->s;
    case OTLP_V_BOOL: return v->b ? STR("\x01") : STR("\0");
    case OTLP_V_INT: return str_n((const char *)&v->i, sizeof(v->i));
    case OTLP_V_DOUBLE: return str_n((const char *)&v->f, sizeof(v->f));
    case OTLP_V_NONE:
    case OTLP_V_ARRAY:
    case OTLP_V_MAP:
    case OTLP_V_BYTES: break;
    }
    return (struct str){0};
}

static void hash_attr(struct otlp_edit *e, struct otlp_attr *attr)
{
    struct otlp_value v = otlp_value_read(attr->value);
    struct str input = hash_input(&v);
    struct buf hex = BUF_INIT(2 * SHA256_LEN);
    u8 digest[SHA256_LEN];
    if (input.n > 0) {
        sha256(input.p, input.n, digest);
        hex_encode(&hex, digest, sizeof(digest));
    }
    set_value(e, attr, &(struct otlp_value){.type = OTLP_V_STR, .s = buf_view(&hex)});
    buf_done(&hex);
}

static void run_hash(const struct action *a, size_t nth, const struct action_run *r,
                     struct otlp_edit *e)
{
    struct otlp_attr *named = a->key.n > 0 ? otlp_attr_find(e, a->key) : NULL;
    if (named) hash_attr(e, named);
    if (!a->pattern) return;
    u32 n;
    struct otlp_attr *attrs = otlp_attrs(e, &n);
    for (u32 i = 0; i < n; i++)
        if (!attrs[i].gone && regex_match(a->pattern, attrs[i].key, 0, NULL, 0) > 0)
            hash_attr(e, &attrs[i]);
}

static void run_extract(const struct action *a, size_t nth, const struct action_run *r,
                        struct otlp_edit *e)
{
    const struct otlp_attr *from = otlp_attr_find(e, a->key);
    struct otlp_value v = from ? otlp_value_read(from->value) : (struct otlp_value){0};
    if (v.type != OTLP_V_STR) return;
    size_t n = 2 * ((size_t)a->n_groups + 1);
    ssize_t *ov = xcalloc(n, sizeof(*ov));
    struct str value;
    if (regex_match(a->pattern, v.s, 0, ov, (size_t)a->n_groups + 1) > 0)
        for (int i = 1; i <= a->n_groups; i++) {
            bool set = ov[2 * i] >= 0;
            struct str text =
                set ? str_sub(v.s, (size_t)ov[2 * i], (size_t)ov[2 * i + 1]) : STR("");
            if (build(e, &(struct otlp_value){.type = OTLP_V_STR, .s = text}, &value))
                otlp_attr_put(e, a->groups[i], value);
        }
    free(ov);
}

/* Cut towards zero; what does not fit becomes the smallest number, as on Go's amd64. */
static i64 cut_f64(f64 f)
{
    return f >= -0x1p63 && f < 0x1p63 ? (i64)f : INT64_MIN;
}

static bool to_int(const struct otlp_value *v, struct otlp_value *ret)
{
    ret->type = OTLP_V_INT;
    switch (v->type) {
    case OTLP_V_DOUBLE: ret->i = cut_f64(v->f); return true;
    case OTLP_V_BOOL: ret->i = v->b; return true;
    case OTLP_V_STR: return num_parse_i64(v->s, &ret->i) == 0;
    case OTLP_V_NONE:
    case OTLP_V_INT:
    case OTLP_V_ARRAY:
    case OTLP_V_MAP:
    case OTLP_V_BYTES: break;
    }
    return false;
}

static bool to_double(const struct otlp_value *v, struct otlp_value *ret)
{
    ret->type = OTLP_V_DOUBLE;
    switch (v->type) {
    case OTLP_V_INT: ret->f = (f64)v->i; return true;
    case OTLP_V_BOOL: ret->f = v->b; return true;
    case OTLP_V_STR: return num_parse_f64(v->s, &ret->f) == 0;
    case OTLP_V_NONE:
    case OTLP_V_DOUBLE:
    case OTLP_V_ARRAY:
    case OTLP_V_MAP:
    case OTLP_V_BYTES: break;
    }
    return false;
}

static void convert_to_text(struct otlp_edit *e, struct otlp_attr *attr, const struct otlp_value *v)
{
    struct buf text = BUF_INIT(SIZE_MAX);
    if (v->type == OTLP_V_STR) return;
    otlp_value_text(&text, v);
    if (buf_err(&text))
        otlp_edit_fail(e, buf_err(&text));
    else
        set_value(e, attr, &(struct otlp_value){.type = OTLP_V_STR, .s = buf_view(&text)});
    buf_done(&text);
}

static void run_convert(const struct action *a, size_t nth, const struct action_run *r,
                        struct otlp_edit *e)
{
    struct otlp_attr *attr = otlp_attr_find(e, a->key);
    if (!attr) return;
    struct otlp_value v = otlp_value_read(attr->value), out;
    switch (a->to) {
    case TO_INT:
        if (to_int(&v, &out)) set_value(e, attr, &out);
        return;
    case TO_DOUBLE:
        if (to_double(&v, &out)) set_value(e, attr, &out);
        return;
    case TO_STRING: convert_to_text(e, attr, &v); return;
    }
}

/* --- kinds --- */

static const struct action_kind kinds[] = {
    {"insert", ACT_KEY | ACT_SOURCE, ACT_KEY | ACT_SOURCE, run_insert},
    {"update", ACT_KEY | ACT_SOURCE, ACT_KEY | ACT_SOURCE, run_update},
    {"upsert", ACT_KEY | ACT_SOURCE, ACT_KEY | ACT_SOURCE, run_upsert},
    {"delete", ACT_KEY | ACT_PATTERN | ACT_IGNORED, ACT_KEY_OR_PATTERN, run_delete},
    {"hash", ACT_KEY | ACT_PATTERN | ACT_IGNORED, ACT_KEY_OR_PATTERN, run_hash},
    {"extract", ACT_KEY | ACT_PATTERN | ACT_GROUPS, ACT_KEY | ACT_PATTERN, run_extract},
    {"convert", ACT_KEY | ACT_TYPE, ACT_KEY | ACT_TYPE, run_convert},
};

const struct action_kind *action_kind_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_ieq(name, str_of(kinds[i].name))) return &kinds[i];
    return NULL;
}

void actions_apply(const struct action_run *r, struct otlp_edit *e)
{
    for (size_t i = 0; i < r->list->n; i++)
        r->list->v[i].kind->run(&r->list->v[i], i, r, e);
}
