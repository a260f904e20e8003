/* Values: references, objects, equality, JSON in both forms, secrets that stay secret. */
#include "value/testing.h"

#include <math.h>
#include "base/json.h"

static void assert_json(struct value v, const char *want)
{
    struct buf b = BUF_INIT(4096);
    value_json(v, &b);
    assert_string_equal(b.p, want);
    buf_done(&b);
}

static void assert_api_json(struct value v, const char *want)
{
    struct buf b = BUF_INIT(4096);
    struct json_out j = {.b = &b, .html = true};
    value_api_json(v, &j);
    assert_string_equal(b.p, want);
    buf_done(&b);
}

static void numbers_print_every_digit(void **state)
{
    assert_json(value_int(INT64_MIN), "-9223372036854775808");
    assert_json(value_uint(UINT64_MAX), "18446744073709551615");
    assert_json(value_float(1e21), "1000000000000000000000");
    assert_json(value_float(0.1), "0.1");
    assert_json(value_float(3), "3");
    assert_json(value_float(NAN), "{\"$number\":\"NaN\"}");
    assert_json(value_float(-INFINITY), "{\"$number\":\"-Inf\"}");
}

static void floats_truncate_toward_zero(void **state)
{
    assert_int_equal(value_num_i64(value_float(1.9)), 1);
    assert_int_equal(value_num_i64(value_float(-1.9)), -1);
    assert_true(value_num_i64(value_float(1e300)) == INT64_MIN);
    assert_true(value_num_i64(value_float(NAN)) == INT64_MIN);
}

static struct value sample(bool ordered)
{
    struct object_builder b = {.ordered = ordered};
    object_set_take(&b, STR("z"), value_int(1));
    object_set_take(&b, STR("a"), value_cstr("x"));
    object_set_take(&b, STR("z"), value_int(2));
    return object_done(&b);
}

static void later_members_win_and_literals_are_sorted(void **state)
{
    struct value sorted = sample(false), ordered = sample(true);
    assert_json(sorted, "{\"a\":\"x\",\"z\":2}");
    assert_json(ordered, "{\"z\":2,\"a\":\"x\"}");
    assert_true(value_equal(sorted, ordered));
    assert_true(value_member(ordered, STR("z"))->i == 2);
    assert_null(value_member(sorted, STR("b")));
    assert_null(value_member(value_int(1), STR("b")));
    value_unref(sorted);
    value_unref(ordered);
}

static void bytes_that_are_no_text_are_base64(void **state)
{
    struct value v = value_str(STR("\xff\xfe"));
    assert_json(v, "{\"$bytes\":\"//4=\"}");
    value_unref(v);
}

static void kinds_of_numbers_are_equal_by_value(void **state)
{
    assert_true(value_equal(value_int(1), value_float(1.0)));
    assert_true(value_equal(value_int(1), value_uint(1)));
    assert_false(value_equal(value_float(NAN), value_float(NAN)));
    assert_true(value_same(value_float(NAN), value_float(NAN)));
    assert_false(value_equal(value_int(0), value_bool(false)));
}

static const struct func some_func = {.name = "f"};

static void functions_are_the_same_but_never_equal(void **state)
{
    struct value f = value_func(&some_func), a = value_array(1);
    a.array->v[0] = f;
    assert_false(value_equal(f, f));
    assert_true(value_same(f, f));
    assert_false(value_equal(a, a));
    assert_true(value_same(a, a));
    value_unref(a);
}

static void secrets_never_print(void **state)
{
    struct value s = value_secret(STR("hunter2")), hidden = value_opt_secret(STR("hunter2"), true);
    struct value shown = value_opt_secret(STR("plain"), false);
    assert_json(s, "\"(secret)\"");
    assert_json(hidden, "\"(secret)\"");
    assert_json(shown, "\"plain\"");
    assert_api_json(s, "{\"type\":\"capsule\",\"value\":\"(secret)\"}");
    assert_api_json(hidden, "{\"type\":\"capsule\",\"value\":\"(secret)\"}");
    assert_api_json(shown, "{\"type\":\"capsule\",\"value\":\"\\\"plain\\\"\"}");
    assert_true(value_is_secret(s) && value_is_secret(hidden) && !value_is_secret(shown));
    value_unref(s);
    value_unref(hidden);
    value_unref(shown);
}

static void secrets_compare_by_text(void **state)
{
    struct value a = value_secret(STR("k")), b = value_secret(STR("k")), c = value_secret(STR("l")),
                 t = value_cstr("k");
    struct value o = value_opt_secret(STR("k"), true);
    assert_true(value_equal(a, b) && value_same(a, b));
    assert_false(value_equal(a, c));
    assert_true(value_equal(o, t) && value_equal(a, o));
    assert_false(value_same(a, t));
    value_unref(a);
    value_unref(b);
    value_unref(c);
    value_unref(t);
    value_unref(o);
}

static int destroyed;

static void count_destroy(void *data)
{
    destroyed++;
    free(data);
}

static const struct capsule_type counted = {.name = "test.Counted", .destroy = count_destroy};

static void the_last_reference_destroys_a_capsule(void **state)
{
    struct value v = value_capsule(&counted, malloc(1)), a = value_array(2);
    a.array->v[0] = value_ref(v);
    a.array->v[1] = value_of_capsule(v.capsule);
    value_unref(v);
    assert_api_json(a, "{\"type\":\"array\",\"value\":[{\"type\":\"capsule\",\"value\":\"capsule("
                       "\\\"test.Counted\\\")\"},"
                       "{\"type\":\"capsule\",\"value\":\"capsule(\\\"test.Counted\\\")\"}]}");
    assert_int_equal(destroyed, 0);
    value_unref(a);
    assert_int_equal(destroyed, 1);
}

static void the_api_names_types(void **state)
{
    struct value v = sample(false);
    assert_api_json(v, "{\"type\":\"object\",\"value\":[{\"key\":\"a\",\"value\":{\"type\":"
                       "\"string\",\"value\":\"x\"}},"
                       "{\"key\":\"z\",\"value\":{\"type\":\"number\",\"value\":2}}]}");
    assert_api_json(value_null(), "{\"type\":\"null\",\"value\":null}");
    value_unref(v);
}

static bool target_object(const void *data, struct value *ret)
{
    struct object_builder b = {0};
    object_set_take(&b, STR("job"), value_cstr(data));
    object_set_take(&b, STR("__address__"), value_cstr("h:1"));
    *ret = object_done(&b);
    return true;
}

static const struct capsule_type target = {.name = "discovery.Target", .to_object = target_object};

static void the_api_has_a_form_for_every_type(void **state)
{
    struct value t = value_capsule(&target, (void *)"j"), none = value_array(0);
    assert_api_json(value_int(INT64_MAX), "{\"type\":\"number\",\"value\":9223372036854776000}");
    assert_api_json(value_uint(7), "{\"type\":\"number\",\"value\":7}");
    assert_api_json(value_float(0.5), "{\"type\":\"number\",\"value\":0.5}");
    assert_api_json(value_float(1e21), "{\"type\":\"number\",\"value\":1e+21}");
    assert_api_json(value_bool(false), "{\"type\":\"bool\",\"value\":false}");
    assert_api_json(none, "{\"type\":\"array\",\"value\":[]}");
    assert_api_json(t, "{\"type\":\"object\",\"value\":[{\"key\":\"__address__\",\"value\":{"
                       "\"type\":\"string\",\"value\":\"h:1\"}},{\"key\":\"job\",\"value\":{"
                       "\"type\":\"string\",\"value\":\"j\"}}]}");
    value_unref(none);
    value_unref(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_print_every_digit),
        cmocka_unit_test(floats_truncate_toward_zero),
        cmocka_unit_test(later_members_win_and_literals_are_sorted),
        cmocka_unit_test(bytes_that_are_no_text_are_base64),
        cmocka_unit_test(kinds_of_numbers_are_equal_by_value),
        cmocka_unit_test(functions_are_the_same_but_never_equal),
        cmocka_unit_test(secrets_never_print),
        cmocka_unit_test(secrets_compare_by_text),
        cmocka_unit_test(the_last_reference_destroys_a_capsule),
        cmocka_unit_test(the_api_names_types),
        cmocka_unit_test(the_api_has_a_form_for_every_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
