/* Comments between tokens. They are not part of the tree: each is printed before the first token
 * that stands behind it in the source. Of the white space that waits for that token, a part goes
 * before the comments (so that a comment in front of a closing brace is indented like the body) and
 * the rest behind them; the line breaks around a comment are those of the source, at most two. */
#include "parser/printer_impl.h"

#define BREAKS_MAX 2 /* one empty line */

static bool before(struct pos a, struct pos b)
{
    return a.line != b.line ? a.line < b.line : a.col < b.col;
}

static u32 lines_between(u32 from, u32 to)
{
    return to > from ? MIN(to - from, BREAKS_MAX) : 0;
}

static void breaks(struct printer *p, u32 n, enum space kind)
{
    while (n--)
        printer_space(p, kind);
}

/* Takes the first waiting items out, up to the first that is in none of the two sets, and writes
 * those that are in `write`. True when a cell was ended by that. */
static bool take_waiting(struct printer *p, unsigned write, unsigned drop)
{
    bool cell = false;
    size_t i = 0;
    for (; i < p->waiting.n; i++) {
        enum space s = p->waiting.v[i];
        if (!((write | drop) & (1u << s))) break;
        if (write & (1u << s)) printer_space(p, s);
        cell |= s == SP_CELL && (write & (1u << s));
    }
    if (i > 0) memmove(p->waiting.v, p->waiting.v + i, (p->waiting.n - i) * sizeof(*p->waiting.v));
    p->waiting.n -= i;
    return cell;
}

/* Beside what was printed last: in a cell of its own when it ends its line, else behind a blank. */
static void lead_in_same_line(struct printer *p, bool token_follows)
{
    if (take_waiting(p, 1u << SP_CELL | 1u << SP_INDENT, 1u << SP_BLANK)) return;
    if (token_follows)
        layout_blank(&p->out);
    else
        layout_cell(&p->out, CELL_TAB);
}

static void lead_in_new_line(struct printer *p, const struct comment *c)
{
    take_waiting(p, 1u << SP_INDENT, 1u << SP_BLANK | 1u << SP_CELL);
    if (p->last.line > 0) breaks(p, lines_between(p->last.line, c->span.start.line), SP_BREAK);
}

static void print_comment(struct printer *p, const struct comment *c, struct pos next)
{
    if (c->span.start.line == p->last.line)
        lead_in_same_line(p, next.line == c->span.start.line);
    else
        lead_in_new_line(p, c);
    printer_text(p, c->text);
    p->last = (struct pos){c->span.end.line, c->span.end.col + 1};
}

/* What waited for the token, its line breaks replaced by those between the last comment and the
 * token. */
static void lead_out(struct printer *p, struct pos next)
{
    enum space kind = SP_NEWLINE;
    vec_each (&p->waiting, s) {
        if (*s == SP_BREAK) kind = SP_BREAK;
        if (*s == SP_INDENT || *s == SP_UNINDENT) printer_space(p, *s);
    }
    vec_clear(&p->waiting);
    u32 n = lines_between(p->last.line, next.line);
    if (n == 0) layout_blank(&p->out);
    breaks(p, n, kind);
}

void printer_write_waiting(struct printer *p)
{
    vec_each (&p->waiting, s)
        printer_space(p, *s);
    vec_clear(&p->waiting);
}

void printer_flush(struct printer *p, struct pos next)
{
    bool any = false;
    while (p->n_comments > 0 && !before(next, p->comments->span.start)) {
        print_comment(p, p->comments, next);
        p->comments++;
        p->n_comments--;
        any = true;
    }
    if (any)
        lead_out(p, next);
    else
        printer_write_waiting(p);
}
