/* Imported texts, files and folders: what is read, what is refused, what a watch says. */
#include <fcntl.h>
#include "runtime/import/import_kit.h"

static int setup(void **state)
{
    struct import_bench *b = xnew(struct import_bench);

    *state = b;
    return kit_setup(b);
}

static int teardown(void **state)
{
    kit_teardown(*state);
    free(*state);
    return 0;
}

static char *file_body(struct import_bench *b, const char *name, const char *more)
{
    return xprintf("filename = \"%s/%s\"\n%s", b->dir, name, more);
}

static void fetch_file(struct import_bench *b, const char *name)
{
    char *body = file_body(b, name, "");

    kit_fetch(b, &import_file_kind, body);
    free(body);
}

static void watch_file(struct import_bench *b, const char *name, const char *more)
{
    char *body = file_body(b, name, more);

    kit_watch(b, &import_file_kind, body);
    free(body);
}

/* --- texts --- */

static void a_text_is_its_content(void **state)
{
    struct import_bench *b = *state;

    kit_fetch(b, &import_string_kind, "content = \"declare \\\"a\\\" { }\"");
    assert_int_equal(b->content->files.n, 1);
    kit_expect_text(b, 0, "declare \"a\" { }");
    assert_string_equal(b->content->files.v[0].path, "import.test.lib");
    assert_null(b->content->module_path);
}

static void kinds_are_found_by_name(void **state)
{
    assert_ptr_equal(import_kind_find(STR("import.file")), &import_file_kind);
    assert_ptr_equal(import_kind_find(STR("import.git")), &import_git_kind);
    assert_ptr_equal(import_kind_find(STR("import.http")), &import_http_kind);
    assert_ptr_equal(import_kind_find(STR("import.string")), &import_string_kind);
    assert_null(import_kind_find(STR("import.ftp")));
    assert_false(import_http_kind.may_import_files);
}

/* --- files --- */

static void reads_a_file(void **state)
{
    struct import_bench *b = *state;

    kit_put(b, "a.txt", "one");
    fetch_file(b, "a.txt");
    kit_expect_text(b, 0, "one");
    assert_string_equal(b->content->module_path, b->dir);
    assert_true(str_ends(str_of(b->content->files.v[0].path), STR("/a.txt")));
}

static void reads_a_folder_in_order_of_names(void **state)
{
    struct import_bench *b = *state;
    char *sub = kit_path(b, "z.alloy"), *link = kit_path(b, "c.alloy");

    kit_put(b, "b.alloy", "bb");
    kit_put(b, "a.alloy", "aa");
    kit_put(b, "d.river", "not this");
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(symlink("a.alloy", link), 0);
    fetch_file(b, "");
    assert_int_equal(b->content->files.n, 3);
    kit_expect_text(b, 0, "aa");
    kit_expect_text(b, 1, "bb");
    kit_expect_text(b, 2, "aa");
    free(sub);
    free(link);
}

static void an_empty_folder_is_empty_content(void **state)
{
    struct import_bench *b = *state;

    fetch_file(b, "");
    assert_non_null(b->content);
    assert_int_equal(b->content->files.n, 0);
}

static void utf16_becomes_utf8_and_bad_bytes_stay(void **state)
{
    struct import_bench *b = *state;

    kit_put_n(b, "wide",
              "\xff\xfe"
              "a\0\xe9\0",
              6);
    fetch_file(b, "wide");
    kit_expect_text(b, 0, "a\xc3\xa9");
    kit_put(b, "bad", "a\xff");
    fetch_file(b, "bad");
    kit_expect_text(b, 0, "a\xff");
}

static void says_why_a_file_cannot_be_read(void **state)
{
    struct import_bench *b = *state;
    char *fifo = kit_path(b, "fifo"), *dir = kit_path(b, "lib"), *link = kit_path(b, "lib/x.alloy");

    fetch_file(b, "none");
    kit_expect_error(b, "failed to read file: stat /tmp/");
    kit_expect_error(b, "/none: no such file or directory");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    fetch_file(b, "fifo");
    kit_expect_error(b, "failed to read file: read /tmp/");
    kit_expect_error(b, "is not a regular file");
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(symlink("/", link), 0);
    fetch_file(b, "lib");
    kit_expect_error(b, "failed to collect files: read /tmp/");
    kit_expect_error(b, "is a directory");
    free(fifo);
    free(dir);
    free(link);
}

static void too_much_is_refused(void **state)
{
    struct import_bench *b = *state;
    char *path = kit_path(b, "big");
    int fd = open(path, O_CREAT | O_WRONLY, 0600);

    assert_int_equal(ftruncate(fd, (off_t)IMPORT_CONTENT_MAX + 1), 0);
    close(fd);
    fetch_file(b, "big");
    kit_expect_error(b, "the content is too large");
    free(path);
}

static void a_cancelled_fetch_says_nothing(void **state)
{
    struct import_bench *b = *state;
    char *body = file_body(b, "a", "");
    struct plan *p = kit_plan(&import_file_kind, body);

    kit_put(b, "a", "x");
    import_file_kind.cancel(import_file_kind.fetch(&b->ctx, p, kit_fetched, b));
    kit_fetch_plan(b, &import_file_kind, p); /* the pool took them in order */
    assert_int_equal(b->n_fetched, 1);
    plan_unref(p);
    free(body);
}

/* --- watching --- */

static void follows_a_file(void **state)
{
    struct import_bench *b = *state;

    kit_put(b, "a", "one");
    watch_file(b, "a", "");
    assert_int_equal(b->n_health, 1);
    kit_expect_health(b, HEALTH_HEALTHY, "read file");
    kit_put(b, "a", "two");
    kit_wait(b, &b->n_changed, 0);
    kit_expect_text(b, 0, "two");
}

static void follows_a_folder(void **state)
{
    struct import_bench *b = *state;

    kit_put(b, "a.alloy", "one");
    watch_file(b, "", "");
    kit_put(b, "b.alloy", "two");
    kit_wait(b, &b->n_changed, 0);
    for (int n = b->n_changed; b->content->files.n < 2; n++)
        kit_wait(b, &b->n_changed, n);
    kit_expect_text(b, 1, "two");
}

static void polls_where_it_is_told_to(void **state)
{
    struct import_bench *b = *state;

    kit_put(b, "a", "one");
    watch_file(b, "a", "detector = \"poll\"\npoll_frequency = \"20ms\"");
    kit_put(b, "a", "two");
    kit_wait(b, &b->n_changed, 0);
    kit_expect_text(b, 0, "two");
    kit_put(b, "a", "three");
    kit_wait(b, &b->n_changed, 1);
    kit_expect_text(b, 0, "three");
}

static void says_once_that_a_file_is_gone_and_once_that_it_is_back(void **state)
{
    struct import_bench *b = *state;
    char *path = kit_path(b, "a");

    kit_put(b, "a", "one");
    watch_file(b, "a", "detector = \"poll\"\npoll_frequency = \"5ms\"");
    assert_int_equal(unlink(path), 0);
    kit_wait(b, &b->n_health, 1);
    kit_expect_health(b, HEALTH_UNHEALTHY, "failed to read file: stat /tmp/");
    for (i64 until = clock_mono(&clock_system) + 100 * NS_PER_MS;
         clock_mono(&clock_system) < until;)
        loop_turn(b->loop, 10 * NS_PER_MS);
    assert_int_equal(b->n_health, 2); /* however often it was looked for */
    kit_put(b, "a", "one");
    kit_wait(b, &b->n_health, 2);
    kit_expect_health(b, HEALTH_HEALTHY, "read file");
    assert_int_equal(b->n_changed, 0); /* the same content as before */
    free(path);
}

static void a_watch_may_end_in_its_own_news(void **state)
{
    struct import_bench *b = *state;

    kit_put(b, "a", "one");
    watch_file(b, "a", "");
    b->unwatch_on_change = true;
    kit_put(b, "a", "two");
    kit_wait(b, &b->n_changed, 0);
    assert_null(b->watch);
}

static void a_frequency_of_nothing_is_refused(void **state)
{
    kit_refuses(&import_file_kind, "filename = \"x\"\npoll_frequency = \"0s\"",
                "2:18: poll_frequency must be greater than 0");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_text_is_its_content),
        TEST(kinds_are_found_by_name),
        TEST(reads_a_file),
        TEST(reads_a_folder_in_order_of_names),
        TEST(an_empty_folder_is_empty_content),
        TEST(utf16_becomes_utf8_and_bad_bytes_stay),
        TEST(says_why_a_file_cannot_be_read),
        TEST(too_much_is_refused),
        TEST(a_cancelled_fetch_says_nothing),
        TEST(follows_a_file),
        TEST(follows_a_folder),
        TEST(polls_where_it_is_told_to),
        TEST(says_once_that_a_file_is_gone_and_once_that_it_is_back),
        TEST(a_watch_may_end_in_its_own_news),
        TEST(a_frequency_of_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
