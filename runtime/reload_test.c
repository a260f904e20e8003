/* Loading from a path again and again: outcome texts, keep last good, requests that wait, no load
 * for nothing. */
#include "runtime/graph_kit.h"

#include <unistd.h>
#include "runtime/reload.h"

struct world {
    struct graph_kit k;
    struct reloader *r;
    struct config_metrics *metrics;
    char path[64];
    char answer[512];
    int answers;
};

static struct world w;

static void put(const char *text)
{
    FILE *f = fopen(w.path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int setup(void **state)
{
    w = (struct world){0};
    kit_init(&w.k);
    snprintf(w.path, sizeof(w.path), "/tmp/weir-reload-XXXXXX");
    int fd = mkstemp(w.path);
    assert_true(fd >= 0);
    close(fd);
    w.metrics = config_metrics_new(w.k.host.metrics, &clock_system, "");
    w.r = reloader_new(&(struct reloader_conf){
        .controller = w.k.controller, .loop = w.k.loop, .metrics = w.metrics, .path = w.path});
    return 0;
}

static int teardown(void **state)
{
    reloader_free(w.r);
    config_metrics_free(w.metrics);
    kit_done(&w.k);
    return unlink(w.path);
}

static void answered(void *arg, const char *err)
{
    snprintf(w.answer, sizeof(w.answer), "%s", err ? err : "loaded");
    w.answers++;
}

static int first(const char *text, char **why)
{
    put(text);
    diags_clear(&w.k.diags);
    int err = reloader_first(w.r, &w.k.diags, why);
    kit_settle(&w.k);
    return err;
}

static const char *reload(const char *text)
{
    put(text);
    reloader_request(w.r, NULL, answered, NULL);
    kit_settle(&w.k);
    return w.answer;
}

static bool shows(const char *line)
{
    struct buf out = BUF_INIT(1 << 20);
    metrics_write(w.k.host.metrics, &out, NULL, 0);
    bool found = strstr(out.p, line) != NULL;
    buf_done(&out);
    return found;
}

static void test_first(void **state)
{
    char *why = NULL;
    assert_int_equal(first("fake.sink \"a\" { }\n", &why), 0);
    assert_null(why);
    assert_true(controller_ready(w.k.controller));
    assert_true(shows("alloy_config_last_load_successful 1\n"));
    assert_true(shows("alloy_config_load_failures_total 0\n"));
}

static void test_first_without_file(void **state)
{
    char *why = NULL, want[256];
    assert_int_equal(unlink(w.path), 0);
    assert_true(reloader_first(w.r, &w.k.diags, &why) < 0);
    snprintf(want, sizeof(want), "reading config path \"%s\": stat %s: no such file or directory",
             w.path, w.path);
    assert_string_equal(why, want);
    free(why);
    assert_true(shows("alloy_config_hash{cluster_name=\"\",sha256="
                      "\"0000000000000000000000000000000000000000000000000000000000000000\"} 1\n"));
    put("");
}

static void test_texts(void **state)
{
    char *why = NULL, want[256];
    assert_int_equal(first("fake.sink \"a\" { }\n", &why), 0);
    assert_string_equal(reload("fake.sink \"a\" { note = \"x\" }\n"), "loaded");
    snprintf(want, sizeof(want),
             "error during the initial load: %s:1:1: cannot find the definition of component name "
             "\"fake.bad\"",
             w.path);
    assert_string_equal(reload("fake.bad \"a\" { }\n"), want);
    assert_true(shows("alloy_config_last_load_successful 1\n")); /* reading and parsing only */
    snprintf(want, sizeof(want), "reading config path \"%s\": %s:1:5: expected ", w.path, w.path);
    assert_memory_equal(reload("a = )\n"), want, strlen(want));
    assert_true(shows("alloy_config_last_load_successful 0\n"));
    assert_true(shows("alloy_config_load_failures_total 1\n"));
    assert_string_equal(counts_of("fake.sink.a")->note, "x");
}

static void test_report(void **state)
{
    char *why = NULL;
    assert_null(reloader_sources(w.r));
    assert_int_equal(first("fake.value \"a\" { }\nfake.value \"b\" { }\n", &why), 0);
    struct load_report p = reloader_report(w.r);
    assert_true(p.ok && !p.error && p.when > 0 && p.since == p.when);
    assert_int_equal(p.counts.added, 2);
    put("fake.value \"a\" {\n  text = \"new\"\n}\nfake.value \"c\" { }\n");
    reloader_request(w.r, NULL, answered, NULL);
    kit_settle(&w.k);
    p = reloader_report(w.r);
    assert_int_equal(p.counts.added, 1);
    assert_int_equal(p.counts.changed, 1);
    assert_int_equal(p.counts.removed, 1);
    assert_int_equal(p.counts.left, 0);
    put("fake.value \"a\" {\n  txt = \"new\"\n}\n");
    reloader_request(w.r, NULL, answered, NULL);
    i64 since = p.since;
    p = reloader_report(w.r);
    assert_false(p.ok);
    assert_true(p.when > since && p.since == since);
    assert_int_equal(p.faults, 1);
    assert_non_null(strstr(p.diags_text, "txt = *****"));
    assert_non_null(strstr(p.diags_text, "^^^"));
    assert_string_equal(p.error, w.answer);
    assert_int_equal(reloader_sources(w.r)->files.n, 1);
}

static void test_requests_share_a_load(void **state)
{
    char *why = NULL;
    put("fake.sink \"a\" { }\n");
    assert_int_equal(reloader_first(w.r, &w.k.diags, &why), 0);
    put("fake.sink \"a\" { note = \"new\" }\n");
    for (int i = 0; i < 3; i++)
        reloader_request(w.r, NULL, answered, NULL);
    kit_settle(&w.k);
    for (int i = 0; i < 100 && w.answers < 3; i++)
        loop_turn(w.k.loop, NS_PER_MS);
    kit_settle(&w.k);
    assert_int_equal(w.answers, 3);
    assert_int_equal(counts_of("fake.sink.a")->applied, 1);
}

static void test_waiting_requests_are_answered_at_the_end(void **state)
{
    char *why = NULL;
    assert_int_equal(first("fake.sink \"a\" { }\n", &why), 0);
    assert_string_equal(reload("fake.sink \"a\" { note = \"x\" }\n"), "loaded");
    assert_int_equal(w.answers, 1);
}

static void test_nothing_is_loaded_once_stopped(void **state)
{
    char *why = NULL;
    assert_int_equal(first("fake.sink \"a\" { }\n", &why), 0);
    reloader_stop(w.r);
    assert_string_equal(reload("fake.sink \"a\" { note = \"x\" }\n"), "the agent is shutting down");
    assert_int_equal(counts_of("fake.sink.a")->applied, 0);
}

static void test_watched(void **state)
{
    char *why = NULL;
    assert_int_equal(first("fake.sink \"a\" { }\n", &why), 0);
    reloader_watch(w.r);
    put("fake.sink \"a\" { note = \"seen\" }\n");
    for (int i = 0; i < 500 && strcmp(counts_of("fake.sink.a")->note, "seen") != 0; i++)
        loop_turn(w.k.loop, 10 * NS_PER_MS);
    assert_string_equal(counts_of("fake.sink.a")->note, "seen");
    kit_settle(&w.k);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_first),
        TEST(test_first_without_file),
        TEST(test_texts),
        TEST(test_report),
        TEST(test_requests_share_a_load),
        TEST(test_waiting_requests_are_answered_at_the_end),
        TEST(test_nothing_is_loaded_once_stopped),
        TEST(test_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
