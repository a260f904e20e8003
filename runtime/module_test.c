/* Modules that run: instances of declares, values in and out, children of a foreach, imports, and
 * what a reload does to them. */
#include "runtime/graph_kit.h"

static struct graph_kit k;

static int setup(void **state)
{
    kit_init_at(&k, STABILITY_EXPERIMENTAL); /* foreach */
    k.host.offload = offload_new(1);
    return 0;
}

static int teardown(void **state)
{
    kit_done(&k);
    return 0;
}

static struct node_state *state_of(const char *id)
{
    return controller_find(k.controller, str_of(id));
}

static const char *text_of(const char *id, const char *export)
{
    static char text[64];
    const struct value *v = value_member(node_state_exports(state_of(id)), str_of(export));
    assert_non_null(v);
    assert_int_equal(v->type, V_STRING);
    snprintf(text, sizeof(text), STR_FMT, STR_ARG(value_text(*v)));
    return text;
}

static void turns(void)
{
    for (int i = 0; i < 20; i++)
        loop_turn(k.loop, 0);
    kit_settle(&k);
}

static void publish(const char *id, const char *text)
{
    fake_publish(counts_of(id)->comp, str_of(text));
    turns();
}

/* ---- declare ---- */

static const char upper[] = "declare \"upper\" {\n"
                            "  argument \"in\" { }\n"
                            "  fake.value \"v\" { text = string.to_upper(argument.in.value) }\n"
                            "  export \"out\" { value = fake.value.v.text }\n"
                            "}\n";

static int load(const char *a, const char *b)
{
    char *text = xprintf("%s%s", a, b);
    int err = kit_load(&k, text);
    free(text);
    return err;
}

static void test_an_instance(void **state)
{
    assert_int_equal(load(upper, "upper \"a\" { in = \"x\" }\n"), 0);
    assert_int_equal(counts_of("upper.a/fake.value.v")->created, 1);
    assert_string_equal(text_of("upper.a", "out"), "X");
    assert_non_null(controller_find_module(k.controller, STR("upper.a")));
    assert_null(controller_find_module(k.controller, STR("upper.b")));
    assert_string_equal(node_health_worst(&state_of("upper.a")->health)->text,
                        "started custom component");
}

static void test_values_flow_through(void **state)
{
    assert_int_equal(load(upper, "fake.value \"s\" { text = \"x\" }\n"
                                 "upper \"a\" { in = fake.value.s.text }\n"
                                 "fake.sink \"t\" { note = upper.a.out }\n"),
                     0);
    assert_string_equal(counts_of("fake.sink.t")->note, "X");
    publish("fake.value.s", "new");
    assert_int_equal(counts_of("upper.a/fake.value.v")->applied, 1);
    publish("upper.a/fake.value.v", "NEW"); /* the fake exports its text at its creation only */
    assert_string_equal(counts_of("fake.sink.t")->note, "NEW");
}

static void test_a_body_that_changes(void **state)
{
    assert_int_equal(load(upper, "upper \"a\" { in = \"x\" }\nfake.sink \"t\" { }\n"), 0);
    assert_int_equal(load("declare \"upper\" {\n"
                          "  argument \"in\" { }\n"
                          "  fake.value \"v\" { text = string.to_upper(argument.in.value) }\n"
                          "  fake.value \"w\" { }\n"
                          "  export \"out\" { value = fake.value.v.text }\n"
                          "}\n",
                          "upper \"a\" { in = \"x\" }\nfake.sink \"t\" { }\n"),
                     0);
    assert_int_equal(counts_of("upper.a/fake.value.v")->created, 1);
    assert_int_equal(counts_of("upper.a/fake.value.v")->applied, 0);
    assert_int_equal(counts_of("upper.a/fake.value.w")->created, 1);
    assert_int_equal(controller_counts(k.controller).added, 1);
    assert_int_equal(load(upper, "fake.sink \"t\" { }\n"), 0);
    for (int i = 0; i < 100 && counts_of("upper.a/fake.value.v")->destroyed == 0; i++)
        loop_turn(k.loop, 5 * NS_PER_MS);
    assert_int_equal(counts_of("upper.a/fake.value.v")->destroyed, 1);
    assert_null(state_of("upper.a"));
}

static void test_missing_and_unknown_arguments(void **state)
{
    assert_int_equal(load(upper, "upper \"a\" { }\n"), -EINVAL);
    assert_non_null(strstr(kit_fault(&k, 0), "missing required argument \"in\" to module"));
    assert_int_equal(load(upper, "upper \"a\" {\n  in = \"x\"\n  more = 1\n}\n"), -EINVAL);
    assert_non_null(
        strstr(kit_fault(&k, 0), "Provided argument \"more\" is not defined in the module"));
    assert_int_equal(counts_of("upper.a/fake.value.v")->created,
                     counts_of("upper.a/fake.value.v")->destroyed);
}

static void test_receivers_cross_modules(void **state)
{
    const char *text = "declare \"pipe\" {\n"
                       "  argument \"to\" { }\n"
                       "  fake.sink \"in\" { }\n"
                       "  fake.source \"s\" { forward_to = argument.to.value }\n"
                       "  export \"in\" { value = fake.sink.in.receiver }\n"
                       "}\n"
                       "pipe \"p\" { to = [fake.sink.end.receiver] }\n"
                       "fake.source \"first\" { forward_to = [pipe.p.in] }\n"
                       "fake.sink \"end\" { }\n";
    assert_int_equal(kit_load(&k, text), 0);
    assert_int_equal(kit_load(&k, "fake.sink \"other\" { }\n"), 0);
    for (int i = 0; i < 200 && counts_of("fake.sink.end")->destroyed == 0; i++)
        loop_turn(k.loop, 5 * NS_PER_MS);
    assert_int_equal(counts_of("fake.sink.end")->destroyed, 1);
    assert_true(counts_of("fake.source.first")->order < counts_of("pipe.p/fake.sink.in")->order);
    assert_true(counts_of("pipe.p/fake.source.s")->order < counts_of("fake.sink.end")->order);
}

static void test_nested_declares(void **state)
{
    assert_int_equal(kit_load(&k, "declare \"a\" {\n"
                                  "  declare \"b\" { fake.value \"v\" { text = module_path } }\n"
                                  "  b \"x\" { }\n"
                                  "}\n"
                                  "a \"y\" { }\n"),
                     0);
    assert_int_equal(counts_of("a.y/b.x/fake.value.v")->created, 1);
    assert_string_equal(text_of("a.y/b.x/fake.value.v", "text"), "/etc");
}

/* ---- foreach ---- */

static void test_foreach(void **state)
{
    const char *text = "fake.value \"g\" { text = \"hi \" }\n"
                       "foreach \"f\" {\n"
                       "  collection = [\"a\", \"b.c\", \"a\"]\n"
                       "  var = \"x\"\n"
                       "  template { fake.sink \"s\" { note = fake.value.g.text + x } }\n"
                       "}\n";
    assert_int_equal(kit_load(&k, text), 0);
    assert_string_equal(counts_of("foreach.f/foreach_a_1/fake.sink.s")->note, "hi a");
    assert_string_equal(counts_of("foreach.f/foreach_b_c_1/fake.sink.s")->note, "hi b.c");
    assert_int_equal(counts_of("foreach.f/foreach_a_2/fake.sink.s")->created, 1);
    publish("fake.value.g", "ho ");
    assert_string_equal(counts_of("foreach.f/foreach_a_1/fake.sink.s")->note, "ho a");
    assert_int_equal(kit_load(&k,
                              "fake.value \"g\" { text = \"hi \" }\n"
                              "foreach \"f\" {\n"
                              "  collection = [\"a\", \"d\"]\n"
                              "  var = \"x\"\n"
                              "  template { fake.sink \"s\" { note = fake.value.g.text + x } }\n"
                              "}\n"),
                     0);
    assert_int_equal(counts_of("foreach.f/foreach_a_1/fake.sink.s")->created, 1);
    assert_int_equal(counts_of("foreach.f/foreach_d_1/fake.sink.s")->created, 1);
    for (int i = 0; i < 200 && counts_of("foreach.f/foreach_b_c_1/fake.sink.s")->destroyed == 0;
         i++)
        loop_turn(k.loop, 5 * NS_PER_MS);
    assert_int_equal(counts_of("foreach.f/foreach_b_c_1/fake.sink.s")->destroyed, 1);
}

static void test_foreach_follows_its_collection(void **state)
{
    assert_int_equal(kit_load(&k, "fake.value \"g\" { text = \"a,b\" }\n"
                                  "foreach \"f\" {\n"
                                  "  collection = string.split(fake.value.g.text, \",\")\n"
                                  "  var = \"x\"\n"
                                  "  template { fake.sink \"s\" { note = x } }\n"
                                  "}\n"),
                     0);
    publish("fake.value.g", "b,c");
    assert_int_equal(counts_of("foreach.f/foreach_c_1/fake.sink.s")->created, 1);
    assert_int_equal(counts_of("foreach.f/foreach_b_1/fake.sink.s")->created, 1);
    assert_null(state_of("foreach.f/foreach_a_1/fake.sink.s"));
    assert_int_equal(counts_of("fake.value.g")->created, 1);
    assert_int_equal(counts_of("fake.value.g")->applied, 0);
}

static const char metered[] = "foreach \"f\" {\n"
                              "  collection = [\"a\"]\n"
                              "  var = \"x\"\n"
                              "  enable_metrics = %s\n"
                              "  template { fake.sink \"s\" { } }\n"
                              "}\n";

/* Whether the series of a child's own controller are among the agent's. */
static bool shows_children(void)
{
    struct buf text = BUF_INIT(1 << 20);
    metrics_write(k.host.metrics, &text, NULL, 0);
    bool shown = str_find(buf_view(&text), STR("controller_id=\"foreach_a_1\"")) >= 0;
    buf_done(&text);
    return shown;
}

static int load_metered(const char *enabled)
{
    char *text = xprintf(metered, enabled);
    int err = kit_load(&k, text);
    free(text);
    return err;
}

static void await_destroyed(const char *id, int n)
{
    for (int i = 0; i < 200 && counts_of(id)->destroyed < n; i++)
        loop_turn(k.loop, 5 * NS_PER_MS);
    assert_int_equal(counts_of(id)->destroyed, n);
}

static void test_metrics_of_children(void **state)
{
    const char *sink = "foreach.f/foreach_a_1/fake.sink.s";
    assert_int_equal(load_metered("false"), 0);
    assert_false(shows_children());
    assert_int_equal(load_metered("true"), 0); /* restarts them */
    assert_true(shows_children());
    assert_int_equal(counts_of(sink)->created, 2);
    await_destroyed(sink, 1);
    assert_int_equal(load_metered("true"), 0);
    assert_int_equal(counts_of(sink)->created, 2);
    assert_int_equal(load_metered("false"), 0);
    assert_false(shows_children());
    assert_int_equal(counts_of(sink)->created, 3);
    await_destroyed(sink, 2);
}

static void test_stops_follow_the_data_through_modules(void **state)
{
    const char *text = "declare \"pipe\" {\n"
                       "  argument \"to\" { }\n"
                       "  foreach \"each\" {\n"
                       "    collection = [\"a\", \"b\"]\n"
                       "    var = \"x\"\n"
                       "    template { fake.source \"s\" { forward_to = argument.to.value } }\n"
                       "  }\n"
                       "}\n"
                       "foreach \"f\" {\n"
                       "  collection = [1]\n"
                       "  var = \"x\"\n"
                       "  template { pipe \"p\" { to = [fake.sink.end.receiver] } }\n"
                       "}\n"
                       "fake.sink \"end\" { }\n";
    const char *first = "foreach.f/foreach_1_1/pipe.p/foreach.each/foreach_a_1/fake.source.s";
    const char *second = "foreach.f/foreach_1_1/pipe.p/foreach.each/foreach_b_1/fake.source.s";
    assert_int_equal(kit_load(&k, text), 0);
    assert_int_equal(counts_of(first)->created, 1);
    assert_int_equal(kit_load(&k, ""), 0);
    await_destroyed("fake.sink.end", 1);
    assert_true(counts_of(first)->order < counts_of("fake.sink.end")->order);
    assert_true(counts_of(second)->order < counts_of("fake.sink.end")->order);
}

/* ---- imports ---- */

static void test_import_string(void **state)
{
    assert_int_equal(
        kit_load(&k, "import.string \"m\" { content = `declare \"d\" { fake.sink \"s\" { } }` }\n"
                     "m.d \"x\" { }\n"),
        0);
    assert_int_equal(counts_of("m.d.x/fake.sink.s")->created, 1);
    assert_int_equal(
        kit_load(&k, "import.string \"m\" { content = `declare \"d\" { fake.sink \"t\" { } }` }\n"
                     "m.d \"x\" { }\n"),
        0);
    assert_int_equal(counts_of("m.d.x/fake.sink.t")->created, 1);
    assert_null(state_of("m.d.x/fake.sink.s"));
}

static void test_import_follows_what_it_refers_to(void **state)
{
    assert_int_equal(
        kit_load(&k, "fake.value \"c\" { text = `declare \"d\" { fake.sink \"s\" { } }` }\n"
                     "import.string \"m\" { content = fake.value.c.text }\n"
                     "m.d \"x\" { }\n"),
        0);
    assert_int_equal(counts_of("m.d.x/fake.sink.s")->created, 1);
    publish("fake.value.c", "declare \"d\" { fake.sink \"t\" { } }");
    assert_int_equal(counts_of("m.d.x/fake.sink.t")->created, 1);
    publish("fake.value.c", "declare \"e\" { }"); /* d is gone: what runs goes on */
    assert_non_null(state_of("m.d.x/fake.sink.t"));
    publish("fake.value.c", "declare \"d\" { fake.sink \"u\" { } }");
    assert_int_equal(counts_of("m.d.x/fake.sink.u")->created, 1);
}

/* What an import holds is known once it runs, and with it the direction in which data flows. */
static void test_data_flows_into_imported_components(void **state)
{
    assert_int_equal(kit_load(&k, "import.string \"m\" { content = `declare \"d\" {\n"
                                  "  fake.sink \"s\" { }\n"
                                  "  export \"in\" { value = fake.sink.s.receiver }\n"
                                  "}` }\n"
                                  "m.d \"x\" { }\n"
                                  "fake.source \"s\" { forward_to = [m.d.x.in] }\n"),
                     0);
    const struct module *m = controller_module(k.controller);
    const struct node *n = template_node(m->tmpl, STR("fake.source.s"));
    assert_int_equal(n->n_edges, 1);
    struct edge known = module_edge(m, &n->edges[0]);
    assert_false(edge_is_flow(&n->edges[0]));
    assert_true(edge_is_flow(&known));
    assert_int_equal(edge_signals(&known), SIGNALS_LOGS);
}

static void test_an_unknown_member_of_an_import(void **state)
{
    assert_int_equal(kit_load(&k, "import.string \"m\" { content = `` }\nm.d \"x\" { }\n"),
                     -EINVAL);
    assert_non_null(strstr(kit_fault(&k, 0), "custom component config not found in the registry, "
                                             "namespace: \"m\", componentName: \"d\""));
}

static void test_bad_content_is_no_fault_of_the_load(void **state)
{
    assert_int_equal(kit_load(&k, "import.string \"m\" { content = `fake.sink \"s\" { }` }\n"), 0);
    assert_int_equal(node_health_worst(&state_of("import.string.m")->health)->state,
                     HEALTH_UNHEALTHY);
}

static const char follows[] =
    "fake.value \"c\" { text = `declare \"d\" { fake.sink \"s\" { } }` }\n"
    "import.string \"m\" { content = fake.value.c.text }\n"
    "m.d \"x\" { }\n"
    "fake.sink \"other\" { }\n";

/* What was created for it is gone; what runs was not touched, and neither was what would go. */
static void test_a_rebuild_that_fails_changes_nothing(void **state)
{
    assert_int_equal(kit_load(&k, follows), 0);
    publish("fake.value.c",
            "declare \"d\" { fake.sink \"n\" { }\n fake.sink \"f\" { fail = 1/0 } }");
    assert_int_equal(counts_of("m.d.x/fake.sink.n")->created,
                     counts_of("m.d.x/fake.sink.n")->destroyed);
    assert_null(state_of("m.d.x/fake.sink.n"));
    assert_int_equal(counts_of("m.d.x/fake.sink.s")->created, 1);
    assert_int_equal(counts_of("m.d.x/fake.sink.s")->stopped, 0);
    assert_int_equal(counts_of("m.d.x/fake.sink.s")->applied, 0);
    assert_int_equal(counts_of("fake.sink.other")->applied, 0);
    publish("fake.value.c", "declare \"d\" { fake.sink \"n\" { } }");
    assert_non_null(state_of("m.d.x/fake.sink.n"));
    await_destroyed("m.d.x/fake.sink.s", 1);
}

static void test_a_rebuild_waits_for_the_commit(void **state)
{
    struct template *t = kit_compile(&k, follows, false);
    assert_non_null(t);
    assert_int_equal(controller_load(k.controller, t, "/etc", &k.diags), 0);
    assert_false(controller_settled(k.controller));
    fake_publish(counts_of("fake.value.c")->comp, STR("declare \"d\" { fake.sink \"t\" { } }"));
    for (int i = 0; i < 100 && counts_of("m.d.x/fake.sink.t")->created == 0; i++)
        loop_turn(k.loop, 5 * NS_PER_MS);
    kit_settle(&k);
    assert_int_equal(counts_of("m.d.x/fake.sink.t")->created, 1);
    assert_int_equal(counts_of("m.d.x/fake.sink.s")->created, 1);
    await_destroyed("m.d.x/fake.sink.s", 1);
}

static void never_told(void *arg, int err, struct diags *diags)
{
    fail();
}

/* The file is being read by the pool when the end comes: at the teardown of this test. */
static void test_the_end_comes_while_a_load_fetches(void **state)
{
    struct template *t = kit_compile(&k,
                                     "import.file \"m\" { filename = \"/dev/null/none\" }\n"
                                     "fake.sink \"s\" { }\n",
                                     false);
    assert_non_null(t);
    controller_on_loaded(k.controller, never_told, NULL);
    assert_int_equal(controller_load(k.controller, t, "/etc", &k.diags), -EINPROGRESS);
    assert_int_equal(counts_of("fake.sink.s")->created, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_instance),
        TEST(test_values_flow_through),
        TEST(test_a_body_that_changes),
        TEST(test_missing_and_unknown_arguments),
        TEST(test_receivers_cross_modules),
        TEST(test_nested_declares),
        TEST(test_foreach),
        TEST(test_foreach_follows_its_collection),
        TEST(test_metrics_of_children),
        TEST(test_stops_follow_the_data_through_modules),
        TEST(test_import_string),
        TEST(test_import_follows_what_it_refers_to),
        TEST(test_data_flows_into_imported_components),
        TEST(test_an_unknown_member_of_an_import),
        TEST(test_bad_content_is_no_fault_of_the_load),
        TEST(test_a_rebuild_that_fails_changes_nothing),
        TEST(test_a_rebuild_waits_for_the_commit),
        TEST(test_the_end_comes_while_a_load_fetches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
