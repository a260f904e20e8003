/* Epochs: a chain from older to newer, each holding the next. An epoch ends when its keeper has
 * gone on, no batch holds it, and its predecessor has ended; then what was retired in it goes. So
 * whoever holds an epoch keeps all series that were alive when it was the current one. */
#include "base/vec.h"
#include "base/xalloc.h"
#include "telemetry/series.h"

struct series_epoch {
    struct refs refs;
    struct series_table *table;
    struct series_epoch *next; /* a reference; set before the keeper lets go */
    VEC(struct series *) retired;
};

static struct series_epoch *epoch_new(struct series_table *t)
{
    struct series_epoch *e = xnew(struct series_epoch);

    refs_init(&e->refs);
    e->table = t;
    return e;
}

void series_keeper_init(struct series_keeper *k, struct series_table *t)
{
    *k = (struct series_keeper){.table = t, .now = epoch_new(t)};
}

void series_keeper_done(struct series_keeper *k)
{
    series_epoch_unref(k->now);
    k->now = NULL;
}

void series_retire(struct series_keeper *k, struct series *s)
{
    vec_push(&k->now->retired, s);
}

struct series_epoch *series_epoch_now(struct series_keeper *k)
{
    struct series_epoch *old = k->now;

    if (old->retired.n > 0) {
        k->now = epoch_new(k->table);
        old->next = series_epoch_ref(k->now);
        series_epoch_unref(old);
    }
    return series_epoch_ref(k->now);
}

struct series_epoch *series_epoch_ref(struct series_epoch *e)
{
    refs_get(&e->refs);
    return e;
}

/* A loop, since the end of one may be the end of many. */
void series_epoch_unref(struct series_epoch *e)
{
    while (e && refs_put(&e->refs)) {
        struct series_epoch *next = e->next;

        vec_each (&e->retired, s)
            series_unref(e->table, *s);
        vec_done(&e->retired);
        free(e);
        e = next;
    }
}
