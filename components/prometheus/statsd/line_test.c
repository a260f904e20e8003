/* Lines in all dialects, and what is wrong with lines. */
#include "base/num.h"
#include "base/test.h"
#include "components/prometheus/statsd/line.h"

static struct statsd_stats stats;
static struct statsd_parser parser;
static struct buf events;

/* "type name{a=b} value xTIMES;" */
static void on_event(void *arg, const struct statsd_event *e)
{
    static const char *const types[] = {"c", "g", "o"};
    struct buf *b = arg;

    buf_printf(b, "%s%s " STR_FMT "{", types[e->type],
               e->type == STATSD_GAUGE && e->relative ? "+" : "", STR_ARG(e->name));
    for (size_t i = 0; i < e->labels->n; i++)
        buf_printf(b, "%s" STR_FMT "=" STR_FMT, i ? "," : "", STR_ARG(e->labels->v[i].name),
                   STR_ARG(e->labels->v[i].value));
    buf_cstr(b, "} ");
    num_f64_g(b, e->value);
    if (e->times != 1) buf_printf(b, " x%llu", (unsigned long long)e->times);
    buf_ch(b, ';');
}

static void check(const char *line, const char *want)
{
    statsd_line(&parser, str_of(line), on_event, &events);
    assert_buf(&events, want);
}

static void kinds(void **state)
{
    check("foo:2|c", "c foo{} 2;");
    check("foo:2|c|@0.5", "c foo{} 4;");
    check("foo:2.5|g", "g foo{} 2.5;");
    check("foo:-1|g", "g+ foo{} -1;");
    check("foo:+1|g|@0.1", "g+ foo{} 1;");
    check("foo:200|ms", "o foo{} 0.2;");
    check("foo:200|ms|@0.1", "o foo{} 0.2 x10;");
    check("foo:0.3|h", "o foo{} 0.3;");
    check("foo:7|d", "o foo{} 7;");
    check("foo:1|c:2|g", "c foo{} 1;g foo{} 2;");
    check("", "");
    assert_int_equal(stats.samples, 11);
}

static void tags(void **state)
{
    check("a:1|c|#x:1,y-z:2", "c a{x=1,y_z=2} 1;");
    check("a:1|c|@0.5|#x:1,#y:2,", "c a{x=1,y=2} 2;");
    check("a#x=1,y=2:1|c", "c a{x=1,y=2} 1;");
    check("a,x=1:1|c", "c a{x=1} 1;");
    check("a[x=1,y=2].b:1|c", "c a.b{x=1,y=2} 1;");
    check("a:1:2:3|ms|#x:1", "o a{x=1} 0.001;o a{x=1} 0.002;o a{x=1} 0.003;");
    check("a:1|c|#x:1,x:2", "c a{x=2} 1;");
    check("a:1|c|#9:1|c:abc|T1656581400", "c a{_9=1,container_id=abc} 1;");
    assert_int_equal(stats.tag_errors, 0);
    check("a:1|c|#x,:1,y:", "c a{} 1;");
    assert_int_equal(stats.tag_errors, 3);
    check("a[x=1:1|c", "c a[x=1{} 1;");
    check("a]x[:1|c", "c a]x[{} 1;");
    assert_int_equal(stats.tag_errors, 5);
}

static void switched_off(void **state)
{
    parser.dogstatsd = parser.influxdb = parser.librato = parser.signalfx = false;
    check("a:1|c|#x:1", "c a{} 1;");
    check("a#x=1:1|c", "c a#x=1{} 1;");
    check("a,x=1:1|c", "c a,x=1{} 1;");
    check("a[x=1]:1|c", "c a[x=1]{} 1;");
}

static void faults(void **state)
{
    const struct {
        const char *line;
        int fault;
    } cases[] = {
        {"nocolon", STATSD_MALFORMED_LINE},
        {":1|c", STATSD_MALFORMED_LINE},
        {"a\xff:1|c", STATSD_MALFORMED_LINE},
        {"a:1", STATSD_NOT_ENOUGH_PARTS},
        {"a,x=1:1|c|#y:2", STATSD_MIXED_TAGGING_STYLES},
        {"a:1:2|c", STATSD_INVALID_AGGREGATE},
        {"a:x|c", STATSD_MALFORMED_VALUE},
        {"a:|c", STATSD_MALFORMED_VALUE},
        {"a:1|c||@1", STATSD_MALFORMED_COMPONENT},
        {"a:1|c|@1|@1|@1|@1|@1", STATSD_MALFORMED_COMPONENT},
        {"a:1|s", STATSD_ILLEGAL_EVENT},
        {"a:1|", STATSD_ILLEGAL_EVENT},
        {"a:1|c|c", STATSD_MALFORMED_CONTAINER_ID},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        u64 before = stats.sample_errors[cases[i].fault];
        check(cases[i].line, "");
        if (stats.sample_errors[cases[i].fault] != before + 1) print_error("%s\n", cases[i].line);
        assert_int_equal(stats.sample_errors[cases[i].fault], before + 1);
    }
    check("a:1|c|@x", "c a{} 1;"); /* counted, and taken */
    check("a:1|c|!", "c a{} 1;");
    assert_int_equal(stats.sample_errors[STATSD_INVALID_SAMPLE_FACTOR], 2);
    check("a:1|ms|@-1", "");
    check("a:1|ms|@nan", "");
    check("a:1|ms|@1e-300", "");
    check("a:1|ms|@0.001", "o a{} 0.001 x1000;");
}

static void many_tags(void **state)
{
    struct buf line = BUF_INIT(1 << 20);

    buf_cstr(&line, "a:1:2|ms|#");
    for (int i = 0; i <= STATSD_TAGS_MAX; i++)
        buf_printf(&line, "t%d:1,", i);
    statsd_line(&parser, buf_view(&line), on_event, &events);
    assert_buf(&events, "");
    assert_int_equal(stats.sample_errors[STATSD_TOO_MANY_TAGS], 2);
    buf_done(&line);
}

static void names(void **state)
{
    const struct {
        const char *name, *want;
    } cases[] = {{"a.b-c", "a_b_c"},
                 {"a--b---c", "a_b_c"},
                 {"-a-.-b", "_a___b"},
                 {"9a", "_9a"},
                 {"\xc3\xbc", "_"},
                 {"a:b", "a_b"},
                 {"", ""}};
    char to[32];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_text(str_n(to, statsd_escape(str_of(cases[i].name), to)), cases[i].want);
}

static int begin(void **state)
{
    stats = (struct statsd_stats){0};
    statsd_parser_init(&parser, &stats);
    parser.dogstatsd = parser.influxdb = parser.librato = parser.signalfx = true;
    buf_init(&events, 1 << 20);
    return 0;
}

static int end(void **state)
{
    statsd_parser_done(&parser);
    buf_done(&events);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(kinds),  TEST(tags),      TEST(switched_off),
                                       TEST(faults), TEST(many_tags), TEST(names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
