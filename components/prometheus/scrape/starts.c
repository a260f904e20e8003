/* start_timestamp_zero_ingestion: a zero is sent at the time a counter began, so that its first
 * value counts as an increase. Protobuf says the time with each metric; OpenMetrics in lines of
 * their own, which come behind what they are about: the body is read twice for them. */
#include <errno.h>
#include <math.h>

#include "base/hash.h"
#include "components/prometheus/scrape/ingest.h"

static bool has_start(enum metric_type type)
{
    return type == TYPE_COUNTER || type == TYPE_HISTOGRAM || type == TYPE_SUMMARY;
}

/* --- OpenMetrics --- */

static bool is_created(const struct exposition *e, struct str family)
{
    struct str name = e->series, suffix = STR("_created");

    if (!has_start(e->type) || family.n == 0 || !str_starts(name, family)) return false;
    name = str_sub(name, family.n, name.n);
    if (!str_starts(name, suffix)) return false;
    return name.n == suffix.n || name.p[suffix.n] == '{';
}

static u64 key_of(struct label_set *set, struct str family)
{
    label_set_del(set, STR("le"));
    label_set_put_view(set, STR("__name__"), family);
    return ingest_hash(set);
}

static void note(struct ingest *in, struct exposition *e, struct str family)
{
    struct label_set *set = &in->s->set;
    f64 ms = sample_value(e->bits) * 1000;

    if (!(ms > 0) || ms >= 9.2e18 || exposition_labels(e, set) != 0) return;
    u64 key = key_of(set, family);
    (void)map_put(&in->starts, str_n((const char *)&key, sizeof(key)),
                  (void *)(intptr_t)(i64)ms); // NOLINT
}

/* Faults are told by the reading that counts. */
void starts_read(struct ingest *in, const struct exposition_conf *conf)
{
    struct exposition e;
    struct str family = STR("");
    enum exposition_event event;

    if (conf->format != EXPOSITION_OPENMETRICS) return;
    exposition_init(&e, conf);
    while ((event = exposition_next(&e, 0, 0)) != EXPOSITION_END && event != EXPOSITION_ERROR) {
        if (event == EXPOSITION_TYPE) family = arena_str(&in->t->texts, e.family);
        if (event == EXPOSITION_SAMPLE && is_created(&e, family)) note(in, &e, family);
    }
    exposition_done(&e);
}

bool starts_is_line(const struct ingest *in)
{
    return in->starts.n > 0 && is_created(&in->e, in->meta.family);
}

static i64 find_text(struct ingest *in)
{
    struct label_set *set = &in->s->scratch;

    if (in->starts.n == 0 || !has_start(in->e.type) || in->meta.family.n == 0) return 0;
    if (exposition_labels(&in->e, set) != 0 || label_set_has(set, STR("quantile"))) return 0;
    u64 key = key_of(set, in->meta.family);
    return (i64)(intptr_t)map_get(&in->starts, str_n((const char *)&key, sizeof(key)));
}

i64 starts_find(struct ingest *in)
{
    return in->e.format == EXPOSITION_PROTOBUF ? exposition_start(&in->e) : find_text(in);
}

/* --- zeros --- */

static bool is_news(struct ingest *in, const struct series *s, i64 start)
{
    struct map *told = &in->t->started;
    struct str key = str_n((const char *)&s, sizeof(s));
    i64 before = (i64)(intptr_t)map_get(told, key);

    if (before == start) return false;
    (void)map_put(told, key, (void *)(intptr_t)start); // NOLINT
    /* a sample of the scrape before is in the way of an older one */
    return in->is_new || start > in->t->last / NS_PER_MS;
}

static int put_zero(struct ingest *in, struct series *s, i64 start, bool histogram)
{
    const struct histogram *h = in->e.histogram;

    if (!histogram) return sample_builder_add(in->s->builder, s, start, 0);
    struct histogram zero = {
        .is_float = h->is_float, .schema = h->schema, .zero_threshold = h->zero_threshold};
    struct histogram_sample hs = {.series = s, .time = start, .start = start, .h = &zero};
    return sample_builder_histogram(in->s->builder, &hs);
}

int starts_put(struct ingest *in, struct series *s, i64 start, i64 time, bool histogram)
{
    if (start <= 0 || start >= time || !is_news(in, s, start)) return 0;
    return put_zero(in, s, start, histogram) == 0 ? 0 : ingest_no_memory(in);
}

void starts_forget(struct target *t, const struct series *s)
{
    if (t->started.live > 0) (void)map_del(&t->started, str_n((const char *)&s, sizeof(s)));
}
