/* A topic as text for a terminal of 80 columns or more. */
#include "cmd/topic.h"
#include "value/describe.h"

#define COLUMNS  92
#define STEP     4
#define DEEP_MAX 24 /* columns; what stands deeper is asked for by its path */

/* ---- wrapped text ---- */

/* Words with a hanging indent; ends the line. */
static void put_text(struct buf *b, int indent, struct str text)
{
    int column = indent;
    buf_printf(b, "%*s", indent, "");
    while (text.n > 0) {
        struct str word = str_cut(&text, ' ');
        if (column > indent && column + 1 + (int)word.n > COLUMNS) {
            buf_printf(b, "\n%*s", indent, "");
            column = indent;
        }
        buf_printf(b, "%s" STR_FMT, column > indent ? " " : "", STR_ARG(word));
        column += (int)word.n + (column > indent);
    }
    buf_ch(b, '\n');
}

static void put_choices(struct buf *b, int indent, const struct row *r)
{
    struct buf list = BUF_INIT(1 << 16);
    for (size_t i = 0; r->one_of && r->one_of[i]; i++)
        buf_printf(&list, "%s\"%s\"", i ? ", " : "One of ", r->one_of[i]);
    if (list.n > 0) put_text(b, indent, buf_view(&list));
    buf_done(&list);
}

static void put_bound(struct buf *b, const struct row *r, const char *word, f64 bound)
{
    buf_printf(b, ", %s ", word);
    if (r->kind == K_DUR || r->kind == K_OPT_DUR)
        buf_printf(b, "%gs", bound / NS_PER_SEC);
    else
        buf_printf(b, "%.12g", bound);
}

/* ---- rows ---- */

static void put_standing(struct buf *b, const struct row *r)
{
    if (r->required) buf_cstr(b, ", required");
    if (r->def_fn) buf_cstr(b, ", computed when left out");
    if (r->has_min) put_bound(b, r, "at least", r->min);
    if (r->has_max) put_bound(b, r, "at most", r->max);
    if (r->stability != STABILITY_GA) buf_printf(b, ", %s", stability_name(r->stability));
    if (r->alias_of) buf_printf(b, ", another name of %s", r->alias_of);
    if (r->deprecated) buf_cstr(b, ", deprecated");
}

static void put_doc(struct buf *b, const struct row *r, int indent)
{
    if (r->doc) put_text(b, indent, str_of(r->doc));
    put_choices(b, indent, r);
}

static void put_attr(struct buf *b, const struct row *r, int indent)
{
    struct arena a;
    arena_init(&a, 0);
    buf_printf(b, "%*s%s  %s", indent, "", r->name, describe_type(r, &a));
    if (r->def && !r->required) buf_printf(b, " = %s", r->def);
    put_standing(b, r);
    buf_ch(b, '\n');
    put_doc(b, r, indent + STEP);
    arena_done(&a);
}

/* How far in, and the ordered group that what is told belongs to (its variants). */
struct place {
    int indent;
    const struct one_of_def *group;
};
static void put_schema(struct buf *b, const struct schema *s, struct place at);

static void put_inside(struct buf *b, const struct schema *s, struct place at)
{
    int indent = at.indent;

    if (!s) return;
    if (indent <= DEEP_MAX)
        put_schema(b, s, at);
    else if (s->n_rows > 0)
        buf_printf(b, "%*s...\n", indent, "");
}

static void put_block(struct buf *b, const struct row *r, struct place at)
{
    int indent = at.indent;

    buf_printf(b, "%*s%s { }  block", indent, "", r->name);
    if (r->kind == K_BLOCKS) buf_cstr(b, ", repeatable");
    if (r->kind == K_MAP_BLOCK) buf_cstr(b, ", any attributes");
    put_standing(b, r);
    buf_ch(b, '\n');
    put_doc(b, r, indent + STEP);
    put_inside(b, r->sub, (struct place){indent + STEP, at.group});
}

/* A group that holds itself (stages of a match) is told once. */
static void put_variants(struct buf *b, const struct row *r, struct place at)
{
    static const char order[] = "block, repeatable, in the order written";
    int indent = at.indent;

    if (r->variants == at.group) {
        buf_printf(b, "%*s%s.* { }  %s\n", indent, "", r->name, order);
        put_text(b, indent + STEP, STR("The same blocks as around it."));
        return;
    }
    for (size_t i = 0; i < r->n_variants; i++) {
        buf_printf(b, "%*s%s { }  %s\n", indent, "", r->variants[i].name, order);
        if (r->variants[i].doc) put_text(b, indent + STEP, str_of(r->variants[i].doc));
        put_inside(b, r->variants[i].sub, (struct place){indent + STEP, r->variants});
    }
}

static void put_row(struct buf *b, const struct row *r, struct place at)
{
    if (r->kind == K_ONE_OF)
        put_variants(b, r, at);
    else if (kind_is_block(r->kind))
        put_block(b, r, at);
    else
        put_attr(b, r, at.indent);
}

static void put_schema(struct buf *b, const struct schema *s, struct place at)
{
    for (size_t i = 0; i < s->n_rows; i++)
        if (!kind_is_block(s->rows[i].kind)) put_row(b, &s->rows[i], at);
    for (size_t i = 0; i < s->n_rows; i++)
        if (kind_is_block(s->rows[i].kind)) put_row(b, &s->rows[i], at);
}

/* ---- topics ---- */

static void put_table(struct buf *b, const char *title, const struct schema *s)
{
    if (!s || s->n_rows == 0) return;
    buf_printf(b, "\n%s\n\n", title);
    put_schema(b, s, (struct place){.indent = STEP});
}

static void put_example(struct buf *b, const char *example)
{
    struct str rest = str_of(example);
    buf_cstr(b, "\nExample\n\n");
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        buf_printf(b, "%*s" STR_FMT "\n", line.n ? STEP : 0, "", STR_ARG(line));
    }
}

static void def_text(const struct topic *t, struct buf *b)
{
    const struct component_def *d = t->def;
    buf_printf(b, "%s  (%s, %s%s)\n\n", t->name, topic_kind_name(t->kind),
               d->community ? "community" : stability_name(d->stability),
               d->foreign ? "; this build knows it but cannot run it" : "");
    put_text(b, 0, str_of(t->summary));
    put_table(b, "Arguments and blocks", d->args);
    put_table(b, "Exports", d->exports);
    if (d->example) put_example(b, d->example);
}

static void put_param(struct buf *b, const struct func_param *p)
{
    buf_printf(b, "%*s" STR_FMT "  " STR_FMT "%s%s\n", STEP, "", STR_ARG(p->name), STR_ARG(p->type),
               p->repeats ? ", any number of times" : "", p->optional ? ", optional" : "");
}

static void func_text(const struct topic *t, struct buf *b)
{
    const struct func *f = t->func;
    const struct func *instead = stdlib_instead(f);
    struct func_param p;
    func_signature(f, b);
    buf_printf(b, "\n\n");
    put_text(b, 0, str_of(t->summary));
    if (instead) buf_printf(b, "Deprecated: use %s.\n", instead->name);
    if (f->experimental) buf_cstr(b, "Experimental.\n");
    for (size_t i = 0; func_param(f, i, &p); i++) {
        if (i == 0) buf_cstr(b, "\nParameters\n\n");
        put_param(b, &p);
    }
}

void explain_text(const struct topic *t, struct buf *b)
{
    if (t->def)
        def_text(t, b);
    else if (t->func)
        func_text(t, b);
    else
        buf_printf(b, "%s  string\n\n%s\n", t->name, t->summary);
}

void explain_part_text(const struct topic *t, struct str path, const struct part *p, struct buf *b)
{
    buf_printf(b, STR_FMT "  (%s %s)\n\n", STR_ARG(path), p->exported ? "exported by" : "of",
               t->name);
    if (!p->variant) {
        put_row(b, p->row, (struct place){0});
        return;
    }
    buf_printf(b, "%s { }  block, repeatable, in the order written\n", p->variant->name);
    if (p->variant->doc) put_text(b, STEP, str_of(p->variant->doc));
    put_inside(b, p->variant->sub, (struct place){STEP, p->row->variants});
}
