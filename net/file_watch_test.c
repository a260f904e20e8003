/* File watching on a temporary folder: rename over, missing folders, the ..data swap, folders,
 * polling. Event driven, bounded by the loop. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
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

/* Turns until it was told, at most a minute of a stuck test. */
static void expect_told(struct place *p, int n)
{
    for (i64 until = clock_mono(&clock_system) + 60 * NS_PER_SEC;
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

/* Debounces of a stuck machine are not waited out: these ends are told by events alone. */
static void turns(struct place *p, int ms)
{
    for (i64 until = clock_mono(&clock_system) + ms * NS_PER_MS; clock_mono(&clock_system) < until;)
        loop_turn(p->loop, NS_PER_MS);
}

static int open_in(struct place *p, const char *name, int flags)
{
    int fd = open(in(p, name), O_WRONLY | flags, 0600);

    assert_true(fd >= 0);
    return fd;
}

static void write_to(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void waits_for_the_writer(void **state)
{
    struct place *p = *state;

    put(p, "f", "one");
    struct file_watch *w = file_watch_new(p->loop, in(p, "f"), 20 * NS_PER_MS, 0, told, p);
    int fd = open_in(p, "f", O_TRUNC);
    write_to(fd, "half");
    turns(p, 100); /* five times the debounce, and it rests */
    assert_int_equal(p->told, 0);
    write_to(fd, " and half");
    close(fd);
    expect_told(p, 1);
    file_watch_free(w);
}

static void waits_for_the_writer_of_an_entry(void **state)
{
    struct place *p = *state;
    struct file_watch *w = file_watch_new(p->loop, p->dir, 20 * NS_PER_MS, 0, told, p);
    int fd = open_in(p, "f", O_CREAT);

    write_to(fd, "half");
    turns(p, 100);
    assert_int_equal(p->told, 0);
    close(fd);
    expect_told(p, 1);
    file_watch_free(w);
}

static void does_not_wait_for_ever(void **state)
{
    struct place *p = *state;

    put(p, "f", "one");
    struct file_watch *w = file_watch_new(p->loop, in(p, "f"), NS_PER_MS, 0, told, p);
    int fd = open_in(p, "f", O_TRUNC);
    write_to(fd, "never closed");
    expect_told(p, 1);
    for (i64 until = clock_mono(&clock_system) + 60 * NS_PER_SEC;
         p->told < 2 && clock_mono(&clock_system) < until;) {
        write_to(fd, ".");
        loop_turn(p->loop, NS_PER_MS);
    }
    assert_int_equal(p->told, 2);
    close(fd);
    file_watch_free(w);
}

static void forgets_the_writer_of_what_was_replaced(void **state)
{
    struct place *p = *state;

    put(p, "f", "one");
    struct file_watch *w = file_watch_new(p->loop, in(p, "f"), 500 * NS_PER_MS, 0, told, p);
    int fd = open_in(p, "f", O_TRUNC);
    write_to(fd, "half");
    turns(p, 5);
    put(p, "new", "whole");
    i64 start = clock_mono(&clock_system);
    move(p, "new", "f");
    expect_told(p, 1);
    assert_true(clock_mono(&clock_system) - start < 9 * NS_PER_SEC); /* not MAX_REST of them */
    close(fd);
    file_watch_free(w);
}

static void waits_for_an_empty_file_to_be_filled(void **state)
{
    struct place *p = *state;

    put(p, "f", "one");
    struct file_watch *w = file_watch_new(p->loop, in(p, "f"), 20 * NS_PER_MS, 0, told, p);
    put(p, "f", "");
    turns(p, 100);
    assert_int_equal(p->told, 0);
    put(p, "f", "two");
    expect_told(p, 1);
    put(p, "f", "");
    expect_told(p, 2); /* it stays so */
    file_watch_free(w);
}

static void looks_again_when_told_to(void **state)
{
    struct place *p = *state;

    put(p, "f", "one");
    struct file_watch *w = file_watch_new(p->loop, in(p, "f"), NS_PER_MS, 0, told, p);
    file_watch_suspect(w);
    assert_int_equal(p->told, 0);
    expect_told(p, 1);
    turns(p, 20);
    assert_int_equal(p->told, 1);
    file_watch_free(w);
}

static void tells_whether_what_was_read_still_holds(void **state)
{
    struct place *p = *state;

    put(p, "f", "one");
    struct file_watch *w = file_watch_new(p->loop, in(p, "f"), NS_PER_MS, 0, told, p);
    put(p, "f", "another");
    expect_told(p, 1);
    assert_true(file_watch_holds(w));
    put(p, "f", "");
    assert_false(file_watch_holds(w));
    put(p, "f", "and one more");
    assert_false(file_watch_holds(w));
    expect_told(p, 2);
    assert_true(file_watch_holds(w));
    file_watch_free(w);
}

static bool is_conf(const char *name)
{
    return strstr(name, ".conf") != NULL;
}

static void looks_at_the_entries_that_count(void **state)
{
    struct place *p = *state;
    struct file_watch *w = file_watch_new(p->loop, p->dir, NS_PER_MS, 0, told, p);

    file_watch_entries(w, is_conf);
    put(p, "x.log", "1");
    turns(p, 20);
    assert_int_equal(p->told, 0);
    int busy = open_in(p, "x.log", O_APPEND);
    write_to(busy, "2");
    put(p, "x.conf", "1");
    expect_told(p, 1);
    close(busy);
    file_watch_free(w);
}

/* As where the limits of inotify are reached. */
static void polls_without_inotify(void **state)
{
    struct place *p = *state;
    struct rlimit before;

    put(p, "f", "one");
    int next = dup(0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)next, before.rlim_max}), 0);
    struct file_watch *w = file_watch_new(p->loop, in(p, "f"), NS_PER_MS, 5 * NS_PER_MS, told, p);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(file_watch_blind(w), -EMFILE);
    put(p, "f", "one and two");
    expect_told(p, 1);
    assert_int_equal(file_watch_blind(w), 0); /* asked again, and had */
    put(p, "f", "one and two and three");
    expect_told(p, 2);
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
        cmocka_unit_test_setup_teardown(waits_for_the_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_the_writer_of_an_entry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(does_not_wait_for_ever, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgets_the_writer_of_what_was_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_an_empty_file_to_be_filled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(looks_again_when_told_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_whether_what_was_read_still_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(looks_at_the_entries_that_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(polls_without_inotify, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
