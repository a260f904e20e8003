/* Cutting lines. */
#include "components/loki/file/lines.h"

#include <errno.h>

#define TEXT_MAX (HANDLE_LINE_MAX * 4) /* decoded */

static struct str without_cr(struct str line)
{
    return line.n > 0 && line.p[line.n - 1] == '\r' ? str_sub(line, 0, line.n - 1) : line;
}

/* The next line of *rest, its newline included. */
static struct str cut_line(const struct charset *c, struct str *rest)
{
    size_t end = charset_line_end(c, *rest);
    struct str line = str_sub(*rest, 0, end ? end : rest->n);

    *rest = str_sub(*rest, line.n, rest->n);
    return line;
}

static int add_slices(struct log_builder *b, struct labels *labels, const struct piece *p,
                      i64 *time)
{
    int err = 0;

    log_builder_keep(b, p->blob);
    for (struct str rest = p->lines; rest.n > 0 && !err;) {
        struct str line = without_cr(charset_chomp(NULL, cut_line(NULL, &rest)));
        err =
            log_builder_add_slice(b, labels, &(struct log_entry){.time = (*time)++, .line = line});
    }
    return err;
}

static int add_decoded(struct log_builder *b, struct labels *labels, struct charset *c,
                       const struct piece *p, i64 *time)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    int err = 0;

    for (struct str rest = p->lines; rest.n > 0 && !err;) {
        buf_reset(&text);
        charset_decode(c, charset_chomp(c, cut_line(c, &rest)), &text);
        err = buf_err(&text);
        struct log_entry e = {.time = (*time)++, .line = without_cr(buf_view(&text))};
        if (!err) err = log_builder_add(b, labels, &e);
    }
    buf_done(&text);
    return err ? -ENOMEM : 0;
}

int lines_add(struct log_builder *b, struct labels *labels, struct charset *c,
              const struct piece *p, i64 *time)
{
    return c ? add_decoded(b, labels, c, p, time) : add_slices(b, labels, p, time);
}
