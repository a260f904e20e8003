/* Tests of components/common/glob_seen.h: what makes another walk necessary, in a folder of our
 * own. */
#include "components/common/glob_seen.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "base/test.h"
#include "base/xalloc.h"
#include "components/common/glob.h"

static char root[64];

static char *path_of(const char *name)
{
    return xprintf("%s/%s", root, name);
}

static void make(const char *name)
{
    char *path = path_of(name);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);

    assert_true(fd >= 0);
    close(fd);
    free(path);
}

static void make_folder(const char *name)
{
    char *path = path_of(name);

    assert_int_equal(mkdir(path, 0700), 0);
    free(path);
}

static void make_link(const char *to, const char *name)
{
    char *path = path_of(name);

    assert_int_equal(symlink(to, path), 0);
    free(path);
}

static void take_away(const char *name)
{
    char *path = path_of(name);

    assert_int_equal(remove(path), 0);
    free(path);
}

static void move(const char *from, const char *to)
{
    char *a = path_of(from), *b = path_of(to);

    assert_int_equal(rename(a, b), 0);
    free(a);
    free(b);
}

/* The time that changes are stamped with: of the last tick. */
static i64 stamp(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

static bool on_file(void *arg, struct str path, const struct stat *st)
{
    return true;
}

/* Walks as if everything had been quiet for a minute. */
static void walk(struct glob_seen *s, const char *pattern)
{
    i64 before = stamp();
    struct glob *g = glob_compile(str_of(pattern), NULL);

    assert_non_null(g);
    while (stamp() == before)
        ; /* what the test changes next is stamped later than what it made */
    glob_seen_init(s, before + 60 * NS_PER_SEC);
    glob_walk(g, root, &(struct glob_walk){.file = on_file, .names_only = true, .seen = s});
    glob_free(g);
}

static void needs_a_walk(struct glob_seen *s)
{
    assert_false(glob_seen_holds(s));
    glob_seen_done(s);
}

static void spares_one(struct glob_seen *s)
{
    assert_true(glob_seen_holds(s));
    assert_true(glob_seen_holds(s));
    glob_seen_done(s);
}

static int setup(void **state)
{
    snprintf(root, sizeof(root), "/tmp/glob-seen-XXXXXX");
    assert_non_null(mkdtemp(root));
    make("a.log");
    make_folder("d");
    make("d/b.log");
    make_link("a.log", "link.log");
    make_link("nowhere.txt", "dangling.log");
    make_link("d", "current");
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int teardown(void **state)
{
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void nothing_changed(void **state)
{
    static const char *const patterns[] = {"*.log",      "d/**/*.log",    "a.log",
                                           "none/*.log", "current/*.log", "{a,none}.log"};
    struct glob_seen s;

    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        walk(&s, patterns[i]);
        spares_one(&s);
    }
}

static void files_came_and_went(void **state)
{
    struct glob_seen s;

    walk(&s, "*.log");
    make("new.log");
    needs_a_walk(&s);
    walk(&s, "*.log");
    take_away("a.log");
    needs_a_walk(&s);
    walk(&s, "d/**/*.log");
    move("d/b.log", "d/c.log");
    needs_a_walk(&s);
}

/* rsync and tar do this. */
static void a_modification_time_was_turned_back(void **state)
{
    struct stat st;
    struct glob_seen s;

    walk(&s, "*.log");
    assert_int_equal(stat(root, &st), 0);
    make("new.log");
    assert_int_equal(utimensat(AT_FDCWD, root, (struct timespec[]){st.st_atim, st.st_mtim}, 0), 0);
    needs_a_walk(&s);
}

static void names_that_were_asked_for(void **state)
{
    struct glob_seen s;

    walk(&s, "none/*.log");
    make_folder("none");
    needs_a_walk(&s);
    walk(&s, "a.log");
    take_away("a.log");
    needs_a_walk(&s);
    walk(&s, "d");
    move("d", "was");
    make("d");
    needs_a_walk(&s);
}

/* Nothing in the folder of the link changes. */
static void what_links_lead_to(void **state)
{
    struct glob_seen s;

    walk(&s, "*.log");
    make("nowhere.txt");
    needs_a_walk(&s);
    walk(&s, "current/*.log");
    make("d/new.log");
    needs_a_walk(&s);
    walk(&s, "current/*.log");
    move("d", "old");
    make_folder("d");
    needs_a_walk(&s);
}

static void what_changed_a_moment_ago_does_not_count(void **state)
{
    struct glob *g = glob_compile(STR("*.log"), NULL);
    struct glob_seen s;

    make("new.log");
    glob_seen_init(&s, stamp());
    glob_walk(g, root, &(struct glob_walk){.file = on_file, .names_only = true, .seen = &s});
    needs_a_walk(&s);
    glob_free(g);
}

static void other_file_systems_do_not_count(void **state)
{
    struct glob_seen s;

    walk(&s, "/proc/self/task/*");
    needs_a_walk(&s);
}

static void too_many_questions(void **state)
{
    struct glob_seen s;
    char name[32];

    make_folder("many");
    for (u32 i = 0; i <= GLOB_SEEN_MAX; i++) {
        (void)snprintf(name, sizeof(name), "many/%u.log", i);
        make_link("../a.log", name);
    }
    walk(&s, "many/*.log");
    needs_a_walk(&s);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(nothing_changed),
        IN_FOLDER(files_came_and_went),
        IN_FOLDER(a_modification_time_was_turned_back),
        IN_FOLDER(names_that_were_asked_for),
        IN_FOLDER(what_links_lead_to),
        IN_FOLDER(what_changed_a_moment_ago_does_not_count),
        IN_FOLDER(other_file_systems_do_not_count),
        IN_FOLDER(too_many_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
