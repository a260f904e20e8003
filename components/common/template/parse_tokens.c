/* Tokens as the parser takes them, and its faults, which are told in Go's words with the line of
 * the token that was read last. */
#include "components/common/template/parse.h"

#include <stdlib.h>
#include "base/utf8.h"

void parse_fault(struct parser *p, const char *fmt, ...)
{
    va_list ap;
    if (p->err) return;
    va_start(ap, fmt);
    char *text = xvprintf(fmt, ap);
    va_end(ap);
    p->err = xprintf("template: %s:%d: %s", p->name, p->line, text);
    free(text);
}

const struct token *parse_look(struct parser *p)
{
    size_t last = p->toks.n - 1;
    return &p->toks.v[MIN(p->at, last)];
}

const struct token *parse_take(struct parser *p)
{
    const struct token *t = parse_look(p);
    p->line = t->line;
    if (p->at < p->toks.n) p->at++;
    return t;
}

const struct token *parse_look_word(struct parser *p)
{
    while (parse_look(p)->kind == TOK_SPACE)
        parse_take(p);
    return parse_look(p);
}

const struct token *parse_take_word(struct parser *p)
{
    parse_look_word(p);
    return parse_take(p);
}

/* As a token shows itself in a message. */
static char *shown(const struct token *t)
{
    struct buf b = BUF_INIT(1 << 16);
    if (t->kind == TOK_EOF) return xstrdup("EOF");
    if (t->kind == TOK_ERROR) return str_dup(t->text);
    if (t->kind > TOK_KEYWORD) return xprintf("<" STR_FMT ">", STR_ARG(t->text));
    struct str s = t->text;
    size_t end = 0;
    for (int i = 0; s.n > 10 && i < 10 && end < s.n; i++)
        end += utf8_decode(str_sub(s, end, s.n), &(u32){0}, NULL);
    utf8_quote(&b, s.n > 10 ? str_sub(s, 0, end) : s);
    if (s.n > 10) buf_cstr(&b, "...");
    return buf_take(&b, NULL);
}

static bool ends_with_action(struct str s)
{
    return str_ends(s, STR(" action"));
}

static void lex_fault(struct parser *p, const struct token *t)
{
    if (p->action_line == 0 || p->action_line == t->line)
        parse_fault(p, STR_FMT, STR_ARG(t->text));
    else
        parse_fault(p, STR_FMT "%s started at %s:%d", STR_ARG(t->text),
                    ends_with_action(t->text) ? "" : " in action", p->name, p->action_line);
}

void parse_unexpected(struct parser *p, const struct token *t, const char *context)
{
    if (t->kind == TOK_ERROR) {
        lex_fault(p, t);
        return;
    }
    char *text = shown(t);
    parse_fault(p, "unexpected %s in %s", text, context);
    free(text);
}

void parse_expect(struct parser *p, enum token_kind kind, const char *context)
{
    const struct token *t = parse_take_word(p);
    if (t->kind != kind) parse_unexpected(p, t, context);
}
