/* Label sets under change: a sorted array, and pages of text that only grow until the next load. */
#include "telemetry/label_set.h"

#include <errno.h>
#include <stdlib.h>
#include "base/budget.h"

#define PAGE_MIN   ((size_t)512)
#define PAGE_KEPT  ((size_t)64 << 10) /* a larger page is not kept for the next set */
#define LABELS_MIN 16u

struct label_set_page {
    struct label_set_page *older;
    size_t n, cap;
    char text[];
};

void label_set_init(struct label_set *s)
{
    *s = (struct label_set){0};
}

static void free_pages(struct label_set_page *p)
{
    for (struct label_set_page *older; p; p = older) {
        older = p->older;
        free(p);
    }
}

void label_set_done(struct label_set *s)
{
    free_pages(s->page);
    free(s->v);
    *s = (struct label_set){0};
}

/* The newest page is the largest: it serves the next set alone, unless one odd label made it huge.
 */
static void rewind_pages(struct label_set *s)
{
    struct label_set_page *newest = s->page;

    if (!newest) return;
    if (newest->cap > PAGE_KEPT) {
        free_pages(newest);
        s->page = NULL;
        return;
    }
    if (newest->older) free_pages(newest->older);
    newest->older = NULL;
    newest->n = 0;
}

void label_set_reset(struct label_set *s)
{
    rewind_pages(s);
    s->n = 0;
    s->err = 0;
}

/* --- memory --- */

static bool grow(struct label_set *s, u32 want)
{
    u32 cap = MAX(MAX(want, s->cap * 2), LABELS_MIN);
    struct label *v = budget_realloc(s->v, cap * sizeof(*v));

    if (!v) {
        s->err = -ENOMEM;
        return false;
    }
    s->v = v;
    s->cap = cap;
    return true;
}

static bool room_for(struct label_set *s, u32 want)
{
    return want <= s->cap || grow(s, want);
}

static bool new_page(struct label_set *s, size_t want)
{
    size_t cap = MAX(MAX(want, s->page ? s->page->cap * 2 : 0), PAGE_MIN);
    struct label_set_page *p = budget_alloc(sizeof(*p) + cap);

    if (!p) {
        s->err = -ENOMEM;
        return false;
    }
    *p = (struct label_set_page){.older = s->page, .cap = cap};
    s->page = p;
    return true;
}

char *label_set_room(struct label_set *s, size_t n)
{
    bool fits = s->page && s->page->cap - s->page->n >= n;

    if (!fits && !new_page(s, n)) return NULL;
    char *at = s->page->text + s->page->n;
    s->page->n += n;
    return at;
}

struct str label_set_keep(struct label_set *s, struct str text)
{
    char *at = label_set_room(s, text.n + 1);

    if (!at) return STR("");
    if (text.n) memcpy(at, text.p, text.n);
    at[text.n] = '\0';
    return str_n(at, text.n);
}

/* --- labels --- */

void label_set_load(struct label_set *s, const struct labels *l)
{
    label_set_reset(s);
    if (!room_for(s, l->n)) return;
    if (l->n) memcpy(s->v, l->v, l->n * sizeof(*s->v));
    s->n = l->n;
}

/* Where the name is, or belongs. */
static bool find(const struct label_set *s, struct str name, u32 *ret_at)
{
    u32 lo = 0, hi = s->n;

    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        int order = str_cmp(name, s->v[mid].name);
        if (order == 0) {
            *ret_at = mid;
            return true;
        }
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    *ret_at = lo;
    return false;
}

struct str label_set_get(const struct label_set *s, struct str name)
{
    u32 at;

    return find(s, name, &at) ? s->v[at].value : (struct str){0};
}

bool label_set_has(const struct label_set *s, struct str name)
{
    u32 at;

    return find(s, name, &at);
}

/* A value is never NULL: that is how a missing label is told from an empty one. */
static struct str not_null(struct str s)
{
    return s.p ? s : STR("");
}

static void insert(struct label_set *s, u32 at, struct label l)
{
    if (!room_for(s, s->n + 1)) return;
    memmove(&s->v[at + 1], &s->v[at], (s->n - at) * sizeof(*s->v));
    s->v[at] = l;
    s->n++;
}

void label_set_put_view(struct label_set *s, struct str name, struct str value)
{
    u32 at;

    if (find(s, name, &at))
        s->v[at].value = not_null(value);
    else
        insert(s, at, (struct label){name, not_null(value)});
}

void label_set_put(struct label_set *s, struct str name, struct str value)
{
    u32 at;

    if (find(s, name, &at)) {
        struct str kept = label_set_keep(s, value);
        if (!s->err) s->v[at].value = kept;
        return;
    }
    struct label l = {label_set_keep(s, name), label_set_keep(s, value)};
    if (!s->err) insert(s, at, l);
}

void label_set_del(struct label_set *s, struct str name)
{
    u32 at;

    if (!find(s, name, &at)) return;
    s->n--;
    memmove(&s->v[at], &s->v[at + 1], (s->n - at) * sizeof(*s->v));
}

void label_set_filter(struct label_set *s, bool (*keep)(const struct label *l, void *arg),
                      void *arg)
{
    u32 kept = 0;

    for (u32 i = 0; i < s->n; i++)
        if (keep(&s->v[i], arg)) s->v[kept++] = s->v[i];
    s->n = kept;
}

static bool leaves(const struct label *l, void *empty_too)
{
    return !str_starts(l->name, STR("__")) && (l->value.n > 0 || !*(bool *)empty_too);
}

void label_set_strip(struct label_set *s, bool empty_too)
{
    label_set_filter(s, leaves, &empty_too);
}

void label_set_text(const struct label_set *s, struct buf *out)
{
    labels_write_text(s->v, s->n, out);
}

struct labels *label_set_intern(const struct label_set *s, struct label_table *t)
{
    return s->err ? NULL : labels_intern_sorted(t, s->v, s->n);
}
