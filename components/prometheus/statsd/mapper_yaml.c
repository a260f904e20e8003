/* A mapping file. As in statsd_exporter 0.28 keys that nobody knows are passed over, but told; what
 * older versions called otherwise (timer_type, buckets, quantiles) is understood. */
#include <errno.h>
#include <math.h>
#include "base/num.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "components/prometheus/statsd/mapper.h"

#define BUCKETS_MAX   10000
#define QUANTILES_MAX 1000
#define MAX_AGE       (10 * 60 * NS_PER_SEC)
#define AGE_BUCKETS   5
#define BUF_CAP       500

static const f64 default_buckets[] = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
static const struct statsd_objective default_quantiles[] = {
    {0.5, 0.05}, {0.9, 0.01}, {0.99, 0.001}};

/* Summary and histogram options as written; zero: not. */
struct raw_options {
    bool summary, histogram; /* there is such a block */
    VEC(struct statsd_objective) quantiles;
    VEC(f64) buckets;
    i64 max_age, age_buckets, buf_cap;
};
struct reader {
    struct statsd_mapper *m;
    void (*warn)(void *arg, const char *what);
    void *arg;
    char *err; /* the first fault */
    /* Of the `defaults`. */
    struct raw_options defaults;
    enum statsd_observer observer, timer;
    struct raw_options legacy;
    bool regex;
    i64 ttl;
};
/* One mapping on its way. */
struct draft {
    const struct yaml_node *node;
    struct statsd_mapping *to;
    struct str match, name;
    const struct yaml_node *labels;
    bool regex;
    enum statsd_observer timer;
    struct raw_options options, legacy; /* those of older versions */
};

static int fault(struct reader *r, const struct yaml_node *at, const char *fmt, ...) PRINTF(3, 4);
static int fault(struct reader *r, const struct yaml_node *at, const char *fmt, ...)
{
    va_list ap;

    if (r->err) return -EINVAL;
    va_start(ap, fmt);
    char *what = xvprintf(fmt, ap);
    va_end(ap);
    r->err = xprintf("line %u: %s", at->line, what);
    free(what);
    return -EINVAL;
}

/* --- scalars --- */

static int read_text(struct reader *r, const struct yaml_node *n, struct str *ret)
{
    if (n->kind != YAML_SCALAR) return fault(r, n, "a text is expected");
    *ret = n->text;
    return 0;
}

static bool is_null(const struct yaml_node *n)
{
    return n->kind == YAML_SCALAR && n->style == YAML_PLAIN &&
           (n->text.n == 0 || str_is(n->text, "~") || str_ieq(n->text, STR("null")));
}

static int read_f64(struct reader *r, const struct yaml_node *n, f64 *ret)
{
    struct str t = n->kind == YAML_SCALAR ? n->text : STR("");

    if (str_ieq(t, STR(".inf")) || str_ieq(t, STR("+.inf"))) {
        *ret = INFINITY;
        return 0;
    }
    if (num_parse_f64(t, ret) != 0)
        return fault(r, n, "a number is expected, not \"" STR_FMT "\"", STR_ARG(t));
    return 0;
}

static int read_count(struct reader *r, const struct yaml_node *n, i64 *ret)
{
    u64 v;

    if (n->kind != YAML_SCALAR || num_parse_u64(n->text, &v) != 0 || v > UINT32_MAX)
        return fault(r, n, "a number from 0 to 4294967295 is expected");
    *ret = (i64)v;
    return 0;
}

static int read_duration(struct reader *r, const struct yaml_node *n, i64 *ret)
{
    if (n->kind == YAML_SCALAR &&
        (dur_parse(n->text, ret, NULL) == 0 || num_parse_i64(n->text, ret) == 0))
        return *ret >= 0 ? 0 : fault(r, n, "a duration must not be negative");
    return fault(r, n, "a duration is expected, as in 30s");
}

static int read_bool(struct reader *r, const struct yaml_node *n, bool *ret)
{
    static const char *const yes[] = {"true", "yes", "on", "y"}, *const no[] = {"false", "no",
                                                                                "off", "n"};

    for (size_t i = 0; n->kind == YAML_SCALAR && i < ARRAY_LEN(yes); i++) {
        if (str_ieq(n->text, str_of(yes[i]))) return *ret = true, 0;
        if (str_ieq(n->text, str_of(no[i]))) return *ret = false, 0;
    }
    return fault(r, n, "true or false is expected");
}

/* The index of the text in words; an empty text is the first. */
static int read_word(struct reader *r, const struct yaml_node *n, const char *what,
                     const char *const *words, int *ret)
{
    struct str t;

    if (read_text(r, n, &t) < 0) return -EINVAL;
    for (int i = 0; words[i]; i++)
        if (str_is(t, words[i]) || t.n == 0) return *ret = i, 0;
    return fault(r, n, "invalid %s \"" STR_FMT "\"", what, STR_ARG(t));
}

/* --- blocks by tables --- */

struct key {
    const char *name;
    int (*read)(struct reader *r, const struct yaml_node *n, void *to);
};

static const struct key *key_of(const struct key *keys, struct str name)
{
    for (; keys->name; keys++)
        if (str_is(name, keys->name)) return keys;
    return NULL;
}

static void tell_unknown(struct reader *r, const struct yaml_node *k)
{
    if (!r->warn) return;
    char *text =
        xprintf("line %u: nobody knows the key \"" STR_FMT "\"", k->line, STR_ARG(k->text));
    r->warn(r->arg, text);
    free(text);
}

static int read_block(struct reader *r, const struct yaml_node *n, const struct key *keys, void *to)
{
    if (is_null(n)) return 0;
    if (n->kind != YAML_MAP) return fault(r, n, "a block of keys is expected");
    for (size_t i = 0; i < n->n; i += 2) {
        const struct yaml_node *k = n->items[i];
        const struct key *key = key_of(keys, k->text);
        if (k->kind != YAML_SCALAR) return fault(r, k, "a key is a text");
        for (size_t j = 0; j < i; j += 2)
            if (str_eq(n->items[j]->text, k->text))
                return fault(r, k, "key \"" STR_FMT "\" is there twice", STR_ARG(k->text));
        if (!key) tell_unknown(r, k);
        if (key && !is_null(n->items[i + 1]) && key->read(r, n->items[i + 1], to) < 0)
            return -EINVAL;
    }
    return 0;
}

/* --- options --- */

static int read_quantile(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_f64(r, n, &((struct statsd_objective *)to)->quantile);
}

static int read_error(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_f64(r, n, &((struct statsd_objective *)to)->error);
}

static const struct key quantile_keys[] = {
    {"quantile", read_quantile}, {"error", read_error}, {NULL, NULL}};

static int read_quantiles(struct reader *r, const struct yaml_node *n, void *to)
{
    struct raw_options *o = to;

    if (n->kind != YAML_SEQ || n->n > QUANTILES_MAX)
        return fault(r, n, "a list of quantiles is expected");
    for (size_t i = 0; i < n->n; i++) {
        struct statsd_objective q = {0};
        if (read_block(r, n->items[i], quantile_keys, &q) < 0) return -EINVAL;
        if (!(q.quantile >= 0 && q.quantile <= 1 && q.error >= 0 && q.error <= 1))
            return fault(r, n->items[i], "quantile and error lie between 0 and 1");
        vec_push(&o->quantiles, q);
    }
    return 0;
}

static int read_buckets(struct reader *r, const struct yaml_node *n, void *to)
{
    struct raw_options *o = to;

    if (n->kind != YAML_SEQ || n->n > BUCKETS_MAX)
        return fault(r, n, "a list of numbers is expected");
    for (size_t i = 0; i < n->n; i++) {
        f64 v = 0;
        if (read_f64(r, n->items[i], &v) < 0) return -EINVAL;
        if (isnan(v) || (i > 0 && v <= vec_last(&o->buckets)))
            return fault(r, n->items[i], "buckets must be in increasing order");
        vec_push(&o->buckets, v);
    }
    return 0;
}

static int read_max_age(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_duration(r, n, &((struct raw_options *)to)->max_age);
}

static int read_age_buckets(struct reader *r, const struct yaml_node *n, void *to)
{
    struct raw_options *o = to;

    if (read_count(r, n, &o->age_buckets) < 0) return -EINVAL;
    return o->age_buckets <= 1000 ? 0 : fault(r, n, "age_buckets must be at most 1000");
}

static int read_buf_cap(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_count(r, n, &((struct raw_options *)to)->buf_cap);
}

/* The page is text, which cannot carry native histograms. */
static int read_native(struct reader *r, const struct yaml_node *n, void *to)
{
    f64 v;

    (void)to;
    if (read_f64(r, n, &v) < 0) return -EINVAL;
    if (r->warn) r->warn(r->arg, "options of native histograms: the classic buckets are exposed");
    return 0;
}

static const struct key summary_keys[] = {{"quantiles", read_quantiles},
                                          {"max_age", read_max_age},
                                          {"age_buckets", read_age_buckets},
                                          {"buf_cap", read_buf_cap},
                                          {NULL, NULL}};
static const struct key histogram_keys[] = {{"buckets", read_buckets},
                                            {"native_histogram_bucket_factor", read_native},
                                            {"native_histogram_max_buckets", read_native},
                                            {NULL, NULL}};

static int read_summary(struct reader *r, const struct yaml_node *n, struct raw_options *to)
{
    to->summary = true;
    return read_block(r, n, summary_keys, to);
}

static int read_histogram(struct reader *r, const struct yaml_node *n, struct raw_options *to)
{
    to->histogram = true;
    return read_block(r, n, histogram_keys, to);
}

static void raw_done(struct raw_options *o)
{
    vec_done(&o->quantiles);
    vec_done(&o->buckets);
}

static int by_quantile(const void *a, const void *b)
{
    f64 x = ((const struct statsd_objective *)a)->quantile;
    f64 y = ((const struct statsd_objective *)b)->quantile;

    return (x > y) - (x < y);
}

static struct statsd_options *make_options(const struct raw_options *own,
                                           const struct raw_options *defaults)
{
    struct statsd_options *o = xnew(struct statsd_options);
    const struct raw_options *q = own->quantiles.n ? own : defaults,
                             *b = own->buckets.n ? own : defaults;

    refs_init(&o->refs);
    o->n_quantiles = q->quantiles.n ? q->quantiles.n : ARRAY_LEN(default_quantiles);
    o->quantiles = xmemdup(q->quantiles.n ? q->quantiles.v : default_quantiles,
                           o->n_quantiles * sizeof(*o->quantiles));
    qsort(o->quantiles, o->n_quantiles, sizeof(*o->quantiles), by_quantile);
    o->n_buckets = b->buckets.n ? b->buckets.n : ARRAY_LEN(default_buckets);
    o->buckets = xmemdup(b->buckets.n ? b->buckets.v : default_buckets, o->n_buckets * sizeof(f64));
    if (isinf(o->buckets[o->n_buckets - 1])) o->n_buckets--; /* +Inf is there always */
    i64 age = own->max_age ? own->max_age : defaults->max_age;
    i64 slices = own->age_buckets ? own->age_buckets : defaults->age_buckets;
    i64 cap = own->buf_cap ? own->buf_cap : defaults->buf_cap;
    o->max_age = age ? age : MAX_AGE;
    o->age_buckets = slices ? (u32)slices : AGE_BUCKETS;
    o->buf_cap = cap ? (u32)MIN(cap, (i64)BUF_CAP) : BUF_CAP;
    return o;
}

/* --- defaults --- */

static const char *const observers[] = {"summary", "histogram", NULL};
static const char *const matches[] = {"glob", "regex", NULL};
static const char *const types[] = {"counter", "gauge", "observer", "timer", NULL};
static const char *const actions[] = {"map", "drop", NULL};

static int read_observer(struct reader *r, const struct yaml_node *n, enum statsd_observer *ret)
{
    int i = 0;

    if (read_word(r, n, "observer type", observers, &i) < 0) return -EINVAL;
    *ret = i == 1 ? STATSD_HISTOGRAM : STATSD_SUMMARY;
    return 0;
}

static int default_observer(struct reader *r, const struct yaml_node *n, void *to)
{
    (void)to;
    return read_observer(r, n, &r->observer);
}

static int default_timer(struct reader *r, const struct yaml_node *n, void *to)
{
    (void)to;
    return read_observer(r, n, &r->timer);
}

static int default_quantiles_of(struct reader *r, const struct yaml_node *n, void *to)
{
    (void)to;
    return read_quantiles(r, n, &r->legacy);
}

static int default_buckets_of(struct reader *r, const struct yaml_node *n, void *to)
{
    (void)to;
    return read_buckets(r, n, &r->legacy);
}

static int default_match(struct reader *r, const struct yaml_node *n, void *to)
{
    int i = 0;

    (void)to;
    if (read_word(r, n, "match type", matches, &i) < 0) return -EINVAL;
    r->regex = i == 1;
    return 0;
}

static int default_disorder(struct reader *r, const struct yaml_node *n, void *to)
{
    (void)to;
    return read_bool(r, n, &r->m->disorder);
}

static int default_ttl(struct reader *r, const struct yaml_node *n, void *to)
{
    (void)to;
    return read_duration(r, n, &r->ttl);
}

static int default_summary(struct reader *r, const struct yaml_node *n, void *to)
{
    (void)to;
    return read_summary(r, n, &r->defaults);
}

static int default_histogram(struct reader *r, const struct yaml_node *n, void *to)
{
    (void)to;
    return read_histogram(r, n, &r->defaults);
}

static const struct key default_keys[] = {{"observer_type", default_observer},
                                          {"timer_type", default_timer},
                                          {"quantiles", default_quantiles_of},
                                          {"buckets", default_buckets_of},
                                          {"match_type", default_match},
                                          {"glob_disable_ordering", default_disorder},
                                          {"ttl", default_ttl},
                                          {"summary_options", default_summary},
                                          {"histogram_options", default_histogram},
                                          {NULL, NULL}};

/* --- a mapping --- */

static int map_match(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_text(r, n, &((struct draft *)to)->match);
}

static int map_name(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_text(r, n, &((struct draft *)to)->name);
}

static int map_labels(struct reader *r, const struct yaml_node *n, void *to)
{
    if (n->kind != YAML_MAP) return fault(r, n, "labels are names with texts");
    ((struct draft *)to)->labels = n;
    return 0;
}

static int map_honor(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_bool(r, n, &((struct draft *)to)->to->honor_labels);
}

static int map_observer(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_observer(r, n, &((struct draft *)to)->to->observer);
}

static int map_timer(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_observer(r, n, &((struct draft *)to)->timer);
}

static int map_quantiles(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_quantiles(r, n, &((struct draft *)to)->legacy);
}

static int map_buckets(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_buckets(r, n, &((struct draft *)to)->legacy);
}

static int map_match_type(struct reader *r, const struct yaml_node *n, void *to)
{
    int i = 0;

    if (read_word(r, n, "match type", matches, &i) < 0) return -EINVAL;
    ((struct draft *)to)->regex = i == 1;
    return 0;
}

static int map_help(struct reader *r, const struct yaml_node *n, void *to)
{
    struct str text;

    if (read_text(r, n, &text) < 0) return -EINVAL;
    ((struct draft *)to)->to->help = arena_str(&r->m->arena, text);
    return 0;
}

static int map_action(struct reader *r, const struct yaml_node *n, void *to)
{
    int i = 0;

    if (read_word(r, n, "action type", actions, &i) < 0) return -EINVAL;
    ((struct draft *)to)->to->drop = i == 1;
    return 0;
}

static int map_type(struct reader *r, const struct yaml_node *n, void *to)
{
    int *type = &((struct draft *)to)->to->type;
    int e = n->kind == YAML_SCALAR && n->text.n == 0 ? fault(r, n, "invalid metric type \"\"")
                                                     : read_word(r, n, "metric type", types, type);

    *type = MIN(*type, (int)STATSD_OBSERVER); /* a timer is one */
    return e;
}

static int map_ttl(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_duration(r, n, &((struct draft *)to)->to->ttl);
}

static int map_summary(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_summary(r, n, &((struct draft *)to)->options);
}

static int map_histogram(struct reader *r, const struct yaml_node *n, void *to)
{
    return read_histogram(r, n, &((struct draft *)to)->options);
}

static int map_scale(struct reader *r, const struct yaml_node *n, void *to)
{
    struct statsd_mapping *m = ((struct draft *)to)->to;

    m->has_scale = true;
    return read_f64(r, n, &m->scale);
}

static const struct key mapping_keys[] = {{"match", map_match},
                                          {"name", map_name},
                                          {"labels", map_labels},
                                          {"honor_labels", map_honor},
                                          {"observer_type", map_observer},
                                          {"timer_type", map_timer},
                                          {"quantiles", map_quantiles},
                                          {"buckets", map_buckets},
                                          {"match_type", map_match_type},
                                          {"help", map_help},
                                          {"action", map_action},
                                          {"match_metric_type", map_type},
                                          {"ttl", map_ttl},
                                          {"summary_options", map_summary},
                                          {"histogram_options", map_histogram},
                                          {"scale", map_scale},
                                          {NULL, NULL}};

static bool is_word(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

/* Fields of a glob: a star, or a name in which dashes and (but at its start) digits may stand. */
static bool is_glob(struct str match, size_t *ret_stars)
{
    size_t n = 0;

    for (*ret_stars = 0; match.p; n++) {
        struct str f = str_cut(&match, '.');
        bool star = str_is(f, "*");
        *ret_stars += star;
        if (f.n == 0 || n == STATSD_CAPTURES) return false;
        for (size_t i = 0; !star && i < f.n; i++)
            if (!is_word(f.p[i], n == 0 && i == 0) && (i == 0 || f.p[i] != '-')) return false;
    }
    return true;
}

static bool is_label_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_word(s.p[i], i == 0)) return false;
    return s.n > 0;
}

/* "$1", "${1}": the bytes it takes; 0: none is here. */
static size_t reference(struct str s, size_t i)
{
    size_t at = i + 1, from;

    if (s.p[i] != '$') return 0;
    if (at < s.n && s.p[at] == '{') at++;
    for (from = at; at < s.n && s.p[at] >= '0' && s.p[at] <= '9';)
        at++;
    if (at == from) return 0;
    if (at < s.n && s.p[at] == '}') at++;
    return at - i;
}

static bool is_metric_name(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t ref = reference(s, i);
        if (!ref && !is_word(s.p[i], i == 0)) return false;
        i += ref ? ref : 1;
    }
    return true;
}

static int set_labels(struct reader *r, struct draft *d, size_t captures)
{
    struct statsd_mapping *to = d->to;
    size_t n = d->labels ? d->labels->n / 2 : 0;

    if (n > STATSD_TAGS_MAX) return fault(r, d->labels, "more than %d labels", STATSD_TAGS_MAX);
    to->labels = arena_array(&r->m->arena, struct statsd_mapping_label, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct yaml_node *k = d->labels->items[2 * i], *v = d->labels->items[2 * i + 1];
        struct str text = {0};
        if (k->kind != YAML_SCALAR || !is_label_name(k->text))
            return fault(r, k, "invalid label key: " STR_FMT, STR_ARG(k->text));
        if (!is_null(v) && read_text(r, v, &text) < 0) return -EINVAL;
        to->labels[i].name = arena_str(&r->m->arena, k->text);
        statsd_template_init(&to->labels[i].value, text, captures, &r->m->arena);
    }
    to->n_labels = n;
    return 0;
}

static int set_match(struct reader *r, struct draft *d, size_t *ret_captures)
{
    char *err = NULL;

    d->to->match = arena_str(&r->m->arena, d->match);
    if (!d->regex)
        return is_glob(d->match, ret_captures)
                   ? 0
                   : fault(r, d->node, "invalid match: " STR_FMT, STR_ARG(d->match));
    d->to->re = regex_compile(d->match, &err);
    r->m->any_regex = true;
    if (d->to->re) return 0;
    int e = fault(r, d->node, "invalid regex " STR_FMT " in mapping: %s", STR_ARG(d->match), err);
    free(err);
    return e;
}

/* Lists move to where they are called for now. */
static int take_legacy(struct reader *r, const struct yaml_node *n, struct raw_options *legacy,
                       struct raw_options *o)
{
    if ((legacy->quantiles.n && o->quantiles.n) || (legacy->buckets.n && o->buckets.n))
        return fault(r, n, "quantiles or buckets are given twice: beside the options, and in them");
    for (size_t i = 0; i < legacy->quantiles.n; i++)
        vec_push(&o->quantiles, legacy->quantiles.v[i]);
    for (size_t i = 0; i < legacy->buckets.n; i++)
        vec_push(&o->buckets, legacy->buckets.v[i]);
    return 0;
}

static int set_observer(struct reader *r, struct draft *d)
{
    enum statsd_observer *o = &d->to->observer;

    if (*o == STATSD_OBSERVER_DEFAULT) *o = d->timer;
    if (*o == STATSD_OBSERVER_DEFAULT) *o = r->observer;
    if (take_legacy(r, d->node, &d->legacy, &d->options) < 0) return -EINVAL;
    if (*o == STATSD_HISTOGRAM && d->options.summary)
        return fault(r, d->node,
                     "cannot use histogram observer and summary options at the same time");
    if (*o == STATSD_SUMMARY && d->options.histogram)
        return fault(r, d->node,
                     "cannot use summary observer and histogram options at the same time");
    d->to->options = make_options(&d->options, &r->defaults);
    return 0;
}

static int finish(struct reader *r, struct draft *d)
{
    size_t captures = 0;

    if (d->name.n == 0) return fault(r, d->node, "metric mapping didn't set a metric name");
    if (!is_metric_name(d->name))
        return fault(r, d->node, "metric name '" STR_FMT "' is none, with its references",
                     STR_ARG(d->name));
    if (set_match(r, d, &captures) < 0 || set_labels(r, d, captures) < 0 || set_observer(r, d) < 0)
        return -EINVAL;
    statsd_template_init(&d->to->name, d->name, captures, &r->m->arena);
    if (d->to->ttl == 0) d->to->ttl = r->ttl;
    if (!d->regex) statsd_glob_add(r->m, (size_t)(d->to - r->m->v));
    return 0;
}

static int read_mapping(struct reader *r, const struct yaml_node *n, struct statsd_mapping *to)
{
    struct draft d = {.node = n, .to = to, .regex = r->regex};

    to->type = -1;
    int e = read_block(r, n, mapping_keys, &d);
    if (e == 0) e = finish(r, &d);
    raw_done(&d.options);
    raw_done(&d.legacy);
    return e;
}

/* --- the file --- */

static int read_defaults(struct reader *r, const struct yaml_node *n, void *to)
{
    (void)to;
    if (read_block(r, n, default_keys, NULL) < 0) return -EINVAL;
    if (r->observer == STATSD_OBSERVER_DEFAULT) r->observer = r->timer;
    if (r->defaults.quantiles.n) vec_clear(&r->legacy.quantiles);
    if (r->defaults.buckets.n) vec_clear(&r->legacy.buckets);
    return take_legacy(r, n, &r->legacy, &r->defaults);
}

static int read_mappings(struct reader *r, const struct yaml_node *n, void *to)
{
    (void)to;
    return n->kind == YAML_SEQ ? 0 : fault(r, n, "mappings are a list");
}

static const struct key file_keys[] = {
    {"defaults", read_defaults}, {"mappings", read_mappings}, {NULL, NULL}};

/* The defaults hold for all mappings, also when they stand behind them. */
static int read_root(struct reader *r, const struct yaml_node *root)
{
    const struct yaml_node *list =
        root && root->kind == YAML_MAP ? yaml_get(root, STR("mappings")) : NULL;

    if (root && read_block(r, root, file_keys, NULL) < 0) return -EINVAL;
    r->m->n = list && !is_null(list) ? list->n : 0;
    r->m->v = arena_array(&r->m->arena, struct statsd_mapping, r->m->n + 1);
    for (size_t i = 0; i < r->m->n; i++)
        if (read_mapping(r, list->items[i], &r->m->v[i]) < 0) return -EINVAL;
    return 0;
}

struct statsd_mapper *statsd_mapper_read(struct str text, void (*warn)(void *arg, const char *what),
                                         void *arg, char **ret_err)
{
    struct reader r = {.m = statsd_mapper_new(), .warn = warn, .arg = arg};
    struct yaml_node *root = NULL;
    const char *why = NULL;
    struct arena a;

    arena_init(&a, 0);
    if (yaml_parse(text, &a, &root, &why) < 0)
        r.err = xstrdup(why);
    else if (read_root(&r, root) == 0) {
        statsd_options_unref(r.m->unmapped.options);
        r.m->unmapped.options = make_options(&(struct raw_options){0}, &r.defaults);
        r.m->unmapped.observer = r.observer;
        r.m->unmapped.ttl = r.ttl;
    }
    arena_done(&a);
    raw_done(&r.defaults);
    raw_done(&r.legacy);
    if (!r.err) return r.m;
    statsd_mapper_unref(r.m);
    *ret_err = r.err;
    return NULL;
}
