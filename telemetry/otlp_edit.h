/* Editing the attributes of records (spans, log records, data points) at the wire: no object per
 * record, every untouched byte is copied once.
 *
 * The engine walks a batch and calls `edit` for each record. That function may look at the record
 * and its surroundings, ask for its attribute list, and change the list; the engine writes the
 * result into one new blob. Attribute order is kept; new ones come behind the last. An engine is
 * reusable memory, owned by one thread. */
#ifndef TELEMETRY_OTLP_EDIT_H
#define TELEMETRY_OTLP_EDIT_H

#include "telemetry/batch.h"

/* Where a record stands: message bytes without their tag. Views into the batch. */
struct otlp_at {
    enum signal signal;
    struct str resource; /* ResourceX */
    struct str scope;    /* ScopeX */
    struct str metric;   /* Metric; empty for other signals */
    struct str record;
    const struct client_info *client; /* of the batch; may be NULL */
};

struct otlp_attr {
    const char *at, *end; /* the whole field on the wire; NULL: added */
    struct str key;
    struct str value; /* AnyValue bytes */
    bool changed, gone;
};

#define OTLP_EDIT_MAX_ATTRS  65536              /* attributes of one record */
#define OTLP_EDIT_MAX_GROWTH ((size_t)64 << 20) /* bytes that editing may add to one batch */

struct otlp_edit;
struct otlp_edit *otlp_edit_new(void);
void otlp_edit_free(struct otlp_edit *e); /* takes NULL */

typedef void (*otlp_edit_fn)(void *arg, struct otlp_edit *e, const struct otlp_at *at);
/* *ret is a sealed batch derived from b with the changes, or a further reference on b when nothing
 * changed. The new blob is charged to budget (may be NULL) whatever its limit. 0, -ENOMEM, -E2BIG
 * (one of the limits above), -EBADMSG. */
int otlp_edit_batch(struct otlp_edit *e, struct batch *b, otlp_edit_fn edit, void *arg,
                    struct budget *budget, struct batch **ret);

/* --- within edit: the attribute list of the record --- */
/* Parsed on the first call for a record; further additions may move it. */
struct otlp_attr *otlp_attrs(struct otlp_edit *e, u32 *ret_n);
/* The first attribute with this key, NULL when there is none. */
struct otlp_attr *otlp_attr_find(struct otlp_edit *e, struct str key);
/* key and value must live until the batch is written: plan memory, batch bytes, or
 * otlp_edit_scratch. */
void otlp_attr_set(struct otlp_edit *e, struct otlp_attr *a, struct str value);
void otlp_attr_add(struct otlp_edit *e, struct str key, struct str value);
/* Sets the first with this key, or adds one. */
void otlp_attr_put(struct otlp_edit *e, struct str key, struct str value);
void otlp_attr_remove(struct otlp_edit *e, struct otlp_attr *a);
/* Memory until the record is written; NULL when memory is out (the batch then fails with -ENOMEM).
 */
char *otlp_edit_scratch(struct otlp_edit *e, size_t n);
/* The batch fails with this -errno. */
void otlp_edit_fail(struct otlp_edit *e, int err);

#endif
