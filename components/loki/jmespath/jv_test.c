/* Tests of JSON trees, and of the scan that finds paths without one. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "base/test.h"
#include "components/loki/jmespath/paths.h"

static void assert_jv(const struct jv *v, const char *want)
{
    struct buf b = BUF_INIT(1 << 24);

    assert_true(jv_write(v, false, &b));
    assert_buf(&b, want);
    buf_done(&b);
}

/* --- trees --- */

static void reads_and_writes(void **state)
{
    static const struct {
        const char *in, *want; /* NULL: broken */
    } rows[] = {
        {" {\"a\" : [1, 2.50, -0, 1e3, null, true, false, \"x\\n\\u00e9\"] } ",
         "{\"a\":[1,2.5,-0,1000,null,true,false,\"x\\n\xC3\xA9\"]}"},
        {"12345678901234567890", "12345678901234567000"},
        {"[[],{}]", "[[],{}]"},
        {"\"\"", "\"\""},
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"\"\xFF"
         "a\"",
         "\"\xEF\xBF\xBD"
         "a\""},
        {"{\"\xFF\":1}", "{\"\xEF\xBF\xBD\":1}"},
        {"", NULL},
        {"1 2", NULL},
        {"[1,]", NULL},
        {"{\"a\"}", NULL},
        {"1e999", NULL},
        {"nul", NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct arena a;
        struct jv v;
        const char *err = NULL;

        arena_init(&a, 0);
        int rc = jv_parse(str_of(rows[i].in), &a, &v, &err);
        assert_int_equal(rc, rows[i].want ? 0 : -EBADMSG);
        if (rows[i].want)
            assert_jv(&v, rows[i].want);
        else
            assert_non_null(err);
        arena_done(&a);
    }
}

static void writes_html_and_refuses_infinity(void **state)
{
    struct buf b = BUF_INIT(100);
    struct jv v = jv_str(STR("<&>")), list = jv_arr(&v, 1);

    assert_true(jv_write(&list, true, &b));
    assert_buf(&b, "[\"\\u003c\\u0026\\u003e\"]");
    v = jv_num(INFINITY);
    assert_false(jv_write(&list, true, &b));
    buf_done(&b);
}

/* More members than are compared one by one; each key twice. */
static void many_members_are_unique(void **state)
{
    struct buf b = BUF_INIT(1 << 20);
    struct arena a;
    struct jv v;
    const char *err;

    arena_init(&a, 0);
    buf_ch(&b, '{');
    for (int i = 0; i < 400; i++)
        buf_printf(&b, "%s\"k%d\":%d", i ? "," : "", i % 200, i);
    buf_ch(&b, '}');
    assert_int_equal(jv_parse(buf_view(&b), &a, &v, &err), 0);
    assert_int_equal(v.n, 200);
    assert_text(v.members[7].key, "k7");
    assert_true(jv_get(&v, STR("k7"))->num == 207);
    assert_null(jv_get(&v, STR("k200")));
    buf_done(&b);
    arena_done(&a);
}

static void counts_values(void **state)
{
    struct arena a;
    struct jv v;
    const char *err = NULL;
    size_t n = 2 * (size_t)JV_MAX_VALUES + 3;
    char *text = malloc(n);

    text[0] = '[';
    for (size_t i = 1; i + 1 < n; i += 2)
        memcpy(text + i, "1,", 2);
    text[n - 2] = '1';
    text[n - 1] = ']';
    arena_init(&a, 0);
    assert_int_equal(jv_parse(str_n(text, n), &a, &v, &err), -EBADMSG);
    assert_string_equal(err, "too many values");
    arena_done(&a);
    free(text);
}

static void compares(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", true},
        {"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"[1,2]", "[2,1]", false},
        {"1", "1.0", true},
        {"\"1\"", "1", false},
        {"null", "null", true},
        {"true", "false", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct arena a;
        struct jv x, y;
        const char *err;

        arena_init(&a, 0);
        assert_int_equal(jv_parse(str_of(rows[i].a), &a, &x, &err), 0);
        assert_int_equal(jv_parse(str_of(rows[i].b), &a, &y, &err), 0);
        assert_int_equal(jv_equal(&x, &y), rows[i].equal);
        arena_done(&a);
    }
}

/* --- paths: a, a.b, a.b.c, d, d again --- */

#define SLOTS 5

static void fill(struct path_set *s, struct arena *a)
{
    static const struct str names[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}};

    path_set_init(s, a);
    path_set_add(s, names, 2, 1);
    path_set_add(s, names, 3, 2);
    path_set_add(s, &names[3], 1, 3);
    path_set_add(s, &names[3], 1, 4);
}

static void finds_paths(void **state)
{
    static const struct {
        const char *doc, *want;
    } rows[] = {
        {"{\"a\":{\"b\":{\"c\":1}},\"d\":\"x\"}", "[null,{\"c\":1},1,\"x\",\"x\"]"},
        {"{\"d\":null,\"z\":[{\"a\":1}],\"a\":{\"x\":[1,{}],\"b\":[2]}}",
         "[null,[2],null,null,null]"},
        {"{\"\\u0061\":{\"b\":true}}", "[null,true,null,null,null]"},
        {"{\"a\":{\"b\":1},\"a\":{\"q\":1}}", "[null,null,null,null,null]"},
        {"{\"a\":{\"b\":1},\"a\":3}", "[null,null,null,null,null]"},
        {"{\"a\":[1,[2]],\"d\":[3]}", "[null,null,null,[3],[3]]"},
        {"{}", "[null,null,null,null,null]"},
        {" null ", "[null,null,null,null,null]"},
        {"{\"a\":{\"b\":1}", NULL},
        {"{\"a\":", NULL},
        {"{\"a\":[1,}", NULL},
        {"{\"x\":tru}", NULL},
        {"{} x", NULL},
        {"[1]", NULL},
        {"3", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct arena a;
        struct path_set set;
        struct jv slots[SLOTS];
        struct path_scan scan = {.slots = slots, .n_slots = SLOTS};

        arena_init(&a, 0);
        fill(&set, &a);
        int rc = path_set_scan(&set, str_of(rows[i].doc), &a, &scan);
        assert_int_equal(rc, rows[i].want ? 0 : -EBADMSG);
        if (rows[i].want)
            assert_jv(&(struct jv){.type = JV_ARRAY, .n = SLOTS, .elems = slots}, rows[i].want);
        else
            assert_non_null(scan.err);
        arena_done(&a);
    }
}

static bool wants_x(void *arg, struct str key)
{
    return key.n && key.p[0] == 'x';
}

static void gathers_other_keys(void **state)
{
    struct arena a;
    struct path_set set;
    struct jv slots[SLOTS];
    struct path_scan scan = {.slots = slots, .n_slots = SLOTS, .wants = wants_x};

    arena_init(&a, 0);
    fill(&set, &a);
    assert_int_equal(
        path_set_scan(&set, STR("{\"x1\":1,\"d\":{\"x\":0},\"x2\":[2],\"x1\":3}"), &a, &scan), 0);
    assert_int_equal(scan.n_extra, 3);
    struct jv extra = jv_obj(scan.extra, 3);
    assert_jv(&extra, "{\"x1\":1,\"x2\":[2],\"x1\":3}");
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(writes_html_and_refuses_infinity),
        cmocka_unit_test(many_members_are_unique),
        cmocka_unit_test(counts_values),
        cmocka_unit_test(compares),
        cmocka_unit_test(finds_paths),
        cmocka_unit_test(gathers_other_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
