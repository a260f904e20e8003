/* Paths watched: changes, links, folders that come and go, polling. */
#include "components/loki/file/watch.h"

#include <sys/stat.h>
#include "components/common/source_testing.h"

struct world {
    struct source_world w;
    struct watch *watch;
    struct watched a, b;
    char path_a[128], path_b[128];
    int looks[2], structural[2];
};

static void on_look(void *arg, struct watched *p, bool structural)
{
    struct world *k = arg;
    int i = p == &k->b;

    k->looks[i]++;
    k->structural[i] += structural;
    watch_found(p, false);
}

static int set_up(void **state)
{
    struct world *k = *state = xnew(struct world);

    source_world_init(&k->w);
    k->watch = watch_new(&(struct watch_conf){.loop = k->w.loop,
                                              .min_poll = 250 * NS_PER_MS,
                                              .max_poll = NS_PER_SEC,
                                              .look = on_look,
                                              .arg = k});
    return 0;
}

static int tear_down(void **state)
{
    struct world *k = *state;

    watch_remove(&k->a);
    watch_remove(&k->b);
    watch_free(k->watch);
    source_world_free(&k->w);
    free(k);
    return 0;
}

static void add(struct world *k, const char *a, const char *b)
{
    (void)snprintf(k->path_a, sizeof(k->path_a), "%s/%s", k->w.folder, a);
    (void)snprintf(k->path_b, sizeof(k->path_b), "%s/%s", k->w.folder, b);
    watch_add(k->watch, &k->a, k->path_a);
    watch_add(k->watch, &k->b, k->path_b);
}

/* Whether a and b were looked at within a moment; s: as structural. */
static void expect(struct world *k, const char *a, const char *b)
{
    const char *want[] = {a, b};

    for (int i = 0; i < 4; i++)
        source_world_advance(&k->w, 30 * NS_PER_MS);
    for (int i = 0; i < 2; i++) {
        const char *got = k->structural[i] ? "structural" : k->looks[i] ? "changed" : "quiet";
        assert_string_equal(got, want[i]);
        k->looks[i] = k->structural[i] = 0;
    }
}

static void test_names_of_a_folder(void **state)
{
    struct world *k = *state;

    add(k, "a", "b");
    expect(k, "quiet", "quiet");
    write_file_text(k->path_a, "w", STR("x"));
    expect(k, "structural", "quiet");
    assert_int_equal(k->a.arrivals, 1);
    write_file_text(k->path_a, "a", STR("x"));
    expect(k, "changed", "quiet");
    assert_int_equal(rename(k->path_a, k->path_b), 0);
    expect(k, "structural", "structural");
    assert_int_equal(k->b.arrivals, 1);
    assert_int_equal(unlink(k->path_b), 0);
    expect(k, "quiet", "structural");
    write_file_text(source_path(&k->w, "other"), "w", STR("x"));
    expect(k, "quiet", "quiet");
    assert_false(watch_is_polled(&k->a));
}

static void test_two_owners_of_a_path(void **state)
{
    struct world *k = *state;

    add(k, "a", "a");
    write_file_text(k->path_a, "w", STR("x"));
    expect(k, "structural", "structural");
    watch_remove(&k->a);
    write_file_text(k->path_a, "a", STR("x"));
    expect(k, "quiet", "changed");
}

static void test_links(void **state)
{
    struct world *k = *state;
    const char *first = source_path(&k->w, "sub/1"), *second = source_path(&k->w, "sub/2");

    assert_int_equal(mkdir(source_path(&k->w, "sub"), 0755), 0);
    write_file_text(first, "w", STR("x"));
    write_file_text(second, "w", STR("x"));
    assert_int_equal(symlink("sub/1", source_path(&k->w, "a")), 0);
    add(k, "a", "b");
    assert_true(watch_is_link(&k->a));
    write_file_text(first, "a", STR("x"));
    expect(k, "changed", "quiet");
    assert_int_equal(unlink(k->path_a), 0);
    assert_int_equal(symlink("sub/2", k->path_a), 0);
    expect(k, "structural", "quiet");
    watch_again(&k->a);
    write_file_text(second, "a", STR("x"));
    expect(k, "changed", "quiet");
    write_file_text(first, "a", STR("x"));
    expect(k, "quiet", "quiet");
}

static void test_folders_that_come_and_go(void **state)
{
    struct world *k = *state;
    const char *sub = source_path(&k->w, "sub");

    add(k, "sub/a", "b");
    assert_true(watch_is_polled(&k->a));
    source_world_advance(&k->w, NS_PER_SEC);
    k->looks[0] = k->structural[0] = 0;
    assert_int_equal(mkdir(sub, 0755), 0);
    source_world_advance(&k->w, NS_PER_SEC);
    assert_false(watch_is_polled(&k->a));
    expect(k, "structural", "quiet");
    write_file_text(k->path_a, "w", STR("x"));
    expect(k, "structural", "quiet");
    assert_int_equal(unlink(k->path_a), 0);
    assert_int_equal(rmdir(sub), 0);
    expect(k, "structural", "quiet");
    assert_true(watch_is_polled(&k->a));
}

/* Twice as long each time, up to the longest. */
static void test_polling(void **state)
{
    struct world *k = *state;

    add(k, "sub/a", "b");
    for (int i = 0; i < 80; i++)
        source_world_advance(&k->w, 250 * NS_PER_MS);
    assert_true(k->looks[0] >= 20 && k->looks[0] <= 24);
    assert_int_equal(k->looks[1], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names_of_a_folder),
        TEST(test_two_owners_of_a_path),
        TEST(test_links),
        TEST(test_folders_that_come_and_go),
        TEST(test_polling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
