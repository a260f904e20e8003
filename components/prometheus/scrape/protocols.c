/* What targets are asked for, and what their answers are. */
#include "components/prometheus/scrape/scrape.h"

struct protocol {
    const char *name, *type;
    bool escapes; /* takes escaping=... */
};
static const struct protocol protocols[] = {
    {"PrometheusProto",
     "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
     false},
    {"OpenMetricsText1.0.0", "application/openmetrics-text;version=1.0.0", true},
    {"OpenMetricsText0.0.1", "application/openmetrics-text;version=0.0.1", false},
    {"PrometheusText1.0.0", "text/plain;version=1.0.0", true},
    {"PrometheusText0.0.4", "text/plain;version=0.0.4", false},
};
#define FIRST_WEIGHT ((int)ARRAY_LEN(protocols) + 1)

static const struct protocol *find_protocol(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
        if (str_is(name, protocols[i].name)) return &protocols[i];
    return NULL;
}

bool scrape_protocol_known(struct str name)
{
    return find_protocol(name) != NULL;
}

static void add_protocol(const struct scrape_args *a, struct str name, int *weight, struct buf *out)
{
    const struct protocol *p = find_protocol(name);

    if (!p) return;
    buf_cstr(out, p->type);
    if (p->escapes) buf_printf(out, ";escaping=" STR_FMT, STR_ARG(a->metric_name_escaping_scheme));
    buf_printf(out, ";q=0.%d,", (*weight)--);
}

static bool has_proto(const struct scrape_args *a)
{
    for (size_t i = 0; i < a->scrape_protocols.n; i++)
        if (str_is(a->scrape_protocols.v[i], "PrometheusProto")) return true;
    return false;
}

void scrape_accept(const struct scrape_args *a, struct buf *out)
{
    int weight = FIRST_WEIGHT;

    if (a->scrape_native_histograms && !has_proto(a))
        add_protocol(a, STR("PrometheusProto"), &weight, out);
    for (size_t i = 0; i < a->scrape_protocols.n; i++)
        add_protocol(a, a->scrape_protocols.v[i], &weight, out);
    buf_printf(out, "*/*;q=0.%d", weight);
}

/* --- answers --- */

static bool format_of_type(struct str type, enum exposition_format *ret)
{
    static const struct {
        const char *type;
        enum exposition_format format;
    } types[] = {{"text/plain", EXPOSITION_TEXT},
                 {"application/openmetrics-text", EXPOSITION_OPENMETRICS},
                 {"application/vnd.google.protobuf", EXPOSITION_PROTOBUF}};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (!str_ieq(type, str_of(types[i].type))) continue;
        *ret = types[i].format;
        return true;
    }
    return false;
}

static enum exposition_format format_of_protocol(struct str name)
{
    return str_starts(name, STR("OpenMetrics")) ? EXPOSITION_OPENMETRICS
           : str_starts(name, STR("Prometheus"))
               ? str_is(name, "PrometheusProto") ? EXPOSITION_PROTOBUF : EXPOSITION_TEXT
               : EXPOSITION_TEXT;
}

bool scrape_format(const struct scrape_args *a, struct str content_type,
                   enum exposition_format *ret, struct buf *err)
{
    struct str rest = content_type, fallback = a->scrape_fallback_protocol;

    if (format_of_type(str_trim(str_cut(&rest, ';')), ret)) return true;
    if (fallback.n) {
        *ret = format_of_protocol(fallback);
        return true;
    }
    if (content_type.n == 0)
        buf_cstr(err, "non-compliant scrape target sending blank Content-Type and no "
                      "fallback_scrape_protocol specified for target");
    else
        buf_printf(err,
                   "received unsupported Content-Type \"" STR_FMT
                   "\" and no fallback_scrape_protocol specified for target",
                   (int)MIN(content_type.n, (size_t)100), content_type.p);
    return false;
}
