/* logfmt's scanner, and stage.logfmt. */
#include "components/common/logfmt.h"
#include "components/loki/process/stage_cases.h"

/* Pairs as "key=value;" and "!" when the scan failed. */
static void scans(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"a=1 b=\"x y\" c", "a=1;b=x y;c=;"},
        {"  a=1\t\tb=2\r\nc=3\x01"
         "d",
         "a=1;b=2;c=3;d=;"},
        {"a= b=\"\" c=", "a=;b=;c=;"},
        {"a=\"q\\\"\\n\\u00e9\\ud83d\\ude00\\/\\'\"", "a=q\"\n\xC3\xA9\xF0\x9F\x98\x80/';"},
        {"a=\"\\ud83d\" b=\"\\ud83dx\"", "a=\xEF\xBF\xBD;b=\xEF\xBF\xBDx;"},
        {"a=\"1\"b=2", "a=1;b=2;"},
        {"a=\"tab\there\"", "a=tab\there;"},
        {"\xC3\xA9=1", "\xC3\xA9=1;"},
        {"a=\xFF b=1", "a=\xFF;b=1;"},
        {"", ""},
        {" \n ", ""},
        {"ok=1 a=b=c d=1", "ok=1;!"},
        {"ok=1 a=b\"c d=1", "ok=1;!"},
        {"ok=1 =x d=1", "ok=1;!"},
        {"ok=1 a\"b d=1", "ok=1;!"},
        {"ok=1 \"x\" d=1", "ok=1;!"},
        {"ok=1 a=\"open", "ok=1;!"},
        {"ok=1 a=\"open\nd=\"", "ok=1;!"},
        {"ok=1 a=\"\\", "ok=1;!"},
        {"ok=1 a=\"\\q\"", "ok=1;!"},
        {"ok=1 a=\"\\u12g4\"", "ok=1;!"},
        {"ok=1 a=\"\\u12\"", "ok=1;!"},
        {"ok=1 a=\"\\n\t\"", "ok=1;!"},
        {"ok=1 \xFF=1 d=1", "ok=1;!"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf b = BUF_INIT(1000);
        struct logfmt l;
        struct arena a;

        arena_init(&a, 0);
        logfmt_init(&l, str_of(rows[i].text), &a);
        buf_cstr(&b, "");
        while (logfmt_next(&l))
            buf_printf(&b, STR_FMT "=" STR_FMT ";", STR_ARG(l.key), STR_ARG(l.value));
        if (l.failed) buf_ch(&b, '!');
        assert_text(buf_view(&b), rows[i].want);
        buf_done(&b);
        arena_done(&a);
    }
}

static void extracts(void **state)
{
    static const struct extract_case cases[] = {
        {"stage.logfmt { mapping = { level = \"\", msg = \"message\" } }", "level,msg",
         "time=1 level=warn message=\"it is\" x=1", "{level=\"warn\", msg=\"it is\"}"},
        /* one target for each key: the last name wins */
        {"stage.logfmt { mapping = { a = \"k\", b = \"k\" } }", "a,b", "k=1", "{b=\"1\"}"},
        {"stage.logfmt { mapping = { a = \"\" } }", "a", "a=1 a=2", "{a=\"2\"}"},
        {"stage.logfmt { mapping = { a = \"\", b = \"\" } }", "a,b", "a=1 x=\"open b=2",
         "{a=\"1\"}"},
        {"stage.logfmt { regex = \"^p_\" }", "p_a,p_b,q", "p_a=1 q=2 p_b", "{p_a=\"1\", p_b=\"\"}"},
        {"stage.logfmt {\nregex = \"^p_\"\nmapping = { q = \"p_a\" }\n}", "p_a,q", "p_a=1",
         "{p_a=\"1\", q=\"1\"}"},
        {"stage.logfmt { mapping = { a = \"\", b = \"\" } }", "a,b", "a=1\\nb=2",
         "{a=\"1\", b=\"2\"}"},
    };
    EXTRACT_ALL(cases);
    process_case("stage.logfmt {\nmapping = { a = \"\" }\nsource = \"doc\"\n}\n"
                 "stage.labels { values = { a = \"\" } }",
                 "{doc=\"a=1\"} a=2\na=3", "{a=\"1\", doc=\"a=1\"} a=2\n{} a=3\n");
    process_fault("stage.logfmt { }", "logfmt mapping or regex is required");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scans), cmocka_unit_test(extracts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
