/* Names that rotations leave, and what is taken for a rotated file. What is done with such files:
 * source_file_test.c. */
#include "components/loki/file/rotated.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_a_number_given_again)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
