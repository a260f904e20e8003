/* One batch in, one out, with other labels. When the way on is full the work is done again: what
 * became of the sets is remembered. */
#include "components/common/label_stage.h"

#include <errno.h>

/* --- life --- */

static void let_go(void *arg, void *in, void *out)
{
    labels_unref(in);
    labels_unref(out);
}

static struct lru *new_cache(u32 max, struct shard *s)
{
    return lru_new(&(struct lru_conf){.max = stage_share(s, max), .let_go = let_go});
}

static struct log_builder *new_builder(const struct label_stage *st)
{
    return log_builder_new(st->log.shard->comp->host->data_budget);
}

void label_stage_init(struct label_stage *st, struct shard *s,
                      const struct label_stage_rules *rules, void *arg, u32 cache_max,
                      const struct capsule_list *forward_to)
{
    *st = (struct label_stage){.rules = rules, .arg = arg};
    log_stage_init(&st->log, s, forward_to);
    st->builder = new_builder(st);
    st->cache = new_cache(cache_max, st->log.shard);
    label_set_init(&st->set);
}

void label_stage_apply(struct label_stage *st, u32 cache_max, const struct capsule_list *forward_to)
{
    lru_free(st->cache);
    st->cache = new_cache(cache_max, st->log.shard);
    log_stage_apply(&st->log, forward_to);
}

void label_stage_done(struct label_stage *st)
{
    log_stage_done(&st->log);
    log_builder_free(st->builder);
    lru_free(st->cache);
    label_set_done(&st->set);
    vec_done(&st->outs);
}

/* --- sets --- */

/* A new reference, NULL for dropped. -ENOMEM. */
static int change(struct label_stage *st, const struct labels *in, struct labels **ret)
{
    label_set_load(&st->set, in);
    bool kept = st->rules->change(st->arg, &st->set);

    kept = kept && (st->set.n > 0 || st->rules->keeps_empty);
    if (st->set.err) return st->set.err;
    *ret = kept ? label_set_intern(&st->set, st->log.shard->comp->host->labels) : NULL;
    return kept && !*ret ? -ENOMEM : 0;
}

static int look_up(struct label_stage *st, struct labels *in, struct labels **ret, bool *ret_hit)
{
    void *out;

    *ret_hit = lru_get(st->cache, in, 0, &out);
    if (*ret_hit) {
        *ret = out ? labels_ref(out) : NULL;
        return 0;
    }
    int err = change(st, in, ret);
    /* Without memory it is not remembered, but right. */
    if (!err && lru_put(st->cache, in, *ret, 0)) {
        labels_ref(in);
        if (*ret) labels_ref(*ret);
    }
    return err;
}

static void release_outs(struct label_stage *st)
{
    vec_each (&st->outs, out)
        labels_unref(*out);
    vec_clear(&st->outs);
}

static int find_outs(struct label_stage *st, const struct logs *l, struct label_counts *n)
{
    for (u32 i = 0; i < l->n_streams; i++) {
        const struct log_stream *stream = &l->streams[i];
        struct labels *out;
        bool hit;
        int err = look_up(st, stream->labels, &out, &hit);
        if (err) return err;
        vec_push(&st->outs, out);
        n->entries += stream->n;
        n->written += out ? stream->n : 0;
        n->hits += stream->n - !hit;
        n->misses += !hit;
    }
    return 0;
}

/* --- entries --- */

static bool nothing_changed(const struct label_stage *st, const struct logs *l)
{
    bool same = true;

    for (u32 i = 0; same && i < l->n_streams; i++)
        same = st->outs.v[i] == l->streams[i].labels;
    return same;
}

static int build(struct label_stage *st, const struct logs *l)
{
    log_builder_keep_logs(st->builder, l);
    for (u32 i = 0; i < l->n_streams; i++)
        for (u32 k = 0; st->outs.v[i] && k < l->streams[i].n; k++)
            if (log_builder_add_slice(st->builder, st->outs.v[i], &l->streams[i].v[k]) < 0)
                return -ENOMEM;
    return 0;
}

static enum push wait(struct label_stage *st)
{
    log_builder_free(st->builder);
    st->builder = new_builder(st);
    return log_stage_wait(&st->log);
}

static bool nothing_left(const struct label_stage *st)
{
    bool none = true;

    for (size_t i = 0; none && i < st->outs.n; i++)
        none = !st->outs.v[i];
    return none;
}

static enum push send(struct label_stage *st, struct batch *b)
{
    if (nothing_changed(st, b->logs)) return fanout_push(st->log.out, b);
    if (nothing_left(st)) {
        batch_unref(b);
        return PUSH_TAKEN;
    }
    if (build(st, b->logs) < 0) return wait(st);
    enum push answer = log_stage_push_built(&st->log, b, st->builder);
    if (log_builder_items(st->builder)) wait(st);
    return answer;
}

/* --- live debugging --- */

struct shown {
    const struct log_entry *entry;
    const struct labels *in, *out;
};

static int render(const void *what, struct buf *out)
{
    const struct shown *s = what;

    buf_cstr(out, "entry: ");
    buf_str(out, s->entry->line);
    buf_cstr(out, ", labels: ");
    buf_str(out, s->in->text);
    buf_cstr(out, " => ");
    buf_str(out, s->out ? s->out->text : STR("<dropped>"));
    return buf_err(out);
}

static void show(struct label_stage *st, const struct logs *l)
{
    for (u32 i = 0; i < l->n_streams; i++)
        for (u32 k = 0; k < l->streams[i].n; k++) {
            struct shown s = {&l->streams[i].v[k], l->streams[i].labels, st->outs.v[i]};
            comp_tap(st->log.shard->comp, &(struct tap_item){.type = TAP_LOKI_LOG,
                                                             .count = s.out != NULL,
                                                             .render = render,
                                                             .what = &s});
        }
}

static enum push send_shown(struct label_stage *st, struct batch *b)
{
    struct batch *kept = batch_ref(b);
    enum push answer = send(st, b);

    if (answer == PUSH_TAKEN) show(st, kept->logs);
    batch_unref(kept);
    return answer;
}

enum push label_stage_push(struct label_stage *st, struct batch *b)
{
    struct label_counts n = {0};

    if (log_stage_full(&st->log)) return PUSH_FULL;
    bool shown = st->rules->shows && comp_tapped(st->log.shard->comp);
    enum push answer = find_outs(st, b->logs, &n) < 0 ? log_stage_wait(&st->log)
                       : shown                        ? send_shown(st, b)
                                                      : send(st, b);
    if (answer == PUSH_TAKEN && st->rules->taken) st->rules->taken(st->arg, &n);
    release_outs(st);
    return answer;
}
