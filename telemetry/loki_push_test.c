/* Tests of telemetry/loki_push.h: bytes on the wire, both readers, label texts, hostile input. */
#include "telemetry/loki_push.h"
#include <errno.h>
#include <stdlib.h>
#include "base/test.h"
#include "telemetry/pb.h"

/* --- what was read, as text: one line an entry --- */

struct seen {
    struct buf out;
    struct str refuse; /* a stream with this text */
    int stop_at;       /* the entry that ends the reading; 0: none */
    int n;
};

static void *seen_stream(void *arg, struct str labels, char **ret_err)
{
    struct seen *s = arg;

    if (s->refuse.n && str_eq(labels, s->refuse)) {
        *ret_err = strdup("not wanted");
        return NULL;
    }
    buf_printf(&s->out, "[" STR_FMT "]", STR_ARG(labels));
    return s;
}

static void *seen_stream_of(void *arg, const struct label *v, size_t n, char **ret_err)
{
    struct buf text = BUF_INIT(1000);

    loki_push_labels(&text, v, n);
    void *stream = seen_stream(arg, buf_view(&text), ret_err);
    buf_done(&text);
    return stream;
}

static int seen_entry(void *arg, void *stream, const struct log_entry *e)
{
    struct seen *s = stream;

    if (++s->n == s->stop_at) return -ENOSPC;
    buf_printf(&s->out, " %lld:" STR_FMT, (long long)e->time, STR_ARG(e->line));
    for (u32 i = 0; i < e->n_meta; i++)
        buf_printf(&s->out, "," STR_FMT "=" STR_FMT, STR_ARG(e->meta[i].name),
                   STR_ARG(e->meta[i].value));
    return 0;
}

static struct seen seen_of(void)
{
    return (struct seen){.out = BUF_INIT(1 << 20)};
}

static int read_pb(struct seen *s, struct str body, char **ret_err)
{
    const struct loki_push_reader r = {seen_stream, seen_stream_of, seen_entry, s};

    return loki_push_read(body, &r, ret_err);
}

static int read_json(struct seen *s, const char *body, char **ret_err)
{
    const struct loki_push_reader r = {seen_stream, seen_stream_of, seen_entry, s};
    struct arena scratch;

    arena_init(&scratch, 0);
    int err = loki_push_read_json(str_of(body), &scratch, &r, ret_err);
    arena_done(&scratch);
    return err;
}

/* --- writing --- */

static void entry_on_the_wire(void **state)
{
    struct buf out = BUF_INIT(1000);
    const struct label meta[] = {{STR("t"), STR("1")}};
    const struct log_entry e = {
        .time = 5 * NS_PER_SEC + 7, .line = STR("hi"), .meta = meta, .n_meta = 1};
    assert_int_equal(loki_push_stream(&out, STR("{}"), &e, 1), 0);
    static const u8 bytes[] = {0x0a, 24,   0x0a, 2,    '{', '}',  0x12, 18,  0x0a,
                               4,    0x08, 5,    0x10, 7,   0x12, 2,    'h', 'i',
                               0x1a, 6,    0x0a, 1,    't', 0x12, 1,    '1'};
    assert_int_equal(out.n, sizeof(bytes));
    assert_memory_equal(out.p, bytes, sizeof(bytes));
    buf_done(&out);
}

/* The time is there even when it is zero; empty texts are not. */
static void empty_entry(void **state)
{
    struct buf out = BUF_INIT(1000);

    loki_push_entry(&out, &(struct log_entry){0});
    assert_int_equal(out.n, 4);
    assert_memory_equal(out.p, "\x12\x02\x0a\x00", 4);
    buf_done(&out);
}

static void head_and_entries_make_a_stream(void **state)
{
    struct buf whole = BUF_INIT(1 << 20), entries = BUF_INIT(1 << 20), parts = BUF_INIT(1 << 20);
    struct log_entry v[300];
    char line[300];

    memset(line, 'x', sizeof(line));
    for (u32 i = 0; i < ARRAY_LEN(v); i++) {
        v[i] = (struct log_entry){.time = (i64)i * 999999937 - 5, .line = str_n(line, i)};
        loki_push_entry(&entries, &v[i]);
    }
    assert_int_equal(loki_push_stream(&whole, STR("{a=\"b\"}"), v, ARRAY_LEN(v)), 0);
    loki_push_stream_head(&parts, STR("{a=\"b\"}"), entries.n);
    buf_str(&parts, buf_view(&entries));
    assert_int_equal(parts.n, whole.n);
    assert_memory_equal(parts.p, whole.p, whole.n);
    buf_done(&whole);
    buf_done(&entries);
    buf_done(&parts);
}

static void limits_leave_nothing_half_written(void **state)
{
    struct buf out = BUF_INIT(30);
    const struct log_entry e = {.time = 1, .line = STR("a line of some length")};

    assert_int_equal(loki_push_stream(&out, STR("{}"), &e, 1), -E2BIG);
    assert_int_equal(out.n, 0);
    buf_done(&out);
}

static void label_text(void **state)
{
    struct buf out = BUF_INIT(1000);
    const struct label v[] = {{STR("__tenant_id__"), STR("t")},
                              {STR("a"), STR("x\"y\n\xff")},
                              {STR("b_"), STR("\xc3\xa9")}};

    loki_push_labels(&out, v, ARRAY_LEN(v));
    assert_buf(&out, "{a=\"x\\\"y\\n\\xff\", b_=\"\xc3\xa9\"}");
    loki_push_labels(&out, v, 1);
    assert_buf(&out, "{}");
    buf_done(&out);
}

static void entry_sizes(void **state)
{
    const struct label meta[] = {{STR("name"), STR("value")}, {STR("n"), STR("")}};
    char long_line[200] = {0};

    assert_int_equal(loki_push_entry_size(&(struct log_entry){.line = str_n(long_line, 200)}), 200);
    assert_int_equal(
        loki_push_entry_size(&(struct log_entry){.line = STR("12"), .meta = meta, .n_meta = 2}),
        2 + (2 + 1 + 4 + 1 + 5) + (2 + 1 + 1 + 1));
}

/* --- reading protobuf --- */

static void there_and_back(void **state)
{
    struct buf out = BUF_INIT(1 << 20);
    struct seen s = seen_of();
    char *err = NULL;
    const struct label meta[] = {{STR("t"), STR("1")}, {STR("t"), STR("")}};
    const struct log_entry v[] = {{.time = 1700000000123456789, .line = STR("one")},
                                  {.time = -1, .line = STR("")},
                                  {.time = 3, .line = STR("x"), .meta = meta, .n_meta = 2}};

    assert_int_equal(loki_push_stream(&out, STR("{a=\"1\"}"), v, 3), 0);
    assert_int_equal(loki_push_stream(&out, STR("{}"), v, 1), 0);
    assert_int_equal(read_pb(&s, buf_view(&out), &err), 0);
    assert_buf(&s.out, "[{a=\"1\"}] 1700000000123456789:one -1: 3:x,t=1,t=[{}] "
                       "1700000000123456789:one");
    assert_null(err);
    buf_done(&s.out);
    buf_done(&out);
}

/* Labels may come last; fields that we do not know are passed over. */
static void any_order_and_unknown_fields(void **state)
{
    struct buf b = BUF_INIT(1000);
    struct seen s = seen_of();
    char *err = NULL;

    buf_add(&b, "\x12\x01j\x0a\x11", 5);                          /* format, a stream */
    buf_add(&b, "\x12\x09\x22\x02\x0a\x00\x12\x01z\x0a\x00", 11); /* entry: parsed, line, time */
    buf_add(&b, "\x0a\x02{}\x18\x05", 6);                         /* labels, hash */
    assert_int_equal(read_pb(&s, buf_view(&b), &err), 0);
    assert_buf(&s.out, "[{}] 0:z");
    buf_done(&s.out);
    buf_done(&b);
}

/* Each cut of a request is an error or reads as a shorter one; nothing beyond is touched. */
static void cut_anywhere(void **state)
{
    struct buf out = BUF_INIT(1 << 20);
    const struct label meta[] = {{STR("t"), STR("1")}};
    const struct log_entry e = {.time = 9, .line = STR("line"), .meta = meta, .n_meta = 1};

    assert_int_equal(loki_push_stream(&out, STR("{a=\"1\"}"), &e, 1), 0);
    for (size_t n = 1; n < out.n; n++) {
        struct seen s = seen_of();
        char *err = NULL, *copy = malloc(n);
        memcpy(copy, out.p, n);
        assert_int_equal(read_pb(&s, str_n(copy, n), &err), -EBADMSG);
        assert_non_null(strstr(err, "broken at byte"));
        free(err);
        free(copy);
        buf_done(&s.out);
    }
    buf_done(&out);
}

static void wrong_wire_types(void **state)
{
    static const char *const bodies[] = {
        "\x08\x01",                         /* streams as a number */
        "\x0a\x02\x08\x01",                 /* labels */
        "\x0a\x02\x10\x01",                 /* entries */
        "\x0a\x04\x12\x02\x08\x01",         /* time */
        "\x0a\x06\x12\x04\x0a\x02\x0a\x01", /* seconds as text, cut as well */
        "\x0a\x06\x12\x04\x1a\x02\x08\x01", /* a pair's name */
    };

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct seen s = seen_of();
        char *err = NULL;
        assert_int_equal(read_pb(&s, str_of(bodies[i]), &err), -EBADMSG);
        free(err);
        buf_done(&s.out);
    }
}

static void refused_streams_do_not_stop_the_others(void **state)
{
    struct buf out = BUF_INIT(1 << 20);
    struct seen s = seen_of();
    char *err = NULL;
    const struct log_entry e = {.time = 9, .line = STR("x")};

    s.refuse = STR("{b}");
    assert_int_equal(loki_push_stream(&out, STR("{a}"), &e, 1), 0);
    assert_int_equal(loki_push_stream(&out, STR("{b}"), &e, 1), 0);
    assert_int_equal(loki_push_stream(&out, STR("{c}"), &e, 1), 0);
    assert_int_equal(read_pb(&s, buf_view(&out), &err), -EINVAL);
    assert_string_equal(err, "not wanted");
    assert_buf(&s.out, "[{a}] 9:x[{c}] 9:x");
    free(err);
    buf_done(&s.out);
    buf_done(&out);
}

static void a_taker_can_end_it(void **state)
{
    struct buf out = BUF_INIT(1 << 20);
    struct seen s = seen_of();
    char *err = NULL;
    const struct log_entry e[] = {{.line = STR("x")}, {.line = STR("y")}};

    s.stop_at = 2;
    assert_int_equal(loki_push_stream(&out, STR("{a}"), e, 2), 0);
    assert_int_equal(read_pb(&s, buf_view(&out), &err), -ENOSPC);
    assert_null(err);
    assert_buf(&s.out, "[{a}] 0:x");
    buf_done(&s.out);
    buf_done(&out);
}

static void too_many_pairs(void **state)
{
    struct buf out = BUF_INIT(1 << 20);
    struct seen s = seen_of();
    char *err = NULL;
    static struct label meta[LOKI_PUSH_MAX_META + 1];
    struct log_entry e = {.line = STR("x"), .meta = meta, .n_meta = LOKI_PUSH_MAX_META};

    for (u32 i = 0; i <= LOKI_PUSH_MAX_META; i++)
        meta[i] = (struct label){STR("k"), STR("v")};
    assert_int_equal(loki_push_stream(&out, STR("{}"), &e, 1), 0);
    assert_int_equal(read_pb(&s, buf_view(&out), &err), 0);
    buf_reset(&out);
    e.n_meta++;
    assert_int_equal(loki_push_stream(&out, STR("{}"), &e, 1), 0);
    assert_int_equal(read_pb(&s, buf_view(&out), &err), -EBADMSG);
    assert_non_null(strstr(err, "4096 pairs"));
    free(err);
    buf_done(&s.out);
    buf_done(&out);
}

/* --- reading JSON --- */

#define STREAM(text) "{\"streams\":[" text "]}"

static void json_requests(void **state)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        {STREAM("{\"stream\":{\"a\":\"b\"},\"values\":[[\"1\",\"x\"],[\"-2\",\"y\\n\"]]}"),
         "[{a=\"b\"}] 1:x -2:y\n"},
        {STREAM(
             "{\"values\":[[\"1\",\"x\",{\"t\\u0041\":\"1\",\"u\":\"\"}]],\"stream\":{\"n\":5}}"),
         "[{n=\"5\"}] 1:x,tA=1,u="},
        {STREAM("{\"stream\":{}},{\"stream\":{\"q\":\"1\"},\"more\":[{}],\"values\":[]}"),
         "[{}][{q=\"1\"}]"},
        {" {\"other\": 1, \"streams\" : [ ] } ", ""},
        {"{}", ""},
        {STREAM("{\"stream\":{\"a\":\"b\"},\"values\":[[\"1\",\"x\",{},7]]}"), "[{a=\"b\"}] 1:x"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct seen s = seen_of();
        char *err = NULL;
        int code = read_json(&s, cases[i].body, &err);
        if (code) print_error("%s: %s\n", cases[i].body, err);
        assert_int_equal(code, 0);
        assert_buf(&s.out, cases[i].want);
        buf_done(&s.out);
    }
}

static void broken_json(void **state)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        {"", "an object with streams"},
        {"[]", "an object with streams"},
        {"{\"streams\":{}}", "streams is a list"},
        {STREAM("1"), "a stream is an object"},
        {STREAM("{\"stream\":[]}"), "an object of names"},
        {STREAM("{\"stream\":{\"a\":{}}}"), "a text in quotes"},
        {STREAM("{\"values\":{}}"), "values is a list"},
        {STREAM("{\"values\":[1]}"), "an entry is a list"},
        {STREAM("{\"values\":[[1,\"x\"]]}"), "both in quotes"},
        {STREAM("{\"values\":[[\"1\"]]}"), "both in quotes"},
        {STREAM("{\"values\":[[\"1.5\",\"x\"]]}"), "no number of nanoseconds"},
        {STREAM("{\"values\":[[\"1\",\"x\",{\"a\":1}]]}"), "a text in quotes"},
        {STREAM("{\"values\":[[\"1\",\"x\",5]]}"), "an object of names"},
        {STREAM("") " {}", "something follows"},
        {"{\"streams\":[{\"values\":[[\"1\",\"x\"]", "unexpected end"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct seen s = seen_of();
        char *err = NULL;
        assert_int_equal(read_json(&s, cases[i].body, &err), -EBADMSG);
        if (!strstr(err, cases[i].want)) {
            print_error("%s: %s\n", cases[i].body, err);
            fail();
        }
        free(err);
        buf_done(&s.out);
    }
}

static void json_streams_refused(void **state)
{
    struct seen s = seen_of();
    char *err = NULL;

    s.refuse = STR("{}");
    assert_int_equal(read_json(&s,
                               STREAM("{\"values\":[[\"1\",\"no\"]]},"
                                      "{\"stream\":{\"a\":\"b\"},\"values\":[[\"1\",\"x\"]]}"),
                               &err),
                     -EINVAL);
    assert_string_equal(err, "not wanted");
    assert_buf(&s.out, "[{a=\"b\"}] 1:x");
    free(err);
    buf_done(&s.out);
}

/* --- label texts --- */

static void labels_parsed(void **state)
{
    static const struct {
        const char *text, *want; /* want: written again */
    } cases[] = {
        {"{}", "{}"},
        {" { a = \"b\" , c='d', } # done", "{a=\"b\", c=\"d\"}"},
        {"{_x1=`a\\b\n`}", "{_x1=\"a\\\\b\\n\"}"},
        {"{a=\"\\a\\x41\\101\\u00e9\\U0001F600\\\"\"}",
         "{a=\"\\aAA\xc3\xa9\xf0\x9f\x98\x80\\\"\"}"},
        {"{a='it\\'s'}", "{a=\"it's\"}"},
        {"{\"x.y\"=\"1\"}", "{x.y=\"1\"}"},
        {"up:x{a=\"b\"}", "{a=\"b\"}"}, /* __name__ is not written */
        {"{a=\"}\"}", "{a=\"}\"}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct label *v = NULL;
        size_t n = 0;
        char *err = NULL;
        struct buf out = BUF_INIT(1000);
        arena_init(&a, 0);
        int code = loki_labels_parse(str_of(cases[i].text), &a, &v, &n, &err);
        if (code) print_error("%s: %s\n", cases[i].text, err);
        assert_int_equal(code, 0);
        loki_push_labels(&out, v, n);
        assert_buf(&out, cases[i].want);
        buf_done(&out);
        arena_done(&a);
    }
}

static void labels_refused(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "1:1: parse error: unexpected end of input"},
        {"{", "1:2: parse error: unexpected end of input"},
        {"{a}", "1:3: parse error: unexpected character in label set, expected \"=\": '}'"},
        {"{a=b}", "1:4: parse error: unexpected character in label set, expected string: 'b'"},
        {"{a=\"b\" c=\"d\"}", "expected \",\" or \"}\": 'c'"},
        {"{a=\"b}", "1:4: parse error: unterminated quoted string"},
        {"{a=\"b\n\"}", "unterminated"},
        {"{a=\"\\q\"}", "1:5: parse error: unknown escape sequence"},
        {"{a=\"\\ud800\"}", "unknown escape"},
        {"{a=\"\\400\"}", "unknown escape"},
        {"{a=\"b\"} x", "1:9: parse error: unexpected character behind the labels: 'x'"},
        {"{1a=\"b\"}", "1:2: parse error"},
        {"{,}", "1:2: parse error"},
        {"a=b", "behind the labels"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct label *v;
        size_t n;
        char *err = NULL;
        arena_init(&a, 0);
        assert_int_equal(loki_labels_parse(str_of(cases[i].text), &a, &v, &n, &err), -EINVAL);
        if (!strstr(err, cases[i].want)) {
            print_error("%s: %s\n", cases[i].text, err);
            fail();
        }
        free(err);
        arena_done(&a);
    }
}

#define TEST(fn) cmocka_unit_test(fn)
/* An entry field by field, as the description of the format has it. */
static void write_plainly(struct buf *out, i64 time, struct str line)
{
    struct buf stamp = BUF_INIT(100), entry = BUF_INIT(1 << 20);

    if (time / NS_PER_SEC) pb_add_u64(&stamp, 1, (u64)(time / NS_PER_SEC));
    if (time % NS_PER_SEC) pb_add_u64(&stamp, 2, (u64)(time % NS_PER_SEC));
    pb_add_bytes(&entry, 1, buf_view(&stamp));
    if (line.n) pb_add_bytes(&entry, 2, line);
    pb_add_bytes(out, 2, buf_view(&entry));
    buf_done(&stamp);
    buf_done(&entry);
}

/* Lengths and times on both sides of where a varint grows. */
static void every_width(void **state)
{
    static const size_t lines[] = {0, 1, 7, 90, 127, 128, 16382, 16383, 16384, 100000};
    static const i64 parts[] = {0,       1,       127,       128,       16383,    16384,
                                2097151, 2097152, 268435455, 268435456, 999999999};
    char *text = malloc(100000);
    struct buf a = BUF_INIT(1 << 20), b = BUF_INIT(1 << 20);

    memset(text, 'x', 100000);
    for (size_t l = 0; l < ARRAY_LEN(lines); l++)
        for (size_t i = 0; i < ARRAY_LEN(parts) * ARRAY_LEN(parts); i++) {
            i64 time = parts[i % ARRAY_LEN(parts)] * NS_PER_SEC + parts[i / ARRAY_LEN(parts)];
            struct log_entry e = {.time = time, .line = str_n(text, lines[l])};
            buf_reset(&a);
            buf_reset(&b);
            loki_push_entry(&a, &e);
            write_plainly(&b, time, e.line);
            assert_true(str_eq(buf_view(&a), buf_view(&b)));
        }
    buf_done(&a);
    buf_done(&b);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entry_on_the_wire),
        TEST(empty_entry),
        TEST(every_width),
        TEST(head_and_entries_make_a_stream),
        TEST(limits_leave_nothing_half_written),
        TEST(label_text),
        TEST(entry_sizes),
        TEST(there_and_back),
        TEST(any_order_and_unknown_fields),
        TEST(cut_anywhere),
        TEST(wrong_wire_types),
        TEST(refused_streams_do_not_stop_the_others),
        TEST(a_taker_can_end_it),
        TEST(too_many_pairs),
        TEST(json_requests),
        TEST(broken_json),
        TEST(json_streams_refused),
        TEST(labels_parsed),
        TEST(labels_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
