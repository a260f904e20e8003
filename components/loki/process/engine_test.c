/* The engine through the component: order, labels, acks, room, time, new configurations. */
#include "components/loki/process/testing.h"

#define SEED                                                                                       \
    "stage.static_labels { values = { cluster = \"main\", env = \"prod\" } }\n"                    \
    "stage.regex { expression = \"(?i)(?P<level>debug|info|warn|error|fatal)\" }\n"                \
    "stage.labels { values = { level = \"\" } }\n"

static void test_nothing(void **state)
{
    process_case("", "{a=\"1\"} one\ntwo\n<k=v> three", "{a=\"1\"} one\n{} two\n{} <k=v> three\n");
}

static void test_seed(void **state)
{
    process_case(SEED,
                 "{job=\"x\"} an INFO line\n{job=\"x\"} no word\n{job=\"x\"} Error: it\n"
                 "{job=\"x\"} an INFO line",
                 "{cluster=\"main\", env=\"prod\", job=\"x\", level=\"INFO\"} an INFO line\n"
                 "{cluster=\"main\", env=\"prod\", job=\"x\", level=\"INFO\"} an INFO line\n"
                 "{cluster=\"main\", env=\"prod\", job=\"x\"} no word\n"
                 "{cluster=\"main\", env=\"prod\", job=\"x\", level=\"Error\"} Error: it\n");
}

/* Labels become extracted values once, at the start. */
static void test_labels_are_extracted(void **state)
{
    process_case("stage.static_labels { values = { a = \"new\" } }\n"
                 "stage.labels { values = { b = \"a\", c = \"missing\" } }",
                 "{a=\"old\"} x", "{a=\"new\", b=\"old\"} x\n");
}

static void test_many_values(void **state)
{
    struct process w;
    struct buf in = BUF_INIT(1 << 20);

    process_up(&w, SEED);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 3000; i++) /* more streams than are remembered */
            buf_printf(&in, "{n=\"%d\"} warn%s", i, round == 1 && i == 2999 ? "" : "\n");
    process_in(&w, in.p);
    buf_reset(&in);
    process_out(&w, &in);
    assert_true(str_starts(buf_view(&in), STR("{cluster=\"main\", env=\"prod\", level=\"warn\", "
                                              "n=\"0\"} warn\n")));
    buf_done(&in);
    process_down(&w);
}

/* A batch that was begun is kept, the next one refused. */
static void test_no_room(void **state)
{
    struct process w;
    struct log_builder *b;

    process_up(&w, SEED);
    the_fanout->full = true;
    process_in(&w, "one\ntwo");
    b = log_builder_new(&w.budget);
    process_add(&w, b, STR("three"));
    assert_int_equal(process_push(&w, b), PUSH_FULL);
    process_expect(&w, "");
    assert_int_equal(w.acked, 1); /* what was refused is the test's */
    process_open(&w);
    assert_true(w.ready > 0);
    process_expect(&w, "{cluster=\"main\", env=\"prod\"} one\n{cluster=\"main\", env=\"prod\"} "
                       "two\n");
    assert_int_equal(w.acked, 2);
    assert_int_equal(w.worst, ACK_OK);
    log_builder_free(b);
    process_down(&w);
}

static void test_stop_waits_for_room(void **state)
{
    struct process w;

    process_up(&w, SEED);
    the_fanout->full = true;
    process_in(&w, "one");
    loki_process.stop(&w.shard);
    assert_int_equal(w.stopped, 0);
    process_open(&w);
    assert_int_equal(w.stopped, 1);
    process_expect(&w, "{cluster=\"main\", env=\"prod\"} one\n");
    process_down(&w);
}

static void test_given_up(void **state)
{
    struct process w;

    process_up(&w, SEED);
    the_fanout->full = true;
    process_in(&w, "one");
    loki_process.stop(&w.shard);
    process_down(&w);
    assert_int_equal(w.worst, ACK_ABANDONED);
}

static void test_apply(void **state)
{
    struct process w;

    process_up(&w, SEED);
    process_in(&w, "info");
    process_apply(&w, SEED);
    process_in(&w, "info");
    process_apply(&w, "stage.static_labels { values = { x = \"y\" } }");
    process_in(&w, "info");
    process_expect(&w, "{cluster=\"main\", env=\"prod\", level=\"info\"} info\n"
                       "{cluster=\"main\", env=\"prod\", level=\"info\"} info\n"
                       "{x=\"y\"} info\n");
    process_down(&w);
}

static void test_tap(void **state)
{
    struct process w;

    process_up(&w, "stage.static_labels { values = { x = \"y\" } }");
    w.comp.tap = (struct tap *)&w;
    process_in(&w, "{a=\"1\"} <k=v> hello");
    assert_string_equal(
        process_taps.p,
        "[IN]: timestamp: 1970-01-01T00:16:40Z, entry: hello, labels: {a=\"1\"}, "
        "structured_metadata: {\"k\":\"v\"}\n"
        "[OUT]: timestamp: 1970-01-01T00:16:40Z, entry: hello, labels: {a=\"1\", x=\"y\"}, "
        "structured_metadata: {\"k\":\"v\"}\n");
    process_down(&w);
}

static void test_memory_is_out(void **state)
{
    struct process w;

    process_up(&w, SEED);
    struct log_builder *b = log_builder_new(&w.budget);
    process_add(&w, b, STR("one"));
    process_add(&w, b, STR("two"));
    struct batch *batch = batch_new(SIGNAL_LOGS);
    assert_int_equal(log_builder_seal(b, batch), 0);
    log_builder_free(b);
    atomic_store(&w.budget.limit, budget_used(&w.budget));
    assert_int_equal(loki_process.push(&w.shard, 0, batch), PUSH_TAKEN);
    process_advance(&w, NS_PER_SEC);
    process_expect(&w, "");
    atomic_store(&w.budget.limit, 0);
    process_advance(&w, NS_PER_SEC);
    process_advance(&w, NS_PER_SEC);
    process_expect(&w, "{cluster=\"main\", env=\"prod\"} one\n{cluster=\"main\", env=\"prod\"} "
                       "two\n");
    process_down(&w);
}

/* Where the first fault of these stages is told, which begin in line 3. */
static struct pos fault_place(const char *stages)
{
    struct process w;

    process_init(&w);
    assert_null(process_plan(&w, stages));
    struct pos at = w.diags.list.v[0].span.start;
    label_table_free(w.host.labels);
    loop_free(w.loop);
    diags_done(&w.diags);
    arena_done(&w.arena);
    metrics_free(w.host.metrics);
    return at;
}

/* What is wrong in an attribute is told there, what is wrong with a stage at its name. */
static void test_fault_places(void **state)
{
    static const struct {
        const char *stages;
        u32 line, col;
    } t[] = {
        {"stage.regex {\n source = \"a\"\n expression = \"(\"\n}", 5, 2},
        {"stage.docker { }\n  stage.drop { }", 4, 3},
        {"stage.match {\n selector = \"{a=1}\"\n action = \"drop\"\n}", 4, 2},
        {"stage.match {\n selector = \"{a=\\\"1\\\"}\"\n stage.replace {\n  expression = "
         "\"(a)\"\n  replace = \"{{ nope }}\"\n }\n}",
         7, 3},
        {"stage.metrics {\n metric.counter {\n  name = \"a\"\n  action = \"inc\"\n }\n "
         "metric.histogram {\n  name = \"b\"\n  buckets = []\n }\n}",
         10, 3},
        {"stage.json { expressions = { a = \"[\" } }", 3, 14},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct pos at = fault_place(t[i].stages);
        assert_int_equal(at.line, t[i].line);
        assert_int_equal(at.col, t[i].col);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_labels_are_extracted),
        cmocka_unit_test(test_many_values),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_stop_waits_for_room),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_tap),
        cmocka_unit_test(test_memory_is_out),
        cmocka_unit_test(test_fault_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
