/* Compiling a graph: ids, references, duplicates, cycles, order, gates, edges. */
#include "runtime/graph_kit.h"

#define SINK "fake.sink \"a\" { }\n"

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

static void one_fault(const char *text, const char *line)
{
    assert_null(kit_compile(&k, text, false));
    assert_int_equal(k.diags.list.n, 1);
    assert_string_equal(kit_fault(&k, 0), line);
}

static void check_faults(const char *text, const char *const *lines, size_t n)
{
    assert_null(kit_compile(&k, text, true));
    for (size_t i = 0; i < n && i < k.diags.list.n; i++)
        assert_string_equal(kit_fault(&k, i), lines[i]);
    assert_int_equal(k.diags.list.n, n);
}

static void test_ids_and_ranks(void **state)
{
    struct template *t = kit_compile(
        &k, "fake.source \"s\" {\n  forward_to = [fake.sink.a.receiver]\n}\n" SINK, false);
    assert_non_null(t);
    const struct node *source = template_node(t, STR("fake.source.s")),
                      *sink = template_node(t, STR("fake.sink.a"));
    assert_non_null(source);
    assert_non_null(sink);
    assert_true(sink < source); /* what is referred to comes first */
    assert_int_equal(source->n_deps, 1);
    assert_int_equal(sink->n_users, 1);
    assert_ptr_equal(&t->nodes[source->deps[0]], sink);
    assert_true(edge_is_flow(&source->edges[0]));
    assert_int_equal(edge_signals(&source->edges[0]), SIGNALS_LOGS);
    assert_non_null(template_node(t, STR("labelstore"))); /* always there */
    template_unref(t);
}

static void test_shortest_prefix(void **state)
{
    struct template *t = kit_compile(
        &k,
        "fake.value \"v\" { text = \"x\" }\nfake.sink \"b\" { note = fake.value.v.text + \"y\" }\n",
        false);
    assert_non_null(t);
    const struct node *n = template_node(t, STR("fake.sink.b"));
    assert_int_equal(n->n_edges, 1);
    assert_string_equal(t->nodes[n->edges[0].to].id, "fake.value.v");
    assert_string_equal(n->edges[0].to_row->name, "text");
    assert_false(edge_is_flow(&n->edges[0]));
    template_unref(t);
}

static void test_references_inside_expressions(void **state)
{
    struct template *t =
        kit_compile(&k,
                    "fake.value \"i\" { }\nfake.value \"v\" { }\nfake.sink \"b\" { note = "
                    "string.join([fake.value.v.text, (fake.value.i.text)], \"-\") }\n",
                    false);
    assert_non_null(t);
    assert_int_equal(template_node(t, STR("fake.sink.b"))->n_deps, 2);
    template_unref(t);
}

static void test_unknown_component(void **state)
{
    one_fault("fake.snik \"a\" { }\n",
              "t.alloy:1:1: cannot find the definition of component name \"fake.snik\"");
    assert_string_equal(k.diags.list.v[0].hint, "did you mean `fake.sink`?");
}

static void test_missing_label(void **state)
{
    one_fault("fake.sink { }\n", "t.alloy:1:1: component \"fake.sink\" must have a label");
}

static void test_duplicate(void **state)
{
    one_fault(SINK "\n" SINK, "t.alloy:3:1: block fake.sink.a already declared at t.alloy:1:1");
    assert_int_equal(k.diags.list.v[0].span.end.col, 11);
}

static void test_duplicate_service(void **state)
{
    one_fault("labelstore { }\nlabelstore { }\n",
              "t.alloy:2:1: duplicate definition of \"labelstore\"");
    const char *const lines[] = {"t.alloy:2:1: block labelstore already declared at t.alloy:1:1"};
    check_faults("labelstore { }\nlabelstore { }\n", lines, 1);
}

static void test_service_without_settings(void **state)
{
    one_fault("cluster { }\n",
              "t.alloy:1:1: service \"cluster\" does not support being configured");
}

static void test_unresolved(void **state)
{
    one_fault("fake.source \"s\" {\n  forward_to = [fake.sink.b.receiver]\n}\n" SINK,
              "t.alloy:2:17: component \"fake.sink.b.receiver\" does not exist or is out of scope");
    assert_string_equal(k.diags.list.v[0].hint, "did you mean `fake.sink.a`?");
}

static void test_unknown_export(void **state)
{
    one_fault("fake.source \"s\" {\n  forward_to = [fake.sink.a.receive]\n}\n" SINK,
              "t.alloy:2:29: field \"receive\" does not exist");
    assert_string_equal(k.diags.list.v[0].hint, "did you mean `receiver`?");
}

static void test_cycles(void **state)
{
    const char text[] = "fake.value \"b\" { text = fake.value.a.text }\nfake.value \"a\" { text = "
                        "fake.value.b.text }\n"
                        "fake.value \"c\" { text = fake.value.a.text }\n";
    one_fault(text, "t.alloy:2:1: cycle: fake.value.a, fake.value.b");
    const char *const lines[] = {"t.alloy:2:1: cycle detected: fake.value.a, fake.value.b",
                                 "t.alloy:1:1: cycle detected: fake.value.a, fake.value.b"};
    check_faults(text, lines, 2);
}

static void test_self_reference(void **state)
{
    const char text[] = "fake.value \"a\" { text = fake.value.a.text }\n";
    one_fault(text, "t.alloy:1:25: self reference: fake.value.a");
    const char *const lines[] = {"t.alloy:1:25: cannot reference self"};
    check_faults(text, lines, 1);
}

static void test_long_chain_and_cycle(void **state)
{
    enum { N = 20000 };
    struct buf b = BUF_INIT(64 << 20);
    for (int i = 0; i < N; i++)
        buf_printf(&b, "fake.value \"v%d\" { text = fake.value.v%d.text }\n", i, i + 1);
    buf_printf(&b, "fake.value \"v%d\" { }\n", N);
    struct template *t = kit_compile(&k, b.p, false);
    assert_non_null(t);
    const struct node *last = template_node(t, STR("fake.value.v0"));
    assert_true(last > template_node(t, STR("fake.value.v1")));
    template_unref(t);
    buf_done(&b);
}

static void test_stability(void **state)
{
    one_fault("fake.new \"a\" { }\n",
              "t.alloy:1:1: component \"fake.new\" is at stability level \"experimental\", which "
              "is below the minimum allowed stability "
              "level \"generally-available\". Use --stability.level command-line flag to enable "
              "\"experimental\" features");
    k.opts.min_stability = STABILITY_EXPERIMENTAL;
    struct template *t = kit_compile(&k, "fake.new \"a\" { }\n", false);
    assert_non_null(t);
    template_unref(t);
}

static void test_what_has_no_place(void **state)
{
    one_fault("argument \"a\" { }\n", "t.alloy:1:1: argument blocks only allowed inside a module");
    one_fault("x = 1\n", "t.alloy:1:1: unrecognized attribute x");
}

static void test_wrong_signal(void **state)
{
    assert_null(kit_compile(
        &k,
        "fake.traces \"t\" { }\nfake.source \"s\" {\n  forward_to = [fake.traces.t.receiver]\n}\n",
        false));
    assert_int_equal(k.diags.list.n, 1);
    assert_int_equal(k.diags.list.v[0].span.start.line, 3);
}

static void test_everything_at_once(void **state)
{
    assert_null(kit_compile(
        &k,
        "fake.snik \"a\" { }\nfake.sink { }\nfake.sink \"b\" {\n  mod = 1\n  limit = \"many\"\n}\n"
        "fake.source \"s\" {\n  forward_to = [nobody.x.receiver]\n}\nfake.sink \"r\" { mode = "
        "\"refused\" }\n",
        false));
    const char *const lines[] = {
        "t.alloy:1:1: cannot find the definition of component name \"fake.snik\"",
        "t.alloy:2:1: component \"fake.sink\" must have a label",
        "t.alloy:4:3: unrecognized attribute name \"mod\"",
        "t.alloy:5:11: \"many\" should be number, got string",
        "t.alloy:8:17: component \"nobody.x.receiver\" does not exist or is out of scope",
        "t.alloy:10:1: mode \"refused\" is refused",
    };
    for (size_t i = 0; i < k.diags.list.n && i < ARRAY_LEN(lines); i++)
        assert_string_equal(kit_fault(&k, i), lines[i]);
    assert_int_equal(k.diags.list.n, ARRAY_LEN(lines));
}

static void test_stdlib_names(void **state)
{
    struct template *t = kit_compile(&k, "fake.sink \"a\" { note = env(\"HOME\") }\n", false);
    assert_non_null(t);
    assert_int_equal(k.diags.list.n, 1); /* a warning */
    assert_int_equal(k.diags.list.v[0].severity, SEV_WARNING);
    template_unref(t);
    one_fault("fake.sink \"a\" { note = array.group_by([], \"a\", true) }\n",
              "t.alloy:1:24: array.group_by is at stability level \"experimental\", which is below "
              "the minimum allowed stability level "
              "\"generally-available\". Use --stability.level command-line flag to enable "
              "\"experimental\" features");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_ids_and_ranks),
        TEST(test_shortest_prefix),
        TEST(test_references_inside_expressions),
        TEST(test_unknown_component),
        TEST(test_missing_label),
        TEST(test_duplicate),
        TEST(test_duplicate_service),
        TEST(test_service_without_settings),
        TEST(test_unresolved),
        TEST(test_unknown_export),
        TEST(test_cycles),
        TEST(test_self_reference),
        TEST(test_long_chain_and_cycle),
        TEST(test_stability),
        TEST(test_what_has_no_place),
        TEST(test_wrong_signal),
        TEST(test_everything_at_once),
        TEST(test_stdlib_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
