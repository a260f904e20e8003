/* The `include` and `exclude` blocks of otelcol.processor.attributes: which records are processed.
 *
 * A compiled filter is immutable and lives in the plan's arena; what is remembered about the
 * current resource and scope is in struct filter_run. */
#ifndef COMPONENTS_OTELCOL_ATTRIBUTES_FILTER_H
#define COMPONENTS_OTELCOL_ATTRIBUTES_FILTER_H

#include "runtime/component.h"
#include "telemetry/otlp_edit.h"

struct regexp_args {
    bool cache_enabled;
    i64 cache_max_num_entries;
};
struct severity_args {
    bool match_undefined;
    struct str min;
};
struct key_args {
    struct str key;
    struct value value;
};
struct key_args_list {
    struct key_args *v;
    size_t n;
};
struct library_args {
    struct str name;
    struct opt_str version;
};
struct library_args_list {
    struct library_args *v;
    size_t n;
};
struct filter_args {
    struct str match_type;
    struct str_list log_bodies, log_severity_texts, metric_names, services, span_kinds, span_names;
    struct regexp_args *regexp;
    struct severity_args *log_severity;
    struct key_args_list attribute, resource;
    struct library_args_list library;
};
extern const struct schema attributes_filter_schema;

struct filter;
/* args NULL: no filter, NULL. name: "include" or "exclude"; signals: SIGNALS_* of the outputs.
 * Faults go to p->diags. */
const struct filter *filter_prepare(struct prepare *p, const struct filter_args *args,
                                    const char *name, u32 signals);

/* Answers that hold for a whole resource, scope or metric. Zero it at the start of a batch. */
struct filter_run {
    struct {
        const char *of;
        bool ok;
    } resource, scope, metric;
};
bool filter_matches(const struct filter *f, struct filter_run *r, struct otlp_edit *e,
                    const struct otlp_at *at);

#endif
