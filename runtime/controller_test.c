/* The controller with fake components: first load, keep-last-good, in-place update, removal and its
 * order, re-evaluation, leaks. */
#include "runtime/graph_kit.h"

static struct graph_kit k;

static int setup(void **state)
{
    kit_init(&k);
    return 0;
}

static int teardown(void **state)
{
    kit_done(&k);
    return 0;
}

static const struct node_state *state_of(const char *id)
{
    return module_find(controller_module(k.controller), str_of(id));
}

static const char *health_of(const char *id)
{
    return node_health_worst(&state_of(id)->health)->text;
}

/* The component publishes another text, as a watched file would. */
static void publish(const char *id, const char *text)
{
    fake_publish(counts_of(id)->comp, str_of(text));
    for (int i = 0; i < 10; i++)
        loop_turn(k.loop, 0);
}

static const char chain[] =
    "fake.source \"s\" { forward_to = [fake.sink.a.receiver] }\nfake.sink \"a\" { }\n";

static void test_first_load(void **state)
{
    assert_false(controller_ready(k.controller));
    assert_int_equal(kit_load(&k, chain), 0);
    assert_true(controller_ready(k.controller));
    assert_int_equal(counts_of("fake.sink.a")->created, 1);
    assert_int_equal(counts_of("fake.source.s")->created, 1);
    assert_string_equal(health_of("fake.source.s"), "started component");
    assert_int_equal(node_health_worst(&state_of("fake.source.s")->health)->state, HEALTH_HEALTHY);
}

static void test_failed_load_starts_nothing(void **state)
{
    assert_int_equal(kit_load(&k, "fake.sink \"a\" { }\nfake.sink \"b\" { fail = true }\n"),
                     -EINVAL);
    assert_string_equal(kit_fault(&k, 0),
                        "t.alloy:2:1: Failed to build component: building component: told to fail");
    assert_false(controller_ready(k.controller));
    assert_int_equal(counts_of("fake.sink.a")->created, 1); /* made beside, and thrown away */
    assert_int_equal(counts_of("fake.sink.a")->destroyed, 1);
}

static void test_keep_last_good(void **state)
{
    assert_int_equal(kit_load(&k, chain), 0);
    const struct module *before = controller_module(k.controller);
    const char *const bad[] = {
        "fake.sink \"a\" { ",
        "fake.snik \"a\" { }\n",
        "fake.sink \"a\" { note = fake.sink.b.receiver }\n",
        "fake.sink \"a\" { mode = \"refused\" }\n",
        "fake.sink \"n\" { fail = true }\n",
        "fake.sink \"a\" { note = 1 / 0 }\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(kit_load(&k, bad[i]), -EINVAL);
        assert_true(k.diags.n_errors > 0);
        assert_ptr_equal(controller_module(k.controller), before);
    }
    assert_int_equal(counts_of("fake.sink.a")->applied, 0);
    assert_int_equal(counts_of("fake.sink.a")->stopped, 0);
    assert_int_equal(counts_of("fake.source.s")->stopped, 0);
}

static void test_unchanged_is_not_touched(void **state)
{
    assert_int_equal(kit_load(&k, chain), 0);
    const struct node_state *sink = state_of("fake.sink.a");
    assert_int_equal(kit_load(&k, "// moved\n\n\nfake.sink \"a\" { limit = 0 + 1 }\nfake.source "
                                  "\"s\" {\n  forward_to = [fake.sink.a.receiver]\n}\n"),
                     0);
    assert_ptr_equal(state_of("fake.sink.a"), sink);
    assert_int_equal(counts_of("fake.sink.a")->applied, 0);
    assert_int_equal(counts_of("fake.source.s")->applied, 0);
    assert_int_equal(counts_of("fake.source.s")->created, 1);
}

static void test_update_in_place(void **state)
{
    assert_int_equal(kit_load(&k, chain), 0);
    assert_int_equal(kit_load(&k, "fake.source \"s\" {\n  forward_to = [fake.sink.a.receiver]\n  "
                                  "note = \"two\"\n}\nfake.sink \"a\" { }\n"),
                     0);
    assert_int_equal(counts_of("fake.source.s")->created, 1);
    assert_int_equal(counts_of("fake.source.s")->applied, 1);
    assert_string_equal(counts_of("fake.source.s")->note, "two");
    assert_int_equal(counts_of("fake.sink.a")->applied, 0);
}

static void test_removal(void **state)
{
    assert_int_equal(kit_load(&k, chain), 0);
    assert_int_equal(
        kit_load(
            &k, "fake.source \"s\" { forward_to = [fake.sink.b.receiver] }\nfake.sink \"b\" { }\n"),
        0);
    assert_null(state_of("fake.sink.a"));
    assert_int_equal(counts_of("fake.sink.a")->destroyed, 1);
    assert_int_equal(counts_of("fake.source.s")->applied, 1);
    assert_int_equal(counts_of("fake.source.s")->stopped, 0);
    /* its exports left the scope */
    assert_int_equal(kit_load(&k, chain), 0);
    assert_int_equal(kit_load(&k, "fake.source \"s\" { forward_to = [fake.sink.b.receiver] }\n"),
                     -EINVAL);
}

static void test_order_of_stopping(void **state)
{
    assert_int_equal(
        kit_load(&k,
                 "fake.value \"v\" { text = \"x\" }\nfake.sink \"a\" { note = fake.value.v.text }\n"
                 "fake.source \"s\" { forward_to = [fake.sink.a.receiver] }\n"),
        0);
    assert_int_equal(kit_load(&k, "\n"), 0);
    for (int i = 0; i < 20; i++)
        loop_turn(k.loop, 0);
    int source = counts_of("fake.source.s")->order, sink = counts_of("fake.sink.a")->order,
        value = counts_of("fake.value.v")->order;
    assert_true(source > 0 && source < sink && sink < value);
    assert_int_equal(counts_of("fake.value.v")->destroyed, 1);
}

/* One that never drains delays the others until half of the time, and is given up at its end. */
static void test_one_that_hangs_is_given_up(void **state)
{
    const struct fake_counts *source = counts_of("fake.source.s"), *sink = counts_of("fake.sink.a");
    assert_int_equal(kit_load(&k, "fake.source \"s\" {\n  forward_to = [fake.sink.a.receiver]\n"
                                  "  note = \"hangs\"\n}\nfake.sink \"a\" { }\n"),
                     0);
    assert_int_equal(kit_load(&k, ""), 0);
    assert_int_equal(source->stopped, 1);
    assert_int_equal(sink->stopped, 0);
    for (int i = 0; i < 1000 && sink->stopped == 0; i++)
        loop_turn(k.loop, 5 * NS_PER_MS);
    assert_int_equal(sink->stopped, 1);
    assert_int_equal(source->destroyed, 0);
    for (int i = 0; i < 1000 && source->destroyed + sink->destroyed < 2; i++)
        loop_turn(k.loop, 5 * NS_PER_MS);
    assert_int_equal(source->destroyed, 1);
    assert_int_equal(sink->destroyed, 1);
}

static void test_reevaluation(void **state)
{
    assert_int_equal(
        kit_load(
            &k,
            "fake.value \"v\" { text = \"one\" }\nfake.sink \"a\" { note = fake.value.v.text }\n"
            "fake.sink \"b\" { note = \"still\" }\n"),
        0);
    assert_string_equal(counts_of("fake.sink.a")->note, "one");
    publish("fake.value.v", "two");
    assert_string_equal(counts_of("fake.sink.a")->note, "two");
    assert_int_equal(counts_of("fake.sink.a")->applied, 1);
    publish("fake.value.v", "two"); /* equal exports change nothing */
    assert_int_equal(counts_of("fake.sink.a")->applied, 1);
    assert_int_equal(counts_of("fake.sink.b")->applied, 0);
}

static void test_reevaluation_is_deduplicated(void **state)
{
    assert_int_equal(kit_load(&k, "fake.value \"v\" { }\nfake.value \"w\" { }\nfake.sink \"a\" { "
                                  "note = fake.value.v.text + fake.value.w.text }\n"),
                     0);
    fake_publish(counts_of("fake.value.v")->comp, STR("1"));
    fake_publish(counts_of("fake.value.w")->comp, STR("2"));
    publish("fake.value.v", "3");
    assert_string_equal(counts_of("fake.sink.a")->note, "32");
    assert_int_equal(counts_of("fake.sink.a")->applied, 1);
}

static void test_reevaluation_keeps_old_on_failure(void **state)
{
    assert_int_equal(
        kit_load(
            &k,
            "fake.value \"v\" { text = \"1\" }\nfake.sink \"a\" { limit = fake.value.v.text }\n"),
        0);
    publish("fake.value.v", "many");
    assert_int_equal(counts_of("fake.sink.a")->applied, 0);
    const struct health_part *h = node_health_worst(&state_of("fake.sink.a")->health);
    assert_int_equal(h->state, HEALTH_UNHEALTHY);
    assert_non_null(strstr(h->text, "component evaluation failed: "));
    publish("fake.value.v", "7");
    assert_int_equal(counts_of("fake.sink.a")->applied, 1);
    assert_int_equal(node_health_worst(&state_of("fake.sink.a")->health)->state, HEALTH_HEALTHY);
}

static void test_exports_survive_reload(void **state)
{
    const char text[] =
        "fake.value \"v\" { text = \"one\" }\nfake.sink \"a\" { note = fake.value.v.text }\n";
    assert_int_equal(kit_load(&k, text), 0);
    publish("fake.value.v", "two");
    assert_int_equal(kit_load(&k, text), 0);
    assert_string_equal(counts_of("fake.sink.a")->note, "two");
    assert_int_equal(counts_of("fake.sink.a")->applied, 1);
}

static void test_module_path(void **state)
{
    assert_int_equal(kit_load(&k, "fake.sink \"a\" { note = module_path }\n"), 0);
    assert_string_equal(counts_of("fake.sink.a")->note, "/etc");
}

static void test_thousand_reloads(void **state)
{
    for (int i = 0; i < 1000; i++) {
        char text[512];
        snprintf(
            text, sizeof(text),
            "fake.value \"v\" { text = \"%d\" }\nfake.sink \"a%d\" { note = fake.value.v.text }\n"
            "fake.source \"s\" {\n  forward_to = [fake.sink.a%d.receiver]\n}\n%s",
            i / 3, i % 2, i % 2, i % 5 == 4 ? "fake.sink \"z\" { fail = true }\n" : "");
        assert_int_equal(kit_load(&k, text), i % 5 == 4 ? -EINVAL : 0);
    }
    assert_int_equal(counts_of("fake.source.s")->created, 1);
    assert_true(counts_of("fake.source.s")->applied > 300);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_first_load),
        TEST(test_failed_load_starts_nothing),
        TEST(test_keep_last_good),
        TEST(test_unchanged_is_not_touched),
        TEST(test_update_in_place),
        TEST(test_removal),
        TEST(test_order_of_stopping),
        TEST(test_one_that_hangs_is_given_up),
        TEST(test_reevaluation),
        TEST(test_reevaluation_is_deduplicated),
        TEST(test_reevaluation_keeps_old_on_failure),
        TEST(test_exports_survive_reload),
        TEST(test_module_path),
        TEST(test_thousand_reloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
