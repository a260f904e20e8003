/* What stages count. Kept by the shard, so that a new configuration goes on counting. */
#include "components/loki/process/engine_int.h"

#define SAY_EVERY (10 * NS_PER_SEC)

struct counter {
    const struct metric_desc *desc;
    char *label; /* the values of its labels; NULL: none */
    struct metric *metric;
};
struct stage_counters {
    struct shard *shard;
    VEC(struct counter) list;
    i64 said; /* when a match limit was logged last; 0: never */
};

static const struct metric_desc dropped_desc = {
    .name = "loki_process_dropped_lines_total",
    .help = "Entries that a stage dropped, by the reason given in its configuration.",
    .kind = METRIC_COUNTER};
static const struct metric_desc limited_desc = {
    .name = "weir_loki_process_regex_limited_total",
    .help = "Matches given up because a regular expression took too many steps.",
    .kind = METRIC_COUNTER};

struct stage_counters *stage_counters_new(struct shard *s)
{
    struct stage_counters *c = xnew(struct stage_counters);

    c->shard = s;
    return c;
}

void stage_counters_free(struct stage_counters *c)
{
    if (!c) return;
    vec_each (&c->list, i)
        free(i->label);
    vec_done(&c->list);
    free(c);
}

static bool is_counter(const struct counter *c, const struct metric_desc *d, struct str label)
{
    return c->desc == d && str_eq(str_of(c->label), label);
}

static struct metric *find(struct stage_counters *c, const struct metric_desc *d, struct str label)
{
    vec_each (&c->list, i)
        if (is_counter(i, d, label)) return i->metric;
    return NULL;
}

static struct metric *make(struct stage_counters *c, const struct metric_desc *d, struct str key,
                           const struct metric_label *labels, size_t n)
{
    struct metric *m = shard_metric(c->shard, d, labels, n);

    vec_push(&c->list, ((struct counter){d, str_dup(key), m}));
    return m;
}

void stage_dropped(struct stage_run *r, struct str reason)
{
    struct stage_counters *c = r->pipeline->counters;
    struct metric *m = find(c, &dropped_desc, reason);

    if (!m) {
        char *text = str_dup(reason);
        struct metric_label label = {"reason", text};
        m = make(c, &dropped_desc, reason, &label, 1);
        free(text);
    }
    metric_inc(m);
}

struct metric *stage_metric(struct stage_run *r, const struct metric_desc *d,
                            const struct metric_label *labels, size_t n)
{
    struct stage_counters *c = r->pipeline->counters;
    struct buf key = BUF_INIT(1 << 16);

    for (size_t i = 0; i < n; i++)
        buf_printf(&key, "%s%c", labels[i].value, 1);
    struct metric *m = find(c, d, buf_view(&key));
    if (!m) m = make(c, d, buf_view(&key), labels, n);
    buf_done(&key);
    return m;
}

/* --- regular expressions that take too long --- */

void stage_regex_limited(struct stage_run *r)
{
    struct stage_counters *c = r->pipeline->counters;
    i64 now = clock_mono(r->clock);

    metric_inc(stage_metric(r, &limited_desc, NULL, 0));
    if (c->said && now - c->said < SAY_EVERY) return;
    c->said = now;
    log_warn(r->comp->log,
             "a regular expression took too many steps on an entry, which passes unchanged; "
             "nested repetitions are the usual cause",
             F_INT("stage", r->at + 1));
}

bool stage_match(struct stage_run *r, const struct regex *re, struct str text, ssize_t *ov,
                 size_t n_ov)
{
    int rc = regex_match(re, text, 0, ov, n_ov);

    if (UNLIKELY(rc == REGEX_LIMIT)) stage_regex_limited(r);
    return rc == 1;
}
