/* The positions file as text: Alloy's files are read, what is written reads back the same. */
#include "components/common/positions_text.h"

#include <errno.h>
#include "base/test.h"

struct got {
    struct buf text;
    int n;
};

static void note(void *arg, const struct position *p)
{
    struct got *g = arg;

    g->n++;
    buf_printf(&g->text, "%s" STR_FMT "|" STR_FMT "|" STR_FMT, g->n > 1 ? "\n" : "",
               STR_ARG(p->path), STR_ARG(p->labels), STR_ARG(p->value));
}

static int read_with(struct str text, bool legacy, struct got *g, char *err, size_t size)
{
    struct arena a;
    const char *why = "";

    *g = (struct got){.text = BUF_INIT(1 << 20)};
    arena_init(&a, 0);
    int r = legacy ? positions_text_read_legacy(text, &a, note, g, &why)
                   : positions_text_read(text, &a, note, g, &why);
    (void)snprintf(err, size, "%s", why);
    arena_done(&a);
    return r;
}

static void expect(const char *text, bool legacy, const char *want)
{
    struct got g;
    char err[256];

    assert_int_equal(read_with(str_of(text), legacy, &g, err, sizeof(err)), 0);
    assert_buf(&g.text, want);
    buf_done(&g.text);
}

static void expect_error(const char *text, const char *want)
{
    struct got g;
    char err[256];

    assert_int_equal(read_with(str_of(text), false, &g, err, sizeof(err)), -EBADMSG);
    assert_non_null(strstr(err, want));
    buf_done(&g.text);
}

static void test_reads_alloys_files(void **state)
{
    expect("positions:\n"
           "  ? path: /var/log/a.log\n"
           "    labels: '{app=\"x\", job=\"y\"}'\n"
           "  : \"1234\"\n"
           "  ? path: cursor-loki.source.journal.read\n"
           "    labels: \"\"\n"
           "  : s=0639;i=4ab2;t=1\n",
           false,
           "/var/log/a.log|{app=\"x\", job=\"y\"}|1234\n"
           "cursor-loki.source.journal.read||s=0639;i=4ab2;t=1");
    expect("positions: {}\n", false, "");
    expect("", false, "");
    expect("# nothing\n", false, "");
    expect("other: [1]\npositions:\n  ? path: /a\n  : 7\n", false, "/a||7");
}

/* As the library breaks lines after column 80. */
static void test_reads_folded_scalars(void **state)
{
    expect("positions:\n"
           "  ? path: /var/log/with space/and another\n"
           "      one.log\n"
           "    labels: '{app=\"a name\",\n"
           "      job=\"it''s\"}'\n"
           "  : \"12\"\n"
           "  ? path: \"/x\\\n"
           "      y\"\n"
           "    labels: |-\n"
           "      {a=\"b\"}\n"
           "  : '3'\n",
           false,
           "/var/log/with space/and another one.log|{app=\"a name\", job=\"it's\"}|12\n"
           "/xy|{a=\"b\"}|3");
}

static void test_reads_legacy_files(void **state)
{
    expect("positions:\n  /var/log/a.log: \"12\"\n  /b: 7\n", true,
           "/var/log/a.log|{}|12\n/b|{}|7");
}

static void test_says_what_is_wrong(void **state)
{
    expect_error("positions:\n  ? path: /a\n    labels: '{", "yaml: line");
    expect_error("positions:\n  /a: \"1\"\n", "line 2: the key of a position");
    expect_error("positions: [1]\n", "line 1: `positions` must be a mapping");
    expect_error("just text\n", "line 1: a mapping with the key `positions`");
    expect_error("positions:\n  ? path: [1]\n  : x\n", "line 2: a text is expected");
    expect_error("positions:\n  ? path: !!binary '*'\n  : x\n", "not base64");
}

static void test_writes_as_alloy_does(void **state)
{
    struct buf b = BUF_INIT(1 << 16);

    positions_text_head(&b, true);
    assert_buf(&b, "positions: {}\n");
    positions_text_head(&b, false);
    positions_text_entry(
        &b, &(struct position){STR("/var/log/a.log"), STR("{app=\"x\", job=\"it's\"}"), STR("1234")});
    positions_text_entry(&b, &(struct position){STR("cursor-loki.source.journal.read"), STR(""),
                                                STR("s=0639;i=4a")});
    assert_buf(&b, "positions:\n"
                   "  ? path: /var/log/a.log\n"
                   "    labels: '{app=\"x\", job=\"it''s\"}'\n"
                   "  : \"1234\"\n"
                   "  ? path: cursor-loki.source.journal.read\n"
                   "    labels: \"\"\n"
                   "  : s=0639;i=4a\n");
    buf_done(&b);
}

static void check_round_trip(struct str path)
{
    struct buf b = BUF_INIT(1 << 16), want = BUF_INIT(1 << 16);
    struct got g;
    char err[256];

    positions_text_head(&b, false);
    positions_text_entry(&b, &(struct position){path, path, path});
    buf_printf(&want, STR_FMT "|" STR_FMT "|" STR_FMT, STR_ARG(path), STR_ARG(path), STR_ARG(path));
    if (read_with(buf_view(&b), false, &g, err, sizeof(err)) != 0) fail_msg("%s: %s", b.p, err);
    assert_true(str_eq(buf_view(&g.text), buf_view(&want)));
    buf_done(&g.text);
    buf_done(&want);
    buf_done(&b);
}

static void test_reads_back_what_it_writes(void **state)
{
    static const char *const texts[] = {
        "", "0", "00012", "true", "No", "null", "~", "y", "on", "1e3", ".5", "0x1f", "-", "--- a",
        "/a: b", "/a:", "/a #b", "a'b", "a\"b\\c", " lead", "trail ", "tab\there", "nl\nthere\n",
        "{a=\"b\"}", "[1]", "&x", "*x", "!x", "%x", "@x", "`x", "|", ">", "?", "? x", ": x", "<<",
        "=", "/\xc3\xa4/\xe4\xb8\xad.log", "/\xff\xfe.log", "/a\x01" "b", "/\xef\xbb\xbf",
        "/\xc2\x85", "\xf0\x9f\x98\x80", "/\x7f", "/\xe2\x80\xa8x", "\xef\xbf\xbe"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        check_round_trip(str_of(texts[i]));
    char wide[3000];
    memset(wide, 'x', sizeof(wide));
    for (size_t i = 7; i < sizeof(wide); i += 11)
        wide[i] = ' ';
    check_round_trip(str_n(wide, sizeof(wide)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_alloys_files),     cmocka_unit_test(test_reads_folded_scalars),
        cmocka_unit_test(test_reads_legacy_files),     cmocka_unit_test(test_says_what_is_wrong),
        cmocka_unit_test(test_writes_as_alloy_does),   cmocka_unit_test(test_reads_back_what_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
