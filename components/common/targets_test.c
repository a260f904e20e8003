/* Tests of components/common/targets.h: what values become, and back. */
#include "base/test.h"

#include "components/common/targets.h"
#include "parser/parser.h"
#include "value/eval.h"

static struct value value_of(const char *text)
{
    struct diags diags;
    struct expr *e;
    struct value v = value_null();

    diags_init(&diags);
    struct source *src = source_new(NULL, str_of(text));
    struct tree *tree = parse_expr(src, &diags, &e);
    assert_non_null(tree);
    assert_int_equal(eval_expr(e, NULL, &v, &diags), 0);
    tree_free(tree);
    source_unref(src);
    diags_done(&diags);
    return v;
}

static void expect_first(struct value list, const char *want)
{
    struct label_set set;
    struct buf text = BUF_INIT(1 << 20);

    label_set_init(&set);
    label_set_put(&set, STR("before"), STR("x"));
    target_load(list, 0, &set);
    label_set_text(&set, &text);
    assert_buf(&text, want);
    label_set_done(&set);
    buf_done(&text);
}

static void values_become_texts(void **state)
{
    static const char *const cases[][2] = {
        {"[{b = \"x\", a = \"\"}]", "{a=\"\", b=\"x\"}"},
        {"[{n = 8080, f = 1.5, t = true, l = [1, \"b\"]}]",
         "{f=\"1.5\", l=\"[1 b]\", n=\"8080\", t=\"true\"}"},
        {"[{}, {a = \"1\"}]", "{}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value v = value_of(cases[i][0]);
        expect_first(v, cases[i][1]);
        value_unref(v);
    }
    assert_int_equal(targets_count(value_null()), 0);
}

static bool object_of(const void *data, struct value *ret)
{
    struct object_builder b = {.ordered = true};

    object_set_take(&b, STR("z"), value_cstr(data));
    object_set_take(&b, STR("a"), value_int(1));
    *ret = object_done(&b);
    return true;
}
static const struct capsule_type target_like = {.name = "target", .to_object = object_of};

static void capsules_are_converted(void **state)
{
    struct value list = value_array(2);

    list.array->v[0] = value_capsule(&target_like, (void *)"text");
    list.array->v[1] = value_opt_secret(STR("no target"), false);
    expect_first(list, "{a=\"1\", z=\"text\"}");
    assert_int_equal(targets_count(list), 2);
    value_unref(list);
    list = value_array(1);
    struct object_builder b = {0};
    object_set_take(&b, STR("a"), value_opt_secret(STR("open"), false));
    list.array->v[0] = object_done(&b);
    expect_first(list, "{a=\"open\"}");
    value_unref(list);
}

static void lists_are_written(void **state)
{
    struct target_list list = {0};
    struct label_set set;
    struct buf json = BUF_INIT(1 << 20);

    label_set_init(&set);
    for (int i = 0; i < 40; i++) {
        label_set_put(&set, STR("b"), STR("1"));
        label_set_put(&set, STR("a"), STR(""));
        target_list_add(&list, &set);
        label_set_reset(&set);
    }
    struct value v = target_list_value(&list);
    assert_int_equal(targets_count(v), 40);
    assert_int_equal(list.n, 0);
    value_json(v.array->v[39], &json);
    assert_buf(&json, "{\"a\":\"\",\"b\":\"1\"}");
    target_load(v, 39, &set);
    target_text(&set, &json);
    assert_buf(&json, "{\"a\"=\"\", \"b\"=\"1\"}");
    label_set_reset(&set);
    value_unref(v);
    v = target_list_value(&list);
    assert_int_equal(targets_count(v), 0);
    value_unref(v);
    label_set_done(&set);
    buf_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_texts),
        cmocka_unit_test(capsules_are_converted),
        cmocka_unit_test(lists_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
