/* otelcol.processor.attributes: every action and filter on real payloads, and the faults of its
 * arguments. */
#include "components/otelcol/testing.h"

extern const struct component_def otelcol_processor_attributes;
#define DEF (&otelcol_processor_attributes)

/* --- actions on one span's attributes, as OTLP/JSON --- */

#define SPAN_BEFORE                                                                                \
    "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"name\":"     \
    "\"op\""
#define SPAN_AFTER ",\"status\":{}}]}]}]}"

static char *span_json(const char *attributes)
{
    return *attributes ? xprintf(SPAN_BEFORE ",\"attributes\":[%s]" SPAN_AFTER, attributes)
                       : xprintf(SPAN_BEFORE SPAN_AFTER);
}

static void expect_batch(struct world *w, enum signal s, struct batch *in, const char *want)
{
    struct buf got = BUF_INIT(1 << 20);
    assert_int_equal(world_push(w, in), PUSH_TAKEN);
    struct batch *out = take_out(s);
    assert_non_null(out);
    assert_int_equal(otlp_to_json(out, &got), 0);
    assert_string_equal(got.p, want);
    buf_done(&got);
    batch_unref(out);
}

static void expect_with_client(const char *body, struct client_info *client, const char *before,
                               const char *after)
{
    struct world w;
    char *in = span_json(before), *want = span_json(after), *full = xprintf("%s\noutput {}", body);
    world_up(&w, DEF, full);
    struct batch *b = batch_of_json(SIGNAL_TRACES, in);
    b->client = client;
    expect_batch(&w, SIGNAL_TRACES, b, want);
    world_down(&w);
    free(in);
    free(want);
    free(full);
}

static void expect(const char *body, const char *before, const char *after)
{
    expect_with_client(body, NULL, before, after);
}

#define ACTION(settings) "action {\n" settings "\n}\n"
#define S(k, v)          "{\"key\":\"" k "\",\"value\":{\"stringValue\":\"" v "\"}}"
#define I(k, v)          "{\"key\":\"" k "\",\"value\":{\"intValue\":\"" v "\"}}"
#define D(k, v)          "{\"key\":\"" k "\",\"value\":{\"doubleValue\":" v "}}"
#define B(k, v)          "{\"key\":\"" k "\",\"value\":{\"boolValue\":" v "}}"

static void insert_sets_what_is_absent(void **state)
{
    expect(ACTION("key = \"a\"\nvalue = \"x\"\naction = \"insert\""), S("b", "1"),
           S("b", "1") "," S("a", "x"));
    expect(ACTION("key = \"a\"\nvalue = \"x\"\naction = \"insert\""), S("a", "old"), S("a", "old"));
    expect(ACTION("key = \"a\"\nvalue = \"x\"\naction = \"Insert\""), "", S("a", "x"));
}

static void update_sets_what_is_present(void **state)
{
    expect(ACTION("key = \"a\"\nvalue = 7\naction = \"update\""), S("a", "old") "," S("b", "1"),
           I("a", "7") "," S("b", "1"));
    expect(ACTION("key = \"a\"\nvalue = 7\naction = \"update\""), S("b", "1"), S("b", "1"));
}

static void upsert_sets(void **state)
{
    expect(ACTION("key = \"a\"\nvalue = 1.5\naction = \"upsert\""), S("a", "old"), D("a", "1.5"));
    expect(ACTION("key = \"a\"\nvalue = true\naction = \"UPSERT\""), "", B("a", "true"));
    expect(ACTION("key = \"a\"\nvalue = [1, \"x\", {b = 2.5}]\naction = \"upsert\""), "",
           "{\"key\":\"a\",\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":\"1\"},{"
           "\"stringValue\":\"x\"},"
           "{\"kvlistValue\":{\"values\":[{\"key\":\"b\",\"value\":{\"doubleValue\":2.5}}]}}]}}}");
}

static void actions_run_in_order(void **state)
{
    expect(ACTION("key = \"a\"\nvalue = \"x\"\naction = \"insert\"")
               ACTION("key = \"b\"\nfrom_attribute = \"a\"\naction = \"insert\"")
                   ACTION("key = \"a\"\naction = \"delete\""),
           "", S("b", "x"));
    expect(ACTION("key = \"b\"\nfrom_attribute = \"absent\"\naction = \"upsert\""), S("b", "1"),
           S("b", "1"));
}

static void delete_by_key_and_pattern(void **state)
{
    expect(ACTION("key = \"a\"\naction = \"delete\""), S("a", "1") "," S("b", "2") "," S("a", "3"),
           S("b", "2"));
    expect(ACTION("pattern = \"^http\\\\.\"\naction = \"delete\""),
           S("http.a", "1") "," S("xhttp.b", "2"), S("xhttp.b", "2"));
    expect(ACTION("key = \"b\"\npattern = \"^a\"\naction = \"delete\""),
           S("a", "1") "," S("b", "2"), "");
}

static void hash_makes_sha256(void **state)
{
    expect(ACTION("key = \"a\"\naction = \"hash\""), S("a", "abc"),
           S("a", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    expect(ACTION("key = \"a\"\naction = \"hash\""), B("a", "true"),
           S("a", "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"));
    expect(ACTION("key = \"a\"\naction = \"hash\""), I("a", "1"),
           S("a", "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8"));
    expect(ACTION("key = \"a\"\naction = \"hash\""),
           "{\"key\":\"a\",\"value\":{\"stringValue\":\"\"}}",
           "{\"key\":\"a\",\"value\":{\"stringValue\":\"\"}}");
    expect(ACTION("pattern = \"a\"\naction = \"hash\""), S("ab", "abc") "," S("c", "1"),
           S("ab", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") "," S("c",
                                                                                             "1"));
}

static void extract_sets_named_groups(void **state)
{
    const char *body = ACTION(
        "key = \"url\"\npattern = "
        "\"^(?P<proto>[a-z]+)://(?P<host>[^/:]+)(?::(?P<port>[0-9]+))?\"\naction = \"extract\"");
    expect(body, S("url", "http://h:80/x"),
           S("url", "http://h:80/x") "," S("proto", "http") "," S("host", "h") "," S("port", "80"));
    expect(body, S("url", "http://h/x") "," S("host", "old"),
           S("url", "http://h/x") "," S("host", "h") "," S(
               "proto", "http") ","
                                "{\"key\":\"port\",\"value\":{\"stringValue\":\"\"}}");
    expect(body, S("url", "nothing"), S("url", "nothing"));
    expect(body, I("url", "5"), I("url", "5"));
}

static void convert_changes_types(void **state)
{
#define CONVERT(type) ACTION("key = \"a\"\nconverted_type = \"" type "\"\naction = \"convert\"")
    expect(CONVERT("int"), S("a", "-12"), I("a", "-12"));
    expect(CONVERT("int"), S("a", "1.5"), S("a", "1.5"));
    expect(CONVERT("int"), D("a", "-1.9"), I("a", "-1"));
    expect(CONVERT("int"), D("a", "1e300"), I("a", "-9223372036854775808"));
    expect(CONVERT("int"), B("a", "true"), I("a", "1"));
    expect(CONVERT("double"), S("a", "1e3"), D("a", "1000"));
    expect(CONVERT("double"), I("a", "3"), D("a", "3"));
    expect(CONVERT("double"), S("a", "x"), S("a", "x"));
    expect(CONVERT("string"), D("a", "1.5"), S("a", "1.5"));
    expect(CONVERT("string"), B("a", "false"), S("a", "false"));
    expect(CONVERT("string"),
           "{\"key\":\"a\",\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":\"1\"}]}}}",
           S("a", "[1]"));
}

static struct client_info *client(void)
{
    struct client_info *c = client_info_new(STR("10.1.2.3"));
    client_info_add(c, STR("x-tenant"), STR("a"));
    client_info_add(c, STR("x-tenant"), STR("b"));
    client_info_add_auth(c, STR("user"), STR("me"));
    return c;
}

static void context_gives_values(void **state)
{
#define FROM(key) ACTION("key = \"v\"\nfrom_context = \"" key "\"\naction = \"upsert\"")
    expect_with_client(FROM("client.address"), client(), "", S("v", "10.1.2.3"));
    expect_with_client(FROM("metadata.X-Tenant"), client(), "", S("v", "a;b"));
    expect_with_client(FROM("x-tenant"), client(), "", S("v", "a;b"));
    expect_with_client(FROM("auth.user"), client(), "", S("v", "me"));
    expect_with_client(FROM("auth.other"), client(), "", "");
    expect(FROM("client.address"), S("v", "1"), S("v", "1"));
}

/* --- filters: which records get the mark --- */

#define MARK ACTION("key = \"mark\"\nvalue = 1\naction = \"insert\"") "output {}\n"

static const char spans[] =
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[" S("service.name", "checkout") "," I(
        "n",
        "5") "]},\"scopeSpans\":["
             "{\"scope\":{\"name\":\"lib\",\"version\":\"1.2\"},\"spans\":["
             "{\"name\":\"GET /a\",\"kind\":2,\"attributes\":[" S("s", "abc") "," D(
                 "d",
                 "1.5") "," B("b",
                              "true") "]},"
                                      "{\"name\":\"POST /b\",\"kind\":3,\"attributes\":[" I(
                                          "s",
                                          "5") "]},{\"name\":\"bare\"}]}]},"
                                               "{\"scopeSpans\":[{\"scope\":{\"name\":\"other\"},"
                                               "\"spans\":[{\"name\":\"GET /c\",\"attributes\":[" S(
                                                   "s", "abc") "]}]}]}]}";

static const char logs[] =
    "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":["
    "{\"body\":{\"stringValue\":\"hello\"},\"severityNumber\":9,\"severityText\":\"Info\"},"
    "{\"body\":{\"intValue\":\"5\"},\"severityNumber\":17,\"severityText\":\"Error\"},"
    "{\"attributes\":[" S("s", "abc") "]}]}]}]}";

static const char points[] = "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[" S(
    "service.name", "checkout") "]},\"scopeMetrics\":[{\"metrics\":["
                                "{\"name\":\"a.b\",\"gauge\":{\"dataPoints\":[{\"asInt\":\"1\"},{"
                                "\"asInt\":\"2\"}]}},"
                                "{\"name\":\"c\",\"histogram\":{\"dataPoints\":[{}]}},{\"name\":"
                                "\"d\",\"summary\":{\"dataPoints\":[{}]}},"
                                "{\"name\":\"e\",\"exponentialHistogram\":{\"dataPoints\":[{}]}},{"
                                "\"name\":\"f\",\"sum\":{\"dataPoints\":[{}]}}]}]}]}";

/* One character per record, in order: '1' when it has the mark. Records are the lines of the short
 * dump that are no titles. */
static void expect_marks(enum signal s, const char *json, const char *filter, const char *want)
{
    struct world w;
    struct buf text = BUF_INIT(1 << 20), got = BUF_INIT(100);
    char *body = xprintf("%s\n" MARK, filter);
    world_up(&w, DEF, body);
    assert_int_equal(world_push(&w, batch_of_json(s, json)), PUSH_TAKEN);
    struct batch *out = take_out(s);
    assert_int_equal(otlp_dump(out, OTLP_NORMAL, &text), 0);
    for (struct str rest = buf_view(&text); rest.n > 0;) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, STR("Resource")) && !str_starts(line, STR("Scope")))
            buf_ch(&got, str_find(line, STR("mark=1")) >= 0 ? '1' : '0');
    }
    if (strcmp(got.p, want) != 0) print_error("%s\n" STR_FMT, filter, STR_ARG(buf_view(&text)));
    assert_string_equal(got.p, want);
    batch_unref(out);
    world_down(&w);
    buf_done(&text);
    buf_done(&got);
    free(body);
}

#define STRICT(s)  "include {\nmatch_type = \"strict\"\n" s "\n}\n"
#define REGEXP(s)  "include {\nmatch_type = \"regexp\"\n" s "\n}\n"
#define EXCLUDE(s) "exclude {\nmatch_type = \"strict\"\n" s "\n}\n"

static void filters_spans(void **state)
{
    static const struct {
        const char *filter, *want;
    } cases[] = {
        {"", "1111"},
        {STRICT("services = [\"checkout\"]"), "1110"},
        {STRICT("services = [\"<nil-service-name>\"]"), "0001"},
        {STRICT("span_names = [\"bare\", \"GET /c\"]"), "0011"},
        {REGEXP("span_names = [\"^GET\"]"), "1001"},
        {STRICT("span_kinds = [\"SPAN_KIND_SERVER\"]"), "1000"},
        {REGEXP("span_kinds = [\"SERVER|CLIENT\"]"), "1100"},
        {STRICT("attribute {\nkey = \"s\"\n}"), "1101"},
        {STRICT("attribute {\nkey = \"s\"\nvalue = \"abc\"\n}"), "1001"},
        {STRICT("attribute {\nkey = \"s\"\nvalue = 5\n}"), "0100"},
        {STRICT("attribute {\nkey = \"s\"\n}\nattribute {\nkey = \"d\"\nvalue = 1.5\n}"), "1000"},
        {REGEXP("attribute {\nkey = \"s\"\nvalue = \"^(abc|5)$\"\n}"), "1101"},
        {REGEXP("attribute {\nkey = \"d\"\nvalue = \"1\\\\.5\"\n}"), "1000"},
        {REGEXP("attribute {\nkey = \"b\"\nvalue = \"true\"\n}"), "1000"},
        {STRICT("resource {\nkey = \"n\"\nvalue = 5\n}"), "1110"},
        {STRICT("resource {\nkey = \"n\"\nvalue = \"5\"\n}"), "0000"},
        {STRICT("library {\nname = \"lib\"\n}"), "1110"},
        {STRICT("library {\nname = \"lib\"\nversion = \"1.2\"\n}"), "1110"},
        {STRICT("library {\nname = \"lib\"\nversion = \"\"\n}"), "0000"},
        {STRICT("library {\nname = \"lib\"\n}\nlibrary {\nname = \"other\"\n}"), "0000"},
        {STRICT("services = [\"checkout\"]\nspan_names = [\"bare\", \"GET /c\"]"), "0010"},
        {EXCLUDE("span_names = [\"bare\"]"), "1101"},
        {STRICT("services = [\"checkout\"]") EXCLUDE("span_names = [\"bare\"]"), "1100"},
        {REGEXP("span_names = [\"GET\"]\nregexp {\ncache_enabled = true\ncache_max_num_entries = "
                "10\n}"),
         "1001"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_marks(SIGNAL_TRACES, spans, cases[i].filter, cases[i].want);
}

static void filters_logs(void **state)
{
    static const struct {
        const char *filter, *want;
    } cases[] = {
        {STRICT("log_bodies = [\"hello\"]"), "100"},
        {STRICT("log_bodies = [\"5\"]"), "010"},
        {REGEXP("log_bodies = [\"^$\"]"), "001"},
        {STRICT("log_severity_texts = [\"Error\"]"), "010"},
        {STRICT("log_severity {\nmin = \"INFO\"\nmatch_undefined = false\n}"), "110"},
        {STRICT("log_severity {\nmin = \"INFO2\"\nmatch_undefined = true\n}"), "011"},
        {STRICT("attribute {\nkey = \"s\"\n}"), "001"},
        {EXCLUDE("log_bodies = [\"hello\"]"), "011"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_marks(SIGNAL_LOGS, logs, cases[i].filter, cases[i].want);
}

static void filters_points(void **state)
{
    static const struct {
        const char *filter, *want;
    } cases[] = {
        {"", "111111"},
        {STRICT("metric_names = [\"a.b\", \"f\"]"), "110001"},
        {REGEXP("metric_names = [\"[cde]\"]"), "001110"},
        {STRICT("resource {\nkey = \"service.name\"\nvalue = \"checkout\"\n}"), "111111"},
        {STRICT("resource {\nkey = \"absent\"\n}\nmetric_names = [\"c\"]"), "000000"},
        {EXCLUDE("metric_names = [\"c\"]"), "110111"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_marks(SIGNAL_METRICS, points, cases[i].filter, cases[i].want);
}

/* --- faults --- */

static void faults_of_actions(void **state)
{
    static const struct {
        const char *body;
        u32 line;
        const char *message;
    } cases[] = {
        {ACTION("action = \"insert\"\nvalue = 1"), 1,
         "validation failed for action block number 1: the action insert requires the key argument "
         "to be set"},
        {ACTION("action = \"delete\""), 1,
         "validation failed for action block number 1: the action delete requires at least the key "
         "argument or the pattern argument to be set"},
        {ACTION("action = \"upsert\"\nkey = \"a\""), 1,
         "error creating AttrProc. Either field \"value\", \"from_attribute\" or \"from_context\" "
         "setting must be specified for 0-th action"},
        {ACTION("action = \"upsert\"\nkey = \"a\"\nvalue = 1\nfrom_attribute = \"b\""), 1,
         "error creating AttrProc due to multiple value sources being set at the 0-th actions"},
        {ACTION("action = \"what\"\nkey = \"a\""), 2,
         "error creating AttrProc due to unsupported action \"what\" at the 0-th actions"},
        {ACTION("action = \"insert\"\nkey = \"a\"\nvalue = 1\npattern = \"x\""), 5,
         "error creating AttrProc. Action \"insert\" does not use the \"pattern\" field. This must "
         "not be specified for 0-th action"},
        {ACTION("action = \"delete\"\nkey = \"a\"") ACTION("action = \"delete\"\npattern = \"(\""),
         7,
         "error creating AttrProc. Field \"pattern\" has invalid pattern: \"(\" to be set at the "
         "1-th actions"},
        {ACTION("action = \"extract\"\nkey = \"a\"\npattern = \"x\""), 4,
         "error creating AttrProc. Field \"pattern\" contains no named matcher groups at the 0-th "
         "actions"},
        {ACTION("action = \"extract\"\nkey = \"a\"\npattern = \"(?P<a>x)(y)\""), 4,
         "error creating AttrProc. Field \"pattern\" contains at least one unnamed matcher group "
         "at the 0-th actions"},
        {ACTION("action = \"convert\"\nkey = \"a\""), 1,
         "error creating AttrProc due to missing required field \"converted_type\" for action "
         "\"convert\" at the 0-th action"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *body = xprintf("%soutput {}", cases[i].body);
        expect_fault(DEF, body, cases[i].line, cases[i].message);
        free(body);
    }
}

static void faults_of_filters(void **state)
{
    expect_fault(
        DEF, STRICT("attribute {\nkey = \"\"\n}") "output {}", 3,
        "error creating attribute filters: can't have empty key in the list of attributes");
    expect_fault(
        DEF, STRICT("span_kinds = [\"SERVER\"]") "output {}", 3,
        "span_kinds string must match one of the standard span kinds when match_type=strict: "
        "[SPAN_KIND_CLIENT SPAN_KIND_CONSUMER SPAN_KIND_INTERNAL SPAN_KIND_PRODUCER "
        "SPAN_KIND_SERVER]");
    expect_fault(DEF, REGEXP("attribute {\nkey = \"a\"\nvalue = 1\n}") "output {}", 3,
                 "error creating attribute filters: match_type=regexp for \"a\" only supports Str, "
                 "but found Int");
    expect_fault(DEF, REGEXP("span_names = [\"(\"]") "output {}", 3,
                 "error parsing regexp: missing closing ): `(`");
}

/* Filters must fit the signals that go out. */
static void faults_by_signal(void **state)
{
    static const struct {
        const char *filter, *output;
        u32 line;
        const char *message;
    } cases[] = {
        {STRICT("services = [\"x\"]"), "logs", 1,
         "services, span_names, and span_kinds are not valid for log records"},
        {STRICT("log_bodies = [\"x\"]"), "traces", 3,
         "log_bodies should not be specified for trace spans"},
        {STRICT("log_severity {\nmin = \"INFO\"\nmatch_undefined = true\n}"), "traces", 3,
         "log_severity_number should not be specified for trace spans"},
        {STRICT(""), "traces", 1,
         "at least one of \"attributes\", \"libraries\",  or \"resources\" field must be "
         "specified"},
        {STRICT(""), "logs", 1,
         "at least one of \"attributes\", \"libraries\", \"span_kinds\", \"resources\", "
         "\"log_bodies\", \"log_severity_texts\" or \"log_severity_number\" field must be "
         "specified"},
        {STRICT(""), "metrics", 1,
         "at least one of \"metric_names\" or \"resources\" field must be specified"},
        {STRICT("services = [\"x\"]"), "metrics", 1,
         "\"span_names\", \"span_kinds\", \"log_bodies\", \"log_severity_texts\", "
         "\"log_severity_number\", \"services\", \"attributes\" and \"libraries\" are not valid "
         "for metrics"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *body = xprintf("%soutput { %s = [consumer] }", cases[i].filter, cases[i].output);
        expect_fault(DEF, body, cases[i].line, cases[i].message);
        free(body);
    }
}

/* --- flow --- */

static void full_while_its_fanout_is(void **state)
{
    struct world w;
    world_up(&w, DEF, MARK);
    fanouts[SIGNAL_TRACES]->full = true;
    struct batch *b = batch_of_json(SIGNAL_TRACES, spans), *l = batch_of_json(SIGNAL_LOGS, logs);
    assert_int_equal(world_push(&w, b), PUSH_FULL);
    assert_int_equal(world_push(&w, l), PUSH_TAKEN);
    world_open(SIGNAL_TRACES);
    assert_int_equal(w.ready, 1);
    assert_int_equal(world_push(&w, b), PUSH_TAKEN);
    fanouts[SIGNAL_LOGS]->full = true;
    DEF->stop(&w.shard); /* what was refused is the sender's: nothing to wait for */
    assert_int_equal(w.stopped, 1);
    world_down(&w);
}

static void stops_when_nothing_is_held(void **state)
{
    struct world w;
    world_up(&w, DEF, MARK);
    fanouts[SIGNAL_LOGS]->full = fanouts[SIGNAL_LOGS]->holds = true;
    DEF->stop(&w.shard);
    assert_int_equal(w.stopped, 0);
    fanouts[SIGNAL_LOGS]->holds = false;
    world_open(SIGNAL_LOGS);
    assert_int_equal(w.stopped, 1);
    world_down(&w);
}

static void new_plans_change_the_next_batch(void **state)
{
    struct world w;
    char *in = span_json(""), *want = span_json(S("b", "2"));
    world_up(&w, DEF, ACTION("key = \"a\"\nvalue = \"1\"\naction = \"insert\"") "output {}");
    world_apply(&w, ACTION("key = \"b\"\nvalue = \"2\"\naction = \"insert\"") "output {}");
    expect_batch(&w, SIGNAL_TRACES, batch_of_json(SIGNAL_TRACES, in), want);
    world_down(&w);
    free(in);
    free(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(insert_sets_what_is_absent),
        cmocka_unit_test(update_sets_what_is_present),
        cmocka_unit_test(upsert_sets),
        cmocka_unit_test(actions_run_in_order),
        cmocka_unit_test(delete_by_key_and_pattern),
        cmocka_unit_test(hash_makes_sha256),
        cmocka_unit_test(extract_sets_named_groups),
        cmocka_unit_test(convert_changes_types),
        cmocka_unit_test(context_gives_values),
        cmocka_unit_test(filters_spans),
        cmocka_unit_test(filters_logs),
        cmocka_unit_test(filters_points),
        cmocka_unit_test(faults_of_actions),
        cmocka_unit_test(faults_of_filters),
        cmocka_unit_test(faults_by_signal),
        cmocka_unit_test(full_while_its_fanout_is),
        cmocka_unit_test(stops_when_nothing_is_held),
        cmocka_unit_test(new_plans_change_the_next_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
