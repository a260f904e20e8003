/* Tokens, the newline rule, places and faults of the scanner. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/lexer.h"

/* All tokens of a text as "NAME NAME ...", then its faults as "; LINE:COL message". */
static void scan(struct str text, struct buf *out)
{
    struct source *src = source_new(NULL, text);
    struct diags diags;
    diags_init(&diags);
    struct lexer lx;
    lex_init(&lx, src, &diags);
    for (struct lexeme t = lex_next(&lx); t.tok != TOK_EOF; t = lex_next(&lx))
        buf_printf(out, "%s%s", out->n ? " " : "", token_name(t.tok));
    vec_each (&diags.list, d)
        buf_printf(out, "; %u:%u %s", d->span.start.line, d->span.start.col, d->message);
    diags_done(&diags);
    source_unref(src);
}

static void expect_scan(struct str text, const char *want)
{
    struct buf b = BUF_INIT(SIZE_MAX);
    buf_cstr(&b, "");
    scan(text, &b);
    assert_string_equal(b.n ? b.p : "", want);
    buf_done(&b);
}

struct row {
    const char *text, *want;
};

static void expect_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect_scan(str_of(rows[i].text), rows[i].want);
}

static void test_tokens(void **state)
{
    static const struct row rows[] = {
        {"", ""},
        {"a_1 é true null", "IDENT IDENT BOOL NULL TERMINATOR"},
        {"1 1. .5 1e3 1e+3 1.x", "NUMBER FLOAT FLOAT FLOAT FLOAT FLOAT IDENT TERMINATOR"},
        {"0x10", "NUMBER IDENT TERMINATOR"},
        {"\"a\\\"b\" `c\nd`", "STRING STRING TERMINATOR"},
        {"|| && ! == != < <= > >= =", "|| && ! == != < <= > >= ="},
        {"+-*/%^{}()[],.", "+ - * / % ^ { } ( ) [ ] , ."},
        {"True", "IDENT TERMINATOR"},
    };
    expect_rows(rows, ARRAY_LEN(rows));
}

static void test_newlines(void **state)
{
    static const struct row rows[] = {
        {"a =\n\n1\n\nb", "IDENT = NUMBER TERMINATOR IDENT TERMINATOR"},
        {"(\n1\n)", "( NUMBER TERMINATOR ) TERMINATOR"},
        {"a // c\n", "IDENT TERMINATOR COMMENT"},
        {"a /* c */ b", "IDENT COMMENT IDENT TERMINATOR"},
        {"a /* c\n */ b", "IDENT TERMINATOR COMMENT IDENT TERMINATOR"},
        {"a /* c */ /* d */", "IDENT TERMINATOR COMMENT COMMENT"},
        {"a /* c */ / b", "IDENT COMMENT / IDENT TERMINATOR"},
        {"a\r\nb\r", "IDENT TERMINATOR IDENT TERMINATOR"},
        {"= // c\n= ", "= COMMENT ="},
    };
    expect_rows(rows, ARRAY_LEN(rows));
}

static void test_faults(void **state)
{
    static const struct row rows[] = {
        {"a @", "IDENT ILLEGAL TERMINATOR; 1:3 illegal character U+0040 '@'"},
        {"@\n", "ILLEGAL; 1:1 illegal character U+0040 '@'"},
        {"|\n&", "|| &&; 1:2 missing second | in ||; 2:2 missing second & in &&"},
        {"1e+", "FLOAT TERMINATOR; 1:1 exponent has no digits"},
        {"\"a\n", "STRING TERMINATOR; 1:1 string literal not terminated"},
        {"'a'", "ILLEGAL TERMINATOR; 1:1 illegal single-quoted string; use double quotes"},
        {"/* a", "COMMENT; 1:1 block comment not terminated"},
        {"\"\\q\\x4\\400\\ud800\"", "STRING TERMINATOR; 1:3 unknown escape sequence; 1:5 illegal "
                                    "character U+005C '\\' in escape "
                                    "sequence; 1:8 escape sequence is invalid Unicode code point; "
                                    "1:12 escape sequence is invalid "
                                    "Unicode code point"},
        {"\"\\", "STRING TERMINATOR; 1:3 escape sequence not terminated; 1:1 string literal not "
                 "terminated"},
        {"\xff",
         "ILLEGAL; 1:1 illegal UTF-8 encoding; 1:1 illegal character U+FFFD '\xef\xbf\xbd'"},
        {"\xef\xbb\xbf"
         "a \xef\xbb\xbf",
         "IDENT ILLEGAL TERMINATOR; 1:6 illegal byte order mark"},
        {"\f", "ILLEGAL; 1:1 illegal character U+000C"},
    };
    expect_rows(rows, ARRAY_LEN(rows));
    expect_scan(STR("\0"), "ILLEGAL; 1:1 illegal character NUL; 1:1 illegal character U+0000");
}

static void test_places(void **state)
{
    struct source *src = source_new(NULL, STR("é = `x\ny`\n\tb"));
    struct diags diags;
    diags_init(&diags);
    struct lexer lx;
    lex_init(&lx, src, &diags);
    static const u32 want[][4] = {
        {1, 1, 1, 2}, {1, 4, 1, 4}, {1, 6, 2, 2}, {2, 3, 2, 3}, {3, 2, 3, 2}};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct lexeme t = lex_next(&lx);
        assert_int_equal(t.start.line, want[i][0]);
        assert_int_equal(t.start.col, want[i][1]);
        assert_int_equal(t.end.line, want[i][2]);
        assert_int_equal(t.end.col, want[i][3]);
    }
    diags_done(&diags);
    source_unref(src);
}

static void test_fault_limit(void **state)
{
    size_t n = LEX_FAULTS_MAX * 2;
    char *text = xmalloc(n);
    memset(text, '@', n);
    struct source *src = source_new(NULL, str_n(text, n));
    struct diags diags;
    diags_init(&diags);
    struct lexer lx;
    lex_init(&lx, src, &diags);
    for (size_t i = 0; i < n; i++)
        lex_next(&lx);
    assert_true(lex_full(&lx));
    assert_int_equal(diags.n_errors, LEX_FAULTS_MAX);
    diags_done(&diags);
    source_unref(src);
    free(text);
}

static void test_identifiers(void **state)
{
    static const char *const good[] = {"a", "_", "a1", "日本", "é٣"}, *const bad[] = {
                                                                          "",     "1",    "a-b",
                                                                          "true", "null", " a",
                                                                          "a b",  "a\xff"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(lex_is_identifier(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(lex_is_identifier(str_of(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),      cmocka_unit_test(test_newlines),
        cmocka_unit_test(test_faults),      cmocka_unit_test(test_places),
        cmocka_unit_test(test_fault_limit), cmocka_unit_test(test_identifiers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
