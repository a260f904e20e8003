/* One batch in, one out, with other series. When the way on is full the work is done again: what
 * became of the series is remembered.
 *
 * Results live by the cache, and after that by the epoch that a batch made of them keeps: it is
 * taken before the first lookup, so whatever leaves the cache meanwhile is retired to it. */
#include "components/common/sample_stage.h"

#include <errno.h>

/* --- life --- */

static const struct host *host_of(const struct sample_stage *st)
{
    return st->flow.shard->comp->host;
}

static void let_go(void *arg, void *in, void *out)
{
    struct series_keeper *k = arg;

    series_unref(k->table, in);
    if (out) series_retire(k, out);
}

static struct lru *new_cache(struct sample_stage *st, u32 max)
{
    return lru_new(&(struct lru_conf){
        .max = stage_share(st->flow.shard, max), .let_go = let_go, .arg = &st->keeper});
}

void sample_stage_init(struct sample_stage *st, struct shard *s,
                       const struct sample_stage_rules *rules, void *arg,
                       const struct sample_output *output, u32 cache_max,
                       const struct capsule_list *forward_to)
{
    *st = (struct sample_stage){.rules = rules, .arg = arg, .output = output};
    log_stage_init(&st->flow, s, forward_to);
    st->builder = sample_builder_new(host_of(st)->data_budget);
    series_keeper_init(&st->keeper, host_of(st)->series);
    st->cache = new_cache(st, cache_max);
    label_set_init(&st->set);
}

void sample_stage_apply(struct sample_stage *st, u32 cache_max,
                        const struct capsule_list *forward_to)
{
    lru_free(st->cache);
    st->cache = new_cache(st, cache_max);
    log_stage_apply(&st->flow, forward_to);
}

void sample_stage_done(struct sample_stage *st)
{
    log_stage_done(&st->flow);
    sample_builder_free(st->builder);
    lru_free(st->cache);
    series_keeper_done(&st->keeper);
    label_set_done(&st->set);
    vec_done(&st->outs);
}

/* --- series --- */

/* A new reference, NULL for dropped. -ENOMEM. */
static int change(struct sample_stage *st, const struct series *in, struct series **ret)
{
    series_load(in, &st->set);
    bool kept = st->rules->change(st->arg, &st->set);

    if (st->set.err) return st->set.err;
    *ret = kept ? label_set_series(&st->set, host_of(st)->series) : NULL;
    if (kept && !*ret) return -ENOMEM;
    if (*ret && !series_n(*ret)) { /* all labels are gone, or empty */
        series_unref(host_of(st)->series, *ret);
        *ret = NULL;
    }
    return 0;
}

static int look_up(struct sample_stage *st, struct series *in, i64 now, struct series **ret)
{
    void *out;

    if (lru_get(st->cache, in, now, &out)) {
        st->n.hits++;
        *ret = out;
        return 0;
    }
    st->n.misses++;
    int err = change(st, in, ret);
    if (err) return err;
    if (lru_put(st->cache, in, *ret, now))
        series_ref(in);
    else if (*ret) /* without memory it lives as long as this batch */
        series_retire(&st->keeper, *ret);
    return 0;
}

/* The series ends with a stale marker: what became of it is needed for this sample, not longer. */
static int find_out(struct sample_stage *st, struct series *in, bool stale, i64 now)
{
    struct series *out = NULL;
    int err = look_up(st, in, now, &out);

    if (err) return err;
    vec_push(&st->outs, out);
    if (stale) st->n.deletes += lru_del(st->cache, in);
    return 0;
}

static int find_outs(struct sample_stage *st, const struct samples *s)
{
    i64 now = loop_now(st->flow.shard->worker->loop);
    int err = 0;

    vec_reserve(&st->outs, s->n + s->n_histograms + s->n_exemplars);
    for (u32 i = 0; !err && i < s->n; i++)
        err = find_out(st, s->v[i].series, s->v[i].bits == SAMPLE_STALE_BITS, now);
    for (u32 i = 0; !err && i < s->n_histograms; i++)
        err = find_out(st, s->histograms[i].series, s->histograms[i].h->stale, now);
    for (u32 i = 0; !err && i < s->n_exemplars; i++)
        err = find_out(st, s->exemplars[i].series, false, now);
    return err;
}

/* The i-th of a batch, floats first. */
static const struct series *in_of(const struct samples *s, u32 i)
{
    if (i < s->n) return s->v[i].series;
    i -= s->n;
    return i < s->n_histograms ? s->histograms[i].series : s->exemplars[i - s->n_histograms].series;
}

/* --- samples --- */

struct verdict {
    bool same, none;
};

static struct verdict judge(struct sample_stage *st, const struct samples *s)
{
    struct verdict v = {true, true};

    for (u32 i = 0; i < st->outs.n; i++) {
        v.same = v.same && st->outs.v[i] == in_of(s, i);
        v.none = v.none && !st->outs.v[i];
        st->n.samples += i < s->items;
        st->n.written += i < s->items && st->outs.v[i];
    }
    return v;
}

static int build_rest(struct sample_stage *st, const struct samples *s, struct series *const *outs)
{
    int err = 0;

    for (u32 i = 0; !err && i < s->n_histograms; i++, outs++) {
        struct histogram_sample h = s->histograms[i];
        h.series = *outs;
        if (*outs) err = sample_builder_histogram(st->builder, &h);
    }
    for (u32 i = 0; !err && i < s->n_exemplars; i++, outs++) {
        struct exemplar_sample e = s->exemplars[i];
        e.series = *outs;
        if (*outs) err = sample_builder_exemplar(st->builder, &e);
    }
    for (u32 i = 0; !err && i < s->n_meta; i++)
        err = sample_builder_meta(st->builder, &s->meta[i]);
    return err;
}

/* A series that stayed what it was lives by the epochs of the batch it came in. */
static int build(struct sample_stage *st, const struct samples *s)
{
    int err = 0;

    sample_builder_keep_samples(st->builder, s);
    for (u32 i = 0; !err && i < s->n; i++)
        if (st->outs.v[i])
            err = sample_builder_add(st->builder, st->outs.v[i], s->v[i].time, s->v[i].bits);
    return err ? err : build_rest(st, s, st->outs.v + s->n);
}

static enum push push_on(struct sample_stage *st, struct batch *b)
{
    return sample_output_push(st->output, st->flow.shard, st->flow.out, b);
}

static enum push send_built(struct sample_stage *st, struct batch *from)
{
    struct batch *made = batch_derive(from);

    if (sample_builder_seal(st->builder, made) < 0) {
        batch_unref(made);
        return log_stage_wait(&st->flow);
    }
    if (push_on(st, made) == PUSH_FULL) {
        batch_unref(made);
        return PUSH_FULL;
    }
    batch_unref(from);
    return PUSH_TAKEN;
}

static enum push send(struct sample_stage *st, struct batch *b)
{
    struct verdict v = judge(st, b->samples);

    if (v.none && st->outs.n) {
        batch_unref(b);
        return PUSH_TAKEN;
    }
    if (v.same) return push_on(st, b);
    if (build(st, b->samples) < 0) return log_stage_wait(&st->flow);
    return send_built(st, b);
}

/* --- live debugging --- */

struct shown {
    const struct series *in, *out;
};

static int render(const void *what, struct buf *out)
{
    const struct shown *s = what;

    series_text(s->in, out);
    buf_cstr(out, " => ");
    if (s->out)
        series_text(s->out, out);
    else
        buf_cstr(out, "{}");
    return buf_err(out);
}

static void show(struct sample_stage *st, const struct samples *s)
{
    for (u32 i = 0; i < s->items; i++) {
        struct shown what = {in_of(s, i), st->outs.v[i]};
        comp_tap(st->flow.shard->comp, &(struct tap_item){.type = TAP_PROMETHEUS_METRIC,
                                                          .count = what.out != NULL,
                                                          .render = render,
                                                          .what = &what});
    }
}

static enum push send_shown(struct sample_stage *st, struct batch *b)
{
    struct batch *kept = batch_ref(b);
    enum push answer = send(st, b);

    if (answer == PUSH_TAKEN) show(st, kept->samples);
    batch_unref(kept);
    return answer;
}

enum push sample_stage_push(struct sample_stage *st, struct batch *b)
{
    if (log_stage_full(&st->flow)) return PUSH_FULL;
    struct series_epoch *e = series_epoch_now(&st->keeper);
    bool shown = st->rules->shows && comp_tapped(st->flow.shard->comp);

    sample_builder_keep(st->builder, e);
    enum push answer = find_outs(st, b->samples) < 0 ? log_stage_wait(&st->flow)
                       : shown                       ? send_shown(st, b)
                                                     : send(st, b);
    if (answer == PUSH_TAKEN && st->rules->taken) st->rules->taken(st->arg, &st->n);
    st->n = (struct sample_counts){0};
    sample_builder_reset(st->builder);
    vec_clear(&st->outs);
    series_epoch_unref(e); /* last: what was shown lived by it */
    return answer;
}
