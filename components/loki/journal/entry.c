/* Fields to labels and lines. */
#include "components/loki/journal/entry.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/xalloc.h"

#define PREFIX "__journal_"

/* --- fields --- */

void journal_fields_init(struct journal_fields *f, size_t max_bytes)
{
    *f = (struct journal_fields){.text = BUF_INIT(max_bytes)};
}

void journal_fields_done(struct journal_fields *f)
{
    free(f->v);
    buf_done(&f->text);
}

void journal_fields_reset(struct journal_fields *f)
{
    f->n = 0;
    buf_reset(&f->text);
}

/* The buffer may move while it grows: until settled, texts are offsets into it. */
static struct str offset(size_t from, size_t n)
{
    return str_n((const char *)(uintptr_t)from, n);
}

static void append(struct journal_fields *f, struct label l)
{
    if (f->n == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 32;
        f->v = xrealloc(f->v, f->cap * sizeof(*f->v));
    }
    f->v[f->n++] = l;
}

void journal_fields_add(struct journal_fields *f, struct str data)
{
    ssize_t eq = str_chr(data, '=');
    size_t at = f->text.n;

    if (eq <= 0) return;
    buf_str(&f->text, data);
    append(f, (struct label){offset(at, (size_t)eq),
                             offset(at + (size_t)eq + 1, data.n - (size_t)eq - 1)});
}

static void locate(const struct journal_fields *f, struct str *s)
{
    s->p = f->text.p + (uintptr_t)s->p;
}

/* Of equal names in order of arrival: what arrived later lies further on in the buffer. */
static int by_name(const void *a, const void *b)
{
    const struct label *x = a, *y = b;
    int order = str_cmp(x->name, y->name);

    return order ? order : (x->name.p > y->name.p) - (x->name.p < y->name.p);
}

int journal_fields_settle(struct journal_fields *f)
{
    size_t kept = 0;

    if (buf_err(&f->text)) return buf_err(&f->text);
    for (size_t i = 0; i < f->n; i++) {
        locate(f, &f->v[i].name);
        locate(f, &f->v[i].value);
    }
    if (f->n) qsort(f->v, f->n, sizeof(*f->v), by_name);
    for (size_t i = 0; i < f->n; i++) {
        bool again = kept > 0 && str_eq(f->v[kept - 1].name, f->v[i].name);
        f->v[again ? kept - 1 : kept++] = f->v[i];
    }
    f->n = kept;
    return 0;
}

struct str journal_fields_get(const struct journal_fields *f, struct str name)
{
    size_t lo = 0, hi = f->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = str_cmp(name, f->v[mid].name);
        if (order == 0) return f->v[mid].value;
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return (struct str){0};
}

/* --- labels --- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static struct str label_name(struct label_set *set, struct str field)
{
    size_t n = sizeof(PREFIX) - 1;
    char *name = label_set_room(set, n + field.n);

    if (!name) return STR("");
    memcpy(name, PREFIX, n);
    for (size_t i = 0; i < field.n; i++)
        name[n + i] = lower(field.p[i]);
    return str_n(name, n + field.n);
}

static struct str priority_keyword(struct str value)
{
    static const char *const words[] = {"emerg",   "alert",  "crit", "error",
                                        "warning", "notice", "info", "debug"};

    return value.n == 1 && value.p[0] >= '0' && value.p[0] <= '7' ? str_of(words[value.p[0] - '0'])
                                                                  : value;
}

static void field_labels(const struct journal_fields *f, struct label_set *set)
{
    for (size_t i = 0; i < f->n && !set->err; i++)
        label_set_put_view(set, label_name(set, f->v[i].name), f->v[i].value);
    struct str priority = journal_fields_get(f, STR("PRIORITY"));
    if (priority.p)
        label_set_put_view(set, STR(PREFIX "priority_keyword"), priority_keyword(priority));
}

static void own_labels(const struct journal_format *fmt, struct label_set *set)
{
    for (size_t i = 0; i < fmt->labels->n; i++)
        label_set_put_view(set, fmt->labels->v[i].key, fmt->labels->v[i].value);
    label_set_put_view(set, STR("job"), fmt->job);
}

/* --- the line --- */

static struct str json_line(const struct journal_fields *f, struct buf *out)
{
    struct json_out j = {.b = out, .html = true};

    buf_reset(out);
    json_obj(&j);
    for (size_t i = 0; i < f->n; i++) {
        json_key(&j, f->v[i].name);
        json_str(&j, f->v[i].value);
    }
    json_obj_end(&j);
    return buf_view(out);
}

enum journal_outcome journal_entry(const struct journal_format *fmt, const struct journal_fields *f,
                                   struct label_set *set, struct buf *scratch, struct str *ret_line,
                                   bool *ret_limited)
{
    struct str message = journal_fields_get(f, STR("MESSAGE"));

    if (message.n == 0) return JOURNAL_NO_MESSAGE;
    label_set_reset(set);
    field_labels(f, set);
    own_labels(fmt, set);
    bool kept = relabel_apply(fmt->rules, set, ret_limited);
    label_set_strip(set, false);
    if (set->err) return JOURNAL_NO_MEMORY;
    if (!kept || set->n == 0) return JOURNAL_NO_LABELS;
    *ret_line = fmt->json ? json_line(f, scratch) : message;
    return fmt->json && buf_err(scratch) ? JOURNAL_NO_MEMORY : JOURNAL_ENTRY;
}
