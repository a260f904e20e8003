/* Mapping files: what matches what, what is refused. */
#include "base/test.h"
#include "base/xalloc.h"
#include "components/prometheus/statsd/cache.h"

static struct arena a;
static u64 limited;

static void count_warning(void *arg, const char *what)
{
    (void)what;
    ++*(int *)arg;
}

static struct statsd_mapper *read_file(const char *text)
{
    char *err = NULL;
    struct statsd_mapper *m = statsd_mapper_read(str_of(text), NULL, NULL, &err);

    if (!m) print_error("%s\n", err);
    free(err);
    assert_non_null(m);
    return m;
}

static void refused(const char *text, const char *want)
{
    char *err = NULL;

    assert_null(statsd_mapper_read(str_of(text), NULL, NULL, &err));
    assert_non_null(err);
    if (!strstr(err, want)) print_error("got %s, want %s\n", err, want);
    assert_non_null(strstr(err, want));
    free(err);
}

/* "name{label=value,...}", or "-". */
static void maps(const struct statsd_mapper *m, const char *name, enum statsd_type type,
                 const char *want)
{
    struct buf b = BUF_INIT(4096);
    struct statsd_mapped is;

    statsd_mapper_match(m, str_of(name), type, &a, &is, &limited);
    if (is.mapping) {
        buf_printf(&b, STR_FMT "{", STR_ARG(is.name));
        for (size_t i = 0; i < is.mapping->n_labels; i++)
            buf_printf(&b, "%s" STR_FMT "=" STR_FMT, i ? "," : "",
                       STR_ARG(is.mapping->labels[i].name), STR_ARG(is.values[i]));
        buf_ch(&b, '}');
    } else {
        buf_ch(&b, '-');
    }
    assert_text(buf_view(&b), want);
    buf_done(&b);
}

static void globs(void **state)
{
    struct statsd_mapper *m = read_file("mappings:\n"
                                        "- {match: a.*.c, name: first, labels: {x: $1}}\n"
                                        "- {match: a.b.*, name: second, labels: {x: $1}}\n"
                                        "- {match: a.b, name: short}\n"
                                        "- {match: '*.*.*.*', name: 'four_${2}_$4', labels: {l: "
                                        "'$1-${3}-$9-$1_x'}}\n"
                                        "- {match: g, name: gauge, match_metric_type: gauge}\n"
                                        "- {match: g, name: any}\n"
                                        "- {match: t, name: timer, match_metric_type: timer}\n");

    assert_int_equal(m->n, 7);
    maps(m, "a.b.c", STATSD_COUNTER, "first{x=b}");
    maps(m, "a.b.d", STATSD_COUNTER, "second{x=d}");
    maps(m, "a.b", STATSD_COUNTER, "short{}");
    maps(m, "p.q.r.s", STATSD_COUNTER, "four_q_s{l=p-r--}");
    maps(m, "g", STATSD_GAUGE, "gauge{}");
    maps(m, "g", STATSD_COUNTER, "any{}");
    maps(m, "t", STATSD_OBSERVER, "timer{}");
    maps(m, "t", STATSD_GAUGE, "-");
    maps(m, "a..c", STATSD_GAUGE, "first{x=}");
    maps(m, "a", STATSD_GAUGE, "-");
    statsd_mapper_unref(m);
}

static void order(void **state)
{
    const char *rules = "mappings:\n- {match: a.*, name: star}\n- {match: a.b, name: exact}\n";
    char *disorder = xprintf("defaults: {glob_disable_ordering: true}\n%s", rules);
    struct statsd_mapper *m = read_file(rules);

    maps(m, "a.b", STATSD_COUNTER, "star{}");
    statsd_mapper_unref(m);
    m = read_file(disorder);
    maps(m, "a.b", STATSD_COUNTER, "exact{}");
    statsd_mapper_unref(m);
    free(disorder);
}

static void expressions(void **state)
{
    struct statsd_mapper *m =
        read_file("defaults: {match_type: regex}\n"
                  "mappings:\n"
                  "- {match: 'srv\\.(.*)\\.net\\.([a-z0-9]+)', name: 'net_$2', labels: {host: "
                  "'${1}'}}\n"
                  "- {match: '(x+x+)+y', name: slow}\n"
                  "- {match: a.*, match_type: glob, name: glob}\n"
                  "- {match: 'z', name: counters, match_metric_type: counter}\n");

    maps(m, "srv.h1.net.eth0.bytes", STATSD_GAUGE, "net_eth0{host=h1}");
    maps(m, "a.b", STATSD_GAUGE, "glob{}");
    maps(m, "xxz", STATSD_GAUGE, "-");
    maps(m, "xxz", STATSD_COUNTER, "counters{}");
    statsd_mapper_unref(m);
}

static void effort(void **state)
{
    struct statsd_mapper *m = read_file("defaults: {match_type: regex}\n"
                                        "mappings:\n- {match: '(.*)*(.*)*(.*)*$y', name: slow}\n");
    char *name = xmalloc(4001);

    memset(name, 'x', 4000);
    name[4000] = 0;
    maps(m, name, STATSD_COUNTER, "-"); /* in a moment, whatever the expression */
    free(name);
    statsd_mapper_unref(m);
}

static void options(void **state)
{
    struct statsd_mapper *m = read_file("defaults:\n"
                                        "  ttl: 10s\n"
                                        "  observer_type: histogram\n"
                                        "  histogram_options: {buckets: [1, 2, .inf]}\n"
                                        "mappings:\n"
                                        "- match: a\n"
                                        "  name: a\n"
                                        "  ttl: 1m\n"
                                        "  observer_type: summary\n"
                                        "  summary_options: {quantiles: [{quantile: 0.9, error: "
                                        "0.1}, {quantile: 0.1, error: 0.2}], max_age: 30s, "
                                        "age_buckets: 3, buf_cap: 10}\n"
                                        "- {match: b, name: b, timer_type: histogram, buckets: "
                                        "[5], scale: 0.5, honor_labels: yes, action: drop, help: "
                                        "H}\n");
    const struct statsd_mapping *s = &m->v[0], *b = &m->v[1];

    assert_int_equal(m->unmapped.ttl, 10 * NS_PER_SEC);
    assert_int_equal(m->unmapped.observer, STATSD_HISTOGRAM);
    assert_int_equal(m->unmapped.options->n_buckets, 2);
    assert_int_equal(s->ttl, 60 * NS_PER_SEC);
    assert_int_equal(s->options->n_quantiles, 2);
    assert_true(s->options->quantiles[0].quantile == 0.1);
    assert_int_equal(s->options->max_age, 30 * NS_PER_SEC);
    assert_int_equal(s->options->age_buckets, 3);
    assert_int_equal(b->observer, STATSD_HISTOGRAM);
    assert_true(b->options->n_buckets == 1 && b->options->buckets[0] == 5);
    assert_true(b->has_scale && b->scale == 0.5 && b->honor_labels && b->drop);
    assert_int_equal(b->ttl, 10 * NS_PER_SEC);
    assert_text(b->help, "H");
    statsd_mapper_unref(m);
}

static void faults(void **state)
{
#define RULE "mappings:\n- match: a\n  name: b\n"
    refused("mappings: {}\n", "mappings are a list");
    refused("mappings:\n- {match: a}\n", "didn't set a metric name");
    refused("mappings:\n- {match: a, name: 'b-c'}\n", "metric name 'b-c'");
    refused("mappings:\n- {match: 'a..b', name: b}\n", "line 2: invalid match: a..b");
    refused("mappings:\n- {match: '9a', name: b}\n", "invalid match");
    refused("mappings:\n- {match: '(', match_type: regex, name: b}\n", "invalid regex (");
    refused(RULE "  labels: {'a b': c}\n", "line 4: invalid label key: a b");
    refused(RULE "  ttl: soon\n", "line 4: a duration");
    refused(RULE "  action: jump\n", "invalid action type \"jump\"");
    refused(RULE "  match_metric_type: x\n", "invalid metric type");
    refused(RULE "  name: c\n", "twice");
    refused(RULE "  observer_type: histogram\n  summary_options: {}\n",
            "histogram observer and summary options");
    refused(RULE "  observer_type: histogram\n  histogram_options: {buckets: [2, 1]}\n",
            "increasing order");
    refused(RULE "  scale: x\n", "a number is expected");
    refused("a: [", "yaml:");
    int warnings = 0;
    char *err = NULL;
    struct statsd_mapper *m =
        statsd_mapper_read(STR(RULE "  colour: red\n"), count_warning, &warnings, &err);
    assert_non_null(m);
    assert_int_equal(warnings, 1);
    statsd_mapper_unref(m);
}

static void cached(struct statsd_cache *c, const struct statsd_mapper *m, const char *name,
                   struct statsd_stats *st, const char *want)
{
    struct statsd_mapped is;

    statsd_cache_match(c, m, str_of(name), STATSD_COUNTER, &a, &is, st);
    assert_text(is.name, want);
}

static void cache(void **state)
{
    struct statsd_mapper *m = read_file("mappings:\n- {match: a.*, name: 'a_$1'}\n");

    for (int random = 0; random < 2; random++) {
        struct statsd_cache *c = statsd_cache_new(2, random);
        struct statsd_stats st = {0};
        cached(c, m, "a.x", &st, "a_x");
        cached(c, m, "b.x", &st, "b_x");
        cached(c, m, "a.x", &st, "a_x");
        assert_int_equal(st.cache_hits, 1);
        cached(c, m, "a.y", &st, "a_y"); /* displaces b.x, or any */
        assert_int_equal(statsd_cache_length(c), 2);
        cached(c, m, "a.y", &st, "a_y");
        assert_int_equal(st.cache_hits, 2);
        if (!random) cached(c, m, "a.x", &st, "a_x");
        if (!random) assert_int_equal(st.cache_hits, 3);
        for (int i = 0; i < 1000; i++) {
            char name[32];
            (void)snprintf(name, sizeof(name), "n.%d", i);
            statsd_cache_match(c, m, str_of(name), STATSD_GAUGE, &a, &(struct statsd_mapped){0},
                               &st);
        }
        assert_int_equal(statsd_cache_length(c), 2);
        statsd_cache_free(c);
    }
    statsd_mapper_unref(m);
}

static int begin(void **state)
{
    arena_init(&a, 0);
    return 0;
}

static int end(void **state)
{
    arena_done(&a);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(globs),   TEST(order),  TEST(expressions), TEST(effort),
                                       TEST(options), TEST(faults), TEST(cache)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
