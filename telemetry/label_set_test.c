/* Tests of telemetry/label_set.h: order, copies and views, memory that is used again, interning,
 * and what happens when memory is out (HOSTILE). */
#include "telemetry/label_set.h"
#include <errno.h>
#include "base/budget.h"
#include "base/test.h"

struct fixture {
    struct label_table *table;
    struct label_set set;
};

static int setup(void **state)
{
    static struct fixture f;

    f.table = label_table_new();
    label_set_init(&f.set);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    label_set_done(&f->set);
    assert_int_equal(label_table_count(f->table), 0);
    label_table_free(f->table);
    return 0;
}

static void assert_set(struct fixture *f, const char *want)
{
    struct labels *l = label_set_intern(&f->set, f->table);

    assert_non_null(l);
    assert_text(l->text, want);
    labels_unref(l);
}

static void sorted_and_unique(void **state)
{
    struct fixture *f = *state;

    label_set_put(&f->set, STR("job"), STR("a"));
    label_set_put(&f->set, STR("app"), STR("b"));
    label_set_put(&f->set, STR("zone"), STR(""));
    label_set_put(&f->set, STR("job"), STR("c"));
    assert_set(f, "{app=\"b\", job=\"c\", zone=\"\"}");
    assert_text(label_set_get(&f->set, STR("job")), "c");
    assert_true(label_set_has(&f->set, STR("zone")));
    assert_non_null(label_set_get(&f->set, STR("zone")).p);
    assert_null(label_set_get(&f->set, STR("zon")).p);
    label_set_del(&f->set, STR("job"));
    label_set_del(&f->set, STR("absent"));
    assert_set(f, "{app=\"b\", zone=\"\"}");
}

static void texts_are_copied(void **state)
{
    struct fixture *f = *state;
    char name[] = "name", value[] = "value";

    label_set_put(&f->set, str_of(name), str_of(value));
    name[0] = value[0] = '?';
    assert_set(f, "{name=\"value\"}");
    label_set_put(&f->set, STR("copy"), label_set_get(&f->set, STR("name")));
    assert_set(f, "{copy=\"value\", name=\"value\"}");
}

static void views_are_not(void **state)
{
    struct fixture *f = *state;
    char value[] = "value";

    label_set_put_view(&f->set, STR("name"), str_of(value));
    value[0] = 'V';
    assert_set(f, "{name=\"Value\"}");
    label_set_put_view(&f->set, STR("none"), (struct str){0});
    assert_set(f, "{name=\"Value\", none=\"\"}");
}

static void loading_forgets(void **state)
{
    struct fixture *f = *state;
    struct label v[] = {{STR("a"), STR("1")}, {STR("b"), STR("2")}};
    struct labels *l = labels_intern(f->table, v, 2);

    label_set_put(&f->set, STR("old"), STR("x"));
    label_set_load(&f->set, l);
    struct labels *same = label_set_intern(&f->set, f->table);
    assert_ptr_equal(same, l);
    assert_int_equal(label_table_count(f->table), 1);
    label_set_put(&f->set, STR("a"), STR("9"));
    assert_set(f, "{a=\"9\", b=\"2\"}");
    assert_text(l->text, "{a=\"1\", b=\"2\"}");
    label_set_reset(&f->set);
    assert_set(f, "{}");
    labels_unref(same);
    labels_unref(l);
}

static void what_does_not_leave(void **state)
{
    struct fixture *f = *state;

    label_set_put(&f->set, STR("__path__"), STR("x"));
    label_set_put(&f->set, STR("_one"), STR("x"));
    label_set_put(&f->set, STR("empty"), STR(""));
    label_set_strip(&f->set, false);
    assert_set(f, "{_one=\"x\", empty=\"\"}");
    label_set_strip(&f->set, true);
    assert_set(f, "{_one=\"x\"}");
}

/* More than a page, more than the first array, and huge texts, several times over. */
static void growth(void **state)
{
    struct fixture *f = *state;
    static char big[100000];
    char name[16];

    memset(big, 'x', sizeof(big));
    for (int round = 0; round < 3; round++) {
        label_set_reset(&f->set);
        for (int i = 199; i >= 0; i--) {
            snprintf(name, sizeof(name), "l%03d", i);
            label_set_put(&f->set, str_of(name), str_n(big, i == 100 ? sizeof(big) : (size_t)i));
        }
        assert_int_equal(f->set.n, 200);
        assert_int_equal(label_set_get(&f->set, STR("l007")).n, 7);
        assert_int_equal(label_set_get(&f->set, STR("l100")).n, sizeof(big));
        assert_text(label_set_keep(&f->set, STR("kept")), "kept");
    }
}

static void memory_is_out(void **state)
{
#ifdef HOSTILE
    struct fixture *f = *state;

    label_set_put(&f->set, STR("a"), STR("1"));
    label_set_put(&f->set, STR("b"), STR("2"));
    static char big[4096];
    budget_fail_nth(1);
    label_set_put(&f->set, STR("c"), str_n(big, sizeof(big)));
    assert_int_equal(f->set.err, -ENOMEM);
    assert_int_equal(f->set.n, 2);
    assert_null(label_set_intern(&f->set, f->table));
    label_set_reset(&f->set);
    assert_set(f, "{}");
    budget_fail_nth(0);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sorted_and_unique, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_are_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(views_are_not, setup, teardown),
        cmocka_unit_test_setup_teardown(loading_forgets, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_leave, setup, teardown),
        cmocka_unit_test_setup_teardown(growth, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_is_out, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
