/* GELF: pieces put together, and what a line is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "base/clock.h"
#include "base/codec.h"
#include "components/loki/gelf/chunks.h"
#include "components/loki/gelf/message.h"

static struct str chunk(char *room, const char *id, int number, int total, const char *text)
{
    memcpy(room, "\x1e\x0f", 2);
    memcpy(room + 2, id, 8);
    room[10] = (char)number;
    room[11] = (char)total;
    memcpy(room + 12, text, strlen(text));
    return str_n(room, 12 + strlen(text));
}

struct setup {
    struct gelf_chunks *c;
    struct buf whole;
    const char *why;
    char room[256];
};

static enum gelf_chunk add(struct setup *s, const char *from, const char *id, int number, int total,
                           const char *text, i64 at)
{
    return gelf_chunks_add(s->c, str_of(from), chunk(s->room, id, number, total, text), at,
                           &s->whole, &s->why);
}

static void chunks(void **state)
{
    struct setup s = {
        .c = gelf_chunks_new(&(struct gelf_chunks_conf){.max_messages = 3, .max_bytes = 40})};

    buf_init(&s.whole, 1000);
    assert_int_equal(add(&s, "a", "idididid", 1, 2, "world", 0), GELF_WAITS);
    assert_int_equal(add(&s, "b", "idididid", 0, 2, "other", 0), GELF_WAITS); /* another sender's */
    assert_int_equal(add(&s, "a", "idididid", 1, 2, "world", 0), GELF_BAD);   /* twice */
    assert_int_equal(add(&s, "a", "idididid", 0, 3, "x", 0), GELF_BAD);
    assert_int_equal(add(&s, "a", "idididid", 0, 2, "hello ", 1), GELF_WHOLE);
    buf_ch(&s.whole, '\0');
    assert_string_equal(s.whole.p, "hello world");
    assert_int_equal(add(&s, "a", "idididid", 2, 2, "x", 0), GELF_BAD);
    assert_int_equal(add(&s, "a", "idididid", 0, 0, "x", 0), GELF_BAD);
    assert_int_equal(add(&s, "a", "idididid", 0, 129, "x", 0), GELF_BAD);
    assert_int_equal(add(&s, "a", "idididid", 0, 1, "", 0), GELF_BAD);
    assert_int_equal(gelf_chunks_expire(s.c, GELF_CHUNK_TIME - 1), 0);
    assert_int_equal(gelf_chunks_expire(s.c, GELF_CHUNK_TIME), 1);
    assert_true(gelf_chunks_empty(s.c));
    for (int i = 0; i < 5; i++)
        assert_int_equal(add(&s,
                             i == 0   ? "0"
                             : i == 1 ? "1"
                             : i == 2 ? "2"
                                      : "3",
                             "12345678", i & 1, 2, "0123456789", 9),
                         i == 4 ? GELF_WHOLE : GELF_WAITS);
    assert_int_equal(gelf_chunks_expire(s.c, 9), 1); /* the oldest made room */
    assert_int_equal(
        add(&s, "big", "12345678", 0, 2, "01234567890123456789012345678901234567890", 9), GELF_BAD);
    gelf_chunks_free(s.c);
    buf_done(&s.whole);
}

static const struct {
    const char *text, *line, *labels;
    i64 time;
} messages[] = {
    {"{\"version\":\"1.1\",\"host\":\"h\",\"short_message\":\"s\",\"timestamp\":1385053862.3072,"
     "\"level\":1,\"_user_id\":9001,\"facility\":\"f\"}",
     "{\"version\":\"1.1\",\"host\":\"h\",\"short_message\":\"s\",\"timestamp\":1385053862.3072,"
     "\"level\":1,\"facility\":\"f\",\"_user_id\":9001}",
     "h|1.1|f|alert", 1385053862307200000},
    {" { \"_a\" : { \"x\" : [ 1 , 2 ] } , \"host\" : \"a\\u0062\" } ",
     "{\"host\":\"a\\u0062\",\"_a\":{ \"x\" : [ 1 , 2 ] }}", "ab|||emergency", 0},
    {"{\"_only\":null}", "{ \"_only\":null}", "|||emergency", 0},
    {"{\"level\":\"7\",\"timestamp\":\"12\"}", "{\"timestamp\":\"12\",\"level\":\"7\"}", "|||debug",
     12000000000},
    {"{\"level\":99}", "{\"level\":99}", "|||", 0},
    {"{}", "{}", "|||emergency", 0},
    {"[]", NULL, NULL, 0},
    {"{\"a\":}", NULL, NULL, 0},
    {"{\"a\":1", NULL, NULL, 0},
    {"{} x", NULL, NULL, 0},
    {"", NULL, NULL, 0},
};

static void lines(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        struct buf line = BUF_INIT(1 << 16), labels = BUF_INIT(1 << 16);
        struct gelf_message m;
        struct arena a;
        const char *why = NULL;

        arena_init(&a, 0);
        int r = gelf_parse(str_of(messages[i].text), &a, &m, &line, &why);
        if ((r == 0) != (messages[i].line != NULL)) fail_msg("%s: %d", messages[i].text, r);
        if (r == 0) {
            buf_ch(&line, '\0');
            assert_string_equal(line.p, messages[i].line);
            buf_printf(&labels, "%.*s|%.*s|%.*s|%s", STR_ARG(m.host), STR_ARG(m.version),
                       STR_ARG(m.facility), gelf_level_name(m.level));
            buf_ch(&labels, '\0');
            assert_string_equal(labels.p, messages[i].labels);
            assert_true(m.has_time == (messages[i].time != 0));
            if (m.has_time) assert_true(m.time == messages[i].time);
        } else {
            assert_non_null(why);
        }
        arena_done(&a);
        buf_done(&line);
        buf_done(&labels);
    }
}

static void compression(void **state)
{
    static const enum codec codecs[] = {CODEC_NONE, CODEC_GZIP, CODEC_ZLIB};
    struct buf plain = BUF_INIT(GELF_PLAIN_MAX), big = BUF_INIT(8 << 20);
    const char *why;
    struct str text;

    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        struct buf packed = BUF_INIT(1000);
        assert_int_equal(codec_compress(codecs[i], -1, STR("{\"host\":\"h\"}"), &packed), 0);
        assert_int_equal(gelf_unpack(buf_view(&packed), &plain, &text, &why), 0);
        assert_true(str_is(text, "{\"host\":\"h\"}"));
        buf_done(&packed);
    }
    struct buf bomb = BUF_INIT(1 << 20);
    memset(buf_reserve(&big, 5 << 20), ' ', 5 << 20);
    buf_commit(&big, 5 << 20);
    assert_int_equal(codec_compress(CODEC_GZIP, -1, buf_view(&big), &bomb), 0);
    assert_int_equal(gelf_unpack(buf_view(&bomb), &plain, &text, &why), -E2BIG);
    assert_int_equal(gelf_unpack(STR("\x1f\x8b rubbish that is long enough"), &plain, &text, &why),
                     -EBADMSG);
    buf_done(&bomb);
    buf_done(&big);
    buf_done(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks),
        cmocka_unit_test(lines),
        cmocka_unit_test(compression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
