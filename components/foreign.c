/* Schema tables from the constants of the build (foreign_data.h), made when they are asked for.
 * Tables that several components share are made once; a table that contains itself refers to
 * itself. */
#include "components/foreign.h"

#include "base/assert.h"
#include "base/xalloc.h"
#include "components/common/auth.h"
#include "components/foreign_data.h"

struct foreign {
    struct arena arena;
    struct schema **tables; /* by number; NULL: not made yet */
    struct component_def **defs;
};

static const char *text(u32 at)
{
    return at ? foreign_text + at : NULL;
}

/* --- rows --- */

/* Capsules that components of this build give and take: the same type, not only the same name. */
static const struct capsule_type *capsule_of(u32 name)
{
    static const struct capsule_type *const known[] = {
        &capsule_otelcol_consumer, &capsule_otelcol_handler, &capsule_logs_receiver,
        &capsule_metrics_receiver};
    for (size_t i = 0; name && i < ARRAY_LEN(known); i++)
        if (strcmp(known[i]->name, text(name)) == 0) return known[i];
    return NULL;
}

static const char *const *choices_of(struct arena *a, u32 first)
{
    if (!first) return NULL;
    size_t n = 0;
    while (foreign_choices[first + n])
        n++;
    const char **list = arena_array(a, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        list[i] = text(foreign_choices[first + i]);
    return list;
}

static const struct schema *table(struct foreign *f, u16 number);
static const struct row *rows(struct foreign *f, u32 first, size_t n);

static const struct shape *shape_of(struct foreign *f, u16 number)
{
    if (!number) return NULL;
    const struct foreign_shape *from = &foreign_shapes[number - 1];
    struct shape *s = arena_new(&f->arena, struct shape);
    *s = (struct shape){.form = from->form,
                        .name = text(from->name),
                        .rows = rows(f, from->row, from->n_rows),
                        .n_rows = from->n_rows};
    return s;
}

static const struct one_of_def *variants_of(struct foreign *f, const struct foreign_row *from)
{
    struct one_of_def *list = arena_array(&f->arena, struct one_of_def, from->n_variants);
    for (size_t i = 0; i < from->n_variants; i++) {
        const struct foreign_variant *v = &foreign_variants[from->sub - 1 + i];
        list[i] = (struct one_of_def){.name = text(v->name), .sub = table(f, v->table)};
    }
    return list;
}

static struct row plain_row(struct foreign *f, const struct foreign_row *from)
{
    return (struct row){.name = text(from->name),
                        .kind = (enum kind)from->kind,
                        .def = text(from->def),
                        .required = from->flags & FOREIGN_REQUIRED,
                        .deprecated = from->flags & FOREIGN_DEPRECATED,
                        .fold_case = from->flags & FOREIGN_FOLD_CASE,
                        .one_of = choices_of(&f->arena, from->choices),
                        .min = from->min,
                        .has_min = from->flags & FOREIGN_HAS_MIN,
                        .capsule = capsule_of(from->capsule),
                        .capsule_name = text(from->capsule),
                        .signals = from->signals,
                        .stability = (enum stability)from->stability};
}

static struct row row_of(struct foreign *f, const struct foreign_row *from)
{
    struct row r = plain_row(f, from);
    if (r.kind == K_ONE_OF) {
        r.variants = variants_of(f, from);
        r.n_variants = from->n_variants;
    } else if (r.kind == K_ANY) {
        r.shape = shape_of(f, from->sub);
    } else if (kind_is_block(r.kind)) {
        r.sub = table(f, from->sub);
    }
    return r;
}

static const struct row *rows(struct foreign *f, u32 first, size_t n)
{
    struct row *list = arena_array(&f->arena, struct row, n);
    for (size_t i = 0; i < n; i++)
        list[i] = row_of(f, &foreign_rows[first + i]);
    return list;
}

/* --- tables --- */

static const struct rule *rules(struct foreign *f, u32 first, size_t n)
{
    struct rule *list = arena_array(&f->arena, struct rule, n);
    for (size_t i = 0; i < n; i++) {
        const struct foreign_rule *from = &foreign_rules[first + i];
        list[i] = (struct rule){.kind = (enum rule_kind)from->kind, .message = text(from->message)};
        for (size_t k = 0; k < ARRAY_LEN(list[i].names); k++)
            list[i].names[k] = text(from->names[k]);
    }
    return list;
}

static const struct schema *table(struct foreign *f, u16 number)
{
    if (!number) return NULL;
    ASSERT(number <= foreign_n_tables);
    struct schema **made = &f->tables[number - 1];
    if (*made) return *made;
    const struct foreign_table *from = &foreign_tables[number - 1];
    struct schema *s = *made = arena_new(&f->arena, struct schema); /* before its rows */
    *s = (struct schema){.n_rows = from->n_rows,
                         .n_rules = from->n_rules,
                         .span_off = -1,
                         .present_off = -1,
                         .rest_off = -1};
    s->rows = rows(f, from->row, from->n_rows);
    s->rules = rules(f, from->rule, from->n_rules);
    return s;
}

/* --- components --- */

size_t foreign_count(void)
{
    return foreign_n_components;
}

const char *foreign_name(size_t i)
{
    return i < foreign_n_components ? text(foreign_components[i].name) : NULL;
}

/* Most processes that run a configuration never get here: they pay for nothing. */
static void make_room(struct foreign *f)
{
    if (f->defs) return;
    f->tables = xcalloc(foreign_n_tables, sizeof(struct schema *));
    f->defs = xcalloc(foreign_n_components, sizeof(struct component_def *));
}

const struct component_def *foreign_at(struct foreign *f, size_t i)
{
    make_room(f);
    if (f->defs[i]) return f->defs[i];
    const struct foreign_component *from = &foreign_components[i];
    struct component_def *d = f->defs[i] = arena_new(&f->arena, struct component_def);
    *d = (struct component_def){.name = text(from->name),
                                .summary = text(from->summary),
                                .example = text(from->example),
                                .stability = (enum stability)from->stability,
                                .community = from->flags & FOREIGN_COMMUNITY,
                                .foreign = true,
                                .args = table(f, from->args),
                                .exports = table(f, from->exports)};
    return d;
}

const struct component_def *foreign_find(void *arg, struct str name)
{
    size_t lo = 0, hi = foreign_n_components;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = str_cmp(name, str_of(foreign_name(mid)));
        if (order == 0)
            return foreign_components[mid].flags & FOREIGN_REMOVED ? NULL : foreign_at(arg, mid);
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

struct foreign *foreign_new(void)
{
    struct foreign *f = xnew(struct foreign);
    arena_init(&f->arena, 8192);
    return f;
}

void foreign_free(struct foreign *f)
{
    if (!f) return;
    arena_done(&f->arena);
    free(f->tables);
    free(f->defs);
    free(f);
}
