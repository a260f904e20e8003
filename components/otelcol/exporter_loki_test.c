/* Tests of components/otelcol/exporter_loki.h: labels, lines and times of records given as
 * OTLP/JSON. */
#include <errno.h>

#include "components/otelcol/exporter_loki.h"
#include "components/common/prom_names.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"
#include "telemetry/testing.h"

struct made {
    char labels[1024], line[2048], why[128];
    int err;
    i64 time;
};

static struct str field(struct str msg, u32 num)
{
    struct pb_field f;

    return pb_find(msg, num, &f) ? f.b : STR("");
}

static void make_entry(struct loki_record *r, struct str request, struct made *ret)
{
    struct buf text = BUF_INIT(1 << 20);
    struct str resource = field(request, OTLP_RESOURCES), scope = field(resource, OTLP_SCOPES);

    loki_record_resource(r, field(resource, OTLP_RESOURCE));
    loki_record_scope(r, field(scope, OTLP_SCOPE));
    loki_record_read(r, field(scope, OTLP_RECORDS));
    loki_record_labels(r);
    assert_int_equal(r->labels.err, 0);
    label_set_text(&r->labels, &text);
    snprintf(ret->labels, sizeof(ret->labels), "%s", text.p);
    buf_reset(&text);
    ret->err = loki_record_line(r, &text, ret->why, sizeof(ret->why));
    snprintf(ret->line, sizeof(ret->line), "%s", text.p ? text.p : "");
    ret->time = loki_record_time(r, 99);
    buf_done(&text);
}

static struct made made_of(const char *resource, const char *record)
{
    struct loki_record r;
    struct made m = {0};
    char json[4096];

    snprintf(json, sizeof(json),
             "{\"resourceLogs\":[{\"resource\":{\"attributes\":[%s]},\"scopeLogs\":[{\"scope\":"
             "{\"name\":\"lib\",\"version\":\"1\"},\"logRecords\":[{%s}]}]}]}",
             resource, record);
    struct batch *b = batch_of_json(SIGNAL_LOGS, json);
    loki_record_init(&r);
    make_entry(&r, str_n(b->slices[0].p, b->slices[0].n), &m);
    loki_record_done(&r);
    batch_unref(b);
    return m;
}

#define S(k, v)  "{\"key\":\"" k "\",\"value\":{\"stringValue\":\"" v "\"}}"
#define I(k, v)  "{\"key\":\"" k "\",\"value\":{\"intValue\":\"" v "\"}}"
#define M(k, v)  "{\"key\":\"" k "\",\"value\":{\"kvlistValue\":{\"values\":[" v "]}}}"
#define L(k, v)  "{\"key\":\"" k "\",\"value\":{\"arrayValue\":{\"values\":[" v "]}}}"
#define BODY(v)  "\"body\":{\"stringValue\":\"" v "\"}"
#define ATTRS(v) "\"attributes\":[" v "]"

static void labels_of_services(void **state)
{
    static const char *const cases[][2] = {
        {"", "{exporter=\"OTLP\"}"},
        {S("service.name", "web"), "{exporter=\"OTLP\", job=\"web\"}"},
        {S("service.name", "web") "," S("service.namespace", "shop") "," S("service.instance.id",
                                                                           "i-1"),
         "{exporter=\"OTLP\", instance=\"i-1\", job=\"shop/web\"}"},
        {S("service.namespace", "shop"), "{exporter=\"OTLP\"}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(made_of(cases[i][0], BODY("x")).labels, cases[i][1]);
}

static void labels_of_hints(void **state)
{
    struct made m =
        made_of(S("host.name", "h") "," S("loki.resource.labels", "host.name, absent"),
                BODY("x") "," ATTRS(S("pod", "p") "," I("n", "7") "," S(
                    "loki.attribute.labels", "pod,n,k8s.node") "," M("k8s", S("node", "a"))));

    assert_string_equal(m.labels,
                        "{exporter=\"OTLP\", host_name=\"h\", k8s_node=\"a\", n=\"7\", pod=\"p\"}");
    assert_string_equal(m.line, "{\"body\":\"x\",\"attributes\":{\"k8s\":{\"node\":\"a\"}},"
                                "\"instrumentation_scope\":{\"name\":\"lib\",\"version\":\"1\"}}");
    m = made_of(
        S("zone", "z"),
        BODY("x") "," ATTRS(S("loki.resource.labels", "zone") "," L(
            "loki.attribute.labels",
            "{\"stringValue\":\" a \"},{\"stringValue\":\"_b\"}") "," S("a", "1") "," S("_b",
                                                                                        "2")));
    assert_string_equal(m.labels, "{a=\"1\", exporter=\"OTLP\", key_b=\"2\", zone=\"z\"}");
    m = made_of("", BODY("x") "," ATTRS(S("a", "text") "," S("loki.attribute.labels", "a.b")));
    assert_string_equal(m.labels, "{exporter=\"OTLP\"}");
}

static void levels(void **state)
{
    assert_string_equal(made_of("", "\"severityNumber\":9").labels,
                        "{exporter=\"OTLP\", level=\"INFO\"}");
    assert_string_equal(made_of("", "\"severityNumber\":24").labels,
                        "{exporter=\"OTLP\", level=\"FATAL4\"}");
    assert_string_equal(made_of("", "\"severityText\":\"warn\"").labels, "{exporter=\"OTLP\"}");
    struct made m = made_of("", "\"severityNumber\":9," ATTRS(S("level", "mine")));
    assert_string_equal(m.labels, "{exporter=\"OTLP\", level=\"mine\"}");
    assert_null(strstr(m.line, "mine"));
    assert_string_equal(made_of("", ATTRS(S("level", "mine"))).labels, "{exporter=\"OTLP\"}");
}

static void tenants(void **state)
{
    assert_string_equal(
        made_of(S("loki.tenant", "org") "," S("org", "one"), ATTRS(S("loki.tenant", "x"))).labels,
        "{exporter=\"OTLP\", org=\"one\"}");
    assert_string_equal(made_of("", ATTRS(S("loki.tenant", "team") "," S("team", "two"))).labels,
                        "{exporter=\"OTLP\", team=\"two\"}");
}

static void names(void **state)
{
    static const char *const cases[][2] = {{"service.name", "service_name"},
                                           {"a..b", "a__b"},
                                           {"0a", "key_0a"},
                                           {"_x", "key_x"},
                                           {"__x", "__x"},
                                           {"\xC3\xA4-b", "\xC3\xA4_b"},
                                           {"_", "key_"}};
    struct buf out = BUF_INIT(100);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        prom_label_name(&out, str_of(cases[i][0]));
        assert_buf(&out, cases[i][1]);
    }
    buf_done(&out);
}

static void json_lines(void **state)
{
    struct made m = made_of(
        S("r", "<1>"),
        "\"body\":{\"kvlistValue\":{\"values\":[" S("z", "1") "," I(
            "a",
            "2") "]}},"
                 "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\","
                 "\"severityText\":\"warn\",\"severityNumber\":13,\"flags\":1,\"timeUnixNano\":"
                 "\"5\"," ATTRS(S("b", "x&y") "," S("a", "1")));

    assert_string_equal(
        m.line, "{\"body\":{\"a\":2,\"z\":\"1\"},\"traceid\":\"0102030405060708090a0b0c0d0e0f10\","
                "\"spanid\":\"0102030405060708\",\"severity\":\"warn\",\"flags\":1,"
                "\"attributes\":{\"a\":\"1\",\"b\":\"x\\u0026y\"},"
                "\"resources\":{\"r\":\"\\u003c1\\u003e\"},"
                "\"instrumentation_scope\":{\"name\":\"lib\",\"version\":\"1\"}}");
    assert_int_equal(m.time, 5);
    m = made_of("", "\"observedTimeUnixNano\":\"7\"");
    assert_string_equal(m.line, "{\"instrumentation_scope\":{\"name\":\"lib\",\"version\":\"1\"}}");
    assert_int_equal(m.time, 7);
    assert_int_equal(made_of("", BODY("x")).time, 99);
}

#define FORMAT(f) S("loki.format", f)
#define SCOPE     " instrumentation_scope_name=lib instrumentation_scope_version=1"

static void logfmt_lines(void **state)
{
    static const char *const cases[][3] = {
        {"", BODY("level=info msg=\\\"a b\\\" n=1"), "level=info msg=\"a b\" n=1"},
        {"", BODY("plain \\\"text"), "msg=\"plain \\\"text\""},
        {"", BODY("a=1 severity=x") ",\"severityText\":\"warn\"", "a=1 severity=warn"},
        {"", "\"body\":{\"intValue\":\"5\"}", "msg=5"},
        {"",
         "\"body\":{\"kvlistValue\":{\"values\":[" S("a", "1") "," M(
             "b", I("c", "2") "," L("d", "{\"boolValue\":true},{\"doubleValue\":1e21}")) "]}}",
         "a=1 b_c=2 b_d_0=true b_d_1=1e+21"},
        {"," S("host", "h"),
         BODY("m=") ",\"flags\":3,\"traceId\":\"0102030405060708090a0b0c0d0e0f10\"," ATTRS(
             S("x y", "")),
         "m= traceID=0102030405060708090a0b0c0d0e0f10 flags=3 attribute_xy= resource_host=h"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char resource[256], want[512];
        snprintf(resource, sizeof(resource), "%s%s", FORMAT("logfmt"), cases[i][0]);
        snprintf(want, sizeof(want), "%s%s", cases[i][2], SCOPE);
        assert_string_equal(made_of(resource, cases[i][1]).line, want);
    }
}

static void raw_and_unknown(void **state)
{
    assert_string_equal(made_of(FORMAT("raw"), BODY("just <this>")).line, "just <this>");
    assert_string_equal(made_of("", BODY("x") "," ATTRS(FORMAT("raw"))).line, "x");
    struct made m = made_of(FORMAT("xml"), BODY("x"));
    assert_int_equal(m.err, -EINVAL);
    assert_string_equal(m.why, "invalid format xml. Expected one of: json, logfmt, raw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_of_services),
        cmocka_unit_test(labels_of_hints),
        cmocka_unit_test(levels),
        cmocka_unit_test(tenants),
        cmocka_unit_test(names),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(logfmt_lines),
        cmocka_unit_test(raw_and_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
