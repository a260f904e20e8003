/* loki.secretfilter: secrets in log lines are replaced. What is looked for is in builtin.c, or in a
 * configuration of gitleaks; how, in detect.c. Works where a batch is; a batch without secrets is
 * handed on as it is. */
#include <errno.h>
#include "components/common/log_stage.h"
#include "components/common/loki_receiver.h"
#include "components/common/settings.h"
#include "components/loki/secretfilter/rules.h"
#include "telemetry/label_set.h"

/* Series of redactions by rule and origin; origins come from labels, and these from anywhere. */
#define MOST_CATEGORIES 10000

struct args {
    struct capsule_list forward_to;
    bool drop_on_timeout;
    struct str gitleaks_config;
    bool label_timed_out;
    struct str origin_label;
    struct dur processing_timeout;
    f64 rate;
    i64 redact_percent;
    struct str redact_with;
};
struct plan {
    const struct args *args;
    struct detector *detector;
    struct redaction redaction;
};

static const struct row arg_rows[] = {
    ATTR(struct args, forward_to, .doc = "Receivers of the entries.", .required = true,
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    ATTR(struct args, drop_on_timeout,
         .doc = "Drop entries that exceed processing_timeout, instead of forwarding them with what "
                "was found until then redacted."),
    ATTR(struct args, gitleaks_config,
         .doc = "TOML file of rules, as of gitleaks; empty: the rules built in.", .def = "\"\""),
    ATTR(struct args, label_timed_out,
         .doc = "Add secretfilter=\"timed-out\" to entries forwarded after the timeout."),
    ATTR(struct args, origin_label,
         .doc = "Label that becomes the origin in secrets_redacted_by_category_total.",
         .def = "\"\""),
    ATTR(struct args, processing_timeout, .doc = "Most time for one entry; 0: any.",
         .def = "\"0s\""),
    ATTR(struct args, rate, .doc = "Fraction of the entries to look through, 0 to 1.", .def = "1"),
    ATTR(struct args, redact_percent,
         .doc = "How much of a secret to leave out, in percent, when redact_with is not set.",
         .def = "80"),
    ATTR(struct args, redact_with,
         .doc = "What stands in a secret's place; $SECRET_NAME is the rule, $SECRET_HASH the "
                "SHA-1 of the secret.",
         .def = "\"\""),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

/* --- metrics --- */

static const f64 duration_bounds[] = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1};
enum { M_BYPASSED, M_DROPPED, M_TIMED_OUT, M_DURATION, M_REDACTED, M_LIMITED, METRICS };
static const struct metric_desc descs[METRICS] = {
    [M_BYPASSED] = {.name = "loki_secretfilter_entries_bypassed_total",
                    .help = "Entries forwarded without being looked through, due to sampling.",
                    .kind = METRIC_COUNTER},
    [M_DROPPED] = {.name = "loki_secretfilter_lines_dropped_total",
                   .help = "Lines dropped because they exceeded the processing timeout.",
                   .kind = METRIC_COUNTER},
    [M_TIMED_OUT] = {.name = "loki_secretfilter_lines_timed_out_total",
                     .help = "Lines that exceeded the processing timeout, dropped or forwarded.",
                     .kind = METRIC_COUNTER},
    [M_DURATION] = {.name = "loki_secretfilter_processing_duration_seconds",
                    .help = "Time taken to look through an entry and redact it.",
                    .kind = METRIC_HISTOGRAM,
                    .bounds = duration_bounds,
                    .n_bounds = sizeof(duration_bounds) / sizeof(*duration_bounds)},
    [M_REDACTED] = {.name = "loki_secretfilter_secrets_redacted_total",
                    .help = "Secrets that were redacted.",
                    .kind = METRIC_COUNTER},
    [M_LIMITED] = {.name = "loki_secretfilter_regex_limited_total",
                   .help = "Regular expressions that reached their match limit on a line.",
                   .kind = METRIC_COUNTER},
};
static const struct metric_desc category_desc = {
    .name = "loki_secretfilter_secrets_redacted_by_category_total",
    .help = "Secrets that were redacted, by rule and origin.",
    .kind = METRIC_COUNTER,
};

struct shared {
    struct metric *metrics[METRICS];
};

/* --- configuration --- */

static void warn_config(void *arg, const char *text)
{
    struct prepare *p = arg;

    setting_no_effect(p, "gitleaks_config", text);
}

static int read_rules(struct prepare *p, const struct args *a, struct plan *plan)
{
    struct rule_set set = {.a = p->arena};
    const char *err = NULL;

    if (!a->gitleaks_config.n)
        rules_builtin(&set);
    else if (!p->host) /* the file is where the agent runs */
        return 0;
    else if (rules_read(&set, a->gitleaks_config.p, warn_config, p, &err))
        return setting_fault(p, "gitleaks_config", "%s", err);
    plan->detector = detector_new(&set, &err);
    if (plan->detector) return 0;
    return setting_fault(p, "gitleaks_config", STR_FMT ": %s", STR_ARG(a->gitleaks_config), err);
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    const struct args *a = plan->args = args;
    bool percent = a->redact_percent >= 1 && a->redact_percent <= 100;

    plan->redaction = (struct redaction){a->redact_with, percent ? a->redact_percent : 80};
    if (!(a->rate >= 0 && a->rate <= 1))
        return setting_fault(
            p, "rate", "secretfilter: rate must be between 0.0 and 1.0, received %f", a->rate);
    if (a->redact_percent < 0)
        return setting_fault(p, "redact_percent", "redact_percent must not be negative");
    if (a->redact_percent > 100)
        setting_no_effect(p, "redact_percent", "it is more than 100: 80 is used");
    if (a->drop_on_timeout && a->processing_timeout.ns <= 0)
        setting_no_effect(p, "drop_on_timeout", "there is no processing_timeout");
    return read_rules(p, a, plan);
}

static int create(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;

    for (int i = 0; i < METRICS; i++)
        sh->metrics[i] = comp_metric(c, &descs[i], NULL, 0);
    loki_receiver_export(c);
    return 0;
}

/* --- the shard --- */

/* What became of an entry of the batch at hand. */
enum outcome { KEPT, CHANGED, DROPPED };
struct done {
    enum outcome outcome;
    bool timed_out;
    struct str line; /* in texts */
};
/* A redaction to be counted once the batch is sent. */
struct counted {
    u32 rule;
    struct labels *labels;
};
struct category {
    struct str rule, origin;
    struct metric *metric;
    struct category *next;
};
#define CATEGORY_SLOTS 1024
struct self {
    struct log_stage stage;
    const struct plan *plan;
    struct search_state search;
    struct log_builder *builder;
    struct arena texts;
    VEC(struct done) done;
    VEC(struct counted) counted;
    i64 deadline;
    u64 changed, bypassed, timed_out, dropped, limited;
    struct category *categories[CATEGORY_SLOTS];
    u32 n_categories;
    struct arena category_texts;
};

static i64 now(const struct shard *s)
{
    return clock_mono(s->comp->host->clock);
}

static bool is_late(void *arg)
{
    const struct self *self = arg;

    return now(self->stage.shard) >= self->deadline;
}

static void set_plan(struct self *self, const struct plan *plan)
{
    self->plan = plan;
    search_state_done(&self->search);
    search_state_init(&self->search, plan->detector);
    self->search.arg = self;
    if (plan->args->processing_timeout.ns > 0) self->search.late = is_late;
}

static int run(struct shard *s)
{
    struct self *self = s->self;

    set_plan(self, s->plan);
    arena_init(&self->texts, 4096);
    arena_init(&self->category_texts, 1024);
    self->builder = log_builder_new(s->comp->host->data_budget);
    log_stage_init(&self->stage, s, &self->plan->args->forward_to);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;

    set_plan(self, plan);
    log_stage_apply(&self->stage, &self->plan->args->forward_to);
    return 0;
}

static void stop(struct shard *s)
{
    log_stage_stop(&((struct self *)s->self)->stage);
}

static void shard_done(struct shard *s)
{
    struct self *self = s->self;

    log_stage_done(&self->stage);
    log_builder_free(self->builder);
    search_state_done(&self->search);
    vec_done(&self->done);
    vec_done(&self->counted);
    arena_done(&self->texts);
    arena_done(&self->category_texts);
}

/* --- one entry --- */

static bool sampled(const struct self *self)
{
    f64 rate = self->plan->args->rate;

    return rate >= 1 || (rate > 0 && random_unit() < rate);
}

static void note_found(struct self *self, struct labels *l)
{
    vec_each (&self->search.found, f)
        vec_push(&self->counted, ((struct counted){f->rule, labels_ref(l)}));
}

/* A line too large to write anew (memory is out) is dropped: it holds a secret. */
static void redact_entry(struct self *self, struct str line, struct labels *l, struct done *d)
{
    struct buf b = BUF_INIT((size_t)256 << 20);

    redact(&self->plan->redaction, self->plan->detector, line, &self->search, &b);
    note_found(self, l);
    d->outcome = buf_err(&b) ? DROPPED : CHANGED;
    if (!buf_err(&b)) d->line = arena_str(&self->texts, buf_view(&b));
    buf_done(&b);
}

static struct done process(struct self *self, const struct log_entry *e, struct labels *l)
{
    const struct args *a = self->plan->args;
    struct metric *duration =
        ((struct shared *)self->stage.shard->comp->shared)->metrics[M_DURATION];
    struct done d = {.outcome = KEPT, .line = e->line};

    if (!sampled(self)) {
        self->bypassed++;
        return d;
    }
    i64 begun = now(self->stage.shard);
    self->deadline = begun + a->processing_timeout.ns;
    detector_search(self->plan->detector, e->line, &self->search);
    if (self->search.found.n) redact_entry(self, e->line, l, &d);
    d.timed_out = self->search.timed_out;
    self->timed_out += d.timed_out;
    if (d.timed_out && a->drop_on_timeout) d.outcome = DROPPED;
    if (d.timed_out && a->label_timed_out && d.outcome == KEPT) d.outcome = CHANGED;
    self->dropped += d.outcome == DROPPED;
    self->changed += d.outcome != KEPT;
    metric_observe(duration, (f64)(now(self->stage.shard) - begun) / 1e9);
    return d;
}

static void process_all(struct self *self, const struct logs *l)
{
    for (u32 i = 0; i < l->n_streams; i++)
        for (u32 k = 0; k < l->streams[i].n; k++) {
            struct done d = process(self, &l->streams[i].v[k], l->streams[i].labels);
            vec_push(&self->done, d);
        }
    self->limited = self->search.limited;
}

/* --- counting --- */

static u64 slot_of(struct str rule, struct str origin)
{
    u64 h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < rule.n + origin.n; i++)
        h = (h ^ (u8)(i < rule.n ? rule.p[i] : origin.p[i - rule.n])) * UINT64_C(1099511628211);
    return h % CATEGORY_SLOTS;
}

static struct category *make_category(struct self *self, struct str rule, struct str origin)
{
    struct category *c = arena_new(&self->category_texts, struct category);

    c->rule = arena_str(&self->category_texts, rule);
    c->origin = arena_str(&self->category_texts, origin);
    struct metric_label labels[] = {{"origin", arena_strdup(&self->category_texts, origin)},
                                    {"rule", arena_strdup(&self->category_texts, rule)}};
    c->metric = shard_metric(self->stage.shard, &category_desc, labels, 2);
    self->n_categories++;
    return c;
}

/* With too many of them, further origins are counted under none. */
static struct metric *category(struct self *self, struct str rule, struct str origin)
{
    struct category **at = &self->categories[slot_of(rule, origin)];

    while (*at && !(str_eq((*at)->rule, rule) && str_eq((*at)->origin, origin)))
        at = &(*at)->next;
    if (*at) return (*at)->metric;
    if (self->n_categories >= MOST_CATEGORIES && origin.n) return category(self, rule, STR(""));
    *at = make_category(self, rule, origin);
    return (*at)->metric;
}

static void count(struct self *self)
{
    struct shared *sh = self->stage.shard->comp->shared;
    const struct plan *plan = self->plan;

    metric_add(sh->metrics[M_BYPASSED], (f64)self->bypassed);
    metric_add(sh->metrics[M_TIMED_OUT], (f64)self->timed_out);
    metric_add(sh->metrics[M_DROPPED], (f64)self->dropped);
    metric_add(sh->metrics[M_REDACTED], (f64)self->counted.n);
    metric_add(sh->metrics[M_LIMITED], (f64)self->limited);
    vec_each (&self->counted, c) {
        struct str label = plan->args->origin_label,
                   origin = label.n ? labels_get(c->labels, label) : (struct str){0};
        metric_inc(category(self, detector_rule_id(plan->detector, c->rule), origin));
    }
}

static void forget(struct self *self)
{
    vec_each (&self->counted, c)
        labels_unref(c->labels);
    vec_clear(&self->counted);
    vec_clear(&self->done);
    arena_reset(&self->texts);
    self->changed = self->bypassed = self->timed_out = self->dropped = self->limited = 0;
    self->search.limited = 0;
}

/* --- the batch --- */

static struct labels *labels_timed_out(struct self *self, const struct labels *l)
{
    struct label_set set;

    label_set_init(&set);
    label_set_load(&set, l);
    label_set_put(&set, STR("secretfilter"), STR("timed-out"));
    struct labels *out = label_set_intern(&set, self->stage.shard->comp->host->labels);
    label_set_done(&set);
    return out;
}

static int add_entry(struct self *self, struct labels *l, const struct log_entry *e,
                     const struct done *d)
{
    struct log_entry made = *e;
    bool label = d->timed_out && self->plan->args->label_timed_out;
    struct labels *of = label ? labels_timed_out(self, l) : labels_ref(l);

    made.line = d->line;
    int err = !of                     ? -ENOMEM
              : d->outcome == CHANGED ? log_builder_add(self->builder, of, &made)
                                      : log_builder_add_slice(self->builder, of, e);
    labels_unref(of);
    return err;
}

static int build(struct self *self, const struct logs *l)
{
    const struct done *d = self->done.v;

    log_builder_keep_logs(self->builder, l);
    for (u32 i = 0; i < l->n_streams; i++)
        for (u32 k = 0; k < l->streams[i].n; k++, d++)
            if (d->outcome != DROPPED &&
                add_entry(self, l->streams[i].labels, &l->streams[i].v[k], d) < 0)
                return -ENOMEM;
    return 0;
}

static void renew_builder(struct self *self)
{
    log_builder_free(self->builder);
    self->builder = log_builder_new(self->stage.shard->comp->host->data_budget);
}

static enum push send(struct self *self, struct batch *b)
{
    if (!self->changed) return fanout_push(self->stage.out, b);
    if (build(self, b->logs) < 0) {
        renew_builder(self);
        return log_stage_wait(&self->stage);
    }
    enum push answer = log_stage_push_built(&self->stage, b, self->builder);
    if (log_builder_items(self->builder) || answer == PUSH_FULL) renew_builder(self);
    return answer;
}

/* --- live debugging --- */

struct shown {
    struct str in;
    const struct done *d;
};

static int render(const void *what, struct buf *out)
{
    const struct shown *s = what;

    buf_str(out, s->in);
    buf_cstr(out, " => ");
    buf_str(out, s->d->outcome == DROPPED ? STR("<dropped>") : s->d->line);
    return buf_err(out);
}

static void show(struct self *self, const struct logs *l)
{
    const struct done *d = self->done.v;

    for (u32 i = 0; i < l->n_streams; i++)
        for (u32 k = 0; k < l->streams[i].n; k++, d++) {
            struct shown s = {l->streams[i].v[k].line, d};
            comp_tap(self->stage.shard->comp, &(struct tap_item){.type = TAP_LOKI_LOG,
                                                                 .count = d->outcome != DROPPED,
                                                                 .render = render,
                                                                 .what = &s});
        }
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    struct self *self = s->self;

    if (log_stage_full(&self->stage)) return PUSH_FULL;
    process_all(self, b->logs);
    struct batch *kept = comp_tapped(s->comp) ? batch_ref(b) : NULL;
    enum push answer = send(self, b);
    if (answer == PUSH_TAKEN) count(self);
    if (answer == PUSH_TAKEN && kept) show(self, kept->logs);
    if (kept) batch_unref(kept);
    forget(self);
    return answer;
}

DEFINE_COMPONENT(loki_secretfilter) = {
    .name = "loki.secretfilter",
    .summary = "Redacts secrets in log lines.",
    .example = "loki.secretfilter \"default\" {\n"
               "  forward_to  = [loki.echo.default.receiver]\n"
               "  redact_with = \"<$SECRET_NAME:$SECRET_HASH>\"\n"
               "}\n"
               "\n"
               "loki.echo \"default\" { }\n",
    .stability = STABILITY_PUBLIC_PREVIEW,
    .args = &args_schema,
    .exports = &loki_receiver_schema,
    .placement = PLACE_EACH,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct shared),
    .self_size = sizeof(struct self),
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .push = push,
    .taps_itself = true,
};
