/* Tests of telemetry/labels.h: order, doubles, identity, text, growth, threads (for TSan). */
#include "telemetry/labels.h"
#include <pthread.h>
#include "base/test.h"

static struct labels *set_of(struct label_table *t, const char *const *pairs, size_t n)
{
    struct label v[64];

    for (size_t i = 0; i < n; i++)
        v[i] = (struct label){str_of(pairs[2 * i]), str_of(pairs[2 * i + 1])};
    struct labels *l = labels_intern(t, v, n);
    assert_non_null(l);
    return l;
}

static void one_copy_whatever_the_order(void **state)
{
    struct label_table *t = label_table_new();
    struct labels *a = set_of(t, (const char *[]){"job", "x", "app", "y"}, 2);
    struct labels *b = set_of(t, (const char *[]){"app", "y", "job", "x"}, 2);
    struct labels *c = set_of(t, (const char *[]){"app", "y", "job", "z"}, 2);

    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_int_equal(label_table_count(t), 2);
    assert_text(a->text, "{app=\"y\", job=\"x\"}");
    assert_text(labels_get(a, STR("job")), "x");
    assert_null(labels_get(a, STR("jo")).p);
    labels_unref(a);
    labels_unref(b);
    labels_unref(c);
    assert_int_equal(label_table_count(t), 0);
    label_table_free(t);
}

static void the_last_of_a_name_counts(void **state)
{
    struct label_table *t = label_table_new();
    struct labels *l = set_of(t, (const char *[]){"b", "1", "a", "0", "b", "2", "b", "3"}, 4);

    assert_int_equal(l->n, 2);
    assert_text(l->text, "{a=\"0\", b=\"3\"}");
    labels_unref(l);
    label_table_free(t);
}

static void texts(void **state)
{
    struct label_table *t = label_table_new();
    struct labels *none = labels_intern(t, NULL, 0);
    struct labels *odd = set_of(t, (const char *[]){"a", "q\"\n\\", "e", ""}, 2);

    assert_text(none->text, "{}");
    assert_text(odd->text, "{a=\"q\\\"\\n\\\\\", e=\"\"}");
    labels_unref(none);
    labels_unref(odd);
    label_table_free(t);
}

static void many_sets(void **state)
{
    enum { N = 5000 };
    static struct labels *sets[N];
    struct label_table *t = label_table_new();
    char value[16];

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < N; i++) {
            snprintf(value, sizeof(value), "%d", i);
            struct labels *l = set_of(t, (const char *[]){"i", value}, 1);
            if (round == 0)
                sets[i] = l;
            else
                assert_ptr_equal(l, sets[i]);
        }
    assert_int_equal(label_table_count(t), N);
    for (int i = 0; i < N; i++) {
        labels_unref(sets[i]);
        labels_unref(sets[i]);
    }
    label_table_free(t);
}

/* Sets appear and vanish on several threads at once. */
static void *churn(void *arg)
{
    char value[16];

    for (int i = 0; i < 20000; i++) {
        snprintf(value, sizeof(value), "%d", i % 7);
        struct labels *l = set_of(arg, (const char *[]){"i", value}, 1);
        labels_unref(labels_ref(l));
        labels_unref(l);
    }
    return NULL;
}

static void threads(void **state)
{
    struct label_table *t = label_table_new();
    pthread_t id[4];

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&id[i], NULL, churn, t), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(id[i], NULL);
    assert_int_equal(label_table_count(t), 0);
    label_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_copy_whatever_the_order),
        cmocka_unit_test(the_last_of_a_name_counts),
        cmocka_unit_test(texts),
        cmocka_unit_test(many_sets),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
