/* Value faults to diagnostics, and the search for the name that was meant. */
#include "value/fault.h"

#include "parser/printer.h"

#define SOURCE_SHOWN 400 /* bytes of a reprinted expression; the caret shows the rest */
#define SOURCE_MAX   (1 << 20)

static const struct expr *strip_parens(const struct expr *e)
{
    while (e->kind == EXPR_PAREN)
        e = e->paren;
    return e;
}

/* Of equal keys the last one is the value's. */
static const struct expr *field_value(const struct expr *object, struct str key)
{
    for (size_t i = object->object.n; i-- > 0;)
        if (str_eq(object->object.fields[i].key, key)) return object->object.fields[i].value;
    return NULL;
}

static const struct expr *step_into(const struct expr *e, const struct vstep *s)
{
    e = strip_parens(e);
    if (s->key.p) return e->kind == EXPR_OBJECT ? field_value(e, s->key) : NULL;
    return e->kind == EXPR_ARRAY && s->index < e->array.n ? e->array.items[s->index] : NULL;
}

/* The cut keeps whole characters. */
static void cut(struct buf *text, size_t from)
{
    if (text->n - from <= SOURCE_SHOWN) return;
    size_t end = from + SOURCE_SHOWN;
    while (end > from && ((unsigned char)text->p[end] & 0xC0) == 0x80)
        end--;
    buf_truncate(text, end);
    buf_cstr(text, "...");
}

static void add_source(const struct expr *e, struct buf *out)
{
    struct buf source = BUF_INIT(SOURCE_MAX);
    print_expr(e, &source);
    if (!buf_err(&source)) {
        cut(&source, 0);
        buf_str(out, buf_view(&source));
    }
    buf_done(&source);
}

struct diag *fault_report(struct diags *diags, enum diag_code code, const struct expr *e,
                          const struct vpath *path, const char *text)
{
    static const struct vpath none;
    struct buf message = BUF_INIT(SOURCE_MAX);
    size_t step = 0;
    if (!path) path = &none;
    for (const struct expr *inner; step < path->n && (inner = step_into(e, &path->step[step]));
         step++)
        e = inner;
    add_source(e, &message);
    vpath_text(path, step, &message);
    buf_printf(&message, " %s", text);
    struct diag *d = diag_error(diags, code, e->span, "%s", buf_err(&message) ? text : message.p);
    buf_done(&message);
    return d;
}

struct diag *fault_report_at(struct diags *diags, enum diag_code code, struct span at,
                             const struct vpath *path, const char *text)
{
    struct buf where = BUF_INIT(SOURCE_MAX);
    vpath_text(path, 0, &where);
    size_t skip = where.n > 0 && where.p[0] == '.';
    struct diag *d = buf_err(&where) || where.n == 0
                         ? diag_error(diags, code, at, "%s", text)
                         : diag_error(diags, code, at, "%s %s", where.p + skip, text);
    buf_done(&where);
    return d;
}

void suggestion_offer(struct suggestion *s, struct str wanted, struct str candidate)
{
    int max = wanted.n < 4 ? 1 : wanted.n < 9 ? 2 : 3;
    int d = str_distance(wanted, candidate, max);
    if (d > max || (s->best.p && d >= s->distance)) return;
    *s = (struct suggestion){candidate, d};
}

void suggestion_hint(const struct suggestion *s, struct diags *diags, struct diag *of)
{
    if (s->best.p) diag_hint(diags, of, "did you mean `" STR_FMT "`?", STR_ARG(s->best));
}
