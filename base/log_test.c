/* Tests of base/log.h: formats, holding, chains, a reader that stalls, and many threads (for TSan).
 */
#include "base/log.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/test.h"

#define NOON (INT64_C(1714564800) * NS_PER_SEC)

struct fixture {
    struct clock_fake clock;
    int fd[2];
    struct logger *root;
};

static void setup(struct fixture *f)
{
    clock_fake_init(&f->clock, NOON);
    assert_int_equal(pipe2(f->fd, O_CLOEXEC), 0);
    assert_int_equal(fcntl(f->fd[0], F_SETFL, O_NONBLOCK), 0);
    f->root = log_root_new(&f->clock.clock, f->fd[1]);
}

static void teardown(struct fixture *f)
{
    log_unref(f->root);
    close(f->fd[0]);
    close(f->fd[1]);
}

static void assert_written(struct fixture *f, const char *want)
{
    char got[8192];
    ssize_t n = read(f->fd[0], got, sizeof(got));

    assert_text(str_n(got, n > 0 ? (size_t)n : 0), want);
}

static void logfmt(void **state)
{
    struct fixture f;

    setup(&f);
    log_root_open(f.root, LOG_INFO, LOG_LOGFMT);
    log_info(f.root, "now listening for http traffic", F_CSTR("service", "http"),
             F_CSTR("addr", "127.0.0.1:12345"));
    assert_written(&f, "ts=2024-05-01T12:00:00Z level=info msg=\"now listening for http traffic\" "
                       "service=http addr=127.0.0.1:12345\n");
    clock_fake_advance(&f.clock, 123456789);
    log_warn(f.root, "x", F_INT("i", -5), F_UINT("u", UINT64_MAX), F_FLOAT("f", 0.25),
             F_BOOL("b", true), F_DUR("d", 1500000));
    assert_written(&f, "ts=2024-05-01T12:00:00.123456789Z level=warn msg=x i=-5 "
                       "u=18446744073709551615 f=0.25 b=true d=1.5ms\n");
    log_error(f.root, "", F_CSTR("empty", ""), F_CSTR("eq", "a=b"), F_CSTR("q", "say \"hi\"\n"),
              F_CSTR("back", "a\\b"), F_CSTR("utf", "\xC3\xA9"), F_CSTR("bad", "\xFF"),
              F_CSTR(" my key= ", "v"));
    assert_written(&f, "ts=2024-05-01T12:00:00.123456789Z level=error empty=\"\" eq=\"a=b\" "
                       "q=\"say \\\"hi\\\"\\n\" back=a\\b utf=\xC3\xA9 "
                       "bad=\"\\xff\" my_key_=v\n");
    log_debug(f.root, "not this");
    assert_written(&f, "");
    teardown(&f);
}

static void json_lines(void **state)
{
    struct fixture f;

    setup(&f);
    log_root_open(f.root, LOG_DEBUG, LOG_JSON);
    log_debug(f.root, "a <b>", F_DUR("d", 1500000), F_BOOL("ok", false), F_FLOAT("f", 1e-7),
              F_CSTR("s", "x\"y"));
    assert_written(&f, "{\"ts\":\"2024-05-01T12:00:00Z\",\"level\":\"debug\",\"msg\":\"a "
                       "<b>\",\"d\":1500000,\"ok\":false,\"f\":1e-7,"
                       "\"s\":\"x\\\"y\"}\n");
    teardown(&f);
}

static void chains(void **state)
{
    struct fixture f;

    setup(&f);
    log_root_open(f.root, LOG_INFO, LOG_LOGFMT);
    char id[] = "local.file.a";
    struct logger *component = log_child(f.root, &F_CSTR("component_id", id), 1);
    struct logger *part = log_child(component, &F_INT("shard", 3), 1);
    memset(id, 'x', 5); /* fields are copied */
    log_unref(component);
    log_info(part, "hello", F_CSTR("k", "v"));
    assert_written(
        &f, "ts=2024-05-01T12:00:00Z level=info msg=hello component_id=local.file.a shard=3 k=v\n");
    log_unref(part);
    log_info(NULL, "nowhere");
    assert_null(log_child(NULL, NULL, 0));
    assert_false(log_enabled(NULL, LOG_ERROR));
    teardown(&f);
}

static void held_until_opened(void **state)
{
    struct fixture f;

    setup(&f);
    log_debug(f.root, "one");
    log_info(f.root, "two");
    assert_written(&f, "");
    clock_fake_advance(&f.clock, NS_PER_SEC);
    log_root_open(f.root, LOG_INFO, LOG_LOGFMT);
    assert_written(&f, "ts=2024-05-01T12:00:00Z level=info msg=two\n");
    log_root_open(f.root, LOG_ERROR, LOG_LOGFMT);
    log_info(f.root, "three");
    assert_written(&f, "");
    teardown(&f);
}

static void discarded(void **state)
{
    struct fixture f;

    setup(&f);
    log_error(f.root, "one");
    log_root_discard(f.root);
    log_root_open(f.root, LOG_DEBUG, LOG_LOGFMT);
    assert_written(&f, "");
    teardown(&f);
}

static void tee_line(void *arg, enum log_level level, struct str line)
{
    buf_printf(arg, "%d:" STR_FMT, (int)level, STR_ARG(line));
}

static void teeing(void **state)
{
    struct buf seen = BUF_INIT(1000);
    struct fixture f;

    setup(&f);
    log_root_tee(f.root, tee_line, &seen);
    log_warn(f.root, "early");
    log_root_open(f.root, LOG_INFO, LOG_LOGFMT);
    assert_buf(&seen, "2:ts=2024-05-01T12:00:00Z level=warn msg=early\n");
    log_error(f.root, "late");
    log_debug(f.root, "unwanted");
    assert_buf(&seen, "3:ts=2024-05-01T12:00:00Z level=error msg=late\n");
    assert_false(log_echo(true));
    log_error(f.root, "echo");
    assert_true(log_echo(false));
    assert_buf(&seen, "");
    log_root_tee(f.root, NULL, NULL);
    log_error(f.root, "unseen");
    assert_int_equal(seen.n, 0);
    buf_done(&seen);
    teardown(&f);
}

/* Appends all that is in the pipe. */
static void drain(struct fixture *f, struct buf *all)
{
    char got[65536];
    ssize_t n;

    while ((n = read(f->fd[0], got, sizeof(got))) > 0)
        buf_add(all, got, (size_t)n);
    assert_int_equal(buf_err(all), 0);
}

/* The number of lines, each of which must be whole. */
static size_t whole_lines(const struct buf *all)
{
    struct str rest = buf_view(all);
    size_t n = 0;

    while (rest.n) {
        struct str line = str_cut(&rest, '\n');

        assert_true(str_starts(line, STR("ts=2024")) && str_ends(line, STR("end=1")));
        assert_non_null(rest.p);
        n++;
    }
    return n;
}

/* Nobody reads: what does not fit is counted, nothing waits, and what was accepted arrives once
 * there is room. */
static void stalled_reader(void **state)
{
    static char text[1000];
    struct buf all = BUF_INIT(8 << 20);
    struct fixture f;
    size_t sent = 2000, before;

    setup(&f);
    memset(text, 'x', sizeof(text) - 1);
    log_root_open(f.root, LOG_INFO, LOG_LOGFMT);
    for (size_t i = 0; i < sent; i++)
        log_info(f.root, "m", F_CSTR("text", text), F_INT("end", 1));
    u64 dropped = log_root_dropped(f.root);
    assert_true(dropped > 1000 && dropped < sent);
    do {
        before = all.n;
        drain(&f, &all);
        log_info(f.root, "again", F_INT("end", 1));
        sent++;
    } while (all.n > before + 100); /* until only the last "again" came */
    drain(&f, &all);
    assert_int_equal(log_root_dropped(f.root), dropped);
    assert_int_equal(whole_lines(&all), sent - dropped);
    buf_done(&all);
    teardown(&f);
}

static void reader_gone(void **state)
{
    struct fixture f;

    setup(&f);
    signal(SIGPIPE, SIG_IGN);
    log_root_open(f.root, LOG_INFO, LOG_LOGFMT);
    close(f.fd[0]);
    log_info(f.root, "lost");
    assert_int_equal(log_root_dropped(f.root), 1);
    f.fd[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    teardown(&f);
}

static void too_long(void **state)
{
    struct fixture f;
    struct str text = str_n(calloc(1, 100000), 100000);

    setup(&f);
    log_info(f.root, "held", F_STR("text", text));
    assert_int_equal(log_root_dropped(f.root), 1);
    log_root_open(f.root, LOG_INFO, LOG_LOGFMT);
    log_info(f.root, "open", F_STR("text", text));
    assert_int_equal(log_root_dropped(f.root), 2);
    assert_written(&f, "");
    free((char *)text.p);
    teardown(&f);
}

static void *talker(void *arg)
{
    for (int i = 0; i < 200; i++)
        log_info(arg, "from a thread", F_INT("i", i), F_INT("end", 1));
    return NULL;
}

/* Lines of several threads, some before the opening, come whole and none is lost. */
static void threads(void **state)
{
    struct buf all = BUF_INIT(8 << 20);
    struct fixture f;
    pthread_t t[4];

    setup(&f);
    assert_true(fcntl(f.fd[1], F_SETPIPE_SZ, 1 << 20) > 0);
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, talker, f.root), 0);
    log_root_open(f.root, LOG_INFO, LOG_LOGFMT);
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        pthread_join(t[i], NULL);
    assert_int_equal(log_root_dropped(f.root), 0);
    drain(&f, &all);
    assert_int_equal(whole_lines(&all), 800);
    buf_done(&all);
    teardown(&f);
}

static void names(void **state)
{
    enum log_level level;
    enum log_format format;

    assert_true(log_level_parse(STR("debug"), &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_level_parse(STR(""), &level));
    assert_int_equal(level, LOG_INFO);
    assert_false(log_level_parse(STR("INFO"), &level));
    assert_true(log_format_parse(STR("json"), &format));
    assert_int_equal(format, LOG_JSON);
    assert_true(log_format_parse(STR(""), &format));
    assert_int_equal(format, LOG_LOGFMT);
    assert_false(log_format_parse(STR("text"), &format));
    assert_string_equal(log_level_name(LOG_WARN), "warn");
}

static void recording(void **state)
{
    struct buf out = BUF_INIT(1000);
    struct fixture f;

    setup(&f);
    log_root_open(f.root, LOG_INFO, LOG_LOGFMT);
    log_info(f.root, "before");
    log_root_record(f.root, 100);
    for (int i = 0; i < 5; i++)
        log_info(f.root, "kept");
    assert_int_equal(log_root_recorded(f.root, &out), 3);
    log_info(f.root, "after");
    assert_buf(&out, "ts=2024-05-01T12:00:00Z level=info msg=kept\n"
                     "ts=2024-05-01T12:00:00Z level=info msg=kept\n");
    assert_int_equal(log_root_recorded(f.root, &out), 0);
    assert_int_equal(out.n, 0);
    buf_done(&out);
    log_root_record(f.root, 100); /* goes with the root */
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logfmt),         cmocka_unit_test(json_lines),
        cmocka_unit_test(chains),         cmocka_unit_test(held_until_opened),
        cmocka_unit_test(discarded),      cmocka_unit_test(teeing),
        cmocka_unit_test(stalled_reader), cmocka_unit_test(reader_gone),
        cmocka_unit_test(too_long),       cmocka_unit_test(threads),
        cmocka_unit_test(names),          cmocka_unit_test(recording),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
