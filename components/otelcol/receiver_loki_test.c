/* otelcol.receiver.loki: what records are made of, as OTLP/JSON. */
#include "components/otelcol/testing.h"
#include "telemetry/log_batch.h"

extern const struct component_def otelcol_receiver_loki;
const struct capsule_type capsule_logs_receiver = {.name = "loki.LogsReceiver"};

static struct batch *entry(struct label_table *t, const struct label *labels, size_t n, i64 time,
                           const char *line)
{
    struct log_builder *builder = log_builder_new(NULL);
    struct labels *set = labels_intern(t, labels, n);
    struct batch *b = batch_new(SIGNAL_LOGS);

    assert_int_equal(
        log_builder_add(builder, set, &(struct log_entry){.time = time, .line = str_of(line)}), 0);
    assert_int_equal(log_builder_seal(builder, b), 0);
    log_builder_free(builder);
    labels_unref(set);
    return b;
}

static void expect(struct world *w, const char *want)
{
    struct buf json = BUF_INIT(1 << 20);
    struct batch *b = take_out(SIGNAL_LOGS);
    char err[128] = "";
    u32 items = 0;

    assert_non_null(b);
    assert_int_equal(b->items, 1);
    assert_int_equal(b->n_slices, 1);
    assert_int_equal(
        otlp_validate(SIGNAL_LOGS, str_n(b->slices[0].p, b->slices[0].n), &items, err, sizeof(err)),
        0);
    assert_int_equal(items, 1);
    assert_int_equal(otlp_to_json(b, &json), 0);
    assert_buf(&json, want);
    buf_done(&json);
    batch_unref(b);
}

#define ATTRIBUTE(k, v) "{\"key\":\"" k "\",\"value\":{\"stringValue\":\"" v "\"}}"
#define REQUEST(time, body, attributes)                                                            \
    "{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[{"           \
    "\"timeUnixNano\":\"" time "\",\"observedTimeUnixNano\":\"1000000000\",\"body\":{"             \
    "\"stringValue\":\"" body "\"}" attributes "}]}]}]}"

/* What the labels of the case become: themselves, the list of their names, and the file's names. */
/* clang-format off */
#define LABELLED \
    ",\"attributes\":[" ATTRIBUTE("__internal", "y") \
    "," ATTRIBUTE("filename", "/var/log/a.log") \
    "," ATTRIBUTE("job", "x") \
    "," ATTRIBUTE("loki.attribute.labels", "__internal,filename,job") \
    "," ATTRIBUTE("log.file.path", "/var/log/a.log") \
    "," ATTRIBUTE("log.file.name", "a.log") "]"
/* clang-format on */

static void labels_become_attributes(void **state)
{
    const struct label labels[] = {{STR("job"), STR("x")},
                                   {STR("__internal"), STR("y")},
                                   {STR("filename"), STR("/var/log/a.log")}};
    struct label_table *t = label_table_new();
    struct world w;

    world_up(&w, &otelcol_receiver_loki, "output {}");
    assert_int_equal(world_push(&w, entry(t, labels, 3, 42, "hello\n")), PUSH_TAKEN);
    expect(&w, REQUEST("42", "hello\\n", LABELLED));
    world_down(&w);
    label_table_free(t);
}

static void without_labels_and_time(void **state)
{
    struct label_table *t = label_table_new();
    struct world w;

    world_up(&w, &otelcol_receiver_loki, "output {}");
    assert_int_equal(world_push(&w, entry(t, NULL, 0, 0, "")), PUSH_TAKEN);
    expect(&w, REQUEST("1000000000", "", ""));
    world_down(&w);
    label_table_free(t);
}

/* Lengths around the widths of their prefixes. */
static void long_lines(void **state)
{
    struct label_table *t = label_table_new();
    struct label labels[] = {{STR("a"), STR("b")}};
    struct world w;

    world_up(&w, &otelcol_receiver_loki, "output {}");
    for (size_t n = 100; n < 20000; n = n < 140 ? n + 1 : n * 3 / 2) {
        char err[128], *line = calloc(1, n + 1);
        u32 items;
        memset(line, 'x', n);
        assert_int_equal(world_push(&w, entry(t, labels, 1, 1, line)), PUSH_TAKEN);
        struct batch *b = take_out(SIGNAL_LOGS);
        assert_int_equal(otlp_validate(SIGNAL_LOGS, str_n(b->slices[0].p, b->slices[0].n), &items,
                                       err, sizeof(err)),
                         0);
        assert_true(b->bytes > n && b->bytes < n + 200);
        batch_unref(b);
        free(line);
    }
    world_down(&w);
    label_table_free(t);
}

static void full_outputs_hold_back(void **state)
{
    struct label_table *t = label_table_new();
    struct world w;

    world_up(&w, &otelcol_receiver_loki, "output {}");
    fanouts[SIGNAL_LOGS]->full = true;
    struct batch *b = entry(t, NULL, 0, 1, "x");
    assert_int_equal(world_push(&w, b), PUSH_FULL);
    batch_unref(b);
    world_down(&w);
    label_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_become_attributes),
        cmocka_unit_test(without_labels_and_time),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(full_outputs_hold_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
