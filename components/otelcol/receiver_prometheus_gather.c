/* From samples to points: the samples of a histogram (buckets, sum, count) meet in one point by the
 * labels they have in common. */
#include <math.h>
#include "base/num.h"
#include "components/otelcol/receiver_prometheus.h"

#define KEY_MAX ((size_t)16 << 20)

/* What a sample is to its family. */
enum role {
    ROLE_VALUE,
    ROLE_BUCKET,
    ROLE_SUM,
    ROLE_COUNT,
    ROLE_QUANTILE,
    ROLE_CREATED, /* tells when the others of its family began */
    ROLE_SKIP
};
struct place {
    struct str family;
    struct otel_known known;
    enum role role;
};

void otel_gather_init(struct otel_gather *g)
{
    *g = (struct otel_gather){.key = BUF_INIT(KEY_MAX)};
    arena_init(&g->arena, 4096);
    g->end = &g->first;
}

/* --- what is known of families --- */

static void forget_known(void *known_)
{
    struct otel_known *known = known_;

    free((char *)known->help.p);
    free((char *)known->unit.p);
    free(known);
}

static struct str own(struct str s)
{
    return (struct str){str_dup(s), s.n};
}

static void learn(struct otel_gather *g, const struct metric_meta *m)
{
    if (!map_has(&g->known, m->family) && g->known.live >= OTEL_KNOWN_MAX) {
        g->too_many++;
        return;
    }
    struct otel_known *known = xnew(struct otel_known);
    *known = (struct otel_known){m->type, own(m->help), own(m->unit)};
    struct otel_known *before = map_put(&g->known, m->family, known);
    if (before) forget_known(before);
}

/* Report series, whose meaning everybody knows. */
static const struct {
    struct str name;
    struct otel_known known;
} report_series[] = {
    {STR("up"), {TYPE_GAUGE, STR("The scraping was successful"), STR("")}},
    {STR("scrape_duration_seconds"), {TYPE_GAUGE, STR("Duration of the scrape"), STR("seconds")}},
    {STR("scrape_samples_scraped"),
     {TYPE_GAUGE, STR("The number of samples the target exposed"), STR("")}},
    {STR("scrape_series_added"),
     {TYPE_GAUGE, STR("The approximate number of new series in this scrape"), STR("")}},
    {STR("scrape_samples_post_metric_relabeling"),
     {TYPE_GAUGE, STR("The number of samples remaining after metric relabeling was applied"),
      STR("")}},
};
static const struct str suffixes[] = {STR("_bucket"), STR("_count"), STR("_sum"),
                                      STR("_total"),  STR("_info"),  STR("_created")};

static struct str without_suffix(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (str_ends(name, suffixes[i]) && name.n > suffixes[i].n)
            return str_sub(name, 0, name.n - suffixes[i].n);
    return name;
}

static enum role role_of(enum metric_type type, const struct series *s, struct str name,
                         struct str family)
{
    bool histogram = type == TYPE_HISTOGRAM, summary = type == TYPE_SUMMARY;
    struct str suffix = str_sub(name, family.n, name.n);

    if (str_is(suffix, "_created") && (histogram || summary || type == TYPE_COUNTER))
        return ROLE_CREATED;
    if (!histogram && !summary) return ROLE_VALUE;
    if (str_is(suffix, "_sum")) return ROLE_SUM;
    if (str_is(suffix, "_count")) return ROLE_COUNT;
    if (histogram && str_is(suffix, "_bucket") && series_get(s, STR("le")).p) return ROLE_BUCKET;
    if (summary && suffix.n == 0 && series_get(s, STR("quantile")).p) return ROLE_QUANTILE;
    return ROLE_SKIP; /* it has no meaning */
}

/* Counters keep the names they are exposed with, others that of the family. */
static struct str metric_name(struct otel_gather *g, enum role role, enum metric_type type,
                              struct str name, struct str family)
{
    if (role == ROLE_VALUE) return name;
    if (role != ROLE_CREATED || type != TYPE_COUNTER) return family;
    return str_of(arena_printf(&g->arena, STR_FMT "_total", STR_ARG(family)));
}

static struct place place_of(struct otel_gather *g, const struct series *s)
{
    struct str name = series_name(s), family = name;
    const struct otel_known *known = map_get(&g->known, name);

    for (size_t i = 0; !known && i < ARRAY_LEN(report_series); i++)
        if (str_eq(report_series[i].name, name)) known = &report_series[i].known;
    if (!known) {
        family = without_suffix(name);
        known = map_get(&g->known, family);
    }
    if (!known) return (struct place){name, {TYPE_UNKNOWN, STR(""), STR("")}, ROLE_VALUE};
    enum role role = role_of(known->type, s, name, family);
    return (struct place){metric_name(g, role, known->type, name, family), *known, role};
}

/* --- resource, scope, metric --- */

static struct str key_of(struct otel_gather *g, const struct str *parts, size_t n)
{
    buf_reset(&g->key);
    for (size_t i = 0; i < n; i++) {
        buf_str(&g->key, parts[i]);
        buf_ch(&g->key, '\xff'); /* in no label */
    }
    return buf_view(&g->key);
}

static struct otel_resource *resource_of(struct otel_gather *g, struct series *s)
{
    struct str parts[] = {series_get(s, STR("job")), series_get(s, STR("instance"))};
    struct str key = key_of(g, parts, 2);
    struct otel_resource *r = map_get(&g->resources, key);

    if (r) return r;
    r = arena_new(&g->arena, struct otel_resource);
    r->series = s;
    r->end = &r->first;
    map_put(&g->resources, key, r);
    *g->end = r;
    g->end = &r->next;
    return r;
}

static struct otel_scope *scope_of(struct otel_gather *g, struct otel_resource *r, struct series *s)
{
    struct str parts[] = {series_get(s, STR("otel_scope_name")),
                          series_get(s, STR("otel_scope_version")),
                          series_get(s, STR("otel_scope_schema_url"))};
    struct str key = key_of(g, parts, 3);
    struct otel_scope *scope = map_get(&r->scopes, key);

    if (scope) return scope;
    scope = arena_new(&g->arena, struct otel_scope);
    scope->series = s;
    scope->end = &scope->first;
    map_put(&r->scopes, key, scope);
    *r->end = scope;
    r->end = &scope->next;
    return scope;
}

static struct otel_metric *metric_of(struct otel_gather *g, struct otel_scope *scope,
                                     const struct place *p, bool native)
{
    struct str parts[] = {p->family, native ? STR("n") : STR("c")};
    struct str key = key_of(g, parts, 2);
    struct otel_metric *m = map_get(&scope->metrics, key);

    if (m) return m;
    m = arena_new(&g->arena, struct otel_metric);
    *m = (struct otel_metric){.name = arena_str(&g->arena, p->family),
                              .help = arena_str(&g->arena, p->known.help),
                              .unit = arena_str(&g->arena, p->known.unit),
                              .type = native ? TYPE_HISTOGRAM : p->known.type,
                              .native = native};
    m->end = &m->points;
    map_put(&scope->metrics, key, m);
    *scope->end = m;
    scope->end = &m->next;
    return m;
}

/* --- points --- */

static const struct str no_attributes[] = {
    STR("__name__"),           STR("job"),
    STR("instance"),           STR("__scheme__"),
    STR("__metrics_path__"),   STR("otel_scope_name"),
    STR("otel_scope_version"), STR("otel_scope_schema_url"),
};

bool otel_label_is_attribute(struct str name, enum metric_type type)
{
    if (str_is(name, "le")) return type != TYPE_HISTOGRAM;
    if (str_is(name, "quantile")) return type != TYPE_SUMMARY;
    for (size_t i = 0; i < ARRAY_LEN(no_attributes); i++)
        if (str_eq(no_attributes[i], name)) return false;
    return true;
}

/* Which point a sample belongs to: metric, time, and attributes. Time 0: all of these. */
static struct str point_key(struct otel_gather *g, const struct otel_metric *m,
                            const struct series *s, i64 time)
{
    buf_reset(&g->key);
    buf_add(&g->key, &m, sizeof(m));
    buf_add(&g->key, &time, sizeof(time));
    for (u32 i = 0; i < series_n(s); i++) {
        if (!otel_label_is_attribute(s->shape->names[i], m->type)) continue;
        buf_str(&g->key, s->shape->names[i]);
        buf_ch(&g->key, '\xff');
        buf_str(&g->key, symbol_str(s->values[i]));
        buf_ch(&g->key, '\xff');
    }
    return buf_view(&g->key);
}

static struct otel_point *point_of(struct otel_gather *g, struct otel_metric *m, struct series *s,
                                   i64 time)
{
    struct str key = point_key(g, m, s, time);
    struct otel_point *p = map_get(&g->points, key);

    if (!p) {
        p = arena_new(&g->arena, struct otel_point);
        p->series = s;
        p->time = time;
        map_put(&g->points, key, p);
        *m->end = p;
        m->end = &p->next;
        g->n_points++;
    }
    return p;
}

static void add_bucket(struct otel_point *p, const struct series *s, f64 v)
{
    f64 bound;

    if (num_parse_f64(series_get(s, STR("le")), &bound) < 0 || bound != bound) return;
    vec_push(&p->buckets, ((struct otel_bucket){bound, v > 0 ? (u64)v : 0}));
}

static void add_quantile(struct otel_point *p, const struct series *s, f64 v)
{
    f64 quantile;

    if (num_parse_f64(series_get(s, STR("quantile")), &quantile) < 0) return;
    vec_push(&p->quantiles, ((struct otel_quantile){quantile, v}));
}

static i64 ms_of_seconds(f64 v)
{
    return v > 0 && v < 1e13 ? (i64)(v * 1000) : 0;
}

static void add_value(struct otel_point *p, enum role role, const struct series *s, u64 bits)
{
    f64 v = sample_value(bits);

    if (bits == SAMPLE_STALE_BITS) {
        p->stale = true;
        v = 0;
    }
    switch (role) {
    case ROLE_VALUE: p->value = v; break;
    case ROLE_BUCKET: add_bucket(p, s, v); break;
    case ROLE_QUANTILE: add_quantile(p, s, v); break;
    case ROLE_SUM:
        p->sum = v;
        p->has_sum = true;
        break;
    case ROLE_COUNT:
        p->count = v > 0 ? (u64)v : 0;
        p->has_count = true;
        break;
    case ROLE_CREATED:
    case ROLE_SKIP: break;
    }
}

/* It often has no time of its own where the other has one. */
static void add_start(struct otel_gather *g, struct otel_metric *m, const struct sample *s)
{
    i64 ms = s->bits == SAMPLE_STALE_BITS ? 0 : ms_of_seconds(sample_value(s->bits));

    if (ms == 0) return;
    i64 *start = arena_new(&g->arena, i64);
    *start = ms;
    m->has_starts = true;
    map_put(&g->starts, point_key(g, m, s->series, 0), start);
}

static void give_starts(struct otel_gather *g, struct otel_metric *m)
{
    for (struct otel_point *p = m->has_starts ? m->points : NULL; p; p = p->next) {
        const i64 *start = map_get(&g->starts, point_key(g, m, p->series, 0));
        if (start) p->start = *start;
    }
}

static void give_all_starts(struct otel_gather *g)
{
    for (struct otel_resource *r = g->first; r && g->starts.live > 0; r = r->next)
        for (struct otel_scope *s = r->first; s; s = s->next)
            for (struct otel_metric *m = s->first; m; m = m->next)
                give_starts(g, m);
}

/* --- samples --- */

static struct str pointer_key(struct series *const *s)
{
    return str_n((const char *)s, sizeof(*s));
}

static bool has_job(struct otel_gather *g, const struct series *s)
{
    bool has = series_get(s, STR("job")).p && series_get(s, STR("instance")).p;

    g->no_job += !has;
    return has;
}

static void take_sample(struct otel_gather *g, const struct sample *s)
{
    if (!has_job(g, s->series)) return;
    struct otel_resource *r = resource_of(g, s->series);

    if (str_is(series_name(s->series), "target_info")) {
        r->info = s->series;
        return;
    }
    struct place place = place_of(g, s->series);
    if (place.role == ROLE_SKIP) return;
    if (str_is(place.family, "up") && sample_value(s->bits) == 0) g->failed_scrapes++;
    struct otel_scope *scope = scope_of(g, r, s->series);
    if (str_is(place.family, "otel_scope_info")) {
        scope->info = s->series;
        return;
    }
    struct otel_metric *m = metric_of(g, scope, &place, false);
    if (place.role == ROLE_CREATED) {
        add_start(g, m, s);
        return;
    }
    struct otel_point *p = point_of(g, m, s->series, s->time);
    add_value(p, place.role, s->series, s->bits);
    map_put(&g->by_series, pointer_key(&s->series), p);
}

static void take_histogram(struct otel_gather *g, const struct histogram_sample *h)
{
    struct place place = {series_name(h->series), {TYPE_HISTOGRAM, STR(""), STR("")}, ROLE_VALUE};

    if (!has_job(g, h->series)) return;
    struct otel_known *known = map_get(&g->known, place.family);
    if (known) place.known = *known;
    struct otel_scope *scope = scope_of(g, resource_of(g, h->series), h->series);
    struct otel_point *p = point_of(g, metric_of(g, scope, &place, true), h->series, h->time);
    p->native = h;
    p->stale = h->h->stale;
    map_put(&g->by_series, pointer_key(&h->series), p);
}

static void take_exemplar(struct otel_gather *g, const struct exemplar_sample *e)
{
    struct otel_point *p = map_get(&g->by_series, pointer_key(&e->series));

    if (p) vec_push(&p->exemplars, e);
}

/* --- batches --- */

static void free_points(struct otel_metric *m)
{
    for (struct otel_point *p = m->points; p; p = p->next) {
        vec_done(&p->buckets);
        vec_done(&p->quantiles);
        vec_done(&p->exemplars);
    }
}

static void forget_batch(struct otel_gather *g)
{
    for (struct otel_resource *r = g->first; r; r = r->next) {
        for (struct otel_scope *s = r->first; s; s = s->next) {
            for (struct otel_metric *m = s->first; m; m = m->next)
                free_points(m);
            map_done(&s->metrics, NULL);
        }
        map_done(&r->scopes, NULL);
    }
    map_done(&g->resources, NULL);
    map_done(&g->points, NULL);
    map_done(&g->starts, NULL);
    map_done(&g->by_series, NULL);
    g->resources = g->points = g->starts = g->by_series = (struct map){0};
    g->first = NULL;
    g->end = &g->first;
    g->n_points = g->no_job = g->failed_scrapes = 0;
    arena_rewind(&g->arena);
}

void otel_gather_samples(struct otel_gather *g, const struct samples *s)
{
    forget_batch(g);
    for (u32 i = 0; i < s->n_meta; i++)
        learn(g, &s->meta[i]);
    for (u32 i = 0; i < s->n; i++)
        take_sample(g, &s->v[i]);
    for (u32 i = 0; i < s->n_histograms; i++)
        take_histogram(g, &s->histograms[i]);
    for (u32 i = 0; i < s->n_exemplars; i++)
        take_exemplar(g, &s->exemplars[i]);
    give_all_starts(g);
}

void otel_gather_done(struct otel_gather *g)
{
    forget_batch(g);
    map_done(&g->known, forget_known);
    arena_done(&g->arena);
    buf_done(&g->key);
}
