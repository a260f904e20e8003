/* Diagnostics as people read them: one line, or with the lines of the source around the fault and a
 * caret under it. The form is the reference's to the byte, so that its users' eyes and scripts find
 * what they know. */
#include "parser/diag.h"
#include "parser/source.h"
#include "base/utf8.h"

#define SHOWN_LINE_MAX  4096 /* bytes; no one looks for a caret in a longer one */
#define SHOWN_LINES_MAX 1000
#define TAB_AS          "    "
#define BOLD_RED        "\x1b[31;1m"
#define BOLD_YELLOW     "\x1b[33;1m"
#define BOLD            "\x1b[1m"
#define PLAIN           "\x1b[0m"

/* --- one line --- */

static void where(const struct diag *d, struct buf *out)
{
    if (d->span.start.line == 0) {
        buf_ch(out, '-');
        return;
    }
    struct span at = source_shown(d->span);
    if (at.file && at.file->name) buf_printf(out, "%s:", at.file->name);
    buf_printf(out, "%u:%u", at.start.line, at.start.col);
}

void diag_line(const struct diag *d, struct buf *out)
{
    where(d, out);
    buf_printf(out, ": %s", d->message);
}

void diags_line(const struct diags *d, struct buf *out)
{
    if (d->list.n == 0) return;
    diag_line(&d->list.v[0], out);
    if (d->list.n > 1) buf_printf(out, " (and %zu more diagnostics)", d->list.n - 1);
}

/* --- with its context --- */

/* One shown excerpt: which lines, and how wide their numbers are. */
struct excerpt {
    const struct source *src;
    struct pos start, end;
    int number_width;
    bool multi_line;
};

static bool is_tab(u32 c)
{
    return c == '\t' || c == '\v';
}

static void margin(const struct excerpt *x, struct buf *out, u32 line)
{
    if (line == 0)
        buf_printf(out, "%*s | ", x->number_width, "");
    else
        buf_printf(out, "%*u | ", x->number_width, line);
}

static void source_text(struct str line, struct buf *out)
{
    for (size_t i = 0; i < line.n;) {
        u32 c;
        i += utf8_decode(str_sub(line, i, line.n), &c, NULL);
        if (is_tab(c))
            buf_cstr(out, TAB_AS);
        else if (c != '\r')
            utf8_encode(out, c);
    }
}

/* Walks the characters of a line up to column last: those from column first on are marked, those
 * before get `before`. */
static void marks(struct str line, u32 first, u32 last, const char *before, const char *tab,
                  struct buf *out)
{
    for (size_t i = 0; i < line.n && i < last;) {
        u32 c;
        size_t width = utf8_decode(str_sub(line, i, line.n), &c, NULL);
        if (is_tab(c))
            buf_cstr(out, tab);
        else
            buf_cstr(out, i + 1 < first ? before : "^");
        i += width;
    }
}

static void underline(const struct excerpt *x, struct str line, struct buf *out)
{
    margin(x, out, 0);
    marks(line, x->start.col, x->end.col, " ", TAB_AS, out);
    buf_ch(out, '\n');
}

static void range_opens(const struct excerpt *x, struct str line, struct buf *out)
{
    margin(x, out, 0);
    buf_cstr(out, " _");
    marks(line, x->start.col, UINT32_MAX, "_", "____", out);
    buf_ch(out, '\n');
}

static void range_closes(const struct excerpt *x, struct str line, struct buf *out)
{
    margin(x, out, 0);
    buf_cstr(out, "|_");
    marks(line, 1, x->end.col, "_", "____", out);
    buf_ch(out, '\n');
}

static void excerpt_line(const struct excerpt *x, u32 n, struct str line, struct buf *out)
{
    margin(x, out, n);
    if (x->multi_line) buf_cstr(out, n > x->start.line && n <= x->end.line ? "| " : "  ");
    source_text(line, out);
    buf_ch(out, '\n');
    if (!x->multi_line && n == x->start.line) underline(x, line, out);
    if (x->multi_line && n == x->start.line) range_opens(x, line, out);
    if (x->multi_line && n == x->end.line) range_closes(x, line, out);
}

static int decimal_width(u32 n)
{
    int w = 1;
    while (n /= 10)
        w++;
    return w;
}

/* From one line before the range to one behind it, after an empty line. Nothing where that would
 * flood the terminal. */
static void excerpt(const struct diag *d, struct buf *out)
{
    struct span at = source_shown(d->span);
    struct excerpt x = {.src = at.file, .start = at.start, .end = at.end};
    if (x.end.line == 0) x.end = x.start;
    x.multi_line = x.end.line > x.start.line;
    u32 first = x.start.line > 1 ? x.start.line - 1 : 1;
    u32 last = (u32)MIN((size_t)x.end.line + 1, x.src->n_lines);
    x.number_width = decimal_width(last);
    if (last - first > SHOWN_LINES_MAX) return;
    for (u32 n = first; n <= last; n++)
        if (source_line(x.src, n).n > SHOWN_LINE_MAX) return;
    buf_ch(out, '\n');
    for (u32 n = first; n <= last; n++)
        excerpt_line(&x, n, source_line(x.src, n), out);
}

static void header(const struct diag *d, struct buf *out, bool color)
{
    bool error = d->severity == SEV_ERROR;
    if (color) buf_cstr(out, error ? BOLD_RED : BOLD_YELLOW);
    buf_cstr(out, error ? "Error: " : "Warning: ");
    if (color) buf_cstr(out, PLAIN BOLD);
    diag_line(d, out);
    buf_ch(out, '\n');
    if (color) buf_cstr(out, PLAIN);
}

static void render(const struct diag *d, struct buf *out, bool color)
{
    header(d, out, color);
    if (d->span.file && d->span.start.line > 0) excerpt(d, out);
    if (d->hint) buf_printf(out, "  = help: %s\n", d->hint);
}

void diags_render(const struct diags *d, struct buf *out, bool color)
{
    for (size_t i = 0; i < d->list.n; i++) {
        if (i > 0) buf_ch(out, '\n');
        render(&d->list.v[i], out, color);
    }
}
