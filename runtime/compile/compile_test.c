/* Compiling modules: declares, instances, arguments and exports, templates of foreach, imports. */
#include "runtime/graph_kit.h"

#include "runtime/compile/blocks.h"

static struct graph_kit k;

static int setup(void **state)
{
    kit_init(&k);
    k.opts.min_stability = STABILITY_EXPERIMENTAL;
    k.blocks[k.opts.n_configs++] = (struct config_use){&logging_def, NULL};
    return 0;
}

static int teardown(void **state)
{
    kit_done(&k);
    return 0;
}

/* Faults as lines; compiles, or is not expected to. */
static void faults(const char *text, bool check, const char *want)
{
    struct buf got = BUF_INIT(64 * 1024);
    struct template *t = kit_compile(&k, text, check);
    buf_cstr(&got, "");
    for (size_t i = 0; i < k.diags.list.n; i++)
        buf_printf(&got, "%s\n", kit_fault(&k, i));
    if (!str_is(buf_view(&got), want)) fail_msg("%s\n got:\n%swanted:\n%s", text, got.p, want);
    assert_true((t != NULL) == !diags_failed(&k.diags));
    template_unref(t);
    buf_done(&got);
}

static const struct node *node(const struct template *t, const char *id)
{
    const struct node *n = template_node(t, str_of(id));
    if (!n) fail_msg("no node %s", id);
    return n;
}

#define PIPE                                                                                       \
    "declare \"pipe\" {\n"                                                                         \
    "  argument \"to\" { }\n"                                                                      \
    "  argument \"say\" {\n    optional = true\n  }\n"                                             \
    "  fake.source \"s\" {\n    forward_to = argument.to.value\n  }\n"                             \
    "  fake.sink \"in\" {\n    note = argument.say.value\n  }\n"                                   \
    "  export \"input\" {\n    value = fake.sink.in.receiver\n  }\n"                               \
    "}\n" /* lines 1 to 15 */
#define SINK "fake.sink \"a\" { }\n"

/* ---- declares and instances ---- */

static void test_instance(void **state)
{
    struct template *t = kit_compile(&k,
                                     PIPE "pipe \"x\" {\n  to = [fake.sink.a.receiver]\n}\n" SINK
                                          "fake.source \"q\" {\n  forward_to = [pipe.x.input]\n}\n",
                                     false);
    assert_non_null(t);
    const struct node *declare = node(t, "declare.pipe"), *x = node(t, "pipe.x"),
                      *q = node(t, "fake.source.q");
    assert_int_equal(x->kind, NODE_CUSTOM);
    assert_string_equal(x->name, "pipe");
    assert_int_equal(x->custom.up, 0);
    assert_ptr_equal(&t->nodes[x->custom.rank], declare);
    assert_true(declare < x && x < q && node(t, "fake.sink.a") < x);
    assert_int_equal(x->n_deps, 2); /* the declare and the sink */
    assert_int_equal(x->n_edges, 2);
    assert_true(x->edges[0].uses);
    assert_string_equal(q->edges[0].to_row->name, "input"); /* the sink's receiver, passed on */
    assert_true(edge_is_flow(&q->edges[0]));
    assert_true(edge_is_flow(&x->edges[1]));
    assert_int_equal(edge_signals(&x->edges[1]), SIGNALS_LOGS); /* what the body's source sends */
    template_unref(t);
}

static void test_body(void **state)
{
    struct template *t =
        kit_compile(&k, PIPE "pipe \"x\" {\n  to = [fake.sink.a.receiver]\n}\n" SINK, false);
    assert_non_null(t);
    struct template *body = template_declared(node(t, "declare.pipe"), &k.diags);
    assert_non_null(body);
    assert_ptr_equal(body, template_declared(template_find_declare(t, STR("pipe")), &k.diags));
    assert_null(template_find_declare(t, STR("pip")));
    assert_int_equal(body->kind, TEMPLATE_DECLARE);
    const struct node *to = node(body, "argument.to"), *source = node(body, "fake.source.s");
    assert_int_equal(to->kind, NODE_ARGUMENT);
    assert_int_equal(node(body, "export.input")->kind, NODE_EXPORT);
    assert_ptr_equal(&body->nodes[source->deps[0]], to);
    assert_true(edge_is_flow(&source->edges[0])); /* through the argument */
    assert_int_equal(body->n, 5);                 /* no logging, no services */
    struct template *kept = template_ref(body);   /* keeps all of the unit */
    template_unref(t);
    assert_non_null(template_node(kept, STR("fake.sink.in")));
    template_unref(kept);
}

static void test_instances_are_judged(void **state)
{
    const char *text = PIPE "pipe \"x\" {\n  too = 1\n}\n" SINK;
    const char *want = "t.alloy:17:3: Provided argument \"too\" is not defined in the module\n"
                       "t.alloy:16:1: missing required argument \"to\" to module\n";
    faults(text, false, want);
    assert_string_equal(k.diags.list.v[0].hint, "did you mean `to`?");
    faults(text, true, want);
    faults(PIPE "pipe \"x\" {\n  to = [fake.traces.t.receiver]\n}\nfake.traces \"t\" { }\n", true,
           "t.alloy:17:9: fake.traces.t.receiver does not take logs\n");
    faults(PIPE "pipe \"x\" {\n  to = 3\n  more { }\n}\n", true,
           "t.alloy:18:3: nested blocks not supported here\n"
           "t.alloy:17:8: 3 should be array, got number\n");
    faults(PIPE "pipe \"x\" {\n  to = []\n}\nfake.sink \"b\" {\n  note = pipe.x.inptu\n}\n", true,
           "t.alloy:20:17: field \"inptu\" does not exist\n");
    faults(PIPE "pipe \"x\" {\n  to = []\n}\nfake.sink \"b\" {\n  note = pipe.x.input\n}\n", true,
           "");
}

static void test_labels_of_instances(void **state)
{
    faults(PIPE "pipe {\n  to = []\n}\n", false, "");
    faults(PIPE "pipe {\n  to = []\n}\n", true,
           "t.alloy:16:1: component \"pipe\" must have a label\n");
    faults(PIPE "pipe {\n  to = []\n}\npipe {\n  to = []\n}\n", false,
           "t.alloy:19:1: block pipe already declared at t.alloy:16:1\n");
}

static void test_unused_declares(void **state)
{
    const char *text = "declare \"broken\" {\n  fake.snik \"a\" { }\n}\n";
    faults(text, false, ""); /* works on Alloy as well */
    faults(text, true, "t.alloy:2:3: cannot find the definition of component name \"fake.snik\"\n");
    struct template *t = kit_compile(&k, text, false);
    assert_null(template_declared(node(t, "declare.broken"), &k.diags));
    assert_int_equal(k.diags.list.n, 1);
    template_unref(t);
}

static void test_used_declares(void **state)
{
    faults("declare \"broken\" {\n  fake.snik \"a\" { }\n}\nbroken \"x\" { }\n", false,
           "t.alloy:2:3: cannot find the definition of component name \"fake.snik\"\n");
}

static void test_what_is_visible(void **state)
{
    /* declares around, never values */
    faults("declare \"a\" {\n  b \"x\" { }\n}\ndeclare \"b\" { }\na \"x\" { }\n", false, "");
    faults(SINK
           "declare \"a\" {\n  fake.source \"s\" {\n    forward_to = [fake.sink.a.receiver]\n  "
           "}\n}\na \"x\" { }\n",
           false,
           "t.alloy:4:19: component \"fake.sink.a.receiver\" does not exist or is out of scope\n");
    faults("declare \"a\" {\n  declare \"b\" { }\n  b \"x\" { }\n}\na \"x\" { }\nb \"y\" { }\n",
           false, "t.alloy:6:1: cannot find the definition of component name \"b\"\n");
    /* the inner one of two with a name */
    faults("declare \"b\" {\n  argument \"need\" { }\n}\ndeclare \"a\" {\n  declare \"b\" { }\n  b "
           "\"x\" { }\n}\na \"x\" { }\n",
           false, "");
    faults(
        "declare \"a\" {\n  fake.sink \"s\" {\n    note = argument.x.value\n  }\n}\na \"x\" { }\n",
        false, "t.alloy:3:12: component \"argument.x.value\" does not exist or is out of scope\n");
}

static void test_up_of_instances(void **state)
{
    struct template *t = kit_compile(
        &k, "declare \"a\" {\n  b \"x\" { }\n}\ndeclare \"b\" { }\na \"x\" { }\n", false);
    assert_non_null(t);
    struct template *a = template_declared(node(t, "declare.a"), &k.diags);
    assert_int_equal(node(a, "b.x")->custom.up, 1);
    assert_ptr_equal(&t->nodes[node(a, "b.x")->custom.rank], node(t, "declare.b"));
    assert_true(node(t, "declare.b") < node(t, "declare.a"));
    template_unref(t);
}

static void test_recursion(void **state)
{
    const char *two = "declare \"a\" {\n  b \"x\" { }\n}\ndeclare \"b\" {\n  a \"x\" { }\n}\n";
    faults(two, false, "t.alloy:1:1: cycle: declare.a, declare.b\n");
    faults(two, true,
           "t.alloy:1:1: cycle detected: declare.a, declare.b\n"
           "t.alloy:4:1: cycle detected: declare.a, declare.b\n");
    faults("declare \"a\" {\n  declare \"c\" {\n    a \"x\" { }\n  }\n}\na \"x\" { }\n", false,
           "t.alloy:3:5: self reference: declare.a\n");
    faults("declare \"a\" {\n  a \"x\" { }\n}\n", true, "t.alloy:2:3: cannot reference self\n");
}

static void test_what_belongs_where(void **state)
{
    faults("declare \"a\" {\n  labelstore { }\n}\na \"x\" { }\n", false,
           "t.alloy:2:3: service blocks not allowed inside a module: \"labelstore\"\n");
    faults("declare \"a\" {\n  logging { }\n}\na \"x\" { }\n", false,
           "t.alloy:2:3: logging block not allowed inside a module\n");
    faults("declare \"a\" {\n  logging { }\n}\n", true,
           "t.alloy:2:3: logging not allowed in module\n");
    faults("foreach \"f\" {\n  collection = []\n  var = \"v\"\n  template {\n    logging { }\n    "
           "argument \"x\" { }\n  }\n}\n",
           true,
           "t.alloy:5:5: logging not allowed in foreach\n"
           "t.alloy:6:5: argument not allowed in foreach\n");
    faults("export \"a\" {\n  value = 1\n}\n", true,
           "t.alloy:1:1: export blocks only allowed inside a module\n");
}

static void test_labels(void **state)
{
    faults("declare { }\n", true, "t.alloy:1:1: declare block must have a label\n");
    faults("declare \"declare\" { }\n", true,
           "t.alloy:1:1: 'declare' is not a valid label for a declare block\n");
    faults("declare \"a\" {\n  argument { }\n  export {\n    value = 1\n  }\n}\n", true,
           "t.alloy:2:3: argument block must have a label\n"
           "t.alloy:3:3: export block must have a label\n");
    faults("declare \"a\" { }\ndeclare \"a\" { }\n", true,
           "t.alloy:2:1: block declare.a already declared at t.alloy:1:1\n");
    faults("declare \"a\" {\n  argument \"x\" { }\n  argument \"x\" { }\n}\n", true,
           "t.alloy:3:3: block argument.x already declared at t.alloy:2:3\n");
}

static void test_misused_names(void **state)
{
    faults("declare \"a\" { }\na.b \"x\" { }\n", false,
           "t.alloy:2:1: Failed to build component: loading custom component controller: custom "
           "component config not found in the registry, namespace: \"a\", componentName: \"b\"\n");
}

static void test_long_chain_of_declares(void **state)
{
    struct buf text = BUF_INIT(8 << 20);
    for (int i = 0; i < 20000; i++)
        buf_printf(&text, "declare \"d%d\" {\n  d%d \"x\" { }\n}\n", i, i + 1);
    buf_printf(&text, "declare \"d20000\" { }\nd0 \"x\" { }\n");
    struct template *t = kit_compile(&k, text.p, false);
    assert_non_null(t);
    template_unref(t);
    buf_done(&text);
}

static void test_deep_nesting(void **state)
{
    struct buf text = BUF_INIT(8 << 20);
    for (int i = 0; i < 900; i++)
        buf_printf(&text, "declare \"d%d\" {\n", i);
    for (int i = 0; i < 900; i++)
        buf_cstr(&text, "}\n");
    assert_null(kit_compile(&k, text.p, true));
    assert_int_equal(k.diags.list.n, 1);
    assert_string_equal(k.diags.list.v[0].message, "modules nest more than 200 levels deep");
    buf_done(&text);
}

/* ---- foreach ---- */

#define EACH(inner)                                                                                \
    "foreach \"f\" {\n  collection = [1, 2]\n  var = \"item\"\n  template {\n" inner "  }\n}\n"

static void test_template(void **state)
{
    struct template *t = kit_compile(
        &k,
        EACH("fake.source \"s\" {\n  forward_to = [fake.sink.a.receiver, fake.sink.own.receiver]\n"
             "  note = item\n}\nfake.sink \"own\" { }\n") SINK,
        false);
    assert_non_null(t);
    const struct node *f = node(t, "foreach.f");
    assert_int_equal(f->kind, NODE_FOREACH);
    assert_string_equal(f->name, "foreach");
    assert_true(node(t, "fake.sink.a") < f);
    assert_int_equal(f->n_deps, 1);
    assert_int_equal(f->n_outer, 0);
    assert_non_null(f->inner);
    assert_true(str_is(f->inner->var, "item"));
    const struct node *s = node(f->inner, "fake.source.s");
    assert_int_equal(s->n_edges, 2);
    assert_int_equal(s->n_deps, 1);
    assert_int_equal(s->n_outer, 1);
    assert_int_equal(s->outer[0].up, 1);
    assert_ptr_equal(&t->nodes[s->outer[0].rank], node(t, "fake.sink.a"));
    assert_int_equal(s->edges[0].up, 1);
    assert_ptr_equal(&t->nodes[s->edges[0].to], node(t, "fake.sink.a"));
    template_unref(t);
}

static void test_templates_in_templates(void **state)
{
    struct template *t = kit_compile(
        &k,
        EACH("foreach \"g\" {\n  collection = [item]\n  var = \"deep\"\n  template {\n    d \"i\" "
             "{ }\n    fake.sink \"b\" {\n      note = fake.value.v.text + item + deep\n    }\n  "
             "}\n}\n") "declare \"d\" { }\nfake.value \"v\" { }\n",
        true);
    assert_non_null(t);
    const struct node *f = node(t, "foreach.f"), *g = node(f->inner, "foreach.g");
    const struct node *b = node(g->inner, "fake.sink.b"), *i = node(g->inner, "d.i");
    assert_int_equal(b->outer[0].up, 2);
    assert_ptr_equal(&t->nodes[b->outer[0].rank], node(t, "fake.value.v"));
    assert_int_equal(g->outer[0].up, 1);
    assert_ptr_equal(&t->nodes[g->outer[0].rank], node(t, "fake.value.v"));
    assert_int_equal(i->custom.up, 2);
    assert_ptr_equal(&t->nodes[i->custom.rank], node(t, "declare.d"));
    assert_int_equal(f->n_deps, 2); /* the value and the declare */
    assert_true(node(t, "declare.d") < f && node(t, "fake.value.v") < f);
    template_unref(t);
}

static void test_variable_shadows(void **state)
{
    struct template *t = kit_compile(
        &k,
        "fake.value \"v\" { }\nforeach \"f\" {\n  collection = [{v = {text = 1}}]\n  var = "
        "\"fake\"\n"
        "  template {\n    fake.sink \"b\" {\n      note = fake.value.v.text\n    }\n  }\n}\n",
        false);
    assert_non_null(t);
    assert_int_equal(node(node(t, "foreach.f")->inner, "fake.sink.b")->n_edges, 0);
    assert_int_equal(node(t, "foreach.f")->n_deps, 0);
    template_unref(t);
}

/* Faults of the template and of a declare behind it stay with the node: it may never have an item.
 * What the root itself makes an instance of counts at once. */
static void test_template_faults_wait(void **state)
{
    static const char broken[] = "declare \"d\" {\n  fake.sink \"s\" {\n    none = 1\n  }\n}\n";
    char *text = xprintf("%s%s", EACH("d \"i\" { }\n"), broken);
    struct template *t = kit_compile(&k, text, false);
    assert_non_null(t);
    assert_null(node(t, "foreach.f")->inner);
    const struct diags *waiting = node(t, "foreach.f")->faults;
    assert_string_equal(waiting->list.v[0].message, "unrecognized attribute name \"none\"");
    template_unref(t);
    char *used = xprintf("%sd \"here\" { }\n", text);
    assert_null(kit_compile(&k, used, false));
    free(used);
    free(text);
}

static void test_template_faults(void **state)
{
    faults("foreach \"f\" {\n  collection = []\n  var = \"x\"\n}\n", false,
           "t.alloy:1:1: Failed to build component: the block template is missing in the foreach "
           "block\n");
    faults("foreach \"f\" {\n  collection = []\n  var = \"x\"\n}\n", true,
           "t.alloy:1:1: missing required block \"template\"\n");
    faults(EACH("fake.sink \"a\" {\n  note = nobody.x.y\n}\n"), true,
           "t.alloy:6:10: component \"nobody.x.y\" does not exist or is out of scope\n");
    faults("foreach \"f\" {\n  collection = \"x\"\n  var = \"x\"\n  template { }\n}\n", true,
           "t.alloy:2:16: collection should be array, got string\n");
    faults(EACH("fake.value \"a\" {\n  text = fake.value.b.text\n}\nfake.value \"b\" {\n  text = "
                "fake.value.a.text\n}\n"),
           true,
           "t.alloy:5:1: cycle detected: fake.value.a, fake.value.b\n"
           "t.alloy:8:1: cycle detected: fake.value.a, fake.value.b\n");
    k.opts.min_stability = STABILITY_GA;
    faults(EACH(""), false,
           "t.alloy:1:1: config block \"foreach\" is at stability level \"experimental\", which is "
           "below the minimum allowed stability level \"generally-available\". Use "
           "--stability.level command-line flag to enable \"experimental\" features\n");
    struct template *t = kit_compile(&k, EACH(""), true);
    assert_null(t);
    assert_non_null(strstr(kit_fault(&k, 0), "foreach block \"foreach\" is at stability level"));
}

/* ---- imports ---- */

static void test_import_nodes(void **state)
{
    struct template *t = kit_compile(
        &k,
        "ns.thing \"x\" {\n  any = 1\n}\nfake.sink \"b\" {\n  note = ns.thing.x.some.field\n}\n"
        "declare \"d\" {\n  ns.other \"y\" { }\n}\nd \"z\" { }\n"
        "import.string \"ns\" {\n  content = \"\"\n}\n",
        true);
    assert_non_null(t);
    const struct node *ns = node(t, "import.string.ns"), *x = node(t, "ns.thing.x");
    assert_int_equal(ns->kind, NODE_IMPORT);
    assert_string_equal(ns->name, "import.string");
    assert_int_equal(x->kind, NODE_CUSTOM);
    assert_ptr_equal(&t->nodes[x->custom.rank], ns);
    assert_int_equal(x->custom.member.n, 5);
    assert_true(ns < x && x < node(t, "fake.sink.b"));
    const struct node *z = node(t, "d.z"); /* made of the import through its declare */
    assert_int_equal(z->n_deps, 2);
    assert_true(ns < node(t, "declare.d") && node(t, "declare.d") < z);
    const struct node *y = node(template_declared(node(t, "declare.d"), &k.diags), "ns.other.y");
    assert_int_equal(y->custom.up, 1);
    assert_ptr_equal(&t->nodes[y->custom.rank], ns);
    template_unref(t);
}

static struct template *import(const char *text, bool may_import_files)
{
    struct import_content content = {0};
    struct template *t = NULL;
    diags_clear(&k.diags);
    vec_push(&content.files,
             ((struct import_file){
                 .path = (char *)"/m.alloy", .text = (char *)(uintptr_t)text, .n = strlen(text)}));
    template_compile_import(&k.opts, &content, "lib", "import.http.lib", may_import_files, &k.diags,
                            &t);
    vec_done(&content.files);
    return t;
}

static void import_fault(const char *text, const char *line)
{
    assert_null(import(text, false));
    assert_int_equal(k.diags.list.n, 1);
    assert_string_equal(kit_fault(&k, 0), line);
}

static void test_imported_content(void **state)
{
    struct template *t = import("import.string \"in\" {\n  content = \"\"\n}\n"
                                "declare \"a\" {\n  b \"x\" { }\n  in.c \"y\" { }\n}\n"
                                "declare \"b\" { }\ndeclare \"bad\" {\n  nobody \"x\" { }\n}\n",
                                false);
    assert_non_null(t);
    assert_int_equal(t->kind, TEMPLATE_IMPORT);
    assert_int_equal(t->n, 4);
    struct template *a = template_declared(template_find_declare(t, STR("a")), &k.diags);
    assert_non_null(a);
    assert_ptr_equal(&t->nodes[node(a, "b.x")->custom.rank], node(t, "declare.b"));
    assert_ptr_equal(&t->nodes[node(a, "in.c.y")->custom.rank], node(t, "import.string.in"));
    assert_null(template_declared(template_find_declare(t, STR("bad")), &k.diags));
    assert_string_equal(kit_fault(&k, 0),
                        "lib:10:3: cannot find the definition of component name \"nobody\"");
    template_unref(t);
}

static void test_imported_faults(void **state)
{
    import_fault("fake.sink \"a\" { }\n",
                 "lib:1:1: only declare and import blocks are allowed in a module, got fake.sink");
    import_fault("a = 1\n", "lib:1:1: only declare and import blocks are allowed in a module");
    import_fault("import.file \"x\" {\n  filename = \"x\"\n}\n",
                 "lib:1:1: importing a module via import.http (nodeID: import.http.lib) that "
                 "contains an import.file block is not supported");
    import_fault("import.string \"x\" {\n  content = \"\"\n}\nimport.http \"x\" {\n  url = "
                 "\"http://h\"\n}\n",
                 "lib:4:1: import block redefined x");
    import_fault("declare \"a\" {\n", "lib:2:1: expected }, got EOF");
    struct template *t = import("declare \"a\" { }\ndeclare \"a\" {\n  x \"y\" { }\n}\n", false);
    assert_non_null(t);
    assert_int_equal(t->n, 1);
    assert_string_equal(kit_fault(&k, 0), "lib:2:1: declare block redefined");
    template_unref(t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_instance),
        TEST(test_body),
        TEST(test_instances_are_judged),
        TEST(test_labels_of_instances),
        TEST(test_unused_declares),
        TEST(test_used_declares),
        TEST(test_what_is_visible),
        TEST(test_up_of_instances),
        TEST(test_recursion),
        TEST(test_what_belongs_where),
        TEST(test_labels),
        TEST(test_misused_names),
        TEST(test_long_chain_of_declares),
        TEST(test_deep_nesting),
        TEST(test_template),
        TEST(test_templates_in_templates),
        TEST(test_variable_shadows),
        TEST(test_template_faults_wait),
        TEST(test_template_faults),
        TEST(test_import_nodes),
        TEST(test_imported_content),
        TEST(test_imported_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
