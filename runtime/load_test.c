/* Files, directories, encodings, digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "runtime/load.h"

struct place {
    char dir[64];
    char path[128];
};

static int setup(void **state)
{
    static struct place p;
    snprintf(p.dir, sizeof(p.dir), "/tmp/weir-load-XXXXXX");
    assert_non_null(mkdtemp(p.dir));
    *state = &p;
    return 0;
}

static const char *in(struct place *p, const char *name)
{
    snprintf(p->path, sizeof(p->path), "%s/%s", p->dir, name);
    return p->path;
}

static void put(struct place *p, const char *name, const char *text, size_t n)
{
    FILE *f = fopen(in(p, name), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
}

static int teardown(void **state)
{
    static const char *const names[] = {"a.alloy", "b.river", "c.txt", "d.alloy/x", "d.alloy"};
    struct place *p = *state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        (void)remove(in(p, names[i])); /* those that are there */
    return rmdir(p->dir);
}

static void test_directory(void **state)
{
    struct place *p = *state;
    struct source_set s;
    char *err = NULL;
    put(p, "b.river", "b { }\n", 6);
    put(p, "a.alloy", "a { }\n", 6);
    put(p, "c.txt", "not read", 8);
    assert_int_equal(mkdir(in(p, "d.alloy"), 0700), 0); /* a directory is no file */
    assert_int_equal(source_set_read(p->dir, &s, &err), 0);
    assert_int_equal(s.files.n, 2);
    assert_string_equal(s.files.v[0]->name, in(p, "a.alloy"));
    assert_string_equal(s.files.v[1]->name, in(p, "b.river"));
    assert_string_equal(s.module_path, p->dir);
    /* printf 'a { }\nb { }\n' | sha256sum */
    assert_string_equal(s.sha256,
                        "6a893f37f314b5a078548edf429728d692a8444c4d4f57da50aae7b593bf4b0c");
    source_set_done(&s);
}

static void test_empty_directory(void **state)
{
    struct place *p = *state;
    struct source_set s;
    struct tree_set t;
    struct diags d;
    char *err = NULL;
    diags_init(&d);
    assert_int_equal(source_set_read(p->dir, &s, &err), 0);
    assert_int_equal(source_set_parse(&s, &t, &d), 0);
    assert_int_equal(t.trees.n, 0);
    tree_set_done(&t);
    source_set_done(&s);
    diags_done(&d);
}

static void test_missing(void **state)
{
    struct place *p = *state;
    struct source_set s;
    char *err = NULL, want[160];
    assert_int_equal(source_set_read(in(p, "nothing"), &s, &err), -ENOENT);
    snprintf(want, sizeof(want), "stat %s: no such file or directory", p->path);
    assert_string_equal(err, want);
    free(err);
}

static void expect_text(struct place *p, const char *raw, size_t n, const char *text)
{
    struct source_set s;
    char *err = NULL;
    put(p, "a.alloy", raw, n);
    assert_int_equal(source_set_read(in(p, "a.alloy"), &s, &err), 0);
    assert_string_equal(s.files.v[0]->text.p, text);
    source_set_done(&s);
}

static void test_utf16(void **state)
{
    expect_text(*state,
                "\xff\xfe"
                "a\0\xe9\0\x3d\xd8\x00\xde",
                10, "a\xc3\xa9\xf0\x9f\x98\x80");
    expect_text(*state,
                "\xfe\xff"
                "\0a\0\xe9",
                6, "a\xc3\xa9");
}

/* What is no UTF-8 at all is left to the lexer, which knows the place. */
static void test_other_encodings(void **state)
{
    struct place *p = *state;
    struct source_set s;
    char *err = NULL;
    put(p, "a.alloy", "\xff\xfe\0\0a\0\0\0", 8);
    assert_int_equal(source_set_read(in(p, "a.alloy"), &s, &err), -EINVAL);
    assert_non_null(strstr(err, "configuration is encoded with "));
    free(err);
}

static void test_faults_of_all_files(void **state)
{
    struct place *p = *state;
    struct source_set s;
    struct tree_set t;
    struct diags d;
    char *err = NULL;
    diags_init(&d);
    put(p, "a.alloy", "a = \n", 5);
    put(p, "b.river", "b = \n", 5);
    assert_int_equal(source_set_read(p->dir, &s, &err), 0);
    assert_int_equal(source_set_parse(&s, &t, &d), -EINVAL);
    assert_int_equal(d.n_errors, 2);
    source_set_done(&s);
    diags_done(&d);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_directory), TEST(test_empty_directory), TEST(test_missing),
        TEST(test_utf16),     TEST(test_other_encodings), TEST(test_faults_of_all_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
