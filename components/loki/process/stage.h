/* The stages of loki.process: what a stage is, and the entry it works on. The engine is engine.c;
 * each stage is a file of its own (stage_regex.c ...) with its schema and its ops, and one row in
 * stages.def. Spec: pipelines A.4.
 *
 * A stage is compiled in prepare into an immutable plan, shared by all shards; what it must remember
 * between entries is its state, one per shard (one stream stays on one worker). Entries run through
 * the stages one by one; a stage that makes more entries than it got sends them on itself.
 * All memory that a stage takes from e->scratch lives until the entry has left the pipeline. */
#ifndef COMPONENTS_LOKI_PROCESS_STAGE_H
#define COMPONENTS_LOKI_PROCESS_STAGE_H

#include "runtime/component.h"
#include "telemetry/label_set.h"
#include "telemetry/log_batch.h"

/* --- extracted values: typed, by name, for one entry --- */
enum ex_type { EX_STRING, EX_FLOAT, EX_INT, EX_BOOL, EX_NULL, EX_OTHER /* not convertible */ };
struct ex_value {
    enum ex_type type;
    struct str s; /* EX_STRING */
    f64 f;
    i64 i;
    bool b;
};
struct extracted; /* owned by the engine, reset for each entry */
/* NULL when missing. Labels that the entry had at the start of the pipeline are found as strings. */
const struct ex_value *ex_get(const struct extracted *x, struct str name);
/* The name is borrowed until the entry has left (names from configuration, texts in scratch). */
void ex_put(struct extracted *x, struct str name, struct ex_value v);
void ex_put_str(struct extracted *x, struct str name, struct str value);
void ex_del(struct extracted *x, struct str name);
/* In order of name; for templates and rules over all of them. Returns how many. */
size_t ex_sorted(struct extracted *x, struct arena *a, struct str **ret_names,
                 const struct ex_value ***ret_values);
/* "As string" (spec A.4): false when not convertible. Texts of numbers are made in a. */
bool ex_string(const struct ex_value *v, struct arena *a, struct str *ret);

/* --- the entry on its way --- */
struct entry {
    struct label_set labels; /* change with label_set_put and its kin */
    struct extracted *extracted;
    i64 time;          /* ns since 1970 */
    struct str line;   /* a view: of the batch's roots, of scratch, or of the stage's own memory */
    struct label *meta; /* structured metadata, in scratch once changed: see entry_meta_put */
    u32 n_meta;
    struct arena *scratch;
};
void entry_meta_put(struct entry *e, struct str name, struct str value); /* replaces or appends */
void entry_meta_del(struct entry *e, struct str name);
/* The text that a stage with an optional `source` reads: extracted[source] as string, or the line
 * when source is not set. False: missing or not convertible. */
bool entry_source(struct entry *e, const struct opt_str *source, struct str *ret);

/* --- stages --- */
enum stage_result {
    STAGE_PASS,
    STAGE_DROP, /* the entry ends here (count it: stage_dropped) */
    STAGE_HELD, /* the stage keeps a copy of what it needs and will send it on later: stage_hold */
    STAGE_WAIT, /* back-pressure: the same entry again after run->wait_ns */
};
struct stage_run; /* one stage of one shard's pipeline, as its ops see it */
struct stage_ops {
    const struct schema *schema;
    size_t plan_size, state_size; /* zeroed; plan lives in the plan's arena */
    /* Faults to p->diags at `span`; 0 or -EINVAL. args live as long as the plan. */
    int (*prepare)(struct prepare *p, const void *args, const struct span *span, void *plan);
    /* Worker. Optional: state in r->state. */
    void (*open)(struct stage_run *r);
    enum stage_result (*run)(struct stage_run *r, struct entry *e);
    /* Optional: sends on everything that is held (stop, new configuration). */
    void (*flush)(struct stage_run *r);
    void (*close)(struct stage_run *r);
    /* For stages with inner stages (match): their list in args, NULL: none. */
    const struct one_of_list *(*inner)(const void *args);
};
struct stage_run {
    const struct stage_ops *ops;
    const void *plan;
    void *state;
    struct pipeline *pipeline; /* the engine's; what follows this stage is known to it */
    struct comp *comp;
    struct loop *loop;
    const struct clock *clock;
    i64 wait_ns; /* with STAGE_WAIT */
};
/* Counts an entry that ends by configuration: loki_process_dropped_lines_total{reason}. */
void stage_dropped(struct stage_run *r, struct str reason);
/* A regular expression reached its match limit: counted, one log line a while; go on as for no
 * match, entry unchanged. */
void stage_regex_limited(struct stage_run *r);
/* A counter of this stage's own, made at open; see comp_metric. */
struct metric *stage_metric(struct stage_run *r, const struct metric_desc *d,
                            const struct metric_label *labels, size_t n);

/* --- entries that a stage keeps (multiline, partial lines) or makes (split_json) --- */
/* A held entry owns copies of its texts, and the acks of every batch whose lines are in it. */
struct held_entry;
struct held_entry *stage_hold(struct stage_run *r, const struct entry *e); /* NULL: no memory */
/* Lines of another entry were added: its acks too. */
void held_join(struct stage_run *r, struct held_entry *h);
struct entry *held_view(struct held_entry *h); /* may be changed: line, labels, time */
/* Sends it through the stages after r; h is gone afterwards. From run, flush, or a timer of the
 * stage. */
void stage_release(struct stage_run *r, struct held_entry *h);
/* Sends an entry made of `from` (the one in run) through the stages after r, before run returns. */
void stage_emit(struct stage_run *r, struct entry *made);

/* stages.def: STAGE(name, symbol of its ops) */
#define STAGE(name, sym) extern const struct stage_ops sym;
#include "components/loki/process/stages.def"
#undef STAGE

#endif
