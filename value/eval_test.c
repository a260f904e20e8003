/* Evaluation: what each form gives, and where and how it complains. Scope: s, o, h are a secret, a
 * plain and a flagged optional secret; t converts to an object; id returns its argument, text wants
 * a string, texts a list of strings. */
#include "value/testing.h"

#include <errno.h>
#include "base/xalloc.h"

static bool target_object(const void *data, struct value *ret)
{
    struct object_builder b = {0};
    object_set_take(&b, STR("__address__"), value_cstr(data));
    *ret = object_done(&b);
    return true;
}

static const struct capsule_type target = {.name = "Target", .to_object = target_object};

static int call_first(const struct func_env *env, const struct value *args, size_t n,
                      struct value *ret, struct func_error *err)
{
    *ret = value_ref(args[0]);
    return 0;
}

static int call_blame(const struct func_env *env, const struct value *args, size_t n,
                      struct value *ret, struct func_error *err)
{
    func_error_set(err, 0, "is bad");
    vpath_element(&err->path, 1);
    vpath_member(&err->path, STR("k"));
    return -EINVAL;
}

static const enum param_kind any[] = {P_ANY}, string[] = {P_STRING}, strings[] = {P_ARRAY_STR},
                             number[] = {P_NUMBER};
static const struct func funcs[] = {
    {.name = "id", .params = any, .n_params = 1, .call = call_first},
    {.name = "text", .params = string, .n_params = 1, .call = call_first},
    {.name = "texts", .params = strings, .n_params = 1, .call = call_first},
    {.name = "num", .params = number, .n_params = 1, .call = call_first},
    {.name = "some", .params = any, .n_params = 1, .variadic = true, .call = call_first},
    {.name = "blame", .params = any, .n_params = 1, .call = call_blame},
};

static bool lookup(const struct scope *sc, struct str name, struct value *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(funcs); i++) {
        if (!str_is(name, funcs[i].name)) continue;
        *ret = value_func(&funcs[i]);
        return true;
    }
    if (str_is(name, "s"))
        *ret = value_secret(STR("S"));
    else if (str_is(name, "o"))
        *ret = value_opt_secret(STR("1"), false);
    else if (str_is(name, "h"))
        *ret = value_opt_secret(STR("H"), true);
    else if (str_is(name, "t"))
        *ret = value_capsule(&target, (void *)"host:1");
    else
        return false;
    return true;
}

static const struct scope scope = {.lookup = lookup};

struct eval_case {
    const char *in, *out;
};

static void run(const struct eval_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_eval(&scope, cases[i].in, cases[i].out);
}

static void literals(void **state)
{
    static const struct eval_case cases[] = {
        {"0755", "493"},
        {"08", "8"},
        {"9223372036854775808", "9223372036854775808"},
        {"18446744073709551616", "18446744073709552000"},
        {"02000000000000000000000", "2000000000000000000000"},
        {"1e400", "1:1 number 1e400: value out of range"},
        {"[1, \"a\", null, true, {b = 1, a = 2}]", "[1,\"a\",null,true,{\"a\":2,\"b\":1}]"},
        {"{a = 1, a = 2}.a", "2"},
    };
    run(cases, ARRAY_LEN(cases));
}

static void operators(void **state)
{
    static const struct eval_case cases[] = {
        {"18446744073709551615 % 10", "-1"},
        {"(-9223372036854775807 - 1) / -1", "-9223372036854775808"},
        {"(-9223372036854775807 - 1) % -1", "0"},
        {"2 ^ -1", "2"},
        {"2.0 ^ -1", "0.5"},
        {"3 ^ 41", "-420491770248316829"},
        {"1 / 0.0", "1:5 0.0 divide by zero error"},
        {"\"a\" + 1", "1:7 1 should be string, got number"},
        {"[1] + 1", "1:1 [1] should be one of [number string capsule] for binop +, got array"},
        {"false && (1 / 0 == 1)", "1:15 0 divide by zero error"},
        {"-true", "1:2 true should be number, got bool"},
        {"null + 1", "1:1 null should be one of [number string capsule] for binop +, got null"},
    };
    run(cases, ARRAY_LEN(cases));
}

static void secrets_spread(void **state)
{
    static const struct eval_case cases[] = {
        {"\"a\" + s", "\"(secret)\""},
        {"\"a\" + o", "\"a1\""},
        {"o + \"a\" + \"b\"", "\"1ab\""},
        {"\"a\" + h", "\"(secret)\""},
        {"o + o", "\"11\""},
        {"o + h", "\"(secret)\""},
        {"o == \"1\"", "true"},
        {"\"1\" == o", "true"},
        {"\"2\" != o", "true"},
        {"s == s", "true"},
        {"s == \"S\"", "true"},
        {"s < s", "1:1 s should be one of [number string] for binop <, got capsule"},
        {"!s", "1:2 s should be bool, got capsule"},
        {"s - s", "1:1 s should be one of [number] for binop -, got capsule"},
        {"t + t", "1:1 t should be a secret or a string for binop +"},
        {"s + t", "1:5 t should be a secret or a string for binop +"},
        {"text(o)", "\"1\""},
        {"num(o) + 1", "2"},
        {"text(s)", "1:6 s secrets may not be converted into strings"},
        {"text(h)", "1:6 h secrets may not be converted into strings"},
    };
    run(cases, ARRAY_LEN(cases));
}

/* What + made of secrets: a text, an optional secret (flagged or not), a secret. */
static const char *secrecy(struct value v)
{
    struct str text;
    bool secret;
    if (v.type == V_STRING) return "text";
    assert_true(value_secret_text(v, &text, &secret));
    if (v.capsule->type == &capsule_secret) return "secret";
    return secret ? "flagged" : "plain";
}

static void assert_secrecy(const char *text, const char *want)
{
    struct diags diags;
    struct expr *e;
    struct value v;
    struct source *src = source_new(NULL, str_of(text));
    diags_init(&diags);
    struct tree *tree = parse_expr(src, &diags, &e);
    assert_int_equal(eval_expr(e, &scope, &v, &diags), 0);
    assert_string_equal(secrecy(v), want);
    value_unref(v);
    tree_free(tree);
    source_unref(src);
    diags_done(&diags);
}

/* S, a secret, makes all secret; an optional one that is flagged makes the sum flagged. */
static void sums_are_as_secret_as_their_parts(void **state)
{
    static const char *const sums[][2] = {
        {"\"a\" + o", "text"},    {"o + \"a\"", "text"},    {"o + o", "plain"},
        {"\"a\" + h", "flagged"}, {"h + \"a\"", "flagged"}, {"h + h", "flagged"},
        {"o + h", "flagged"},     {"h + o", "flagged"},     {"\"a\" + s", "secret"},
        {"s + \"a\"", "secret"},  {"s + o", "secret"},      {"o + s", "secret"},
        {"s + h", "secret"},      {"h + s", "secret"},      {"s + s", "secret"},
    };
    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        assert_secrecy(sums[i][0], sums[i][1]);
}

static void access_and_index(void **state)
{
    static const struct eval_case cases[] = {
        {"t.__address__", "\"host:1\""},
        {"t[\"nope\"]", "null"},
        {"t.nope", "1:3 field \"nope\" does not exist"},
        {"t[0]", "1:3 0 should be string, got number"},
        {"s[0]",
         "1:1 s expected object or array or a capsule convertible to an object, got capsule"},
        {"{alpha = 1}.alhpa", "1:13 field \"alhpa\" does not exist +did you mean `alpha`?"},
        {"s.x",
         "1:1 s expected object or array or a capsule convertible to an object, got capsule"},
        {"[1, 2][1.9]", "2"},
        {"[1, 2][-0.5]", "1"},
        {"[1, 2][18446744073709551615]",
         "1:8 18446744073709551615 index -1 is out of range of array with length 2"},
        {"{a = 1}[\"b\"]", "null"},
        {"1.5.x", "1:1 1.5 cannot access field \"x\" on value of type number"},
        {"nope", "1:1 identifier \"nope\" does not exist"},
    };
    run(cases, ARRAY_LEN(cases));
}

static void calls(void **state)
{
    static const struct eval_case cases[] = {
        {"id(1, 2)", "1:1 id expected 1 args, got 2"},
        {"some()", "null"},
        {"1(2)", "1:1 1 should be function, got number"},
        {"text(24)", "\"24\""},
        {"text(3.9)", "\"3.9\""},
        {"text(true)", "1:6 true should be string, got bool"},
        {"num(\"-1\")", "-1"},
        {"num(\"1.5\")", "1.5"},
        {"num(\"-1.5\")", "1:5 \"-1.5\" should be number, got string"},
        {"num(\"\")", "1:5 \"\" should be number, got string"},
        {"num(null)", "0"},
        {"texts([\"a\", 1, null])", "[\"a\",\"1\",\"\"]"},
        {"texts([\"a\", [1]])", "1:13 [1] should be string, got array"},
        {"texts(id([\"a\", [1]]))", "1:16 [1] should be string, got array"},
        {"blame({k = [0, 7]})", "1:16 7 is bad"},
        {"blame(t)", "1:7 t.k[1] is bad"},
    };
    run(cases, ARRAY_LEN(cases));
}

/* Without a scope. What it gives is released. */
static int eval_alone(const struct buf *text, struct diags *diags)
{
    struct expr *e;
    struct value v;
    struct source *src = source_new(NULL, buf_view(text));
    struct tree *tree = parse_expr(src, diags, &e);
    int rc = tree ? eval_expr(e, NULL, &v, diags) : -EINVAL;
    if (rc == 0) value_unref(v);
    tree_free(tree);
    source_unref(src);
    return rc;
}

/* Depth of the tree, not of the text, is what the evaluator guards. */
static void deep_chains_are_refused(void **state)
{
    struct buf text = BUF_INIT(1 << 20);
    struct diags diags;
    diags_init(&diags);
    for (int i = 0; i < 20000; i++)
        buf_cstr(&text, "1 + ");
    buf_cstr(&text, "1");
    assert_int_equal(eval_alone(&text, &diags), -EINVAL);
    assert_int_equal(diags.n_errors, 1);
    diags_done(&diags);
    buf_done(&text);
}

static void long_sources_are_cut_in_messages(void **state)
{
    struct buf text = BUF_INIT(1 << 20);
    struct diags diags;
    diags_init(&diags);
    buf_cstr(&text, "-\"");
    for (int i = 0; i < 1000; i++)
        buf_cstr(&text, "\xC3\xA9");
    buf_cstr(&text, "\"");
    assert_int_equal(eval_alone(&text, &diags), -EINVAL);
    assert_true(strlen(diags.list.v[0].message) < 500);
    assert_non_null(strstr(diags.list.v[0].message, "\xC3\xA9... should be number"));
    diags_done(&diags);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals),
        cmocka_unit_test(operators),
        cmocka_unit_test(secrets_spread),
        cmocka_unit_test(sums_are_as_secret_as_their_parts),
        cmocka_unit_test(access_and_index),
        cmocka_unit_test(calls),
        cmocka_unit_test(deep_chains_are_refused),
        cmocka_unit_test(long_sources_are_cut_in_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
