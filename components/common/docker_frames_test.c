/* Streams of frames in pieces of every size: lines, joins, both streams, TTYs, and what is broken.
 */
#include "base/test.h"

#include "base/xalloc.h"
#include "components/common/docker_frames.h"

#define T1    "2024-05-01T10:00:00.000000001Z"
#define T1_NS 1714557600000000001
#define T2    "2024-05-01T10:00:00.000000002Z"

struct seen {
    struct buf lines; /* "0 1 text\n": stream, nanoseconds after T1's second, text (long: length) */
    int faults[3];
    char shown[128];
    int stop_every; /* lines */
    int n;
};

static bool on_line(void *arg, enum docker_stream from, i64 time, struct str text)
{
    struct seen *s = arg;

    assert_true(text.n > 0 && text.n <= DOCKER_LINE_MAX);
    buf_printf(&s->lines, "%d %lld ", (int)from, (long long)(time - T1_NS + 1));
    if (text.n > 100)
        buf_printf(&s->lines, "[%zu]", text.n);
    else
        buf_str(&s->lines, text);
    buf_ch(&s->lines, '\n');
    return !s->stop_every || ++s->n % s->stop_every;
}

static void on_fault(void *arg, enum docker_line_fault fault, struct str text)
{
    struct seen *s = arg;

    s->faults[fault]++;
    (void)snprintf(s->shown, sizeof(s->shown), STR_FMT, STR_ARG(text));
}

static void frame(struct buf *b, u8 type, struct str payload)
{
    const u8 head[8] = {
        type,         0, 0, 0, (u8)(payload.n >> 24), (u8)(payload.n >> 16), (u8)(payload.n >> 8),
        (u8)payload.n};

    buf_add(b, head, 8);
    buf_str(b, payload);
}

static void text_frame(struct buf *b, u8 type, const char *text)
{
    frame(b, type, str_of(text));
}

/* "TIME xxxx...": size bytes of text, and an end of line when asked. */
static void piece(struct buf *b, bool framed, const char *stamp, size_t size, char c,
                  const char *end)
{
    struct buf text = BUF_INIT(SIZE_MAX);

    buf_printf(&text, "%s ", stamp);
    memset(buf_reserve(&text, size), c, size);
    buf_commit(&text, size);
    buf_cstr(&text, end);
    if (framed)
        frame(b, 1, buf_view(&text));
    else
        buf_str(b, buf_view(&text));
    buf_done(&text);
}

/* Feeds b in pieces of `step`, going on where it stops. Returns the error, owned. */
static char *feed(struct seen *s, const struct buf *b, bool tty, size_t step)
{
    struct docker_frames f;

    buf_reset(&s->lines);
    s->n = 0;
    docker_frames_init(
        &f, &(struct docker_frames_conf){.tty = tty, .line = on_line, .fault = on_fault, .arg = s});
    for (size_t at = 0; at < b->n && !f.error[0];) {
        size_t give = MIN(step, b->n - at);
        char *copy = xmemdup(b->p + at, give); /* a read past its end is seen */
        size_t took = docker_frames_feed(&f, copy, give);
        free(copy);
        assert_true(took <= give);
        if (took == 0) assert_true(f.error[0]);
        at += took;
    }
    char *error = xstrdup(f.error);
    docker_frames_done(&f);
    return error;
}

static void expect(const struct buf *b, bool tty, const char *lines, const char *error)
{
    static const size_t steps[] = {1, 2, 3, 7, 8, 9, 31, 64, 1000, 16384, 1 << 24};
    struct seen s = {.lines = BUF_INIT(1 << 24)};

    for (size_t i = 0; i < ARRAY_LEN(steps) * 2; i++) {
        s.stop_every = i < ARRAY_LEN(steps) ? 0 : 1;
        char *got = feed(&s, b, tty, steps[i % ARRAY_LEN(steps)]);
        assert_text(str_of(got), error);
        assert_buf(&s.lines, lines);
        free(got);
    }
    buf_done(&s.lines);
}

static void lines_of_both_streams(void **state)
{
    struct buf b = BUF_INIT(1 << 24);

    text_frame(&b, 1, T1 " out\n");
    text_frame(&b, 2, T2 " err\r\n");
    text_frame(&b, 0, T2 " in\n");
    text_frame(&b, 1, "");
    text_frame(&b, 1, T1 " \n");
    text_frame(&b, 1, "\n");
    text_frame(&b, 1, T1 "  two  spaces \n" T2 " and a second\n");
    text_frame(&b, 1, T1 " open");
    expect(&b, false, "0 1 out\n1 2 err\n0 2 in\n0 1  two  spaces \n0 2 and a second\n", "");
    buf_done(&b);
}

static void pieces_are_joined(void **state)
{
    struct buf b = BUF_INIT(1 << 24);

    piece(&b, true, T1, 16384, 'a', "");
    text_frame(&b, 2, T1 " between\n");
    piece(&b, true, T2, 16384, 'b', "");
    text_frame(&b, 1, T2 " end\n");
    text_frame(&b, 1, T2 " next\n");
    piece(&b, true, T1, 16384, 'a', "");
    text_frame(&b, 1, "notime\n"); /* of no known engine, but nothing is lost */
    piece(&b, true, T1, 16384, 'a', "\n");
    text_frame(&b, 1, T2 " last\n");
    piece(&b, true, T1, 16384, 'a', "");
    text_frame(&b, 1, "\n");
    text_frame(&b, 1, T2 " after\n");
    expect(&b, false,
           "1 1 between\n0 1 [32771]\n0 2 next\n0 1 [16390]\n0 1 [16384]\n0 2 last\n0 1 [16384]\n"
           "0 2 after\n",
           "");
    buf_done(&b);
}

static void a_terminal_has_no_frames(void **state)
{
    struct buf b = BUF_INIT(1 << 24);

    buf_cstr(&b, T1 " one\r\n" T2 " two\n");
    piece(&b, false, T1, 16384, 'a', "");
    piece(&b, false, T2, 16384, 'b', "");
    piece(&b, false, T2, 5, 'c', "\r\n");
    piece(&b, false, T1, 20000, 'x', "\n"); /* cut by nobody */
    piece(&b, false, T1, 16384, 'a', "");
    piece(&b, false, T2, 0, 'b', "\n");
    buf_cstr(&b, T2 " end\n");
    expect(&b, true, "0 1 one\n0 2 two\n0 1 [32773]\n0 1 [20000]\n0 1 [16384]\n0 2 end\n", "");
    buf_done(&b);
}

static void too_long_a_line_is_skipped(void **state)
{
    struct buf b = BUF_INIT(1 << 24);
    struct seen s = {.lines = BUF_INIT(1 << 24)};

    text_frame(&b, 1, T1 " before\n");
    for (int i = 0; i < 70; i++)
        piece(&b, true, T1, 16384, 'a', "");
    text_frame(&b, 2, T1 " other\n");
    piece(&b, true, T1, 3, 'a', "\n");
    text_frame(&b, 1, T1 " after\n");
    free(feed(&s, &b, false, 4096));
    assert_buf(&s.lines, "0 1 before\n1 1 other\n0 1 after\n");
    assert_int_equal(s.faults[DOCKER_LINE_TOO_LONG], 1);
    assert_int_equal(strlen(s.shown), 100);
    buf_reset(&b);
    piece(&b, true, T1, DOCKER_LINE_MAX - 31, 'a', "\n"); /* just as long as it may be */
    free(feed(&s, &b, false, 65536));
    assert_buf(&s.lines, "0 1 [1048545]\n");
    assert_int_equal(s.faults[DOCKER_LINE_TOO_LONG], 1);
    buf_done(&s.lines);
    buf_done(&b);
}

static void a_line_without_a_time_is_told(void **state)
{
    struct buf b = BUF_INIT(1 << 24);
    struct seen s = {.lines = BUF_INIT(1 << 24)};

    text_frame(&b, 1, "no time here\n");
    text_frame(&b, 1, T1 "\n");
    text_frame(&b, 1, "2024-13-01T10:00:00Z bad\n");
    text_frame(&b, 1, T1 " fine\n");
    free(feed(&s, &b, false, 10));
    assert_buf(&s.lines, "0 1 fine\n");
    assert_int_equal(s.faults[DOCKER_LINE_NO_TIME], 3);
    assert_string_equal(s.shown, "2024-13-01T10:00:00Z bad");
    buf_done(&s.lines);
    buf_done(&b);
}

static void broken_streams_say_why(void **state)
{
    struct buf b = BUF_INIT(1 << 24);
    char *much = xmalloc(100001), *error;
    struct seen s = {.lines = BUF_INIT(1 << 24)};

    text_frame(&b, 1, T1 " out\n");
    text_frame(&b, 3, "no space left\n");
    text_frame(&b, 1, T1 " never\n");
    expect(&b, false, "0 1 out\n", "error from daemon in stream: no space left");
    buf_reset(&b);
    text_frame(&b, 1, T1 " out\n");
    text_frame(&b, 4, T1 " never\n");
    expect(&b, false, "0 1 out\n", "unrecognized stream: 4");
    buf_reset(&b);
    memset(much, 'm', 100000);
    frame(&b, 3, str_n(much, 100000));
    error = feed(&s, &b, false, 1000);
    assert_int_equal(strlen(error), 29 + 400);
    free(error);
    free(much);
    buf_done(&s.lines);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_both_streams),
        cmocka_unit_test(pieces_are_joined),
        cmocka_unit_test(a_terminal_has_no_frames),
        cmocka_unit_test(too_long_a_line_is_skipped),
        cmocka_unit_test(a_line_without_a_time_is_told),
        cmocka_unit_test(broken_streams_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
