/* The stages of loki.process: what a stage is, and the entry it works on. The engine is engine.c;
 * each stage is a file of its own (stage_regex.c ...) with its schema and its ops, and one row in
 * stages.def. Spec: pipelines A.4.
 *
 * A stage is compiled in prepare into an immutable plan, shared by all shards; what it must
 * remember between entries is its state, one per shard (one stream stays on one worker). A plan may
 * be replaced by an equal one at any time between entries: state refers to it through r->plan only.
 * Entries run through the stages one by one; a stage that makes more entries than it got sends them
 * on itself. All memory that a stage takes from e->scratch lives until the entry has left the
 * pipeline. */
#ifndef COMPONENTS_LOKI_PROCESS_STAGE_H
#define COMPONENTS_LOKI_PROCESS_STAGE_H

#include "base/regex.h"
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
/* NULL when missing. Labels that the entry had at the start of the pipeline are found as strings.
 * What is returned stays where it is until the entry has left. */
const struct ex_value *ex_get(struct extracted *x, struct str name);
/* Name and text are borrowed until the entry has left (from the configuration, the line, or
 * scratch). */
void ex_put(struct extracted *x, struct str name, struct ex_value v);
void ex_put_str(struct extracted *x, struct str name, struct str value);
void ex_del(struct extracted *x, struct str name);
/* In order of name; for templates and rules over all of them. Returns how many. */
size_t ex_sorted(struct extracted *x, struct arena *a, struct str **ret_names,
                 const struct ex_value ***ret_values);
/* "As string" (spec A.4): false when not convertible. Texts of numbers are made in a. */
bool ex_string(const struct ex_value *v, struct arena *a, struct str *ret);

/* --- the entry on its way --- */
struct entry_labels;
struct entry {
    i64 time;        /* ns since 1970 */
    struct str line; /* a view: of the batch's roots, of scratch, or of the stage's own memory */
    struct extracted *extracted;
    struct arena *scratch;
    const struct label *meta; /* structured metadata; change with entry_meta_put and _del */
    u32 n_meta, cap_meta;     /* cap: of an array of its own, 0 while there is none */
    bool meta_changed;
    struct entry_labels *labels;
};
void entry_meta_put(struct entry *e, struct str name, struct str value); /* replaces or appends */
void entry_meta_del(struct entry *e, struct str name);
/* The text that a stage with an optional `source` reads: extracted[source] as string, or the line
 * when source is not set. False: missing or not convertible. */
bool entry_source(struct entry *e, const struct opt_str *source, struct str *ret);

/* Labels. Changes are noted and made when somebody wants to see the set as a whole: an entry whose
 * changes are the same as those of an earlier one of its stream gets that one's set. Names and
 * values are borrowed until the entry has left. */
struct str entry_label(const struct entry *e, struct str name); /* .p is NULL when there is none */
void entry_label_put(struct entry *e, struct str name, struct str value);
void entry_label_del(struct entry *e, struct str name);
/* Changes that a plan makes of many labels at once, sorted by name; the list is its own identity.
 */
struct label_list {
    const struct label *v;
    u32 n;
};
void entry_labels_put(struct entry *e, const struct label_list *l);
void entry_labels_keep(struct entry *e, const struct label_list *l); /* values do not matter */
void entry_labels_drop(struct entry *e, const struct label_list *l);
/* All of them, sorted; valid until the next change. */
const struct label_set *entry_labels(const struct entry *e);
/* The one set in the process: identity of the entry's stream, for state. Borrowed until the next
 * change or entry (labels_ref to keep it). NULL when memory is out. */
struct labels *entry_stream(const struct entry *e);

/* --- stages --- */
enum stage_result {
    STAGE_PASS,
    STAGE_DROP, /* the entry ends here (count it: stage_dropped) */
    STAGE_HELD, /* the stage keeps a copy of what it needs and will send it on later: stage_hold */
    STAGE_WAIT, /* back-pressure: the same entry again after run->wait_ns */
    STAGE_SKIP, /* of a stage with inner stages: not through these */
};
struct stage_run; /* one stage of one shard's pipeline, as its ops see it */
struct stage_ops {
    size_t plan_size, state_size; /* zeroed; plan lives in the plan's arena */
    /* Faults by stage_fault; 0 or -EINVAL. args live as long as the plan. May be NULL when
     * plan_size is 0: the plan is then the args. */
    int (*prepare)(struct prepare *p, const void *args, const struct span *span, void *plan);
    /* Worker. Optional: state in r->state. */
    void (*open)(struct stage_run *r);
    enum stage_result (*run)(struct stage_run *r, struct entry *e);
    /* Optional: sends on everything that is held (stop, new configuration). */
    void (*flush)(struct stage_run *r);
    /* Frees what state owns; entries still held are the engine's to free. */
    void (*close)(struct stage_run *r);
    /* For stages with inner stages (match): their list in args. They follow the stage. */
    const struct one_of_list *(*inner)(const void *args);
};
struct pipeline;
struct stage_run {
    const struct stage_ops *ops;
    const void *plan;
    void *state;
    struct pipeline *pipeline; /* the engine's; what follows this stage is known to it */
    struct comp *comp;
    struct shard *shard;
    struct loop *loop;
    const struct clock *clock;
    u32 at;      /* its place among the stages */
    i64 wait_ns; /* with STAGE_WAIT */
};
/* In prepare: "invalid stage config ..." at the stage. Returns -EINVAL. */
int stage_fault(struct prepare *p, const struct span *span, const char *fmt, ...) PRINTF(3, 4);
/* Where an attribute of the stage at `span` is written; the stage itself when it is not. */
const struct span *stage_at(struct prepare *p, const struct span *span, const char *attribute);
/* In prepare: whether the name can be one of a label, else "invalid label name: ..." is said: 0 or
 * -EINVAL. */
int stage_label_name(struct prepare *p, const struct span *span, struct str name);
/* In prepare: a regular expression that lives as long as the plan; a fault is said. NULL then. */
struct regex *stage_regex(struct prepare *p, const struct span *span, struct str pattern);
/* Counts an entry that ends by configuration: loki_process_dropped_lines_total{reason}. */
void stage_dropped(struct stage_run *r, struct str reason);
/* regex_match, with the match limit handled: counted, one log line a while, false as for no match.
 */
bool stage_match(struct stage_run *r, const struct regex *re, struct str text, ssize_t *ov,
                 size_t n_ov);
/* The same for who matches by itself and met REGEX_LIMIT. */
void stage_regex_limited(struct stage_run *r);
/* A counter, the same for all stages of the shard that ask for it, kept over new configurations. */
struct metric *stage_metric(struct stage_run *r, const struct metric_desc *d,
                            const struct metric_label *labels, size_t n);

/* Memory (zeroed) that the runs of this stage on all workers share: limits hold for the instance.
 * By its content's own atomics or lock. It lives until the last of the pipelines is closed; done
 * (may be NULL) is called then. */
void *stage_shared(struct stage_run *r, size_t size, void (*done)(void *memory));

/* --- entries that a stage keeps (multiline, partial lines) or makes (split_json) --- */
/* A held entry owns copies of its texts, and the acks of every batch whose lines are in it. */
struct held_entry;
struct held_entry *stage_hold(struct stage_run *r, const struct entry *e); /* NULL: no memory */
/* Lines of e, the entry in run, were added: its acks too. */
void held_join(struct stage_run *r, const struct entry *e, struct held_entry *h);
/* Appends to the line it was held with. -ENOMEM: not added. */
int held_append(struct held_entry *h, struct str text) WARN_UNUSED;
struct entry *held_view(struct held_entry *h); /* may be changed: line, labels, time */
/* Sends it through the stages after r; h is gone afterwards. From run, flush, or a timer of the
 * stage. */
void stage_release(struct stage_run *r, struct held_entry *h);
/* Forgets it: what it held ends by configuration, or went into another entry before. */
void held_drop(struct held_entry *h);
/* e, the entry in run, has taken the lines of h: the acks go with it. h is gone afterwards. */
void held_merge(struct stage_run *r, struct held_entry *h, struct entry *e);
/* A copy of h for lines that follow it; without its acks. NULL: no memory. */
struct held_entry *held_again(struct stage_run *r, struct held_entry *h);
/* Its line becomes empty, to be appended to. */
void held_clear_line(struct held_entry *h);
/* Sends a copy of e, the entry in run, with another line through the stages after r. */
void stage_emit(struct stage_run *r, const struct entry *e, struct str line);

/* stages.def: STAGE("stage.x", x_stage, "..."): its ops x_stage, its table of arguments
 * x_stage_schema. */
#define STAGE(name, sym, doc)                                                                      \
    extern const struct stage_ops sym;                                                             \
    extern const struct schema sym##_schema;
#include "components/loki/process/stages.def"
#undef STAGE

/* Every stage by its block's name, for the schemas of what holds stages. */
extern const struct one_of_def stage_variants[];
#define STAGE_ROW(T, m)                                                                            \
    {                                                                                              \
        .name = "stage", .kind = K_ONE_OF, .off = offsetof(T, m),                                  \
        .size = sizeof(struct one_of_list), .variants = stage_variants, .n_variants = STAGE_COUNT  \
    }
enum {
#define STAGE(name, sym, doc) STAGE_##sym,
#include "components/loki/process/stages.def"
#undef STAGE
    STAGE_COUNT
};

#endif
