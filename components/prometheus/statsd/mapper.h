/* Mappings of StatsD names to metrics with labels, as a file of statsd_exporter has them: globs by
 * the dots of a name, then regular expressions in their order. Immutable once read; the caller's
 * thread alone matches. */
#ifndef COMPONENTS_PROMETHEUS_STATSD_MAPPER_H
#define COMPONENTS_PROMETHEUS_STATSD_MAPPER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/refcount.h"
#include "base/regex.h"
#include "components/prometheus/statsd/line.h"

enum statsd_observer { STATSD_OBSERVER_DEFAULT, STATSD_SUMMARY, STATSD_HISTOGRAM };

/* How observations are kept; series outlive the file it is from. Counted. */
struct statsd_objective {
    f64 quantile, error;
};
struct statsd_options {
    struct refs refs;
    i64 max_age;
    u32 age_buckets, buf_cap;
    size_t n_buckets, n_quantiles;
    f64 *buckets;                       /* ascending, without +Inf */
    struct statsd_objective *quantiles; /* ascending */
};
struct statsd_options *statsd_options_ref(struct statsd_options *o);
void statsd_options_unref(struct statsd_options *o); /* takes NULL */

#define STATSD_CAPTURES 64
/* A text with places for captures of a glob: literal, then capture (-1: none), in turn. */
struct statsd_piece {
    struct str literal;
    int capture;
};
struct statsd_template {
    struct str text; /* as written: what a regular expression's is expanded from */
    struct statsd_piece *v;
    size_t n;
};
struct statsd_mapping_label {
    struct str name;
    struct statsd_template value;
};
struct statsd_mapping {
    struct str match, help; /* help empty: none */
    struct statsd_template name;
    struct statsd_mapping_label *labels;
    size_t n_labels;
    struct regex *re; /* NULL: a glob */
    bool honor_labels, drop, has_scale;
    f64 scale;
    i64 ttl;  /* 0: for ever */
    int type; /* enum statsd_type it is for; -1: any */
    enum statsd_observer observer;
    struct statsd_options *options;
};

struct statsd_node;
struct statsd_mapper {
    struct refs refs;
    struct arena arena;
    struct statsd_mapping *v;
    size_t n;
    struct statsd_node *root;       /* of the globs */
    bool any_regex, disorder;       /* glob_disable_ordering */
    struct statsd_mapping unmapped; /* what holds for names without a mapping */
};
/* Without any mapping (statsd_mapper_read of an empty text has the options, too). */
struct statsd_mapper *statsd_mapper_new(void);
/* Reads a file's text. NULL with an owned *ret_err. warn (may be NULL) is told what has no effect.
 */
struct statsd_mapper *statsd_mapper_read(struct str text, void (*warn)(void *arg, const char *what),
                                         void *arg, char **ret_err);
struct statsd_mapper *statsd_mapper_ref(struct statsd_mapper *m);
void statsd_mapper_unref(struct statsd_mapper *m); /* takes NULL */

/* What a name is mapped to. */
struct statsd_mapped {
    const struct statsd_mapping *mapping; /* NULL: there is none */
    struct str name;                      /* before it is escaped */
    struct str *values;                   /* of the mapping's labels */
};
/* Texts go to scratch. *limited counts expressions that were given up (no match then). */
void statsd_mapper_match(const struct statsd_mapper *m, struct str name, enum statsd_type type,
                         struct arena *scratch, struct statsd_mapped *ret, u64 *limited);

/* --- mapper.c, for mapper_yaml.c --- */
/* Compiles the template for so many captures. */
void statsd_template_init(struct statsd_template *t, struct str text, size_t captures,
                          struct arena *a);
/* Adds the i-th mapping, a glob, to the tree. */
void statsd_glob_add(struct statsd_mapper *m, size_t i);

#endif
