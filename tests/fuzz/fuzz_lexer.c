/* Any bytes through the scanner: it ends, its tokens follow each other and stay inside the text,
 * places never go back. */
#include "base/assert.h"
#include "parser/lexer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_token(const struct source *src, const struct lexeme *t, const char **at)
{
    ASSERT(t->text.p >= *at && t->text.p + t->text.n <= src->text.p + src->text.n);
    ASSERT(t->start.line >= 1 && t->start.col >= 1);
    ASSERT(t->end.line >= t->start.line &&
           (t->end.line > t->start.line || t->end.col >= t->start.col));
    struct str line = source_line(src, t->start.line);
    ASSERT(t->text.p == line.p + t->start.col - 1);
    *at = t->text.p + t->text.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source *src = source_new("fuzz", str_n((const char *)data, size));
    struct diags diags;
    diags_init(&diags);
    struct lexer lx;
    lex_init(&lx, src, &diags);
    const char *at = src->text.p;
    for (struct lexeme t = {.tok = TOK_ILLEGAL}; t.tok != TOK_EOF;) {
        t = lex_next(&lx);
        check_token(src, &t, &at);
        ASSERT(t.tok == TOK_TERMINATOR || t.tok == TOK_EOF || t.text.n > 0);
    }
    diags_done(&diags);
    source_unref(src);
    return 0;
}
