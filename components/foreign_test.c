/* Every component that is known by its tables only: the tables are sound, say what
 * components/reference.json says, and their examples pass the check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include "base/xalloc.h"
#include "components/foreign.h"
#include "parser/parser.h"
#include "value/check.h"

#define REFERENCE  "components/reference.json"
#define COMPONENTS 185

static struct foreign *all;

static const struct component_def *def(const char *name)
{
    for (size_t i = 0; i < foreign_count(); i++)
        if (strcmp(foreign_name(i), name) == 0) return foreign_at(all, i);
    return NULL;
}

static void test_all_there(void **state)
{
    json_t *reference = json_load_file(REFERENCE, 0, NULL);
    const char *name;
    json_t *facts;
    assert_non_null(reference);
    assert_int_equal(json_object_size(reference), COMPONENTS);
    assert_int_equal(foreign_count(), COMPONENTS);
    json_object_foreach(reference, name, facts)
    {
        const struct component_def *d = def(name);
        assert_non_null(d);
        assert_true(d->foreign);
        assert_non_null(d->summary);
        assert_non_null(d->example);
        assert_non_null(d->args);
        bool removed = json_is_true(json_object_get(facts, "removed"));
        assert_ptr_equal(foreign_find(all, str_of(name)), removed ? NULL : d);
        assert_int_equal(d->exports ? d->exports->n_rows : 0,
                         json_array_size(json_object_get(facts, "exports")));
    }
    json_decref(reference);
    assert_null(foreign_find(all, STR("loki.proces")));
    assert_null(foreign_find(all, STR("")));
}

static void test_tables(void **state)
{
    struct buf problems = BUF_INIT(1 << 20);
    size_t n = 0;
    for (size_t i = 0; i < foreign_count(); i++) {
        const struct component_def *d = foreign_at(all, i);
        n += schema_lint(d->args, d->name, &problems);
        if (d->exports) n += schema_lint(d->exports, d->name, &problems);
        assert_int_equal(d->args->size, 0);
    }
    if (n > 0) fprintf(stderr, STR_FMT, STR_ARG(buf_view(&problems)));
    buf_done(&problems);
    assert_int_equal(n, 0);
}

/* A table that holds itself is one table. */
static void test_recursion(void **state)
{
    const struct one_of_def *outer, *inner;
    const struct component_def *d = foreign_find(all, STR("loki.process"));
    assert_non_null(schema_block(d->args, STR("stage.match"), &outer));
    const struct row *again = schema_block(outer->sub, STR("stage.match"), &inner);
    assert_non_null(again);
    assert_ptr_equal(inner->sub, outer->sub);
    assert_non_null(schema_block(inner->sub, STR("stage.regex"), &inner));
}

static void test_types(void **state)
{
    const struct component_def *logs = foreign_find(all, STR("loki.process")),
                               *scrape = foreign_find(all, STR("prometheus.scrape"));
    const struct row *to = schema_row(logs->args, STR("forward_to")),
                     *targets = schema_row(scrape->args, STR("targets"));
    assert_ptr_equal(to->capsule, &capsule_logs_receiver);
    assert_int_equal(to->kind, K_CAPSULE_LIST);
    assert_int_equal(to->signals, SIGNALS_LOGS);
    assert_int_equal(targets->shape->form, SHAPE_LIST);
    assert_int_equal(targets->shape->rows->shape->form, SHAPE_TARGET);
    assert_int_equal(targets->signals, SIGNALS_TARGETS);
}

/* --- bodies --- */

/* Faults of `text` as the body of a component, a line each. */
static char *faults_of(const char *component, const char *text)
{
    struct source *src = source_new("c.alloy", str_of(text));
    struct diags diags;
    struct buf out = BUF_INIT(1 << 16);
    diags_init(&diags);
    struct tree *tree = parse_file(src, &diags);
    assert_non_null(tree);
    check_body(foreign_find(all, str_of(component))->args, NULL, &tree->body, NULL, &diags);
    for (size_t i = 0; i < diags.list.n; i++)
        buf_printf(&out, "%s%s", i ? "; " : "", diags.list.v[i].message);
    tree_free(tree);
    source_unref(src);
    diags_done(&diags);
    return buf_take(&out, NULL);
}

static void expect(const char *component, const char *text, const char *faults)
{
    char *got = faults_of(component, text);
    assert_string_equal(got ? got : "", faults);
    free(got);
}

static void test_fine(void **state)
{
    expect("loki.write", "endpoint { url = \"http://h/\" }\n", "");
    expect("discovery.dns", "names = [\"a\"]\ntype = \"srv\"\n", "");
    expect("discovery.kubernetes",
           "role = \"pod\"\nbearer_token = \"\"\nbearer_token_file = \"f\"\n", "");
    expect("prometheus.scrape",
           "forward_to = []\ntargets = [{ a = \"b\" }]\nparams = { x = [\"1\", \"2\"] }\n", "");
}

static void test_faults(void **state)
{
    expect("discovery.kubernetes", "", "missing required attribute \"role\"");
    expect("discovery.kubernetes", "role = \"pods\"\n",
           "\"pods\" should be one of \"node\", \"pod\", \"service\", \"endpoints\", "
           "\"endpointslice\", \"ingress\", got \"pods\"");
    expect(
        "discovery.kubernetes", "role = \"pod\"\nbearer_token = \"t\"\nbearer_token_file = \"f\"\n",
        "at most one of basic_auth, authorization, oauth2, bearer_token and bearer_token_file may "
        "be set");
    expect("discovery.kubernetes", "role = \"pod\"\nno_proxy = \"h\"\n",
           "no_proxy needs proxy_url");
    expect("discovery.docker", "host = \"h\"\nrefresh_interval = \"0s\"\n",
           "\"0s\" should be at least 1ns");
    expect("prometheus.scrape", "forward_to = []\ntargets = [{ a = 1, b = null }]\n",
           "null target::ConvertFrom: cannot convert a nil value to a target value");
    expect("prometheus.scrape", "forward_to = []\ntargets = {}\n",
           "{} should be array, got object");
    expect("otelcol.exporter.googlecloud", "metric { resource_filters = [{ prefx = \"a\" }] }\n",
           "\"a\" unrecognized field name");
}

/* What is not known yet is no fault: it may turn out empty. */
static void test_unsure(void **state)
{
    expect("discovery.kubernetes",
           "role = \"pod\"\nbearer_token = sys.env(\"A\")\nbearer_token_file = sys.env(\"B\")\n",
           "");
    expect("discovery.kubernetes", "role = \"pod\"\nno_proxy = \"h\"\nproxy_url = sys.env(\"A\")\n",
           "");
}

static const struct block *own_block(const struct tree *tree)
{
    assert_true(tree->body.n > 0 && tree->body.stmts[0].kind == STMT_BLOCK);
    return tree->body.stmts[0].block;
}

static void test_examples(void **state)
{
    size_t faults = 0;
    for (size_t i = 0; i < foreign_count(); i++) {
        const struct component_def *d = foreign_at(all, i);
        struct source *src = source_new(d->name, str_of(d->example));
        struct diags diags;
        diags_init(&diags);
        struct tree *tree = parse_file(src, &diags);
        assert_non_null(tree);
        const struct block *b = own_block(tree);
        check_body(d->args, b, &b->body, NULL, &diags);
        for (size_t k = 0; k < diags.list.n; k++)
            fprintf(stderr, "%s: %s\n%s", d->name, diags.list.v[k].message, d->example);
        faults += diags.list.n;
        tree_free(tree);
        source_unref(src);
        diags_done(&diags);
    }
    assert_int_equal(faults, 0);
}

static int setup(void **state)
{
    all = foreign_new();
    return 0;
}

static int teardown(void **state)
{
    foreign_free(all);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_there), cmocka_unit_test(test_tables),
        cmocka_unit_test(test_recursion), cmocka_unit_test(test_types),
        cmocka_unit_test(test_fine),      cmocka_unit_test(test_faults),
        cmocka_unit_test(test_unsure),    cmocka_unit_test(test_examples),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
