/* Luhn's check, and stage.luhn. */
#include "components/loki/process/luhn.h"
#include "components/loki/process/stage_cases.h"

static void replaces(void **state)
{
    static const struct {
        i64 min;
        const char *delimiters, *text, *want;
    } rows[] = {
        {13, "", "card 4111111111111111!", "card X!"},
        {13, "", "4111111111111112", "4111111111111112"},
        {13, "", "4111111111111111 4111111111111111", "X X"},
        {13, "", "a4111111111111111b", "aXb"},
        {13, "", "4111-1111-1111-1111", "4111-1111-1111-1111"},
        {13, "-", "4111-1111-1111-1111.", "X."},
        {13, "- ", "pay 4111 1111-1111 1111 now", "pay X now"},
        {13, "-", "4111-1111-1111-1111--.", "X-."},
        {13, "\xC2\xB7",
         "4111\xC2\xB7"
         "1111\xC2\xB7"
         "1111\xC2\xB7"
         "1111",
         "X"},
        {3, "", "18 182", "18 X"},
        {1, "", "0 1 18", "X 1 X"},
        {13, "", "0000000000000000000000000000000000000000000000000000", "X"},
        {13, "", "99999999999999999999999999999999999", "99999999999999999999999999999999999"},
        {13, "", "", ""},
        {13, "-", "1-2-", "1-2-"},
        {13, "-",
         "\xFF"
         "4111-111111111111\xFF",
         "\xFFX\xFF"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf b = BUF_INIT(1000);
        struct luhn l = {.replacement = STR("X"),
                         .delimiters = str_of(rows[i].delimiters),
                         .min_length = rows[i].min};

        buf_cstr(&b, "");
        luhn_replace(&l, str_of(rows[i].text), &b);
        assert_text(buf_view(&b), rows[i].want);
        buf_done(&b);
    }
}

static void stage(void **state)
{
    process_case("stage.luhn { }", "{} card 4111111111111111 ok\nnone",
                 "{} card **REDACTED** ok\n{} none\n");
    process_case("stage.luhn {\nreplacement = \"#\"\nmin_length = 4\n}", "{} 0018", "{} #\n");
    /* the result replaces the line */
    process_case("stage.luhn { source = \"n\" }",
                 "{n=\"is 4111111111111111\"} line\n{n=\"1\"} line\nline",
                 "{n=\"is 4111111111111111\"} is **REDACTED**\n{n=\"1\"} 1\n{} line\n");
    process_case("stage.luhn { skip_regex = \"id=[0-9]+|id:\" }",
                 "{} id=4111111111111111 id: 4111111111111111",
                 "{} id=4111111111111111 id: **REDACTED**\n");
    process_case("stage.json { expressions = { n = \"\" } }\nstage.luhn { source = \"n\" }",
                 "{} {\"n\":4111111111111111}", "{} {\"n\":4111111111111111}\n");
    process_fault("stage.luhn { source = \"\" }", "empty source");
    process_fault("stage.luhn { skip_regex = \"(\" }",
                  "error parsing regexp: missing closing ): `(`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(replaces), cmocka_unit_test(stage)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
