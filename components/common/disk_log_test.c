/* Tests of components/common/disk_log.h: order, readers and marks, removal, bounds, damage of every
 * kind, full disks, and the end of the process at any byte. */
#include "components/common/disk_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/test.h"
#include "base/xalloc.h"

static char dir[64];
static struct disk_log_conf conf;
static struct clock_fake fake_clock;

static int setup(void **state)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/weir-log-XXXXXX");
    assert_non_null(mkdtemp(dir));
    clock_fake_init(&fake_clock, NS_PER_SEC);
    conf = (struct disk_log_conf){.dir = dir, .clock = &fake_clock.clock};
    return 0;
}

static void remove_all(void)
{
    DIR *d = opendir(dir);
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') (void)unlinkat(dirfd(d), e->d_name, 0);
    (void)closedir(d);
}

static int teardown(void **state)
{
    remove_all();
    (void)rmdir(dir);
    return 0;
}

static struct disk_log *open_log(void)
{
    struct disk_log *l = NULL;
    char *err = NULL;

    assert_int_equal(disk_log_open(&conf, &l, &err), 0);
    return l;
}

static struct disk_place add(struct disk_log *l, const char *text)
{
    struct iovec v = {(void *)(uintptr_t)text, strlen(text)};
    struct disk_place after;

    assert_int_equal(disk_log_append(l, 7, &v, 1, &after), 0);
    return after;
}

static struct disk_place next(struct disk_reader *r, const char *want)
{
    struct disk_place after;
    struct str payload;
    u8 kind;

    assert_int_equal(disk_reader_next(r, &kind, &payload, &after), 1);
    assert_int_equal(kind, 7);
    assert_text(payload, want);
    return after;
}

static void none(struct disk_reader *r)
{
    struct disk_place after;
    struct str payload;
    u8 kind;

    assert_int_equal(disk_reader_next(r, &kind, &payload, &after), 0);
}

static char *path_of(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static struct disk_log_stats stats(const struct disk_log *l)
{
    struct disk_log_stats s;

    disk_log_stats(l, &s);
    return s;
}

/* --- */

static void read_in_order_and_again(void **state)
{
    struct disk_log *l = open_log();
    struct disk_reader *r = disk_reader_open(l, "a", true);

    none(r);
    add(l, "one");
    struct disk_place written = add(l, "");
    add(l, "three");
    next(r, "one");
    struct disk_place after = next(r, "");
    assert_int_equal(after.offset, written.offset);
    disk_reader_done(r, after);
    next(r, "three");
    none(r);
    assert_int_equal(disk_reader_unread(r), 0);
    assert_true(disk_reader_backlog(r) > 0);
    disk_reader_rewind(r);
    next(r, "three");
    disk_reader_seek(r, written);
    next(r, "three");
    disk_log_close(l);

    l = open_log(); /* closing wrote the mark */
    r = disk_reader_open(l, "a", true);
    next(r, "three");
    none(r);
    disk_log_close(l);
}

/* Vectors of pieces, and one larger than what is read ahead, and than a segment. */
static void large_records(void **state)
{
    conf.segment_bytes = 100000;
    struct disk_log *l = open_log();
    struct disk_reader *r = disk_reader_open(l, "a", true);
    size_t n = 300000;
    char *big = xmalloc(n);
    for (size_t i = 0; i < n; i++)
        big[i] = (char)(i * 7);
    struct iovec v[] = {{big, 10}, {big + 10, 0}, {big + 10, n - 10}};
    struct disk_place after;
    struct str payload;
    u8 kind;

    add(l, "before");
    assert_int_equal(disk_log_append(l, 9, v, 3, NULL), 0);
    add(l, "after");
    assert_int_equal(stats(l).segments, 3);
    next(r, "before");
    assert_int_equal(disk_reader_next(r, &kind, &payload, &after), 1);
    assert_int_equal(kind, 9);
    assert_int_equal(payload.n, n);
    assert_memory_equal(payload.p, big, n);
    next(r, "after");
    v[0].iov_len = DISK_LOG_MAX_RECORD + 1;
    assert_int_equal(disk_log_append(l, 9, v, 1, NULL), -EMSGSIZE);
    free(big);
    disk_log_close(l);
}

static void the_slowest_reader_decides_what_stays(void **state)
{
    conf.segment_bytes = 64;
    struct disk_log *l = open_log();
    struct disk_reader *a = disk_reader_open(l, "a", true), *b = disk_reader_open(l, "b", true);
    struct disk_place after = {0};
    char text[64];

    disk_log_keep_readers(l);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(text, sizeof(text), "record %d of some length, one a segment", i);
        add(l, text);
    }
    assert_int_equal(stats(l).segments, 10);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(text, sizeof(text), "record %d of some length, one a segment", i);
        after = next(a, text);
    }
    disk_reader_done(a, after);
    assert_int_equal(stats(l).segments, 10);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(text, sizeof(text), "record %d of some length, one a segment", i);
        after = next(b, text);
    }
    disk_reader_done(b, after);
    assert_int_equal(stats(l).segments, 7);
    disk_reader_remove(b);
    assert_int_equal(stats(l).segments, 1);
    none(a);
    add(l, "more");
    next(a, "more");
    disk_reader_remove(a);
    assert_int_equal(stats(l).segments, 0);
    assert_int_equal(stats(l).bytes, 0);
    add(l, "goes on");
    a = disk_reader_open(l, "a", true);
    next(a, "goes on");
    disk_log_close(l);
}

static void marks_that_nobody_claims(void **state)
{
    struct disk_log *l = open_log();

    disk_reader_open(l, "old", true);
    disk_reader_open(l, "kept", true);
    add(l, "x");
    disk_log_close(l);
    l = open_log();
    assert_true(disk_log_has_mark(l, "old"));
    assert_false(disk_log_has_mark(l, "new"));
    struct disk_reader *r = disk_reader_open(l, "kept", true);
    struct disk_reader *at_end = disk_reader_open(l, "new", false);
    assert_int_equal(disk_log_keep_readers(l), 1);
    assert_int_equal(access(path_of("old.mark"), F_OK), -1);
    next(r, "x");
    none(at_end);
    add(l, "y");
    next(at_end, "y");
    disk_log_close(l);
}

/* Records stay until those who have a mark have been asked for. */
static void nothing_is_removed_before_the_readers_are_known(void **state)
{
    struct disk_log *l = open_log();
    struct disk_reader *r = disk_reader_open(l, "a", true);
    add(l, "x");
    disk_reader_close(r);
    disk_log_close(l);
    l = open_log();
    assert_int_equal(stats(l).segments, 1);
    add(l, "y");
    r = disk_reader_open(l, "a", true);
    disk_log_keep_readers(l);
    next(r, "x");
    next(r, "y");
    disk_log_close(l);
}

static void bounded(void **state)
{
    conf.max_bytes = 100;
    conf.segment_bytes = 40;
    struct disk_log *l = open_log();
    struct disk_reader *r = disk_reader_open(l, "a", true);
    struct iovec v = {(void *)(uintptr_t) "0123456789", 10};

    disk_log_keep_readers(l);
    for (int i = 0; i < 3; i++)
        assert_int_equal(disk_log_append(l, 7, &v, 1, NULL), 0);
    assert_false(disk_log_has_room(l, 10));
    assert_int_equal(disk_log_append(l, 7, &v, 1, NULL), -ENOSPC);
    assert_non_null(strstr(disk_log_error(l), "largest size"));
    next(r, "0123456789");
    disk_reader_done(r, next(r, "0123456789"));
    assert_int_equal(disk_log_append(l, 7, &v, 1, NULL), 0);
    next(r, "0123456789");
    next(r, "0123456789");
    none(r);
    disk_log_close(l);
}

static void segments_close_by_age(void **state)
{
    conf.max_segment_age = NS_PER_SEC;
    struct disk_log *l = open_log();

    add(l, "x");
    add(l, "y");
    assert_int_equal(stats(l).segments, 1);
    clock_fake_advance(&fake_clock, NS_PER_SEC);
    add(l, "z");
    assert_int_equal(stats(l).segments, 2);
    disk_log_close(l);
}

/* --- what happens to files --- */

static size_t file_size(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return (size_t)st.st_size;
}

/* Three records in one segment, as a process leaves them that is killed. */
static size_t three_records(void)
{
    struct disk_log *l = open_log();

    add(l, "first record");
    add(l, "the second one");
    add(l, "third");
    disk_log_close(l);
    return file_size(path_of("00000001.seg"));
}

/* What is left of the three, by their first letters. */
static void left_of_three(char out[8], u64 *ret_damaged)
{
    struct disk_log *l = open_log();
    struct disk_reader *r = disk_reader_open(l, "a", true);
    struct disk_place after;
    struct str payload;
    u8 kind;
    size_t n = 0;

    while (disk_reader_next(r, &kind, &payload, &after) == 1) {
        assert_true(n < 7);
        out[n++] = payload.n ? payload.p[0] : '?';
    }
    out[n] = '\0';
    *ret_damaged = stats(l).damaged;
    disk_log_close(l);
}

static void cut_at_every_byte(void **state)
{
    size_t size = three_records(), ends[] = {0, 32, 64, 88};
    char left[8];
    u64 damaged;

    assert_int_equal(size, 88);
    for (size_t cut = size; cut-- > 0;) {
        assert_int_equal(truncate(path_of("00000001.seg"), (off_t)cut), 0);
        left_of_three(left, &damaged);
        (void)unlink(path_of("a.mark"));
        /* The bytes that fill up to the next record may be missing. */
        const char *want = cut >= 85 ? "ftt" : cut >= 62 ? "ft" : cut >= 28 ? "f" : "";
        assert_string_equal(left, want);
        bool clean = cut >= 85 || (cut >= 62 && cut <= 64) || (cut >= 28 && cut <= 32) || cut == 0;
        assert_int_equal(damaged, clean ? 0 : 1);
    }
    (void)ends;
}

static void flip(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    char c;

    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 0x10;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    (void)close(fd);
}

static void flipped_bits_cost_their_record_alone(void **state)
{
    size_t size = three_records();
    char left[8];
    u64 damaged;

    for (size_t at = 0; at < size; at++) {
        flip(path_of("00000001.seg"), (off_t)at);
        left_of_three(left, &damaged);
        (void)unlink(path_of("a.mark"));
        bool padding = (at >= 28 && at < 32) || (at >= 62 && at < 64) || at >= 85;
        const char *want = padding ? "ftt" : at < 32 ? "tt" : "ft";
        assert_string_equal(left, want);
        assert_int_equal(damaged, padding ? 0 : 1);
        flip(path_of("00000001.seg"), (off_t)at);
    }
}

static void a_segment_that_vanished(void **state)
{
    conf.segment_bytes = 16;
    three_records();
    struct disk_log *l = open_log();
    struct disk_reader *r = disk_reader_open(l, "a", true);

    assert_int_equal(stats(l).segments, 3);
    assert_int_equal(unlink(path_of("00000002.seg")), 0);
    next(r, "first record");
    next(r, "third");
    assert_int_equal(stats(l).damaged, 1);
    none(r);
    disk_log_close(l);
}

/* Behind a torn end nothing is written: the next process has a segment of its own. */
static void goes_on_after_a_torn_end(void **state)
{
    size_t size = three_records();

    assert_int_equal(truncate(path_of("00000001.seg"), (off_t)size - 10), 0);
    struct disk_log *l = open_log();
    struct disk_reader *r = disk_reader_open(l, "a", true);
    add(l, "fourth");
    next(r, "first record");
    next(r, "the second one");
    next(r, "fourth");
    none(r);
    disk_log_close(l);
}

static void a_broken_mark_means_the_start(void **state)
{
    three_records();
    static const char *const marks[] = {"", "x", "1", "1 z", "0 0", "99999999999 1"};

    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        int fd = open(path_of("a.mark"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_int_equal(write(fd, marks[i], strlen(marks[i])), strlen(marks[i]));
        (void)close(fd);
        struct disk_log *l = open_log();
        struct disk_reader *r = disk_reader_open(l, "a", false);
        next(r, "first record");
        disk_log_close(l);
    }
}

/* A mark into nothing (segments lost with the power) goes on with what is there. */
static void a_mark_beyond_the_end(void **state)
{
    three_records();
    int fd = open(path_of("a.mark"), O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "5 4000\n", 7), 7);
    (void)close(fd);
    struct disk_log *l = open_log();
    struct disk_reader *r = disk_reader_open(l, "a", true);
    none(r);
    add(l, "new"); /* in a segment behind the mark */
    next(r, "new");
    disk_log_close(l);
}

/* Files may not grow over 200 bytes: what fits is whole, what does not leaves nothing. */
static void a_full_disk(void **state)
{
    struct rlimit old, small;
    struct disk_log *l = open_log();
    struct disk_reader *r = disk_reader_open(l, "a", true);
    char line[100];
    struct iovec v = {line, sizeof(line)};
    int n = 0, err;

    memset(line, 'x', sizeof(line));
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){200, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    while ((err = disk_log_append(l, 7, &v, 1, NULL)) == 0)
        n++;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(n, 1);
    assert_true(err == -ENOSPC || err == -EFBIG);
    assert_non_null(strstr(disk_log_error(l), "did not take"));
    assert_int_equal(disk_log_append(l, 7, &v, 1, NULL), 0); /* there is room again */
    struct disk_place after;
    struct str payload;
    u8 kind;
    assert_int_equal(disk_reader_next(r, &kind, &payload, &after), 1);
    assert_int_equal(disk_reader_next(r, &kind, &payload, &after), 1);
    assert_int_equal(disk_reader_next(r, &kind, &payload, &after), 0);
    assert_int_equal(stats(l).damaged, 0);
    disk_log_close(l);
}

static void folders_that_cannot_be(void **state)
{
    struct disk_log *l = NULL;
    char *err = NULL;

    conf.dir = "/proc/nothing/here";
    assert_true(disk_log_open(&conf, &l, &err) < 0);
    assert_non_null(strstr(err, "/proc/nothing/here"));
    free(err);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(read_in_order_and_again),
        TEST(large_records),
        TEST(the_slowest_reader_decides_what_stays),
        TEST(marks_that_nobody_claims),
        TEST(nothing_is_removed_before_the_readers_are_known),
        TEST(bounded),
        TEST(segments_close_by_age),
        TEST(cut_at_every_byte),
        TEST(flipped_bits_cost_their_record_alone),
        TEST(a_segment_that_vanished),
        TEST(goes_on_after_a_torn_end),
        TEST(a_broken_mark_means_the_start),
        TEST(a_mark_beyond_the_end),
        TEST(a_full_disk),
        TEST(folders_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
