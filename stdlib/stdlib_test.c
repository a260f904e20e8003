/* The standard library through the language: every function, its limits, and the registry of
 * functions. */
#include "value/testing.h"

#include "stdlib/stdlib.h"
#include "value/limits.h"

static bool test_getenv(void *arg, const char *name, struct str *ret)
{
    if (strcmp(name, "WORD") != 0) return false;
    *ret = STR("hello");
    return true;
}

static const struct func_env env = {
    .getenv = test_getenv, .hostname = "box", .os = "linux", .arch = "amd64", .version = "v1.2.3"};
static struct stdlib *lib;

struct lib_case {
    const char *in, *out;
};

static void run(const struct lib_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_eval(stdlib_scope(lib), cases[i].in, cases[i].out);
}

static void strings(void **state)
{
    static const struct lib_case cases[] = {
        {"string.join([\"a\", 1, null], \"-\")", "\"a-1-\""},
        {"string.split(\"a,b,\", \",\")", "[\"a\",\"b\",\"\"]"},
        {"string.split(\"\xC3\xA9x\", \"\")", "[\"\xC3\xA9\",\"x\"]"},
        {"string.split(\"\", \",\")", "[\"\"]"},
        {"string.split(\"\", \"\")", "[]"},
        {"string.replace(\"aXa\", \"a\", \"aa\")", "\"aaXaa\""},
        {"string.replace(\"\xC3\xA9\", \"\", \"-\")", "\"-\xC3\xA9-\""},
        {"string.to_upper(\"stra\xC3\x9F"
         "e\")",
         "\"STRA\xC3\x9F"
         "E\""},
        {"string.to_lower(\"\\xffA\")", "\"\xEF\xBF\xBD"
                                        "a\""},
        {"string.trim(\"\xC3\xA9\xC3\xA9"
         "a\xC3\xA9\", \"\xC3\xA9\")",
         "\"a\""},
        {"string.trim_space(\"\\t\\u2003 x \\n\")", "\"x\""},
        {"string.trim_prefix(\"v1\", \"v\") + string.trim_suffix(\"a.b\", \".b\")", "\"1a\""},
        {"trim_prefix(\"v1\", \"v\")", "\"1\""},
    };
    run(cases, ARRAY_LEN(cases));
}

static void formats(void **state)
{
    static const struct lib_case cases[] = {
        {"string.format(\"%6d|%-6d|%06d|%+d|% d\", 42, 42, 42, 42, 42)",
         "\"    42|42    |000042|+42| 42\""},
        {"string.format(\"%x %X %#x %#08x %o %#o %O %b %#b\", 255, 255, 255, 255, 8, 8, 8, 5, 5)",
         "\"ff FF 0xff 0x000000ff 10 010 0o10 101 0b101\""},
        {"string.format(\"%.3f %e %g %G\", 3.14159, 1234.5678, 1e21, 1e-10)",
         "\"3.142 1.234568e+03 1e+21 1E-10\""},
        {"string.format(\"%x %.2x %b\", 3.0, 1.999, 1.0)",
         "\"0x1.8p+01 0x1.00p+01 4503599627370496p-52\""},
        {"string.format(\"%q %+q %#q %q\", \"a\\\"b\", \"\xC3\xA9\", \"x\", 65)",
         "\"\\\"a\\\\\\\"b\\\" \\\"\\\\u00e9\\\" `x` 'A'\""},
        {"string.format(\"%U %#U %c\", 128512, 128512, 65)",
         "\"U+1F600 U+1F600 '\xF0\x9F\x98\x80' A\""},
        {"string.format(\"% x %#x %x\", \"hi\", \"hi\", [\"a\", \"b\"])",
         "\"68 69 0x6869 [61 62]\""},
        {"string.format(\"%v %v %v\", [1, null], {b = 1, a = [true]}, null)",
         "\"[1 <nil>] map[a:[true] b:1] <nil>\""},
        {"string.format(\"%#v %#v\", [1, \"a\", null], {a = 1})",
         "\"[]interface {}{1, \\\"a\\\", interface {}(nil)} map[string]interface "
         "{}{\\\"a\\\":1}\""},
        {"string.format(\"%d %s %t\", 3.0, 3, \"a\")",
         "\"%!d(float64=3) %!s(int=3) %!t(string=a)\""},
        {"string.format(\"%[2]s %[1]s %[3]*d|\", \"a\", \"b\", 5, 7)", "\"b a     7|\""},
        {"string.format(\"%[5]d %[x]d %[\", 1)", "\"%!d(BADINDEX) %!d(BADINDEX) %!(NOVERB)\""},
        {"string.format(\"%*d %.*f\", \"x\", 1, \"y\", 1.5)",
         "\"%!(BADWIDTH)1 %!(BADPREC)1.500000\""},
        {"string.format(\"%d\")", "\"%!d(MISSING)\""},
        {"string.format(\"%w %w\", [1], null)", "\"%!w([]interface {}=[1]) %!w(<nil>)\""},
        {"string.format(\"%#O %.*d\", 8, -1, 8)", "\"0o010 %!(BADPREC)8\""},
        {"string.format(\"\", 1, null, \"a\")", "\"%!(EXTRA int=1, <nil>, string=a)\""},
        {"string.format(\"%T %T %T %T\", 1, 1.5, \"\", [])",
         "\"int float64 string []interface {}\""},
        {"string.format(\"%08.2f|%-8.2f|%+.1f\", -3.14159, 3.14159, 2.25)",
         "\"-0003.14|3.14    |+2.2\""},
        {"string.format(\"%5s|%-5s|%.1s|%05s\", \"ab\", \"ab\", \"\xC3\xA9"
         "a\", \"ab\")",
         "\"   ab|ab   |\xC3\xA9|000ab\""},
        {"string.format(\"%v %6v|\", 2.0 ^ 5000, -(2.0 ^ 5000))", "\"+Inf   -Inf|\""},
    };
    run(cases, ARRAY_LEN(cases));
}

static void encodings(void **state)
{
    static const struct lib_case cases[] = {
        {"encoding.to_base64(\"\xC3\xA9\")", "\"w6k=\""},
        {"encoding.from_base64(\"YWI=\")", "[97,98]"},
        {"string.to_upper(encoding.from_base64(\"YWI=\"))", "\"AB\""},
        {"encoding.from_base64(\"YQ=\")",
         "1:1 encoding.from_base64 illegal base64 data at input byte 3"},
        {"encoding.from_URLbase64(encoding.to_URLbase64(\">>>\"))", "[62,62,62]"},
        {"encoding.url_encode(\"a b/\xC3\xA9~\")", "\"a+b%2F%C3%A9~\""},
        {"encoding.url_decode(\"a+b%2f\")", "\"a b/\""},
        {"encoding.url_decode(\"x%zz9\")", "1:1 encoding.url_decode invalid URL escape \"%zz\""},
        {"encoding.to_json({b = [1, 1.5, null], a = \"<\\u2028\\xff\"})",
         "\"{\\\"a\\\":\\\"\\\\u003c\\\\u2028\\\\ufffd\\\",\\\"b\\\":[1,1.5,null]}\""},
        {"encoding.to_json([])", "1:1 encoding.to_json jsonEncode only supports map"},
        {"encoding.to_json({a = string.trim})",
         "1:1 encoding.to_json JSON has no form for a function"},
        {"encoding.from_json(`{\"a\\u0062\": [1, 2.5, \"\\ud83d\\ude00\"], \"a\": {\"x\": null}, "
         "\"a\": 1}`)",
         "{\"a\":1,\"ab\":[1,2.5,\"\xF0\x9F\x98\x80\"]}"},
        {"encoding.from_json(\"{\\\"a\\\": }\")",
         "1:1 encoding.from_json invalid JSON at byte 7: expected a value"},
        {"encoding.from_json(\"1 x\")",
         "1:1 encoding.from_json invalid JSON at byte 3: text after the end of the value"},
    };
    run(cases, ARRAY_LEN(cases));
}

static void yaml(void **state)
{
    static const struct lib_case cases[] = {
        {"encoding.from_yaml(\"a: [017, 0o17, 0x1F, 0b11, 1_000, 08, -0, +5, "
         "18446744073709551615]\").a",
         "[15,15,31,3,1000,8,0,5,18446744073709551615]"},
        {"encoding.from_yaml(\"a: [1e3, .5, 1., .5.5, 1e, 685_230.15, 0xZZ, 1:30, infinity]\").a",
         "[1000,0.5,1,\".5.5\",\"1e\",685230.15,\"0xZZ\",\"1:30\",\"infinity\"]"},
        {"encoding.from_yaml(\"a: [~, null, True, FALSE, yes, n, tRUE]\").a",
         "[null,null,true,false,\"yes\",\"n\",\"tRUE\"]"},
        {"encoding.from_yaml(\"a: [2001-12-14, 2001-12-14 21:59:43.10, "
         "2001-12-14t21:59:43.1-05:00, 2001-02-30, 2001-1-2]\").a",
         "[\"2001-12-14T00:00:00Z\",\"2001-12-14T21:59:43.1Z\",\"2001-12-14T21:59:43.1-05:00\","
         "\"2001-02-30\",\"2001-01-02T00:00:00Z\"]"},
        {"encoding.from_yaml(\"a: [!!str 1, !!int \\\"2\\\", !!float 3, !!binary aGk=, !x 4]\").a",
         "[\"1\",2,3,\"hi\",\"4\"]"},
        {"encoding.from_yaml(\"a: !!int x\")",
         "1:1 encoding.from_yaml yaml: cannot decode `x` as a !!int"},
        {"encoding.from_yaml(\"x: &x {a: 1, b: 2}\\ny: &y {a: 5, c: 3}\\nz: {<<: [*x, *y], b: "
         "9}\").z",
         "{\"a\":1,\"b\":9,\"c\":3}"},
        {"encoding.from_yaml(\"a: 1\\na: 2\")",
         "1:1 encoding.from_yaml yaml: line 2: a mapping key is defined twice"},
        {"encoding.from_yaml(\"1: a\")", "{\"$kind\":\"capsule\"}"},
        {"encoding.from_yaml(\"1: a\") == encoding.from_yaml(\"1: b\")", "false"},
        {"encoding.from_yaml(\"[a]: b\")",
         "1:1 encoding.from_yaml yaml: line 1: invalid map key: lists and maps cannot be keys"},
        {"encoding.from_yaml(\"<<: 1\")", "1:1 encoding.from_yaml yaml: line 1: map merge requires "
                                          "map or sequence of maps as the value"},
        {"encoding.from_yaml(\"<<: {1: a, 2001-2-3: b, c: d}\\nc: 2\")",
         "{\"1\":\"a\",\"2001-2-3\":\"b\",\"c\":2}"},
        {"encoding.from_yaml(\"<<: {[1]: a}\")",
         "1:1 encoding.from_yaml yaml: line 1: invalid map key: lists and maps cannot be keys"},
        {"encoding.from_yaml(\"!x k: 1\")", "{\"$kind\":\"capsule\"}"},
        {"encoding.from_yaml(\"!!str 1: 1\")", "{\"1\":1}"},
        {"encoding.from_yaml(\"\")", "null"},
        {"encoding.from_yaml(\"a: 1\\n---\\nb: 2\")", "{\"a\":1}"},
    };
    run(cases, ARRAY_LEN(cases));
}

static void arrays(void **state)
{
    static const struct lib_case cases[] = {
        {"array.concat([1], [], [2, null])", "[1,2,null]"},
        {"array.concat()", "[]"},
        {"array.concat([1], null)", "1:19 null should be array, got null"},
        {"array.combine_maps([{a = 1}], [{a = 1, b = 2}, {a = 2}], [\"a\"], true)",
         "[{\"a\":1,\"b\":2},{\"a\":1}]"},
        {"array.combine_maps([{a = \"1\"}], [{a = 1}], [\"a\"])", "[]"},
        {"array.combine_maps([], [], [])",
         "1:1 array.combine_maps combine_maps: merge conditions must not be empty"},
        {"array.combine_maps([{a = []}], [{a = 1}], [\"a\"])",
         "1:26 [] cannot be a key: arrays are not compared"},
        {"array.combine_maps([], [], [1])", "1:29 1 should be string, got number"},
        {"array.combine_maps([1], [], [\"a\"])", "1:21 1 should be object, got number"},
        {"array.combine_maps([])", "0:0 combine_maps: expected 3 or 4 arguments, got 1"},
        {"array.group_by([{k = \"x\", n = 1}, {n = 2}, {k = \"x\"}], \"k\", false)",
         "[{\"items\":[{\"k\":\"x\",\"n\":1},{\"k\":\"x\"}],\"k\":\"x\"},{\"items\":[{\"n\":2}],"
         "\"k\":\"\"}]"},
        {"array.group_by([{n = 2}], \"k\", true)", "[]"},
        {"array.group_by([{k = 1}], \"k\", true)", "1:22 1 should be string, got number"},
    };
    run(cases, ARRAY_LEN(cases));
}

static void the_rest(void **state)
{
    static const struct lib_case cases[] = {
        {"sys.env(\"WORD\") + env(\"NOPE\")", "\"hello\""},
        {"sys.env(\"WORD\\x00\")", "\"\""},
        {"constants",
         "{\"arch\":\"amd64\",\"hostname\":\"box\",\"os\":\"linux\",\"version\":\"v1.2.3\"}"},
        {"convert.nonsensitive(\"x\") + nonsensitive(null)", "\"x\""},
        {"convert.nonsensitive(1)", "1:22 1 should be capsule, got number"},
        {"coalesce(null, 0, \"\", [], {}, false, 7, 8)", "7"},
        {"coalesce(-0.0, 5)", "-0"},
        {"coalesce(0, {})", "{}"},
        {"coalesce()", "null"},
        {"file.path_join(\"/a\", \"../..\", \"b//c/./d\", \"\")", "\"/b/c/d\""},
        {"file.path_join(\"a\", \"..\", \"..\", \"b\", \"..\")", "\"..\""},
        {"file.path_join(\"a\", \"..\")", "\".\""},
        {"file.path_join()", "\"\""},
    };
    run(cases, ARRAY_LEN(cases));
}

static void json_paths(void **state)
{
#define DOC                                                                                        \
    "`{\"a\": {\"b\": [1, 2, 3], \"c\": \"x\"}, \"k.d\": 5, \"items\": [{\"n\": \"one\", \"v\": "  \
    "1, \"ok\": true}, {\"n\": \"two\", \"v\": 2}, {\"n\": \"three\", \"v\": 3, \"ok\": false}]}`"
    static const struct lib_case cases[] = {
        {"json_path(" DOC ", \"$.a.b[-1]\")", "[3]"},
        {"json_path(" DOC ", \"a.b[1:]\")", "[2,3]"},
        {"json_path(" DOC ", \"$.a.b[2:0:-1]\")", "[3,2]"},
        {"json_path(" DOC ", \"$['k.d']\")", "[5]"},
        {"json_path(" DOC ", \"$..v\")", "[1,2,3]"},
        {"json_path(" DOC ", \"$.a.*\")", "[[1,2,3],\"x\"]"},
        {"json_path(" DOC ", \"$.items[?(@.v > 1 && @.n == 'two')].n\")", "[\"two\"]"},
        {"json_path(" DOC ", \"$.items[?@.ok].n\")", "[\"one\",\"three\"]"},
        {"json_path(" DOC ", \"$.items[?(!@.ok)].n\")", "[\"two\"]"},
        {"json_path(" DOC ", \"$.items[?(@.v * 2 == 4)].n\")", "[\"two\"]"},
        {"json_path(" DOC ", \"$.items[?(@.v / 0 == 4)].n\")", "[]"},
        {"json_path(" DOC ", \"$.items[?(@.n =~ /^t/)].n\")", "[\"two\",\"three\"]"},
        {"json_path(" DOC ", \"$.items[?search(@.n, 'e$')].v\")", "[1,3]"},
        {"json_path(" DOC ", \"$.items[?match(@.n, 'e')].v\")", "[]"},
        {"json_path(" DOC ", \"$.items[?(@.v in [1, $.a.b[2]])].n\")", "[\"one\",\"three\"]"},
        {"json_path(" DOC ", \"$[?(count(@.*) == 2)].c\")", "[\"x\"]"},
        {"json_path(\"[9223372036854775799, 9223372036854775800, 0.12345678901234567890]\", "
         "\"$[*]\")",
         "[9223372036854775799,\"9223372036854775800\",\"0.12345678901234567890\"]"},
        {"json_path(" DOC ", \"$.items[?(@.v-1 == 1)].n\")", "[\"two\"]"},
        {"json_path(" DOC ", \"$.items[?(@.v empty false)].n\")", "[]"},
        {"json_path(\"\", \"$\")", "[null]"},
        {"json_path(\"{}\", \"\")", "[]"},
        {"json_path(\"{}\", \"$[\")", "1:1 json_path not terminated at 3 in $["},
        {"json_path(\"{}\", \"$.a b\")", "1:1 json_path parse error at 4 in $.a b"},
        {"json_path(\"{}\", \"$[?(@.a ==)]\")",
         "1:1 json_path not a value or function at 11 in $[?(@.a ==)]"},
    };
    run(cases, ARRAY_LEN(cases));
}

/* --- limits: an error, never a cut, never the machine's memory --- */

static void results_are_bounded(void **state)
{
#ifdef HOSTILE
    skip(); /* buffers that move on every byte take too long to reach the limits */
#endif
    struct buf text = BUF_INIT(1 << 22);
    buf_cstr(&text, "string.format(\"");
    for (int i = 0; i < 70; i++)
        buf_cstr(&text, "%1000000d");
    buf_cstr(&text, "\"");
    for (int i = 0; i < 70; i++)
        buf_cstr(&text, ", 1");
    buf_cstr(&text, ")");
    assert_eval(stdlib_scope(lib), text.p,
                "1:1 string.format would give a string of more than 64 MiB");
    buf_done(&text);
    static const struct lib_case cases[] = {
        {"string.replace(string.format(\"%1000000d\", 1), \"\", string.format(\"%100d\", 1))",
         "1:1 string.replace would give a string of more than 64 MiB"},
        {"string.split(string.format(\"%1000000d\", 1) + string.format(\"%1000000d\", 1), \"\")",
         "1:1 string.split would give more than 1048576 elements"},
        {"string.format(\"%1000001d\", 1)", "\"%!(NOVERB)%!(EXTRA int=1)\""},
    };
    run(cases, ARRAY_LEN(cases));
}

static void nesting_is_bounded(void **state)
{
    struct buf text = BUF_INIT(1 << 20);
    buf_cstr(&text, "encoding.from_json(\"");
    for (int i = 0; i < 5000; i++)
        buf_ch(&text, '[');
    buf_cstr(&text, "\")");
    assert_eval(stdlib_scope(lib), text.p,
                "1:1 encoding.from_json invalid JSON at byte 1001: nested too deeply");
    buf_reset(&text);
    buf_cstr(&text, "json_path(\"[]\", \"$[?");
    for (int i = 0; i < 5000; i++)
        buf_ch(&text, '!');
    buf_cstr(&text, "\")");
    struct str shown = buf_view(&text);
    assert_true(shown.n > 5000);
    struct diags diags;
    struct expr *e;
    struct value v;
    diags_init(&diags);
    struct source *src = source_new(NULL, shown);
    struct tree *tree = parse_expr(src, &diags, &e);
    assert_int_not_equal(eval_expr(e, stdlib_scope(lib), &v, &diags), 0);
    assert_non_null(strstr(diags.list.v[0].message, "nested too deeply"));
    tree_free(tree);
    source_unref(src);
    diags_done(&diags);
    buf_done(&text);
}

/* --- the registry --- */

static void functions_are_described(void **state)
{
    const struct func *f;
    size_t n = 0;
    for (; (f = stdlib_func(n)); n++) {
        assert_true(strlen(f->doc) > 10 && f->doc[strlen(f->doc) - 1] == '.');
        assert_non_null(f->param_names);
        assert_non_null(f->returns);
        assert_ptr_equal(stdlib_find(str_of(f->name)), f);
        bool flat = !strchr(f->name, '.') && strcmp(f->name, "coalesce") != 0 &&
                    strcmp(f->name, "json_path") != 0;
        assert_int_equal(flat, f->deprecated);
    }
    assert_int_equal(n, 43); /* 27 functions, 16 of them with an older flat name */
    assert_null(stdlib_find(STR("string.nope")));
}

static void first_names_are_known(void **state)
{
    assert_true(stdlib_has(STR("string")) && stdlib_has(STR("constants")) &&
                stdlib_has(STR("coalesce")) && stdlib_has(STR("env")));
    assert_false(stdlib_has(STR("otelcol")) || stdlib_has(STR("string.join")) ||
                 stdlib_has(STR("")));
}

static void signatures_read_well(void **state)
{
    struct buf b = BUF_INIT(256);
    func_signature(stdlib_find(STR("string.join")), &b);
    assert_string_equal(b.p, "string.join(list, separator) string");
    buf_done(&b);
}

static void assert_param(const char *func, size_t i, const char *name, const char *type)
{
    struct func_param p;
    assert_true(func_param(stdlib_find(str_of(func)), i, &p));
    assert_true(str_is(p.name, name));
    assert_true(str_is(p.type, type));
}

static void parameters_read_well(void **state)
{
    struct func_param p;
    assert_param("string.join", 0, "list", "list(string)");
    assert_param("string.join", 1, "separator", "string");
    assert_false(func_param(stdlib_find(STR("string.join")), 2, &p));
    assert_param("array.combine_maps", 2, "keys", "list(string)");
    assert_param("array.combine_maps", 3, "keep_unmatched_left", "bool");
    assert_true(func_param(stdlib_find(STR("array.combine_maps")), 3, &p) && p.optional);
    assert_true(func_param(stdlib_find(STR("coalesce")), 0, &p) && p.repeats && !p.optional);
}

static void old_names_have_new_ones(void **state)
{
    const struct func *f;
    for (size_t i = 0; (f = stdlib_func(i)); i++)
        assert_int_equal(stdlib_instead(f) != NULL, f->deprecated);
    assert_string_equal(stdlib_instead(stdlib_find(STR("trim")))->name, "string.trim");
    assert_string_equal(stdlib_instead(stdlib_find(STR("env")))->name, "sys.env");
    assert_string_equal(stdlib_instead(stdlib_find(STR("nonsensitive")))->name,
                        "convert.nonsensitive");
}

static int setup(void **state)
{
    lib = stdlib_new(&env);
    return 0;
}

static int teardown(void **state)
{
    stdlib_free(lib);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),
        cmocka_unit_test(formats),
        cmocka_unit_test(encodings),
        cmocka_unit_test(yaml),
        cmocka_unit_test(arrays),
        cmocka_unit_test(the_rest),
        cmocka_unit_test(json_paths),
        cmocka_unit_test(results_are_bounded),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(functions_are_described),
        cmocka_unit_test(first_names_are_known),
        cmocka_unit_test(signatures_read_well),
        cmocka_unit_test(parameters_read_well),
        cmocka_unit_test(old_names_have_new_ones),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
