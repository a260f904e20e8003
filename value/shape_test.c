/* Shapes of composite values: judged when they are decoded, down to the leaf at fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "parser/parser.h"
#include "value/decode.h"
#include "value/member.h"

static const struct row map = {.name = "element", .kind = K_STR_MAP};
static const struct shape maps = {SHAPE_LIST, "list(map(string))", &map, 1};
static const struct row anything = {.name = "element", .kind = K_ANY};
static const struct shape target = {SHAPE_TARGET, "map(string)", &anything, 1};
static const struct row target_row = {.name = "element", .kind = K_ANY, .shape = &target};
static const struct shape targets = {SHAPE_LIST, "list(map(string))", &target_row, 1};
static const struct row texts = {.name = "element", .kind = K_STR_LIST};
static const struct shape params = {SHAPE_MAP, "map(list(string))", &texts, 1};
static const struct row fields[] = {{.name = "key", .kind = K_STR, .required = true},
                                    {.name = "n", .kind = K_I64, .min = 1, .has_min = true}};
static const struct shape object = {SHAPE_OBJECT, "object", fields, ARRAY_LEN(fields)};
static const struct row object_row = {.name = "element", .kind = K_ANY, .shape = &object};
static const struct shape objects = {SHAPE_LIST, "list(object)", &object_row, 1};

static bool object_of(const void *data, struct value *ret)
{
    struct object_builder b = {0};
    object_set_take(&b, STR("__address__"), value_cstr(data));
    *ret = object_done(&b);
    return true;
}

static const struct capsule_type made = {.name = "discovery.Target", .to_object = object_of};

static bool lookup(const struct scope *s, struct str name, struct value *ret)
{
    (void)s;
    if (str_is(name, "secret"))
        *ret = value_secret(STR("S"));
    else if (str_is(name, "flagged"))
        *ret = value_opt_secret(STR("S"), true);
    else if (str_is(name, "plain"))
        *ret = value_opt_secret(STR("p"), false);
    else if (str_is(name, "target"))
        *ret = value_capsule(&made, (void *)"a:1");
    else
        return false;
    return true;
}
static const struct scope scope = {.lookup = lookup};

/* The first fault of text decoded into a row of this shape; "" when it fits. Owned. */
static char *fault_of(const struct shape *shape, const char *text)
{
    struct row row = {.name = "r", .kind = K_ANY, .shape = shape};
    struct source *src = source_new("t", str_of(text));
    struct arena arena;
    struct diags diags;
    struct value v, out = value_null();
    struct expr *e;
    diags_init(&diags);
    arena_init(&arena, 0);
    struct tree *tree = parse_expr(src, &diags, &e);
    assert_non_null(tree);
    assert_int_equal(eval_expr(e, &scope, &v, &diags), 0);
    int rc = decode_value(&row, v, e, &arena, &out, &diags);
    assert_int_equal(rc != 0, diags.list.n > 0);
    if (!rc) assert_true(value_equal(out, v));
    char *fault = strdup(rc ? diags.list.v[0].message : "");
    value_unref(v);
    tree_free(tree);
    source_unref(src);
    arena_done(&arena);
    diags_done(&diags);
    return fault;
}

static void expect(const struct shape *shape, const char *text, const char *fault)
{
    char *got = fault_of(shape, text);
    assert_string_equal(got, fault);
    free(got);
}

static void test_fits(void **state)
{
    expect(&maps, "[]", "");
    expect(&maps, "null", "");
    expect(&maps, "[{ a = \"b\" }, { n = 1 }]", "");
    expect(&params, "{ m = [\"x\", \"y\"], n = [] }", "");
    expect(&objects, "[{ key = \"k\" }, { key = \"l\", n = 2 }]", "");
}

static void test_faults(void **state)
{
    expect(&maps, "{}", "{} should be array, got object");
    expect(&maps, "[{ a = \"b\" }, \"c\"]", "\"c\" should be object, got string");
    expect(&maps, "[{ a = [1] }]", "[1] should be string, got array");
    expect(&params, "{ m = \"x\" }", "\"x\" should be array, got string");
    expect(&objects, "[{ key = \"k\", n = 0 }]", "0 should be at least 1");
    expect(&objects, "[{ n = 1 }]", "{n = 1} missing required field \"key\"");
    expect(&objects, "[{ kye = \"k\" }]", "\"k\" unrecognized field name");
}

/* Every value has a text, but a secret's would be shown, and null has none. */
static void test_targets(void **state)
{
    expect(&targets, "[{ __address__ = \"a:1\" }, { n = 1, b = true, l = [1], o = {} }]", "");
    expect(&targets, "[{ plain = plain, made = target }, target]", "");
    expect(&targets, "{}", "{} should be array, got object");
    expect(&targets, "[\"a\"]", "\"a\" should be object, got string");
    expect(&targets, "[{ a = null }]",
           "null target::ConvertFrom: cannot convert a nil value to a target value");
    expect(&targets, "[{ a = flagged }]",
           "flagged target::ConvertFrom: cannot use a secret as a target value");
    expect(&targets, "[{ a = secret }]",
           "secret target::ConvertFrom: cannot use a secret as a target value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fits), cmocka_unit_test(test_faults),
                                       cmocka_unit_test(test_targets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
