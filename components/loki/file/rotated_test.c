/* Names that rotations leave, and what is taken for a rotated file. What is done with such files:
 * source_file_test.c. */
#include "components/loki/file/rotated.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/test.h"
#include "base/xalloc.h"

static void expect(const char *name, const char *base, bool want, int want_packed)
{
    int packed;

    if (rotated_name(str_of(name), str_of(base), &packed) != want)
        fail_msg("%s is%s one of %s", name, want ? "" : " not", base);
    assert_int_equal(packed, want_packed);
}

static void test_names(void **state)
{
    expect("app.log.1", "app.log", true, -1);
    expect("app.log.12.gz", "app.log", true, UNPACK_GZIP);
    expect("app.log-20261130", "app.log", true, -1);
    expect("app.log-2026-11-30T10:15:00.bz2", "app.log", true, UNPACK_BZIP2);
    expect("app-20261130.log", "app.log", true, -1);
    expect("app-20261130.log.gz", "app.log", true, UNPACK_GZIP);
    expect("0.log.20261130-101500", "0.log", true, -1);
    expect("syslog.1", "syslog", true, -1);
    expect("app.log", "app.log", false, -1);
    expect("app.log.gz", "app.log", false, UNPACK_GZIP);
    expect("app.log.tmp", "app.log", false, -1);
    expect("app.log1", "app.log", false, -1);
    expect("app-error.log", "app.log", false, -1);
    expect("app.log.", "app.log", false, -1);
    expect("other.log.1", "app.log", false, -1);
    expect(".log.1", ".log", true, -1);
}

/* A file in the folder; its number. */
static u64 put(const char *folder, const char *name, const char *text)
{
    char *path = xprintf("%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    struct stat st;

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(stat(path, &st), 0);
    free(path);
    return (u64)st.st_ino;
}

static void drop(const char *folder, const char *name)
{
    char *path = xprintf("%s/%s", folder, name);

    assert_int_equal(unlink(path), 0);
    free(path);
}

/* The number that a file had before it was packed may be that of any newer one. */
static void test_a_number_given_again(void **state)
{
    char folder[] = "/tmp/rotated_test.XXXXXX";
    struct reading r = {0};
    handle_list list = {0};
    struct handle *was;

    assert_non_null(mkdtemp(folder));
    put(folder, "app.log.1", "one\ntwo\n");
    u64 foreign = put(folder, "other.log", "not of app.log\n");
    u64 now = put(folder, "app.log", "three\n");
    char *rest = xprintf("%s/app.log.1", folder), *path = xprintf("%s/app.log", folder);
    assert_int_equal(handle_open(rest, &was), 0);
    handle_update_head(was, 8);
    const struct lost lost = {.head = was->head, .ino = foreign, .offset = 4, .now = now};
    assert_true(rotated_rest(path, &lost, &r, &list));
    assert_int_equal(list.n, 1);
    assert_int_equal(list.v[0]->ino, was->ino);
    handle_close(list.v[0]);
    handle_close(was);
    vec_done(&list);
    reading_done(&r);
    drop(folder, "app.log.1");
    drop(folder, "app.log");
    drop(folder, "other.log");
    assert_int_equal(rmdir(folder), 0);
    free(rest);
    free(path);
}

static void set_time(const char *path, time_t when)
{
    const struct timespec both[2] = {{.tv_sec = when}, {.tv_sec = when}};

    if (utimensat(AT_FDCWD, path, both, 0) != 0) abort();
}

struct packing {
    const char *plain, *packed, *text;
};

/* As gzip and logrotate do: the time last, and then the plain one goes. */
static void *pack(void *arg)
{
    const struct packing *p = arg;
    gzFile f = gzopen(p->packed, "wb");

    if (!f || gzputs(f, p->text) < 0 || gzclose(f) != Z_OK) abort();
    set_time(p->packed, 1000);
    (void)unlink(p->plain);
    return NULL;
}

/* Whenever that happens while the folder is searched, the file is found, and before its successor.
 */
static void test_packed_while_it_is_searched(void **state)
{
    char folder[] = "/tmp/rotated_test.XXXXXX";
    struct reading r = {0};

    assert_non_null(mkdtemp(folder));
    char *plain = xprintf("%s/app.log.2", folder), *packed = xprintf("%s/app.log.2.gz", folder),
         *next = xprintf("%s/app.log.1", folder), *path = xprintf("%s/app.log", folder);
    put(folder, "app.log.1", "two\n");
    set_time(next, 2000);
    u64 now = put(folder, "app.log", "three\n");
    for (int i = 0; i < 300; i++) {
        struct packing work = {plain, packed, "one\n"};
        handle_list list = {0};
        struct handle *was;
        pthread_t thread;
        u64 ino = put(folder, "app.log.2", work.text);
        set_time(plain, 1000);
        assert_int_equal(handle_open(plain, &was), 0);
        handle_update_head(was, 4);
        const struct lost lost = {.head = was->head, .ino = ino, .offset = 0, .now = now};
        assert_int_equal(pthread_create(&thread, NULL, pack, &work), 0);
        bool found = rotated_rest(path, &lost, &r, &list);
        assert_int_equal(pthread_join(thread, NULL), 0);
        if (!found || list.n != 2 || list.v[0]->head.hash != was->head.hash)
            fail_msg("after %d times: %zu files", i, list.n);
        vec_each (&list, h)
            handle_close(*h);
        vec_done(&list);
        handle_close(was);
        drop(folder, "app.log.2.gz");
    }
    reading_done(&r);
    drop(folder, "app.log.1");
    drop(folder, "app.log");
    assert_int_equal(rmdir(folder), 0);
    free(plain);
    free(packed);
    free(next);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_a_number_given_again),
                                       cmocka_unit_test(test_packed_while_it_is_searched)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
