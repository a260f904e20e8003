/* What metric.c (counting, registry) and metric_text.c (exposition) share. Nobody else includes it.
 */
#ifndef BASE_METRIC_IMPL_H
#define BASE_METRIC_IMPL_H

#include "base/map.h"
#include "base/metric.h"
#include "base/vec.h"

struct metric_family {
    const struct metric_desc *desc; /* of its first series; replaced while there is none */
    VEC(struct metric *) series;
};

/* One writer's values; published once, in any place of the list. */
struct metric_cell {
    struct metric_cell *next;
    int writer;
    _Atomic f64 v[]; /* the value itself, or a histogram's buckets (not cumulative), +Inf and sum */
};
struct metric {
    const struct metric_desc *desc;
    struct metric_family *family; /* NULL until it is registered */
    size_t at;                    /* its place among the family's series */
    char *labels;                 /* rendered and sorted, without braces; owned */
    f64 (*fn)(void *arg);
    void *fn_arg;
    void *user;
    _Atomic(struct metric_cell *) cells; /* of the writers that used it */
};

struct metrics {
    struct map families; /* name -> struct metric_family */
};

/* Value i summed over the writers. */
f64 metric_sum(const struct metric *s, size_t i);

#endif
