/* Elastic columns. Column k of a run of lines is a block of consecutive lines with more than k
 * ended cells; the block is as wide as its widest cell and one blank. Widths count code points.
 * Cells that are empty at the start of a line are padded with tabs (that is how indentation comes
 * out as one tab a level), all others with blanks. */
#include "parser/layout.h"
#include "base/assert.h"

#define TAB_WIDTH 8

static void begin_cell(struct layout *l)
{
    size_t at = l->text.n;
    vec_push(&l->cells, ((struct layout_cell){.from = at, .to = at, .solid = at}));
    vec_last(&l->lines).n++;
}

static void begin_line(struct layout *l)
{
    vec_push(&l->lines, ((struct layout_line){.first = l->cells.n}));
    begin_cell(l);
}

void layout_init(struct layout *l)
{
    *l = (struct layout){.text = BUF_INIT(SIZE_MAX)};
    begin_line(l);
}

void layout_done(struct layout *l)
{
    buf_done(&l->text);
    vec_done(&l->cells);
    vec_done(&l->lines);
}

static void add(struct layout *l, struct str s)
{
    buf_str(&l->text, s);
    struct layout_cell *c = &vec_last(&l->cells);
    c->to = c->solid = l->text.n;
}

void layout_text(struct layout *l, struct str s)
{
    ssize_t lf;
    while ((lf = str_chr(s, '\n')) >= 0) {
        add(l, str_sub(s, 0, (size_t)lf));
        layout_break(l, false);
        s = str_sub(s, (size_t)lf + 1, s.n);
    }
    add(l, s);
}

void layout_blank(struct layout *l)
{
    buf_ch(&l->text, ' ');
    vec_last(&l->cells).to = l->text.n;
}

void layout_indent(struct layout *l, size_t levels)
{
    vec_last(&l->lines).indent = levels;
}

void layout_cell(struct layout *l, enum cell_end end)
{
    vec_last(&l->cells).end = end;
    begin_cell(l);
}

void layout_break(struct layout *l, bool breaks_run)
{
    vec_last(&l->lines).breaks_run = breaks_run;
    begin_line(l);
}

size_t layout_row(const struct layout *l)
{
    return l->lines.n - 1;
}

/* --- widths --- */

static size_t code_points(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((u8)s.p[i] & 0xC0) != 0x80;
    return n;
}

static struct str cell_text(const struct layout *l, const struct layout_cell *c)
{
    return str_sub(buf_view(&l->text), c->from, c->to);
}

static bool has_column(const struct layout *l, size_t i, size_t k)
{
    return k + 1 < l->lines.v[i].indent + l->lines.v[i].n;
}

/* The cell in a column that the line has; NULL: one of its indentation. */
static struct layout_cell *cell_at(const struct layout *l, size_t i, size_t k)
{
    const struct layout_line *line = &l->lines.v[i];
    return k < line->indent ? NULL : &l->cells.v[line->first + k - line->indent];
}

/* The line behind the block that holds column k from line i on. */
static size_t column_end(const struct layout *l, size_t i, size_t k)
{
    while (i < l->lines.n && has_column(l, i, k))
        if (l->lines.v[i++].breaks_run) break;
    return i;
}

static size_t column_width(const struct layout *l, size_t from, size_t to, size_t k)
{
    size_t width = 0;
    bool kept = false;
    for (size_t i = from; i < to; i++) {
        const struct layout_cell *c = cell_at(l, i, k);
        size_t w = c ? code_points(cell_text(l, c)) : 0;
        kept |= !c || w > 0 || c->end == CELL_TAB;
        width = MAX(width, w + 1);
    }
    return kept ? width : 0;
}

static size_t tabs_for(size_t width)
{
    return (width + TAB_WIDTH - 1) / TAB_WIDTH;
}

static void set_widths(struct layout *l, size_t from, size_t to, size_t k)
{
    size_t width = column_width(l, from, to, k);
    for (size_t i = from; i < to; i++) {
        struct layout_cell *c = cell_at(l, i, k);
        if (c)
            c->width = width;
        else
            l->lines.v[i].tabs += tabs_for(width);
    }
}

/* A column begins where the line above does not have it. */
static bool column_begins(const struct layout *l, size_t i, size_t k)
{
    return i == 0 || l->lines.v[i - 1].breaks_run || !has_column(l, i - 1, k);
}

static void lay_out(struct layout *l)
{
    for (size_t i = 0; i < l->lines.n; i++)
        for (size_t k = 0; has_column(l, i, k); k++)
            if (column_begins(l, i, k)) set_widths(l, i, column_end(l, i, k), k);
}

/* --- output --- */

static void pad(struct buf *out, char c, size_t n)
{
    while (n--)
        buf_ch(out, c);
}

/* Appends the line's cells up to the last one with text, without what pads its end. */
static void write_line(const struct layout *l, const struct layout_line *line, struct buf *out)
{
    bool indenting = true;
    size_t solid = out->n;
    pad(out, '\t', line->tabs);
    for (size_t k = 0; k < line->n; k++) {
        const struct layout_cell *c = &l->cells.v[line->first + k];
        struct str text = cell_text(l, c);
        size_t at = out->n;
        buf_str(out, text);
        if (c->solid > c->from) solid = at + (c->solid - c->from);
        indenting &= text.n == 0;
        if (indenting)
            pad(out, '\t', tabs_for(c->width));
        else
            pad(out, ' ', c->width - MIN(c->width, code_points(text)));
    }
    buf_truncate(out, solid);
}

void layout_write(struct layout *l, struct buf *out)
{
    if (buf_err(&l->text)) {
        out->err = buf_err(&l->text);
        return;
    }
    lay_out(l);
    for (size_t i = 0; i < l->lines.n; i++) {
        if (i > 0) buf_ch(out, '\n');
        write_line(l, &l->lines.v[i], out);
    }
}
