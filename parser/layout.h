/* Elastic columns: text is added cell by cell and line by line; cells of neighbouring lines that
 * stand in the same column get the same width. The printer's last layer. Embedded; layout_done
 * frees. */
#ifndef PARSER_LAYOUT_H
#define PARSER_LAYOUT_H

#include "base/buf.h"
#include "base/vec.h"

/* What ends a cell. A column of empty cells vanishes, unless one of them is ended by a CELL_TAB
 * (indentation). */
enum cell_end { CELL_OPEN, CELL_SOFT, CELL_TAB };

struct layout_cell {
    size_t from, to; /* in text */
    size_t solid; /* the last byte that is not padding of ours ends here; from when there is none */
    size_t width; /* of its column, once laid out */
    enum cell_end end;
};

/* Indentation counts as that many empty cells, each ended by a CELL_TAB, in front of the others. */
struct layout_line {
    size_t first, n; /* cells; the last one is open */
    size_t indent;
    size_t tabs;     /* what the indentation comes to, once laid out */
    bool breaks_run; /* no column goes on below this line */
};

struct layout {
    struct buf text;
    VEC(struct layout_cell) cells;
    VEC(struct layout_line) lines;
};

void layout_init(struct layout *l);
void layout_done(struct layout *l);
/* Text that is kept as it is; a LF in it begins a new line of the same run. */
void layout_text(struct layout *l, struct str s);
/* A blank; blanks at the end of a line vanish. */
void layout_blank(struct layout *l);
/* Indents the line, which must be empty. */
void layout_indent(struct layout *l, size_t levels);
/* Ends the cell. */
void layout_cell(struct layout *l, enum cell_end end);
/* Ends the line. */
void layout_break(struct layout *l, bool breaks_run);
/* How many lines were ended. */
size_t layout_row(const struct layout *l);
/* Lays out and appends to out. No LF follows the last line. When memory ran out on the way, out's
 * err is set. */
void layout_write(struct layout *l, struct buf *out);

#endif
