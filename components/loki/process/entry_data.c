/* Entries as the data of templates. */
#include "components/loki/process/entry_data.h"

#include <stdlib.h>

#define KEEP_BYTES ((size_t)64 << 10) /* of a work buffer, between entries */

static struct str text_of(struct entry_data *d, const struct ex_value *v)
{
    struct str s;
    if (!v || !ex_string(v, d->e->scratch, &s)) return (struct str){0};
    return s.p ? s : STR("");
}

static struct str get(void *arg, struct str name)
{
    struct entry_data *d = arg;
    if (d->value.p && str_is(name, "Value")) return d->value;
    if (d->with_line && str_is(name, "Entry")) return d->e->line.p ? d->e->line : STR("");
    return text_of(d, ex_get(d->e->extracted, name));
}

struct pairs {
    struct str *names, *values;
    size_t n;
};

static void put(struct pairs *p, struct str name, struct str value)
{
    if (!value.p) return;
    p->names[p->n] = name;
    p->values[p->n++] = value;
}

/* Sorted; one of the stage's own names takes the place of an extracted one. */
static size_t all(void *arg, struct arena *a, struct str **ret_names, struct str **ret_values)
{
    struct entry_data *d = arg;
    struct str *names, own[] = {STR("Entry"), STR("Value")};
    const struct ex_value **values;
    size_t n = ex_sorted(d->e->extracted, a, &names, &values), k = 0;
    bool wanted[] = {d->with_line, d->value.p != NULL};
    struct pairs out = {arena_array(a, struct str, n + 3), arena_array(a, struct str, n + 3), 0};
    for (size_t i = 0; i <= n; i++) {
        for (; k < 2 && (i == n || str_cmp(own[k], names[i]) <= 0); k++)
            if (wanted[k]) put(&out, own[k], get(d, own[k]));
        if (i < n && !(out.n > 0 && str_eq(out.names[out.n - 1], names[i])))
            put(&out, names[i], text_of(d, values[i]));
    }
    *ret_names = out.names;
    *ret_values = out.values;
    return out.n;
}

bool entry_template(struct stage_run *r, const struct template *t, struct entry_data *d,
                    struct buf *work, struct str *ret)
{
    const struct template_data data = {.get = get, .all = all, .arg = d};
    const char *why = NULL;
    buf_reset(work);
    int err = template_run(t, &data, clock_real(r->clock), d->e->scratch, work, &why);
    if (err)
        log_debug(r->comp->log, "a template could not be executed; the entry stays as it is",
                  F_CSTR("err", why));
    else
        *ret = arena_str(d->e->scratch, buf_view(work));
    if (work->cap > KEEP_BYTES) buf_done(work);
    return err == 0;
}

static void free_template(void *t)
{
    template_free(t);
}

const struct template *stage_template(struct prepare *p, const struct span *span, struct str text)
{
    char *err = NULL;
    struct template *t = template_new(text, &err);
    if (t)
        arena_cleanup(p->arena, free_template, t);
    else
        stage_fault(p, span, "%s", err);
    free(err);
    return t;
}
