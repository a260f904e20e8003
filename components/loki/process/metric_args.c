/* Reading stage.metrics. */
#include "components/loki/process/metric_args.h"

#include <errno.h>
#include <math.h>

#define PREFIX "loki_process_custom_"

struct args {
    struct one_of_list metrics;
};

#define COMMON_ROWS                                                                                \
    ATTR(struct metric_args, name, .doc = "Name of the metric, behind the prefix.",                \
         .required = true),                                                                        \
        ATTR(struct metric_args, description, .doc = "Help text of the metric."),                  \
        ATTR(struct metric_args, max_idle_duration,                                                \
             .doc = "A series that saw no entry for so long is removed.", .def = "\"5m\""),        \
        ATTR(struct metric_args, prefix, .doc = "What the metric's name begins with.",             \
             .def = "\"" PREFIX "\""),                                                             \
        ATTR(struct metric_args, source,                                                           \
             .doc = "Extracted value to take; the metric's name when left out."),                  \
        ATTR(struct metric_args, value, .doc = "Only entries with this value count.")

static const struct row counter_rows[] = {
    ATTR(struct metric_args, action, .doc = "inc counts entries, add sums values.",
         .required = true, .one_of = ONE_OF_TEXT("inc", "add")),
    ATTR(struct metric_args, count_entry_bytes, .doc = "With match_all: sum the lines' bytes."),
    ATTR(struct metric_args, match_all, .doc = "Every entry counts."),
    COMMON_ROWS,
};
static const struct row gauge_rows[] = {
    ATTR(struct metric_args, action, .doc = "What a value does to the gauge.", .required = true,
         .one_of = ONE_OF_TEXT("set", "inc", "dec", "add", "sub")),
    COMMON_ROWS,
};
static const struct row number_row = {
    .name = "element", .kind = K_F64, .doc = "An upper bound.", .size = sizeof(f64)};
static const struct shape numbers_shape = {SHAPE_LIST, "list(number)", &number_row, 1};
static const struct row histogram_rows[] = {
    ATTR(struct metric_args, buckets, .doc = "Upper bounds of the buckets.", .required = true,
         .shape = &numbers_shape),
    COMMON_ROWS,
};
static const struct schema counter_schema = SCHEMA(struct metric_args, counter_rows),
                           gauge_schema = SCHEMA(struct metric_args, gauge_rows),
                           histogram_schema = SCHEMA(struct metric_args, histogram_rows);

static const enum metric_kind counter = METRIC_COUNTER, gauge = METRIC_GAUGE,
                              histogram = METRIC_HISTOGRAM;
static const struct one_of_def kinds[] = {
    {"metric.counter", "Counts entries, or adds up their values.", &counter_schema, &counter},
    {"metric.gauge", "Keeps a value that goes up and down.", &gauge_schema, &gauge},
    {"metric.histogram", "Counts values in buckets.", &histogram_schema, &histogram},
};
static const struct row rows[] = {
    ONE_OF_BLOCKS(struct args, metrics, "metric", kinds),
};
const struct schema metrics_stage_schema = SCHEMA(struct args, rows);

/* --- one metric --- */

static enum metric_action action_of(const struct metric_args *a, enum metric_kind kind)
{
    static const char *const names[] = {"inc", "dec", "add", "sub", "set"};
    size_t i = 0;

    if (kind == METRIC_HISTOGRAM) return ACTION_OBSERVE;
    while (i < ARRAY_LEN(names) - 1 && !str_is(a->action, names[i]))
        i++;
    return (enum metric_action)i;
}

static int check(struct prepare *p, const struct metric_args *a, enum metric_action action,
                 const struct span *span)
{
    if (a->name.n == 0) return stage_fault(p, stage_at(p, span, "name"), "metric name is required");
    if (a->max_idle_duration.ns < NS_PER_SEC)
        return stage_fault(p, stage_at(p, span, "max_idle_duration"),
                           "max_idle_duration must be at least 1s");
    if (a->match_all && a->value.n)
        return stage_fault(p, span,
                           "`match_all: true` cannot be combined with `value`, please remove "
                           "`match_all` or `value`");
    if (a->count_entry_bytes && (!a->match_all || action != ACTION_ADD))
        return stage_fault(p, span,
                           "`count_entry_bytes: true` can only be set with `match_all: true` and "
                           "`action: add`");
    return 0;
}

static bool valid_name(const char *s)
{
    for (size_t i = 0; s[i]; i++) {
        bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || s[i] == '_' ||
                      s[i] == ':';
        if (!letter && (i == 0 || s[i] < '0' || s[i] > '9')) return false;
    }
    return *s;
}

/* The bounds, rising, without infinity. */
static int bounds_of(struct prepare *p, const struct metric_args *a, const struct span *span,
                     struct metric_desc *d)
{
    size_t n = a->buckets.type == V_ARRAY ? a->buckets.array->n : 0;
    f64 *v = arena_array(p->arena, f64, n + 1);

    for (size_t i = 0; i < n; i++) {
        f64 bound = value_num_f64(a->buckets.array->v[i]);
        if (i > 0 && !(bound > v[i - 1]))
            return stage_fault(p, stage_at(p, span, "buckets"),
                               "the buckets of a histogram must rise");
        v[i] = bound;
    }
    if (n > 0 && isinf(v[n - 1])) n--;
    if (n == 0) return stage_fault(p, stage_at(p, span, "buckets"), "a histogram needs a bucket");
    d->bounds = v;
    d->n_bounds = n;
    return 0;
}

static void desc_unref(void *desc)
{
    metric_desc_unref(desc);
}

static int make_desc(struct prepare *p, const struct metric_args *a, const struct span *span,
                     struct metric_desc d, struct metric_plan *out)
{
    struct str prefix = a->prefix.n ? a->prefix : STR(PREFIX);
    char *name = arena_printf(p->arena, STR_FMT STR_FMT, STR_ARG(prefix), STR_ARG(a->name));

    if (!valid_name(name))
        return stage_fault(p, stage_at(p, span, "name"), "\"%s\" is not a valid metric name", name);
    if (d.kind == METRIC_HISTOGRAM && bounds_of(p, a, span, &d)) return -EINVAL;
    d.name = name;
    d.help = a->description.n ? a->description.p : "";
    out->desc = metric_desc_new(&d);
    arena_cleanup(p->arena, desc_unref, (void *)out->desc);
    return 0;
}

static int prepare_one(struct prepare *p, const struct one_of *one, struct metric_plan *out)
{
    const struct metric_args *a = one->args;
    enum metric_kind kind = *(const enum metric_kind *)one->def->ops;
    enum metric_action action = action_of(a, kind);
    bool needs_number = action != ACTION_INC && action != ACTION_DEC && !a->match_all;

    if (check(p, a, action, &one->span)) return -EINVAL;
    *out = (struct metric_plan){.args = a,
                                .source = a->source.n ? a->source : a->name,
                                .action = action,
                                .needs_number = needs_number};
    return make_desc(p, a, &one->span, (struct metric_desc){.kind = kind}, out);
}

/* --- all of them --- */

/* Of two with one name the later counts. */
static bool replaced(const struct one_of_list *l, size_t at)
{
    const struct metric_args *a = l->v[at].args;

    for (size_t i = at + 1; i < l->n; i++)
        if (str_eq(((const struct metric_args *)l->v[i].args)->name, a->name)) return true;
    return false;
}

int metrics_prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct one_of_list *l = &((const struct args *)args)->metrics;
    struct metrics_plan *out = plan;

    out->v = arena_array(p->arena, struct metric_plan, l->n + 1);
    out->shortest_idle = INT64_MAX / 2;
    for (size_t i = 0; i < l->n; i++) {
        struct metric_plan *m = &out->v[out->n];
        if (replaced(l, i)) continue;
        if (prepare_one(p, &l->v[i], m)) return -EINVAL;
        out->shortest_idle = MIN(out->shortest_idle, m->args->max_idle_duration.ns);
        out->n++;
    }
    return 0;
}
