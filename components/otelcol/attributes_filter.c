/* Filters of otelcol.processor.attributes. A filter is a list of conditions per property; all
 * properties that are given must match. Source: spec D.4. */
#include "components/otelcol/attributes_filter.h"

#include "base/num.h"
#include "base/regex.h"
#include "components/common/spans.h"
#include "components/otelcol/attributes_value.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"

/* --- arguments --- */

static const struct row regexp_rows[] = {
    ATTR(struct regexp_args, cache_enabled, .def = "false",
         .doc =
             "Kept for compatibility: compiled expressions are fast enough not to need a cache."),
    ATTR(struct regexp_args, cache_max_num_entries, .def = "0",
         .doc = "Kept for compatibility, see cache_enabled."),
};
static const struct schema regexp_schema = SCHEMA(struct regexp_args, regexp_rows);

#define FOUR(level) level, level "2", level "3", level "4"
static const char *const severities[] = {FOUR("TRACE"), FOUR("DEBUG"), FOUR("INFO"), FOUR("WARN"),
                                         FOUR("ERROR"), FOUR("FATAL"), NULL};

static const struct row severity_rows[] = {
    ATTR(struct severity_args, match_undefined, .required = true,
         .doc = "Whether records without a severity match."),
    ATTR(struct severity_args, min, .required = true, .one_of = severities,
         .doc = "Lowest severity that matches."),
};
static const struct schema severity_schema = SCHEMA(struct severity_args, severity_rows);

static const struct row key_rows[] = {
    ATTR(struct key_args, key, .required = true, .doc = "Attribute that must be there."),
    ATTR(struct key_args, value, .doc = "Value it must have; any when left out."),
};
static const struct schema key_schema = SCHEMA(struct key_args, key_rows);

static const struct row library_rows[] = {
    ATTR(struct library_args, name, .required = true, .doc = "Name of the instrumentation scope."),
    ATTR(struct library_args, version,
         .doc = "Version of the instrumentation scope; any when left out."),
};
static const struct schema library_schema = SCHEMA(struct library_args, library_rows);

#define F struct filter_args
static const struct row filter_rows[] = {
    ATTR(F, log_bodies, .def = "[]", .doc = "Texts of log bodies."),
    ATTR(F, log_severity_texts, .def = "[]", .doc = "Severity texts of log records."),
    ATTR(F, match_type, .required = true, .one_of = ONE_OF_TEXT("strict", "regexp"),
         .doc = "How texts are compared: strict (equal) or regexp (found in it)."),
    ATTR(F, metric_names, .def = "[]", .doc = "Names of metrics."),
    ATTR(F, services, .def = "[]", .doc = "Values of the resource attribute service.name."),
    ATTR(F, span_kinds, .def = "[]", .doc = "Kinds of spans, such as SPAN_KIND_SERVER."),
    ATTR(F, span_names, .def = "[]", .doc = "Names of spans."),
    BLOCKS_AS(F, attribute, "attribute", &key_schema,
              .doc = "An attribute of the record; all given must match."),
    BLOCKS_AS(F, library, "library", &library_schema,
              .doc = "The instrumentation scope; all given must match."),
    BLOCK_PTR(F, log_severity, &severity_schema, .doc = "Severity numbers of log records."),
    BLOCK_PTR(F, regexp, &regexp_schema, .doc = "Settings of the expressions."),
    BLOCKS_AS(F, resource, "resource", &key_schema,
              .doc = "An attribute of the resource; all given must match."),
};
const struct schema attributes_filter_schema = SCHEMA(struct filter_args, filter_rows);
#undef F

/* --- compiled --- */

/* One text to compare with: an expression, or (re NULL) the text itself. */
struct text {
    struct str s;
    struct regex *re;
};
struct texts {
    struct text *v;
    size_t n;
};
struct key {
    struct str name;
    bool any;         /* presence is enough */
    struct str value; /* AnyValue bytes, strict */
    struct regex *re; /* of the value's text */
};
struct keys {
    struct key *v;
    size_t n;
};
struct library {
    struct text name, version;
    bool any_version;
};
struct filter {
    struct texts log_bodies, log_severity_texts, metric_names, services, span_kinds, span_names;
    struct keys attributes, resources;
    struct library *libraries;
    size_t n_libraries;
    bool has_severity, match_undefined;
    i32 min_severity;
};

struct compiler {
    struct prepare *p;
    const struct filter_args *args;
    const char *name; /* "include" */
    bool regexp;
};

static struct span at(const struct compiler *c, const char *setting)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/%s", c->name, setting);
    return span_at(c->p->block, path);
}

static void free_regex(void *re)
{
    regex_free(re);
}

static struct regex *compile_regex(const struct compiler *c, const char *setting,
                                   struct str pattern)
{
    char *why = NULL;
    struct regex *re = regex_compile(pattern, &why);
    if (re)
        arena_cleanup(c->p->arena, free_regex, re);
    else
        diag_error(c->p->diags, DIAG_VALUE_INVALID, at(c, setting), "%s", why);
    free(why);
    return re;
}

static struct text compile_text(const struct compiler *c, const char *setting, struct str s)
{
    return (struct text){.s = s, .re = c->regexp ? compile_regex(c, setting, s) : NULL};
}

static struct texts compile_texts(const struct compiler *c, const char *setting,
                                  const struct str_list *list)
{
    struct texts t = {.v = arena_array(c->p->arena, struct text, list->n + 1), .n = list->n};
    for (size_t i = 0; i < list->n; i++)
        t.v[i] = compile_text(c, setting, list->v[i]);
    return t;
}

static struct key compile_key(const struct compiler *c, const char *setting,
                              const struct key_args *a)
{
    struct key k = {.name = a->key, .any = a->value.type == V_NULL};
    const char *type;
    if (a->key.n == 0)
        diag_error(
            c->p->diags, DIAG_VALUE_INVALID, at(c, setting),
            "error creating attribute filters: can't have empty key in the list of attributes");
    if (k.any) return k;
    if (attributes_value(c->p->arena, a->value, &k.value, &type))
        diag_error(c->p->diags, DIAG_EVAL_TYPE, at(c, setting), "an attribute cannot hold a %s",
                   type);
    else if (c->regexp && otlp_value_read(k.value).type != OTLP_V_STR)
        diag_error(c->p->diags, DIAG_EVAL_TYPE, at(c, setting),
                   "error creating attribute filters: match_type=regexp for \"" STR_FMT
                   "\" only supports Str, but found %s",
                   STR_ARG(a->key), otlp_vtype_name(otlp_value_read(k.value).type));
    else if (c->regexp)
        k.re = compile_regex(c, setting, otlp_value_read(k.value).s);
    return k;
}

static struct keys compile_keys(const struct compiler *c, const char *setting,
                                const struct key_args_list *list)
{
    struct keys k = {.v = arena_array(c->p->arena, struct key, list->n + 1), .n = list->n};
    for (size_t i = 0; i < list->n; i++)
        k.v[i] = compile_key(c, setting, &list->v[i]);
    return k;
}

static void compile_libraries(const struct compiler *c, struct filter *f)
{
    const struct library_args_list *list = &c->args->library;
    f->n_libraries = list->n;
    f->libraries = arena_array(c->p->arena, struct library, list->n + 1);
    for (size_t i = 0; i < list->n; i++) {
        f->libraries[i].name = compile_text(c, "library", list->v[i].name);
        f->libraries[i].any_version = !list->v[i].version.set;
        if (list->v[i].version.set)
            f->libraries[i].version = compile_text(c, "library", list->v[i].version.s);
    }
}

static void compile_severity(const struct compiler *c, struct filter *f)
{
    const struct severity_args *a = c->args->log_severity;
    f->has_severity = a;
    if (!a) return;
    f->match_undefined = a->match_undefined;
    for (i32 i = 0; severities[i]; i++)
        if (str_is(a->min, severities[i])) f->min_severity = i + 1;
}

/* --- what may be given for which signal --- */

static void fault(const struct compiler *c, bool found, const char *setting, const char *message)
{
    if (found) diag_error(c->p->diags, DIAG_BODY_RULE, at(c, setting), "%s", message);
}

static void check_logs(const struct compiler *c)
{
    const struct filter_args *a = c->args;
    bool for_spans = a->services.n || a->span_names.n || a->span_kinds.n;
    bool any = a->attribute.n || a->library.n || a->resource.n || a->log_bodies.n ||
               a->log_severity_texts.n || a->log_severity;
    fault(c, for_spans, "", "services, span_names, and span_kinds are not valid for log records");
    fault(c, a->metric_names.n, "metric_names", "metric_names are not valid for log records");
    fault(c, !any && !for_spans && !a->metric_names.n, "",
          "at least one of \"attributes\", \"libraries\", \"span_kinds\", \"resources\", "
          "\"log_bodies\", \"log_severity_texts\" or \"log_severity_number\" field must be "
          "specified");
}

static void check_traces(const struct compiler *c)
{
    const struct filter_args *a = c->args;
    const struct {
        bool given;
        const char *setting, *message;
    } others[] = {
        {a->log_bodies.n, "log_bodies", "log_bodies should not be specified for trace spans"},
        {a->log_severity_texts.n, "log_severity_texts",
         "log_severity_texts should not be specified for trace spans"},
        {a->log_severity, "log_severity",
         "log_severity_number should not be specified for trace spans"},
        {a->metric_names.n, "metric_names", "metric_names should not be specified for trace spans"},
    };
    bool any = a->attribute.n || a->library.n || a->resource.n || a->services.n ||
               a->span_names.n || a->span_kinds.n;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        fault(c, others[i].given, others[i].setting, others[i].message);
        any |= others[i].given;
    }
    fault(c, !any, "",
          "at least one of \"attributes\", \"libraries\",  or \"resources\" field must be "
          "specified");
}

static void check_metrics(const struct compiler *c)
{
    const struct filter_args *a = c->args;
    bool others = a->span_names.n || a->span_kinds.n || a->log_bodies.n ||
                  a->log_severity_texts.n || a->log_severity || a->services.n || a->attribute.n ||
                  a->library.n;
    fault(c, others, "",
          "\"span_names\", \"span_kinds\", \"log_bodies\", \"log_severity_texts\", "
          "\"log_severity_number\", \"services\", \"attributes\" and \"libraries\" are not "
          "valid for metrics");
    fault(c, !others && !a->metric_names.n && !a->resource.n, "",
          "at least one of \"metric_names\" or \"resources\" field must be specified");
}

static void check_kinds(const struct compiler *c)
{
    i32 kind;
    for (size_t i = 0; i < c->args->span_kinds.n && !c->regexp; i++)
        fault(c, !otlp_enum_value(&otlp_span_kind, c->args->span_kinds.v[i], &kind) || kind == 0,
              "span_kinds",
              "span_kinds string must match one of the standard span kinds when "
              "match_type=strict: [SPAN_KIND_CLIENT SPAN_KIND_CONSUMER SPAN_KIND_INTERNAL "
              "SPAN_KIND_PRODUCER SPAN_KIND_SERVER]");
}

const struct filter *filter_prepare(struct prepare *p, const struct filter_args *a,
                                    const char *name, u32 signals)
{
    if (!a) return NULL;
    struct compiler c = {
        .p = p, .args = a, .name = name, .regexp = str_is(a->match_type, "regexp")};
    struct filter *f = arena_new(p->arena, struct filter);
    if (signals & SIGNALS_LOGS) check_logs(&c);
    if (signals & SIGNALS_TRACES) check_traces(&c);
    if (signals & SIGNALS_METRICS) check_metrics(&c);
    check_kinds(&c);
    f->log_bodies = compile_texts(&c, "log_bodies", &a->log_bodies);
    f->log_severity_texts = compile_texts(&c, "log_severity_texts", &a->log_severity_texts);
    f->metric_names = compile_texts(&c, "metric_names", &a->metric_names);
    f->services = compile_texts(&c, "services", &a->services);
    f->span_kinds = compile_texts(&c, "span_kinds", &a->span_kinds);
    f->span_names = compile_texts(&c, "span_names", &a->span_names);
    f->attributes = compile_keys(&c, "attribute", &a->attribute);
    f->resources = compile_keys(&c, "resource", &a->resource);
    compile_libraries(&c, f);
    compile_severity(&c, f);
    return f;
}

/* --- matching --- */

static bool text_matches(const struct text *t, struct str s)
{
    return t->re ? regex_match(t->re, s, 0, NULL, 0) > 0 : str_eq(t->s, s);
}

/* Any of them; none given: no condition. */
static bool any_text(const struct texts *t, struct str s)
{
    for (size_t i = 0; i < t->n; i++)
        if (text_matches(&t->v[i], s)) return true;
    return t->n == 0;
}

/* The text an expression is tried on; only of strings, booleans and numbers. */
static bool value_text_of(struct str any_value, struct buf *out)
{
    struct otlp_value v = otlp_value_read(any_value);
    bool scalar = v.type == OTLP_V_STR || v.type == OTLP_V_BOOL || v.type == OTLP_V_INT ||
                  v.type == OTLP_V_DOUBLE;
    if (v.type == OTLP_V_DOUBLE)
        num_f64_plain(out, v.f);
    else if (scalar)
        otlp_value_text(out, &v);
    return scalar && !buf_err(out);
}

static bool key_matches(const struct key *k, struct str any_value)
{
    if (k->any) return true;
    if (!k->re) return otlp_value_equal(k->value, any_value);
    struct buf text = BUF_INIT(SIZE_MAX);
    bool ok = value_text_of(any_value, &text) &&
              regex_match(k->re, str_n(text.p ? text.p : "", text.n), 0, NULL, 0) > 0;
    buf_done(&text);
    return ok;
}

static struct str field_of(struct str msg, u32 num)
{
    struct pb_field f;
    bool found = pb_find(msg, num, &f) && f.wire == PB_BYTES;
    return found ? f.b : (struct str){0};
}

static u64 number_of(struct str msg, u32 num)
{
    struct pb_field f;
    return pb_find(msg, num, &f) ? f.v : 0;
}

static bool resource_has(const struct keys *keys, struct str resource)
{
    struct str value;
    for (size_t i = 0; i < keys->n; i++)
        if (!otlp_attribute(resource, OTLP_resource_attributes, keys->v[i].name, &value) ||
            !key_matches(&keys->v[i], value))
            return false;
    return true;
}

static bool service_matches(const struct texts *services, struct str resource)
{
    if (services->n == 0) return true;
    struct buf name = BUF_INIT(SIZE_MAX);
    struct str value;
    if (otlp_attribute(resource, OTLP_resource_attributes, STR("service.name"), &value)) {
        struct otlp_value v = otlp_value_read(value);
        otlp_value_text(&name, &v);
    } else {
        buf_cstr(&name, "<nil-service-name>");
    }
    bool ok = any_text(services, str_n(name.p ? name.p : "", name.n));
    buf_done(&name);
    return ok;
}

static bool match_resource(const struct filter *f, struct filter_run *r, const struct otlp_at *a)
{
    if (r->resource.of == a->resource.p) return r->resource.ok;
    struct str resource = field_of(a->resource, OTLP_RESOURCE);
    r->resource.of = a->resource.p;
    r->resource.ok = resource_has(&f->resources, resource) &&
                     (a->signal != SIGNAL_TRACES || service_matches(&f->services, resource));
    return r->resource.ok;
}

static bool match_scope(const struct filter *f, struct filter_run *r, const struct otlp_at *a)
{
    if (f->n_libraries == 0) return true;
    if (r->scope.of == a->scope.p) return r->scope.ok;
    struct str scope = field_of(a->scope, OTLP_SCOPE);
    struct str name = field_of(scope, OTLP_scope_name),
               version = field_of(scope, OTLP_scope_version);
    bool ok = true;
    for (size_t i = 0; ok && i < f->n_libraries; i++)
        ok = text_matches(&f->libraries[i].name, name) &&
             (f->libraries[i].any_version || text_matches(&f->libraries[i].version, version));
    r->scope.of = a->scope.p;
    return r->scope.ok = ok;
}

static bool match_attributes(const struct keys *keys, struct otlp_edit *e)
{
    for (size_t i = 0; i < keys->n; i++) {
        const struct otlp_attr *a = otlp_attr_find(e, keys->v[i].name);
        if (!a || !key_matches(&keys->v[i], a->value)) return false;
    }
    return true;
}

static bool match_kind(const struct texts *kinds, struct str span)
{
    if (kinds->n == 0) return true;
    u64 kind = number_of(span, OTLP_span_kind);
    return any_text(kinds, str_of(kind < (u64)otlp_span_kind.n ? otlp_span_kind.names[kind] : ""));
}

static bool match_span(const struct filter *f, struct str span)
{
    return (f->span_names.n == 0 || any_text(&f->span_names, field_of(span, OTLP_span_name))) &&
           match_kind(&f->span_kinds, span);
}

static bool match_body(const struct texts *bodies, struct str record)
{
    if (bodies->n == 0) return true;
    struct buf text = BUF_INIT(SIZE_MAX);
    struct otlp_value body = otlp_value_read(field_of(record, OTLP_log_record_body));
    otlp_value_text(&text, &body);
    bool ok = any_text(bodies, str_n(text.p ? text.p : "", text.n));
    buf_done(&text);
    return ok;
}

static bool match_severity(const struct filter *f, struct str record)
{
    if (!f->has_severity) return true;
    i32 number = (i32)number_of(record, OTLP_log_record_severity_number);
    return number == 0 ? f->match_undefined : number >= f->min_severity;
}

static bool match_log(const struct filter *f, struct str record)
{
    return match_severity(f, record) && match_body(&f->log_bodies, record) &&
           (f->log_severity_texts.n == 0 ||
            any_text(&f->log_severity_texts, field_of(record, OTLP_log_record_severity_text)));
}

/* Metrics know two properties (prepare refuses others where there are metrics to go out). */
static bool match_metric(const struct filter *f, struct filter_run *r, const struct otlp_at *a)
{
    if (f->metric_names.n == 0) return true;
    if (r->metric.of == a->metric.p) return r->metric.ok;
    r->metric.of = a->metric.p;
    return r->metric.ok = any_text(&f->metric_names, field_of(a->metric, OTLP_metric_name));
}

bool filter_matches(const struct filter *f, struct filter_run *r, struct otlp_edit *e,
                    const struct otlp_at *a)
{
    if (!match_resource(f, r, a)) return false;
    if (a->signal == SIGNAL_METRICS) return match_metric(f, r, a);
    if (!match_scope(f, r, a)) return false;
    bool record = a->signal == SIGNAL_TRACES ? match_span(f, a->record) : match_log(f, a->record);
    return record && match_attributes(&f->attributes, e);
}
