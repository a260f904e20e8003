/* What metric.c (counting, registry) and metric_text.c (exposition) share. Nobody else includes it.
 */
#ifndef BASE_METRIC_IMPL_H
#define BASE_METRIC_IMPL_H

#include "base/map.h"
#include "base/metric.h"
#include "base/refcount.h"
#include "base/vec.h"

struct metric_family {
    const struct metric_desc *desc; /* of its first series; replaced while there is none */
    VEC(struct metric *) series;
};

/* The values of one writer more; published once, in any place of the list. */
struct metric_cell {
    struct metric_cell *next;
    int writer;
    _Atomic f64 v[]; /* the value itself, or a histogram's buckets (not cumulative), +Inf and sum */
};
/* Rendered and sorted, without braces; one for all series that were made with the same labels. */
struct metric_labels {
    struct refs refs;
    char text[];
};

/* Whose value is in the series itself: a writer's number + 1, or one of these. */
enum { METRIC_UNOWNED = 0, METRIC_ASKED = -1 };

/* There are thousands of them where files are watched: the usual one, a number with one writer, is
 * one small allocation. */
struct metric {
    const struct metric_desc *desc;
    struct metric_family *family; /* NULL until it is registered */
    struct metric_labels *labels;
    void *user;
    u32 at; /* its place among the family's series */
    _Atomic i32 owner;
    union {
        struct { /* METRIC_ASKED */
            f64 (*fn)(void *arg);
            void *fn_arg;
        };
        struct {
            _Atomic f64 value;                   /* the owner's; a histogram's are all in cells */
            _Atomic(struct metric_cell *) cells; /* of the other writers that used it */
        };
    };
};

struct metrics {
    struct map families; /* name -> struct metric_family */
};

/* Value i summed over the writers. */
f64 metric_sum(const struct metric *s, size_t i);

#endif
