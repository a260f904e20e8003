/* Records read at the wire, and the labels that hints and well-known attributes ask for. */
#include <errno.h>

#include "components/otelcol/exporter_loki.h"

#include "components/common/prom_names.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"

#define SCRATCH_MAX ((size_t)16 << 20)

void loki_record_init(struct loki_record *r)
{
    *r = (struct loki_record){.scratch = BUF_INIT(SCRATCH_MAX)};
    label_set_init(&r->named);
    label_set_init(&r->labels);
}

void loki_record_done(struct loki_record *r)
{
    vec_done(&r->resource);
    vec_done(&r->attributes);
    label_set_done(&r->named);
    label_set_done(&r->labels);
    buf_done(&r->scratch);
}

/* --- reading --- */

static void add_attr(loki_attrs *list, struct str key_value)
{
    struct loki_attr a = {0};
    struct pb_field f;

    for (struct pb_in in = pb_in(key_value); pb_next(&in, &f);) {
        if (f.num == OTLP_key_value_key && f.wire == PB_BYTES) a.key = f.b;
        if (f.num == OTLP_key_value_value && f.wire == PB_BYTES) a.value = f.b;
    }
    vec_push(list, a);
}

void loki_record_resource(struct loki_record *r, struct str resource)
{
    struct pb_field f;

    vec_clear(&r->resource);
    for (struct pb_in in = pb_in(resource); pb_next(&in, &f);)
        if (f.num == OTLP_resource_attributes && f.wire == PB_BYTES) add_attr(&r->resource, f.b);
}

/* Of the wrong wire type it is a field that nobody knows. */
static struct str bytes_of(struct str msg, u32 num)
{
    struct pb_field f;

    return pb_find(msg, num, &f) && f.wire == PB_BYTES ? f.b : STR("");
}

void loki_record_scope(struct loki_record *r, struct str scope)
{
    r->scope_name = bytes_of(scope, OTLP_scope_name);
    r->scope_version = bytes_of(scope, OTLP_scope_version);
}

static void read_number(struct loki_record *r, const struct pb_field *f)
{
    switch (f->num) {
    case OTLP_log_record_time_unix_nano: r->time = f->v; break;
    case OTLP_log_record_observed_time_unix_nano: r->observed = f->v; break;
    case OTLP_log_record_severity_number: r->severity = (u32)f->v; break;
    case OTLP_log_record_flags: r->flags = (u32)f->v; break;
    }
}

static void read_bytes(struct loki_record *r, const struct pb_field *f)
{
    switch (f->num) {
    case OTLP_log_record_severity_text: r->severity_text = f->b; break;
    case OTLP_log_record_body: r->body = otlp_value_read(f->b); break;
    case OTLP_log_record_attributes: add_attr(&r->attributes, f->b); break;
    case OTLP_log_record_trace_id: r->trace_id = f->b; break;
    case OTLP_log_record_span_id: r->span_id = f->b; break;
    }
}

void loki_record_read(struct loki_record *r, struct str record)
{
    struct pb_field f;

    r->time = r->observed = 0;
    r->severity = r->flags = 0;
    r->severity_text = r->trace_id = r->span_id = STR("");
    r->body = (struct otlp_value){.type = OTLP_V_NONE};
    vec_clear(&r->attributes);
    for (struct pb_in in = pb_in(record); pb_next(&in, &f);)
        if (f.wire == PB_BYTES)
            read_bytes(r, &f);
        else
            read_number(r, &f);
    vec_each (&r->resource, a)
        a->gone = false;
}

i64 loki_record_time(const struct loki_record *r, i64 now)
{
    return r->time ? (i64)r->time : r->observed ? (i64)r->observed : now;
}

bool loki_attr_get(const loki_attrs *list, struct str key, struct str *ret_value)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->v[i].key, key)) {
            *ret_value = list->v[i].value;
            return true;
        }
    return false;
}

/* --- labels --- */

/* The text lies in scratch until the next one. */
static struct str text_of(struct loki_record *r, struct str any_value)
{
    struct otlp_value v = otlp_value_read(any_value);

    if (v.type == OTLP_V_STR) return v.s;
    buf_reset(&r->scratch);
    otlp_value_text(&r->scratch, &v);
    if (buf_err(&r->scratch)) r->named.err = -ENOMEM;
    return buf_view(&r->scratch);
}

static struct str resource_text(struct loki_record *r, struct str key)
{
    struct str value;

    return loki_attr_get(&r->resource, key, &value) ? text_of(r, value) : STR("");
}

/* service.namespace/service.name, or the name alone. */
static void set_job(struct loki_record *r)
{
    struct str name = label_set_keep(&r->named, resource_text(r, STR("service.name")));
    struct str space = label_set_keep(&r->named, resource_text(r, STR("service.namespace")));

    if (name.n == 0) return;
    if (space.n == 0) {
        label_set_put_view(&r->named, STR("job"), name);
        return;
    }
    buf_reset(&r->scratch);
    buf_str(&r->scratch, space);
    buf_ch(&r->scratch, '/');
    buf_str(&r->scratch, name);
    label_set_put(&r->named, STR("job"), buf_view(&r->scratch));
}

/* a.b.c: under its own name, or c in the map b in the map a. */
static bool nested(const loki_attrs *list, struct str path, struct str *ret_value)
{
    struct str rest = path, left = str_cut(&rest, '.');

    if (!loki_attr_get(list, left, ret_value)) return false;
    while (rest.n > 0) {
        struct otlp_value v = otlp_value_read(*ret_value);
        left = str_cut(&rest, '.');
        if (v.type != OTLP_V_MAP || !otlp_attribute(v.s, OTLP_kvlist_value_values, left, ret_value))
            return false;
    }
    return true;
}

static void promote(struct loki_record *r, const loki_attrs *from, struct str name_)
{
    struct str value, name = label_set_keep(&r->named, str_trim(name_));

    if (loki_attr_get(from, name, &value) || nested(from, name, &value))
        label_set_put(&r->named, name, text_of(r, value));
}

static void promote_list(struct loki_record *r, const loki_attrs *from, struct str list)
{
    struct str element;

    for (struct pb_in in = pb_in(list); otlp_value_next_element(&in, &element);)
        promote(r, from, text_of(r, element));
}

static void promote_words(struct loki_record *r, const loki_attrs *from, struct str names)
{
    while (names.n > 0)
        promote(r, from, str_cut(&names, ','));
}

/* Names between commas, a list of names, or whatever it is as one name. */
static void promote_hinted(struct loki_record *r, const loki_attrs *from, struct str hint)
{
    struct otlp_value v = otlp_value_read(hint);

    if (v.type == OTLP_V_ARRAY)
        promote_list(r, from, v.s);
    else if (v.type == OTLP_V_STR)
        promote_words(r, from, v.s);
    else
        promote(r, from, text_of(r, hint));
}

static void hint(struct loki_record *r, const loki_attrs *where, const char *key,
                 const loki_attrs *from)
{
    struct str names;

    if (loki_attr_get(where, str_of(key), &names)) promote_hinted(r, from, names);
}

/* The attribute named is the label: the one of the resource goes before that of the record. */
static void tenant(struct loki_record *r)
{
    struct str name;
    bool of_resource = loki_attr_get(&r->resource, STR(LOKI_HINT_TENANT), &name);

    hint(r, of_resource ? &r->resource : &r->attributes, LOKI_HINT_TENANT,
         of_resource ? &r->resource : &r->attributes);
}

static struct str severity_name(u32 number)
{
    static const char *const names[] = {"TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2",
                                        "DEBUG3", "DEBUG4", "INFO",   "INFO2",  "INFO3",  "INFO4",
                                        "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",  "ERROR2",
                                        "ERROR3", "ERROR4", "FATAL",  "FATAL2", "FATAL3", "FATAL4"};

    return number >= 1 && number <= ARRAY_LEN(names) ? str_of(names[number - 1]) : STR("");
}

/* An attribute of that name counts more than the number. */
static void level(struct loki_record *r)
{
    struct str value, name = severity_name(r->severity);

    if (r->severity == 0) return;
    if (loki_attr_get(&r->attributes, STR("level"), &value))
        label_set_put(&r->named, STR("level"), text_of(r, value));
    else if (name.n > 0)
        label_set_put_view(&r->named, STR("level"), name);
}

static bool is_hint(struct str key)
{
    return str_is(key, LOKI_HINT_ATTRIBUTES) || str_is(key, LOKI_HINT_RESOURCES) ||
           str_is(key, LOKI_HINT_TENANT) || str_is(key, LOKI_HINT_FORMAT);
}

static void mark_gone(struct loki_record *r, loki_attrs *list)
{
    vec_each (list, a)
        a->gone = is_hint(a->key) || label_set_has(&r->named, a->key);
}

static void normalise(struct loki_record *r)
{
    label_set_reset(&r->labels);
    for (u32 i = 0; i < r->named.n; i++) {
        buf_reset(&r->scratch);
        prom_label_name(&r->scratch, r->named.v[i].name);
        if (r->scratch.n > 0) label_set_put(&r->labels, buf_view(&r->scratch), r->named.v[i].value);
    }
    if (r->named.err || buf_err(&r->scratch)) r->labels.err = -ENOMEM;
}

void loki_record_labels(struct loki_record *r)
{
    struct str instance = STR("");

    label_set_reset(&r->named);
    label_set_put_view(&r->named, STR("exporter"), STR("OTLP"));
    set_job(r);
    instance = resource_text(r, STR("service.instance.id"));
    if (instance.n > 0) label_set_put(&r->named, STR("instance"), instance);
    hint(r, &r->resource, LOKI_HINT_RESOURCES, &r->resource);
    hint(r, &r->attributes, LOKI_HINT_RESOURCES, &r->resource);
    hint(r, &r->attributes, LOKI_HINT_ATTRIBUTES, &r->attributes);
    level(r);
    tenant(r);
    mark_gone(r, &r->attributes);
    mark_gone(r, &r->resource);
    normalise(r);
}
