/* How much flows through components: counts by type, kept for one reader from one reading to the
 * next. Counted on workers under the tap's lock, read on the control loop. */
#include "runtime/tap/tap_impl.h"

struct tap_count {
    u64 count;
    char **targets; /* of the first item; owned */
    size_t n_targets;
    bool told; /* the item named its targets */
};

struct tap_counts { /* of one component */
    struct tap_watch watch;
    char *id;
    struct tap_count by_type[TAP_TYPES];
};

struct tap_rates {
    struct taps *taps;
    struct tap_counts *all;
    size_t n;
};

static void count_done(struct tap_count *c)
{
    for (size_t i = 0; i < c->n_targets; i++)
        free(c->targets[i]);
    free(c->targets);
    *c = (struct tap_count){0};
}

struct tap_rates *tap_rates_new(struct taps *t, struct comp *const *comps, size_t n)
{
    if (t->n_rates >= TAP_RATES_MAX) return NULL;
    struct tap_rates *w = xnew(struct tap_rates);
    t->n_rates++;
    w->taps = t;
    w->all = xcalloc(n, sizeof(*w->all));
    for (size_t i = 0; i < n; i++) {
        if (!component_is_live(comps[i]->def)) continue;
        struct tap_counts *c = &w->all[w->n++];
        c->id = xstrdup(comps[i]->id);
        c->watch.counts = c;
        tap_watch_begin(t, comps[i], &c->watch);
    }
    return w;
}

void tap_rates_free(struct tap_rates *w)
{
    if (!w) return;
    for (size_t i = 0; i < w->n; i++) {
        tap_watch_end(&w->all[i].watch);
        for (int t = 0; t < TAP_TYPES; t++)
            count_done(&w->all[i].by_type[t]);
        free(w->all[i].id);
    }
    w->taps->n_rates--;
    free(w->all);
    free(w);
}

static void keep_targets(struct tap_count *c, const struct tap_targets *to)
{
    if (!to->ids) return;
    c->told = true;
    c->n_targets = to->n;
    c->targets = xcalloc(to->n, sizeof(*c->targets));
    for (size_t i = 0; i < to->n; i++)
        c->targets[i] = xstrdup(to->ids[i]);
}

void counts_add(struct tap_counts *c, const struct tap_item *item, const struct tap_targets *to)
{
    struct tap_count *n = &c->by_type[item->type];

    if (item->count == 0) return;
    if (n->count == 0) keep_targets(n, to);
    n->count += item->count;
}

/* What was counted so far; counting starts anew. */
static void take(struct tap_counts *c, struct tap_count out[TAP_TYPES])
{
    struct tap *t = c->watch.tap;

    if (t) pthread_mutex_lock(&t->lock);
    memcpy(out, c->by_type, sizeof(c->by_type));
    memset(c->by_type, 0, sizeof(c->by_type));
    if (t) pthread_mutex_unlock(&t->lock);
}

static void tell(struct tap_counts *c, void (*fn)(void *arg, const struct tap_rate *r), void *arg)
{
    struct tap_count taken[TAP_TYPES];

    take(c, taken);
    for (int t = 0; t < TAP_TYPES; t++) {
        struct tap_count *n = &taken[t];
        if (n->count > 0)
            fn(arg, &(struct tap_rate){.id = c->id,
                                       .type = (enum tap_type)t,
                                       .count = n->count,
                                       .targets = n->told ? (const char *const *)n->targets : NULL,
                                       .n_targets = n->n_targets});
        count_done(n);
    }
}

void tap_rates_take(struct tap_rates *w, void (*fn)(void *arg, const struct tap_rate *r), void *arg)
{
    for (size_t i = 0; i < w->n; i++)
        tell(&w->all[i], fn, arg);
}
