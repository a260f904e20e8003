/* One OTLP log record as a Loki entry: which attributes become labels, and the line made of the
 * rest. Source: spec pipelines D.11, D.9 (names of labels). Pure; one thread. */
#ifndef COMPONENTS_OTELCOL_EXPORTER_LOKI_H
#define COMPONENTS_OTELCOL_EXPORTER_LOKI_H

#include "base/vec.h"
#include "telemetry/label_set.h"
#include "telemetry/otlp_value.h"

struct loki_attr {
    struct str key, value; /* AnyValue */
    bool gone;             /* a label, or a hint: not in the line */
};
typedef VEC(struct loki_attr) loki_attrs;

/* Views into the request. */
struct loki_record {
    loki_attrs resource, attributes;
    struct str scope_name, scope_version;
    u64 time, observed;
    u32 severity, flags;
    struct str severity_text, trace_id, span_id;
    struct otlp_value body;
    struct label_set named, labels; /* by the names of attributes; as they leave */
    struct buf scratch;
};
void loki_record_init(struct loki_record *r);
void loki_record_done(struct loki_record *r);
/* The messages Resource, InstrumentationScope and LogRecord; a resource and a scope serve several
 * records. */
void loki_record_resource(struct loki_record *r, struct str resource);
void loki_record_scope(struct loki_record *r, struct str scope);
void loki_record_read(struct loki_record *r, struct str record);

/* Fills r->labels and marks what is gone. r->labels.err: memory was out. */
void loki_record_labels(struct loki_record *r);
/* After the labels: 0 and the line appended; -EINVAL with why (cap bytes) when there can be none;
 * -ENOMEM. */
int loki_record_line(struct loki_record *r, struct buf *line, char *why, size_t cap);
/* Time of the entry: of the record, else when it was observed, else now. */
i64 loki_record_time(const struct loki_record *r, i64 now);

/* For the parts. */
bool loki_attr_get(const loki_attrs *list, struct str key, struct str *ret_value);
int loki_line_json(const struct loki_record *r, struct buf *line);
int loki_line_logfmt(const struct loki_record *r, struct buf *line, char *why, size_t cap);

#define LOKI_HINT_ATTRIBUTES "loki.attribute.labels"
#define LOKI_HINT_RESOURCES  "loki.resource.labels"
#define LOKI_HINT_TENANT     "loki.tenant"
#define LOKI_HINT_FORMAT     "loki.format"

#endif
