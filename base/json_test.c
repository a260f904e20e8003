/* Tests of base/json.h: the writer by its text, the reader by trees compared with jansson's. */
/* The two share names; jansson's step aside. */
#define json_null   jansson_null
#define JSON_NULL   JANSSON_NULL
#define JSON_STRING JANSSON_STRING
#include <jansson.h>
#undef json_null
#undef JSON_NULL
#undef JSON_STRING
#include <errno.h>
#include <math.h>
#include "base/json.h"
#include "base/num.h"
#include "base/test.h"

/* --- writer --- */

static void writes_structures(void **state)
{
    struct buf b = BUF_INIT(1000);
    struct json_out j = {.b = &b};

    json_obj(&j);
    json_key(&j, STR("a"));
    json_arr(&j);
    json_i64(&j, -1);
    json_u64(&j, UINT64_MAX);
    json_f64(&j, 1.5);
    json_f64(&j, NAN);
    json_f64(&j, -INFINITY);
    json_bool(&j, true);
    json_null(&j);
    json_arr_end(&j);
    json_key(&j, STR("b\n"));
    json_obj(&j);
    json_obj_end(&j);
    json_key(&j, STR("c"));
    json_raw(&j, STR("[0]"));
    json_obj_end(&j);
    assert_buf(
        &b,
        "{\"a\":[-1,18446744073709551615,1.5,\"NaN\",\"-Inf\",true,null],\"b\\n\":{},\"c\":[0]}");
    buf_done(&b);
}

static void writes_strings(void **state)
{
    struct buf b = BUF_INIT(1000);

    json_str(&(struct json_out){.b = &b},
             STR("q\"b\\n\nr\rt\t\x01\x1f\x7f<>&\xC3\xA9\xFF\xE2\x80\xA8"));
    assert_buf(&b,
               "\"q\\\"b\\\\n\\nr\\rt\\t\\u0001\\u001f\x7f<>&\xC3\xA9\xEF\xBF\xBD\xE2\x80\xA8\"");
    json_str(&(struct json_out){.b = &b, .html = true}, STR("<a>&\xE2\x80\xA9\xFF"));
    assert_buf(&b, "\"\\u003ca\\u003e\\u0026\\u2029\\ufffd\"");
    json_str(&(struct json_out){.b = &b}, (struct str){0});
    assert_buf(&b, "\"\"");
    buf_done(&b);
}

/* --- reader against jansson --- */

static bool same(struct json_in *j, const json_t *want);

static bool same_object(struct json_in *j, const json_t *want)
{
    bool first = true, ok = json_is_object(want);
    struct str key;
    size_t n = 0;

    while (json_next_key(j, &key, &first)) {
        char *name = str_dup(key);

        ok = same(j, ok ? json_object_get(want, name) : NULL) && ok;
        free(name);
        n++;
    }
    return ok && n == json_object_size(want);
}

static bool same_array(struct json_in *j, const json_t *want)
{
    bool first = true, ok = json_is_array(want);
    size_t n = 0;

    while (json_next_elem(j, &first)) {
        ok = same(j, ok ? json_array_get(want, n) : NULL) && ok;
        n++;
    }
    return ok && n == json_array_size(want);
}

static bool same_number(struct str raw, const json_t *want)
{
    f64 v = 0;

    return num_parse_f64(raw, &v) == 0 && json_is_number(want) && v == json_number_value(want);
}

static bool same(struct json_in *j, const json_t *want)
{
    switch (json_value(j)) {
    case JSON_OBJ: return same_object(j, want);
    case JSON_ARR: return same_array(j, want);
    case JSON_STRING:
        return want && json_typeof(want) == JANSSON_STRING &&
               str_eq(j->raw, str_n(json_string_value(want), json_string_length(want)));
    case JSON_NUMBER: return same_number(j->raw, want);
    case JSON_BOOL:
        return json_is_boolean(want) && str_is(j->raw, json_is_true(want) ? "true" : "false");
    case JSON_NULL: return want && json_typeof(want) == JANSSON_NULL;
    case JSON_END:
    case JSON_ERROR: break;
    }
    return false;
}

static void agrees_with_jansson(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        " [ ] ",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.5e+10",
        "1E5",
        "123456789",
        "\"\"",
        "\"abc\"",
        "\"\\u00e9\\n\\\"\\\\\\/\\b\\f\\r\\t\"",
        "\"\\ud83d\\ude00\"",
        "\"\\u0000x\"",
        "[1,2,[3,{\"a\":[]}]]",
        "{\"a\":1,\"b\":{\"c\":[true,false,null]},\"\":\"x\"}",
        "\t{\n\"k\" :\r[ 1 , 2 ] }\n",
        "\"a long string without anything special in it, then \\t an escape, and then more of it\"",
        "[\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"]",
        /* and what both refuse */
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "01",
        "-",
        "1.",
        ".1",
        "1e",
        "1e+",
        "+1",
        "0x1",
        "tru",
        "nulll",
        "True",
        "\"",
        "\"abc",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "\"\x01\"",
        "[1 2]",
        "{} {}",
        "[]]",
        "}",
        "]",
        "[1}",
        "{\"a\":1]",
        "'a'",
        "1,",
        "// c",
        "NaN",
        "Infinity",
        "{\"a\" 1}",
    };
    struct arena a;

    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        json_t *want = json_loads(texts[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        struct json_in j;

        json_in_init(&j, str_of(texts[i]), &a);
        bool ok = same(&j, want) && json_value(&j) == JSON_END;
        if (ok != (want != NULL))
            fail_msg("%s: jansson %s", texts[i], want ? "reads it" : "refuses it");
        json_in_init(&j, str_of(texts[i]), &a);
        ok = json_skip(&j) == 0 && json_value(&j) == JSON_END;
        if (ok != (want != NULL))
            fail_msg("skipping %s: jansson %s", texts[i], want ? "reads it" : "refuses it");
        json_decref(want);
    }
    arena_done(&a);
}

static enum json_type only_value(const char *text, struct arena *a, struct json_in *j)
{
    json_in_init(j, str_of(text), a);
    return json_value(j);
}

/* What the header promises beyond jansson. */
static void beyond_jansson(void **state)
{
    struct json_in j;
    struct arena a;

    arena_init(&a, 0);
    assert_int_equal(only_value("\"\\ud800x\"", &a, &j), JSON_STRING);
    assert_text(j.raw, "\xEF\xBF\xBDx");
    assert_int_equal(only_value("\"\\udc00\\ud800\\u0041\"", &a, &j), JSON_STRING);
    assert_text(j.raw, "\xEF\xBF\xBD\xEF\xBF\xBD\x41");
    assert_int_equal(only_value("\"\xFF\"", &a, &j), JSON_STRING);
    assert_text(j.raw, "\xFF");
    assert_int_equal(only_value("123456789012345678901234567890", &a, &j), JSON_NUMBER);
    assert_text(j.raw, "123456789012345678901234567890");
    arena_done(&a);
}

/* Strings without escapes are views of the input. */
static void borrows(void **state)
{
    const char *text = "\"abc\"";
    struct json_in j;

    json_in_init(&j, str_of(text), NULL);
    assert_int_equal(json_value(&j), JSON_STRING);
    assert_ptr_equal(j.raw.p, text + 1);
    assert_int_equal(json_offset(&j), 5);
}

static void errors_stick(void **state)
{
    struct json_in j;
    struct arena a;
    struct str key;
    bool first = true;

    arena_init(&a, 0);
    assert_int_equal(only_value("{\"a\":tru}", &a, &j), JSON_OBJ);
    assert_true(json_next_key(&j, &key, &first));
    assert_text(key, "a");
    assert_int_equal(json_value(&j), JSON_ERROR);
    assert_int_equal(json_offset(&j), 5);
    assert_string_equal(j.err, "expected a value");
    assert_false(json_next_key(&j, &key, &first));
    assert_int_equal(json_value(&j), JSON_ERROR);
    assert_int_equal(json_skip(&j), -EBADMSG);
    arena_done(&a);
}

static void depth_is_limited(void **state)
{
    static char text[2000];
    struct json_in j;

    memset(text, '[', 1000);
    memset(text + 1000, ']', 1000);
    json_in_init(&j, str_n(text, 2000), NULL);
    assert_int_equal(json_skip(&j), -EBADMSG);
    assert_string_equal(j.err, "nested too deeply");
    json_in_init(&j, str_n(text + 1000 - JSON_DEPTH, 2 * JSON_DEPTH), NULL);
    assert_int_equal(json_skip(&j), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_structures),
        cmocka_unit_test(writes_strings),
        cmocka_unit_test(agrees_with_jansson),
        cmocka_unit_test(beyond_jansson),
        cmocka_unit_test(borrows),
        cmocka_unit_test(errors_stick),
        cmocka_unit_test(depth_is_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
