/* File watching on a temporary folder: rename over, missing folders, the ..data swap, folders,
 * polling. Event driven, bounded by the loop. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "net/loop.h"

struct place {
    struct loop *loop;
    char dir[64];
    int told;
};

static int set_up(void **state)
{
    struct place *p = xnew(struct place);

    p->loop = loop_new("t", 0, &clock_system);
    (void)snprintf(p->dir, sizeof(p->dir), "/tmp/weir-watch-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    char *cmd = xprintf("rm -rf %s", p->dir);

    assert_int_equal(system(cmd), 0);
    free(cmd);
    loop_free(p->loop);
    free(p);
    return 0;
}

static void told(void *arg)
{
    ((struct place *)arg)->told++;
}

static char *in(struct place *p, const char *name)
{
    static char path[128]; /* test helper: the last name only */

    (void)snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    return path;
}

static void put(struct place *p, const char *name, const char *text)
{
    FILE *f = fopen(in(p, name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void link_to(struct place *p, const char *target, const char *name)
{
    assert_int_equal(symlink(target, in(p, name)), 0);
}

static void move(struct place *p, const char *from, const char *to)
{
    char *a = xstrdup(in(p, from));

    assert_int_equal(rename(a, in(p, to)), 0);
    free(a);
}

/* Turns until it was told, at most 5 s of a stuck test. */
static void expect_told(struct place *p, int n)
{
    for (i64 until = clock_mono(&clock_system) + 5 * NS_PER_SEC;
         p->told < n && clock_mono(&clock_system) < until;)
        loop_turn(p->loop, NS_PER_SEC);
    assert_int_equal(p->told, n);
}

static void sees_writes_and_renames(void **state)
{
    struct place *p = *state;

    put(p, "f", "one");
    struct file_watch *w = file_watch_new(p->loop, in(p, "f"), NS_PER_MS, 0, told, p);
    loop_turn(p->loop, 0);
    assert_int_equal(p->told, 0);
    put(p, "f", "one and two");
    expect_told(p, 1);
    put(p, "new", "three");
    move(p, "new", "f");
    expect_told(p, 2);
    assert_int_equal(unlink(in(p, "f")), 0);
    expect_told(p, 3);
    file_watch_free(w);
}

static void sees_a_path_come_into_being(void **state)
{
    struct place *p = *state;
    struct file_watch *w = file_watch_new(p->loop, in(p, "a/b/f"), NS_PER_MS, 0, told, p);

    assert_int_equal(mkdir(in(p, "a"), 0700), 0);
    for (int i = 0; i < 3; i++)
        loop_turn(p->loop, 20 * NS_PER_MS);
    assert_int_equal(mkdir(in(p, "a/b"), 0700), 0);
    for (int i = 0; i < 3; i++)
        loop_turn(p->loop, 20 * NS_PER_MS);
    put(p, "a/b/f", "x");
    expect_told(p, 1);
    file_watch_free(w);
}

static void sees_the_swap_of_a_config_map(void **state)
{
    struct place *p = *state;

    assert_int_equal(mkdir(in(p, "..v1"), 0700), 0);
    assert_int_equal(mkdir(in(p, "..v2"), 0700), 0);
    put(p, "..v1/f", "1");
    put(p, "..v2/f", "2");
    link_to(p, "..v1", "..data");
    link_to(p, "..data/f", "f");
    struct file_watch *w = file_watch_new(p->loop, in(p, "f"), NS_PER_MS, 0, told, p);
    link_to(p, "..v2", "..tmp");
    move(p, "..tmp", "..data");
    expect_told(p, 1);
    put(p, "..v2/f", "two"); /* the new folder is watched now */
    expect_told(p, 2);
    file_watch_free(w);
}

static void watches_share_a_folder(void **state)
{
    struct place *p = *state;

    put(p, "f", "1");
    put(p, "g", "1");
    struct file_watch *a = file_watch_new(p->loop, in(p, "f"), NS_PER_MS, 0, told, p);
    struct file_watch *b = file_watch_new(p->loop, in(p, "g"), NS_PER_MS, 0, told, p);
    file_watch_free(a);
    put(p, "g", "222");
    expect_told(p, 1);
    file_watch_free(b);
}

static void sees_entries_of_a_folder(void **state)
{
    struct place *p = *state;
    struct file_watch *w = file_watch_new(p->loop, p->dir, NS_PER_MS, 0, told, p);

    put(p, "x", "1");
    expect_told(p, 1);
    file_watch_free(w);
}

static void survives_a_loop_of_links(void **state)
{
    struct place *p = *state;

    link_to(p, "b", "a");
    link_to(p, "a", "b");
    struct file_watch *w = file_watch_new(p->loop, in(p, "a"), NS_PER_MS, 0, told, p);
    assert_int_equal(unlink(in(p, "a")), 0);
    put(p, "a", "x");
    expect_told(p, 1);
    file_watch_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sees_writes_and_renames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sees_a_path_come_into_being, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sees_the_swap_of_a_config_map, set_up, tear_down),
        cmocka_unit_test_setup_teardown(watches_share_a_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sees_entries_of_a_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_a_loop_of_links, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
