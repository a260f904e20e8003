/* Tests of components/common/glob.h: what matches, what is malformed, and walks over a tree made
 * for the purpose. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "base/test.h"

#include "base/xalloc.h"
#include "components/common/glob.h"

static void expect(const char *pattern, const char *path, bool want)
{
    const char *why = NULL;
    struct glob *g = glob_compile(str_of(pattern), &why);

    if (!g) fail_msg("%s: %s", pattern, why);
    if (glob_match(g, str_of(path)) != want) fail_msg("%s on %s is not %d", pattern, path, want);
    glob_free(g);
}

static void matches(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool want;
    } cases[] = {
        {"abc", "abc", true},
        {"abc", "abcd", false},
        {"*", "abc", true},
        {"*", "", true},
        {"*", "a/c", false},
        {"*c", "abc", true},
        {"a*", "abc", true},
        {"a*/b", "abc/b", true},
        {"a*/b", "a/c/b", false},
        {"a*b*c*d*e*/f", "axbxcxdxexxx/f", true},
        {"a*b*c*d*e*/f", "axbxcxdxexxx/fff", false},
        {"a?c", "abc", true},
        {"a?c",
         "a\xC3\xA4"
         "c",
         true},
        {"a?c", "a/c", false},
        {"ab[c]", "abc", true},
        {"ab[b-d]", "abc", true},
        {"ab[^c]", "abc", false},
        {"ab[!e-g]", "abc", true},
        {"ab[^e]", "ab/", false},
        {"[\\]a]", "]", true},
        {"[\xC3\xA0-\xC3\xBC]", "\xC3\xA4", true},
        {"a\\*b", "a*b", true},
        {"a\\*b", "axb", false},
        {"a\xFF*", "a\xFFz", true},
        {"a\xFF*", "a\xFEz", false},
        {"a}", "a}", true},
        {"a,b", "a,b", true},
        /* folders */
        {"a/**", "a", true},
        {"a/**", "a/b", true},
        {"a/**", "a/b/c", true},
        {"a/**", "ab", false},
        {"a/**/", "a/b", true},
        {"a/**/c", "a/c", true},
        {"a/**/c", "a/b/c", true},
        {"a/**/c", "a/b/b/c", true},
        {"a/**/c", "a/bc", false},
        {"**/c", "c", true},
        {"**/c", "a/b/c", true},
        {"**/c", "/a/c", true},
        {"**/c", "abc", false},
        {"**", "a/b/c", true},
        {"/**/*.log", "/var/log/a.log", true},
        {"/var/**/*.log", "/var/log/pods/x/y/0.log", true},
        {"a/**/b/**/c", "a/x/b/y/z/c", true},
        {"a/**/b/**/c", "a/x/y/z/c", false},
        {"a**c", "abc", true},
        {"a**c", "ab/c", false},
        {"a/**b", "a/xb", true},
        {"a/**b", "a/x/b", false},
        {"a/***", "a/x/b", false},
        /* alternatives */
        {"{a,b}", "a", true},
        {"{a,b}", "b", true},
        {"{a,b}", "", false},
        {"{a,b}", "c", false},
        {"x{a,}y", "xy", true},
        {"x{a,b/c}y", "xb/cy", true},
        {"*.{log,txt}", "a.txt", true},
        {"*.{log,txt}", "a.tx", false},
        {"{a,{b,c}d}e", "cde", true},
        {"{a,{b,c}d}e", "ce", false},
        {"/var/{log,tmp/**}/x", "/var/tmp/a/b/x", true},
        {"{**/a,b}", "x/y/a", true},
        {"a{b\\,c,d}", "ab,c", true},
        {"a/{**/x,y}", "a/b/c/x", true},
        {"{a/**,b}", "a/b/c", true},
        /* cleaned */
        {"a//b/./c", "a/b/c", true},
        {"./a", "a", true},
        {"a/x/../b/", "a/b", true},
        {"/../a", "/../a", true},
        {"a/*/../b", "a/x/../b", true},
        {".*", ".hidden", true},
        {"*", ".hidden", true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(cases[i].pattern, cases[i].path, cases[i].want);
}

static void malformed(void **state)
{
    static const char *const cases[][2] = {
        {"", "it is empty"},
        {"a[", "[ is not closed"},
        {"a[]", "[ is not closed"},
        {"a[b-", "[ is not closed"},
        {"a[\\", "[ is not closed"},
        {"[z-a]", "a range of a class is backwards"},
        {"{a,b", "{ is not closed"},
        {"{a,{b}", "{ is not closed"},
        {"a\\", "nothing follows the last \\"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *why = "it is well";
        struct glob *g = glob_compile(str_of(cases[i][0]), &why);
        assert_null(g);
        assert_string_equal(why, cases[i][1]);
    }
    static char long_one[GLOB_PATTERN_MAX + 2];
    memset(long_one, 'a', sizeof(long_one) - 1);
    assert_null(glob_compile(str_of(long_one), NULL));
}

/* What makes others try every way: here it costs pattern times path. */
static void no_pattern_takes_long(void **state)
{
    static char pattern[2001], path[4001];

    for (size_t i = 0; i < 2000; i += 2)
        memcpy(pattern + i, i % 4 ? "*a" : "a*", 2);
    memset(path, 'a', 4000);
    path[3999] = 'b';
    pattern[1999] = '*';
    expect(pattern, path, true);
    pattern[1999] = 'c';
    expect(pattern, path, false);
}

/* --- walking --- */

static char root[64];
static struct buf got;
static int budget; /* files until the walk ends */

static bool on_file(void *arg, struct str path, const struct stat *st)
{
    size_t skip = strlen(root) + 1;

    assert_false(st && S_ISDIR(st->st_mode));
    assert_true(st || arg);
    buf_printf(&got, "%s" STR_FMT, got.n ? " " : "", STR_ARG(str_sub(path, skip, path.n)));
    return --budget > 0;
}

static void on_unreadable(void *arg, struct str path, int err)
{
    buf_printf(&got, "%s!%s", got.n ? " " : "", strerrorname_np(err));
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Folders are in no order of their own. */
static void sort_words(struct buf *b)
{
    char *words[64];
    size_t n = 0;
    char *text = xstrdup(b->p ? b->p : ""), *save;

    for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
        words[n++] = w;
    qsort(words, n, sizeof(*words), by_text);
    buf_reset(b);
    buf_cstr(b, "");
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%s%s", i ? " " : "", words[i]);
    free(text);
}

static void walk(const char *pattern, const char *want)
{
    struct glob *g = glob_compile(str_of(pattern), NULL);
    struct glob_walk w = {.file = on_file, .unreadable = on_unreadable};

    assert_non_null(g);
    for (int i = 0; i < 2; i++) {
        w.names_only = i > 0;
        w.arg = i > 0 ? &w : NULL;
        budget = 60;
        glob_walk(g, root, &w);
        sort_words(&got);
        assert_buf(&got, want);
    }
    glob_free(g);
}

static void walk_in(const char *under, const char *want)
{
    char *pattern = xprintf("%s/%s", root, under);

    walk(pattern, want);
    free(pattern);
}

static void make(const char *name)
{
    char *path = xprintf("%s/%s", root, name);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);

    assert_true(fd >= 0);
    close(fd);
    free(path);
}

static void make_folder(const char *name)
{
    char *path = xprintf("%s/%s", root, name);

    assert_int_equal(mkdir(path, 0700), 0);
    free(path);
}

static void make_link(const char *to, const char *name)
{
    char *path = xprintf("%s/%s", root, name);

    assert_int_equal(symlink(to, path), 0);
    free(path);
}

static int setup(void **state)
{
    got = (struct buf)BUF_INIT(1 << 20);
    snprintf(root, sizeof(root), "/tmp/glob-test-XXXXXX");
    assert_non_null(mkdtemp(root));
    make_folder("d");
    make_folder("d/e");
    make_folder("d/e/f");
    make("a.log");
    make("b.txt");
    make("\xC3\xA4.log");
    make("d/a.log");
    make("d/e/f/c.log");
    make_link("a.log", "link.log");
    make_link("nowhere", "dangling.log");
    make_link("../d", "d/e/back");
    make_link("..", "d/e/loop");
    make_link("d/e", "to_e");
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int teardown(void **state)
{
    buf_done(&got);
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void walks(void **state)
{
    walk_in("a.log", "a.log");
    walk_in("none.log", "");
    walk_in("a.log/x", "");
    walk_in("d", "");
    walk_in("*.log", "a.log link.log \xC3\xA4.log");
    walk_in("?.log", "a.log \xC3\xA4.log");
    walk_in("\xC3\xA4.log", "\xC3\xA4.log");
    walk_in("*/a.log", "d/a.log");
    walk_in("{b.txt,d/*.log}", "b.txt d/a.log");
    walk_in("d/../[a]*", "a.log");
    walk("*.txt", "b.txt");
    walk("d/*", "d/a.log");
    walk("./d/e/f/*", "d/e/f/c.log");
    walk("**/c.log", "d/e/f/c.log to_e/f/c.log");
    walk("**/e/**/c.log", "d/e/f/c.log");
    walk("*/a.log", "d/a.log");
    walk("{,d}/a.log", "d/a.log");
    walk("{**/c.log,/nowhere/*}", "d/e/f/c.log to_e/f/c.log");
}

/* A link to a folder is followed, unless it leads back. */
static void walks_through_links(void **state)
{
    walk_in("d/**/*.log", "d/a.log d/e/f/c.log");
    walk_in("to_e/**/c.log", "to_e/f/c.log");
    walk_in("d/**", "d/a.log d/e/f/c.log");
    walk_in("*/f/c.log", "to_e/f/c.log");
}

static void walks_end(void **state)
{
    struct glob *g = glob_compile(STR("**"), NULL);

    budget = 2;
    glob_walk(g, root, &(struct glob_walk){.file = on_file});
    assert_int_equal(budget, 0);
    buf_reset(&got);
    glob_free(g);
}

static void unreadable_folders_are_told(void **state)
{
    char *path = xprintf("%s/d/e/f", root);

    if (geteuid() == 0) {
        free(path);
        skip();
    }
    assert_int_equal(chmod(path, 0), 0);
    walk_in("d/**/*.log", "!EACCES d/a.log");
    assert_int_equal(chmod(path, 0700), 0);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),
        cmocka_unit_test(malformed),
        cmocka_unit_test(no_pattern_takes_long),
        cmocka_unit_test(walks),
        cmocka_unit_test(walks_through_links),
        cmocka_unit_test(walks_end),
        cmocka_unit_test(unreadable_folders_are_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
