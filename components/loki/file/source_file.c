/* loki.source.file: lines of files as log entries; see tailer.h for how files are followed. One
 * worker. Spec: pipelines A.3. */
#include <errno.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "components/common/file_match.h"
#include "components/common/settings.h"
#include "components/common/targets.h"
#include "components/loki/file/tailer.h"

#define TICK       (50 * NS_PER_MS)  /* while tailers wait */
#define NO_MEMORY  (100 * NS_PER_MS) /* until it is tried again */
#define CHECK      (10 * NS_PER_SEC) /* a part of the tailers each time */
#define CHECKS     6                 /* until all had their turn */
#define STEPS      64                /* between two looks at the loop's other work */
#define STOP_SHARE 3                 /* the part of a shutdown that deliveries are waited for */

struct decompression {
    bool enabled;
    struct str format;
    struct dur initial_delay;
};
struct file_watch_args {
    struct dur min_poll_frequency, max_poll_frequency;
};
struct file_match_args {
    bool enabled;
    struct dur sync_period, ignore_older_than;
};
struct args {
    struct value targets;
    struct capsule_list forward_to;
    struct str encoding, legacy_positions_file, on_positions_file_error;
    bool tail_from_end;
    struct decompression *decompression;
    struct file_watch_args file_watch;
    struct file_match_args file_match;
};

static const struct row decompression_rows[] = {
    ATTR(struct decompression, enabled, .doc = "Whether the files are compressed.",
         .required = true),
    ATTR(struct decompression, format, .doc = "How they are compressed.", .required = true,
         .one_of = ONE_OF_TEXT("gz", "z", "bz2")),
    ATTR(struct decompression, initial_delay,
         .doc = "How long to wait before a file is read, for its writer to finish.",
         .def = "\"0s\""),
};
static const struct schema decompression_schema = SCHEMA(struct decompression, decompression_rows);

static const struct row watch_rows[] = {
    ATTR(struct file_watch_args, max_poll_frequency,
         .doc = "The longest time between two looks at a file, where changes cannot be watched.",
         .def = "\"250ms\""),
    ATTR(struct file_watch_args, min_poll_frequency,
         .doc = "The shortest time between two looks at a file, where changes cannot be watched.",
         .def = "\"250ms\""),
};
static const struct schema watch_schema = SCHEMA(struct file_watch_args, watch_rows);

static const struct row match_rows[] = {
    ATTR(struct file_match_args, enabled, .doc = "Whether __path__ of the targets is a glob.",
         .def = "false"),
    ATTR(struct file_match_args, ignore_older_than,
         .doc = "Files that were not changed for so long are left out; 0s: none.", .def = "\"0s\""),
    ATTR(struct file_match_args, sync_period, .doc = "How often files are looked for.",
         .def = "\"10s\""),
};
static const struct schema match_schema = SCHEMA(struct file_match_args, match_rows);

static const struct row arg_rows[] = {
    BLOCK_PTR(struct args, decompression, &decompression_schema,
              .doc = "Reads compressed files, once to their end."),
    ATTR(struct args, encoding, .doc = "The IANA name of the files' encoding; empty: UTF-8.",
         .def = "\"\""),
    BLOCK(struct args, file_match, &match_schema, .doc = "Finds files by globs."),
    BLOCK(struct args, file_watch, &watch_schema,
          .doc = "How files are polled where changes cannot be watched."),
    ATTR(struct args, forward_to, .doc = "Where to send entries.", .required = true,
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    ATTR(struct args, legacy_positions_file,
         .doc = "A positions file of the static agent or Promtail, taken over when there is none.",
         .def = "\"\""),
    ATTR(struct args, on_positions_file_error,
         .doc = "What to do with a file whose saved position cannot be read.",
         .def = "\"restart_from_beginning\"",
         .one_of = ONE_OF_TEXT("skip", "restart_from_end", "restart_from_beginning")),
    ATTR(struct args, tail_from_end,
         .doc = "Whether a file without a saved position is read from its end.", .def = "false"),
    TARGETS_ATTR(struct args, targets, "Files to read, by __path__; other labels are kept."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

/* --- what it shows --- */

struct file_info {
    struct str path, labels;
    bool is_running;
    i64 read_offset;
};
struct file_infos {
    struct {
        struct file_info *v;
        size_t n;
    } targets_info;
};

static const struct row info_rows[] = {
    ATTR(struct file_info, path, .required = true, .doc = "The file."),
    ATTR(struct file_info, labels, .required = true,
         .doc = "Labels of its entries, without filename."),
    ATTR(struct file_info, is_running, .required = true,
         .doc = "Whether it is open and being read."),
    ATTR(struct file_info, read_offset, .required = true,
         .doc = "Up to which byte its lines were delivered."),
};
static const struct schema info_schema = SCHEMA(struct file_info, info_rows);

static const struct row infos_rows[] = {
    BLOCKS(struct file_infos, targets_info, &info_schema, .doc = "Files that are tailed."),
};
static const struct schema infos_schema = SCHEMA(struct file_infos, infos_rows);

struct plan {
    const struct args *args;
    struct tail_conf conf;
};
struct shared {
    struct positions *positions;
    struct status_board board;
    struct metric *active, *gaps;
};
struct self {
    struct file_source source;
    struct map tailers; /* path NUL labels -> struct tailer */
    struct file_match *match;
    struct timer *tick, *check, *retry, *stop, *refollow;
    struct msg pump;
    bool pumping, done;
    bool changed;         /* tailers came or went since they were shown */
    bool short_of_memory; /* some targets could not be made: nobody is let go of meanwhile */
};

/* --- plans --- */

static enum on_bad_position bad_position_of(struct str s)
{
    return str_is(s, "skip")               ? SKIP_FILE
           : str_is(s, "restart_from_end") ? RESTART_FROM_END
                                           : RESTART_FROM_BEGINNING;
}

static enum unpack_format format_of(struct str s)
{
    return str_is(s, "bz2") ? UNPACK_BZIP2 : str_is(s, "z") ? UNPACK_ZLIB : UNPACK_GZIP;
}

static int check_encoding(struct prepare *p, struct str name)
{
    struct charset *c;

    if (charset_new(name, &c) < 0)
        return setting_fault(p, "encoding", "the encoding \"%.*s\" is not known; use an IANA name",
                             (int)name.n, name.p);
    charset_free(c);
    return 0;
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    const struct args *a = plan->args = args;
    const struct decompression *d = a->decompression;
    int err = check_encoding(p, a->encoding);

    if (a->file_match.sync_period.ns <= 0)
        err = setting_fault(p, "file_match/sync_period", "sync period must be greater than 0");
    plan->conf = (struct tail_conf){
        .tail_from_end = a->tail_from_end,
        .legacy = a->legacy_positions_file.n > 0,
        .unpack = d && d->enabled,
        .on_bad_position = bad_position_of(a->on_positions_file_error),
    };
    if (!d) return err;
    plan->conf.format = format_of(d->format);
    plan->conf.initial_delay = d->enabled ? d->initial_delay.ns : 0;
    return err;
}

/* --- metrics --- */

static const struct metric_desc *const file_descs[FILE_METRICS] = {
    [FILE_READ_BYTES] = &(const struct metric_desc){.name = "loki_source_file_read_bytes_total",
                                                    .help = "Number of bytes read.",
                                                    .kind = METRIC_GAUGE},
    [FILE_BYTES] = &(const struct metric_desc){.name = "loki_source_file_file_bytes_total",
                                               .help = "Number of bytes of the file.",
                                               .kind = METRIC_GAUGE},
    [FILE_READ_LINES] = &(const struct metric_desc){.name = "loki_source_file_read_lines_total",
                                                    .help = "Number of lines read.",
                                                    .kind = METRIC_COUNTER},
};
static const struct metric_desc active_desc = {.name = "loki_source_file_files_active_total",
                                               .help = "Number of files that are being tailed.",
                                               .kind = METRIC_GAUGE};
static const struct metric_desc gaps_desc = {
    .name = "weir_loki_source_file_gaps_total",
    .help = "Times that a file was truncated or replaced and what it was before was not found: "
            "what had not been read of it is lost.",
    .kind = METRIC_COUNTER};

struct file_metrics *source_metrics_get(struct file_source *s, const char *path)
{
    const struct metric_label label = {"path", path};
    struct file_metrics *m = map_get(&s->metrics, str_of(path));

    if (!m) {
        m = xnew(struct file_metrics);
        shard_metrics(s->shard, file_descs, FILE_METRICS, &label, 1, m->of);
        map_put(&s->metrics, str_of(path), m);
    }
    m->users++;
    return m;
}

void source_metrics_put(struct file_source *s, const char *path)
{
    struct file_metrics *m = map_get(&s->metrics, str_of(path));

    if (--m->users > 0) return;
    (void)map_del(&s->metrics, str_of(path));
    shard_metric_free(s->shard, m->of[0]);
    free(m);
}

/* --- tailers --- */

static char *tailer_key(struct str path, struct str labels, struct str *ret)
{
    char *key = xprintf("%.*s\n%.*s", (int)path.n, path.p, (int)labels.n, labels.p);

    *ret = str_of(key);
    return key;
}

static void count_active(struct self *self)
{
    metric_set(self->source.active, (f64)self->tailers.live);
}

/* What debug_info shows; once for many that come or go. */
static void show_tailers(struct self *self)
{
    struct shared *shared = self->source.shard->comp->shared;

    if (!self->changed) return;
    struct status_list *l = status_list_new(self->tailers.live);
    list_each (&self->source.all, node)
        status_list_add(l, list_item(node, struct tailer, all)->status);
    status_board_set(&shared->board, l);
    self->changed = false;
}

static void drop_tailer(struct self *self, struct tailer *t)
{
    struct str key;
    char *text = tailer_key(str_of(t->path), str_of(t->key_labels), &key);

    (void)map_del(&self->tailers, key);
    free(text);
    tailer_free(t);
    self->changed = true;
    count_active(self);
}

static void drop_all(struct self *self)
{
    list_each (&self->source.all, node)
        drop_tailer(self, list_item(node, struct tailer, all));
}

static void begin_tailer(struct self *self, struct tailer *t)
{
    i64 delay = self->source.conf->initial_delay;

    if (delay > 0)
        tailer_delay(t, delay);
    else
        tailer_wake(t, false);
}

static void want_tailer(struct self *self, struct str path, struct labels *labels,
                        struct str key_labels)
{
    struct str key;
    char *text = tailer_key(path, key_labels, &key);
    struct tailer *t = map_get(&self->tailers, key);

    if (!t) {
        char *copy = str_dup(path);
        t = tailer_new(&self->source, copy, labels, key_labels);
        map_put(&self->tailers, key, t);
        self->changed = true;
        begin_tailer(self, t);
        free(copy);
    }
    t->seen = true;
    t->leaving = false;
    free(text);
}

/* The labels of a target as its entries have them, and without the path, as positions name them. */
static void want_target(struct self *self, struct label_set *set, struct str path)
{
    struct label_table *table = self->source.shard->comp->host->labels;

    label_set_strip(set, false);
    label_set_del(set, STR("filename"));
    struct labels *without = label_set_intern(set, table);
    label_set_put(set, STR("filename"), path);
    struct labels *with = label_set_intern(set, table);
    if (with && without)
        want_tailer(self, path, with, without->text);
    else
        self->short_of_memory = true;
    labels_unref(with);
    labels_unref(without);
}

static void want_plain(struct self *self, struct value targets, size_t i, struct label_set *set)
{
    target_load(targets, i, set);
    char *path = str_dup(label_set_get(set, STR("__path__")));

    if (*path)
        want_target(self, set, str_of(path));
    else
        log_error(self->source.shard->comp->log, "a target has no __path__: nothing is read for it",
                  F_UINT("target", i));
    free(path);
}

/* With globs a file may be gone from the list because it is gone: what is left of it is read. */
static void let_go(struct self *self, struct tailer *t, bool by_glob)
{
    if (by_glob && t->gone && !tailer_is_done(t)) {
        t->leaving = true;
        return;
    }
    if (!by_glob) tailer_forget_position(t);
    drop_tailer(self, t);
}

static void begin_targets(struct self *self)
{
    self->short_of_memory = false;
    list_each (&self->source.all, node)
        list_item(node, struct tailer, all)->seen = false;
}

static void end_targets(struct self *self, bool by_glob)
{
    list_each (&self->source.all, node) {
        struct tailer *t = list_item(node, struct tailer, all);
        if (!t->seen && !self->short_of_memory) let_go(self, t, by_glob);
    }
    count_active(self);
    show_tailers(self);
    if (!self->short_of_memory) return;
    log_error(self->source.shard->comp->log,
              "no memory for the labels of every target: it is tried again in a second");
    timer_start(self->refollow, NS_PER_SEC);
}

static void follow_targets(struct self *self, struct value targets)
{
    struct label_set set;

    label_set_init(&set);
    begin_targets(self);
    for (size_t i = 0; i < targets_count(targets); i++)
        want_plain(self, targets, i, &set);
    end_targets(self, false);
    label_set_done(&set);
}

static void on_found(void *arg, const struct files_found *f)
{
    struct self *self = arg;
    struct label_set set;

    label_set_init(&set);
    begin_targets(self);
    for (size_t i = 0; i < f->n; i++) {
        target_load(f->targets, f->v[i].target, &set);
        want_target(self, &set, f->v[i].path);
    }
    end_targets(self, true);
    label_set_done(&set);
}

static void follow(struct self *self, const struct plan *plan)
{
    const struct args *a = plan->args;

    if (!a->file_match.enabled) {
        file_match_free(self->match);
        self->match = NULL;
        follow_targets(self, a->targets);
        return;
    }
    if (!self->match) self->match = file_match_new(self->source.shard);
    file_match_set(self->match, &(struct file_match_conf){.targets = a->targets,
                                                          .period = a->file_match.sync_period.ns,
                                                          .ignore_older_than =
                                                              a->file_match.ignore_older_than.ns,
                                                          .found = on_found,
                                                          .arg = self});
}

static void on_refollow(void *arg)
{
    struct self *self = arg;

    if (!self->source.stopping && !self->done) follow(self, self->source.shard->plan);
}

/* --- the end --- */

static void end(struct self *self, const char *why)
{
    struct file_source *s = &self->source;

    timer_stop(self->stop);
    if (why && s->in_flight > 0) log_warn(s->shard->comp->log, why, F_UINT("bytes", s->in_flight));
    positions_save(s->positions);
    s->stopping = false;
    self->done = true;
    shard_stopped(s->shard);
}

static void finish_stop(struct self *self)
{
    struct file_source *s = &self->source;

    if (s->stopping && !self->done && s->in_flight == 0 && log_source_idle(&s->out))
        end(self, NULL);
}

/* --- the pump: tailers take turns, a piece each --- */

static bool may_read(const struct file_source *s)
{
    return !s->stopping && !log_source_blocked(&s->out) && s->in_flight < SOURCE_IN_FLIGHT &&
           !list_empty(&s->ready);
}

void source_pump(struct file_source *s)
{
    struct self *self = container_of(s, struct self, source);

    finish_stop(self);
    if (self->pumping || self->done || !may_read(s) || timer_active(self->retry)) return;
    self->pumping = true;
    loop_defer(s->shard->worker->loop, &self->pump);
}

void source_tick(struct file_source *s)
{
    struct self *self = container_of(s, struct self, source);

    if (!timer_active(self->tick)) timer_every(self->tick, TICK);
}

static void after_step(struct self *self, struct tailer *t, enum step step)
{
    tailer_show(t);
    if (step != STEP_IDLE && list_empty(&t->ready)) list_add_tail(&self->source.ready, &t->ready);
    if (step == STEP_WAIT) timer_start(self->retry, NO_MEMORY);
    if (step == STEP_IDLE) watch_found(&t->watched, false);
    if (step == STEP_MORE) watch_found(&t->watched, true);
    if (t->leaving && tailer_is_done(t)) drop_tailer(self, t);
}

static void on_pump(struct msg *m)
{
    struct self *self = container_of(m, struct self, pump);
    struct file_source *s = &self->source;

    self->pumping = false;
    if (self->done) return;
    for (int i = 0; i < STEPS && may_read(s) && !timer_active(self->retry); i++) {
        struct tailer *t = list_item(s->ready.next, struct tailer, ready);
        list_del(&t->ready);
        after_step(self, t, tailer_step(t));
    }
    show_tailers(self);
    source_pump(s);
}

static void on_retry(void *arg)
{
    source_pump(&((struct self *)arg)->source);
}

static void on_look(void *arg, struct watched *w, bool structural)
{
    tailer_wake(container_of(w, struct tailer, watched), structural);
}

static void on_tick(void *arg)
{
    struct self *self = arg;
    i64 now = loop_now(self->source.shard->worker->loop);

    list_each (&self->source.waiting, node) {
        struct tailer *t = list_item(node, struct tailer, waiting);
        if (t->again <= now) tailer_wake_waiting(t);
    }
    if (list_empty(&self->source.waiting)) timer_stop(self->tick);
}

static void on_check(void *arg)
{
    struct self *self = arg;
    struct list *all = &self->source.all;

    for (size_t n = self->tailers.live / CHECKS + 1; n > 0 && !list_empty(all); n--) {
        struct tailer *t = list_item(all->next, struct tailer, all);
        list_del(&t->all);
        list_add_tail(all, &t->all);
        tailer_check(t);
    }
}

/* --- stop --- */

static void on_stop_deadline(void *arg)
{
    end(arg, "stopped before everything that was read had been delivered: it is read again after "
             "the next start");
}

static void on_room(void *arg)
{
    struct self *self = arg;

    finish_stop(self);
    source_pump(&self->source);
}

static void stop(struct shard *shard)
{
    struct self *self = shard->self;

    self->source.stopping = true;
    file_match_free(self->match);
    self->match = NULL;
    positions_save(self->source.positions);
    timer_start(self->stop, shard->comp->host->stop_deadline / STOP_SHARE);
    finish_stop(self);
}

/* --- life --- */

static int create(struct comp *c, char **ret_err)
{
    const struct plan *plan = c->plan;
    struct shared *shared = c->shared;
    int err = positions_load(c, &shared->positions, ret_err);

    if (err) return err;
    if (plan->args->legacy_positions_file.n > 0)
        err =
            positions_load_legacy(shared->positions, plan->args->legacy_positions_file.p, ret_err);
    if (err) {
        positions_free(shared->positions);
        shared->positions = NULL;
        return err;
    }
    shared->active = comp_metric(c, &active_desc, NULL, 0);
    shared->gaps = comp_metric(c, &gaps_desc, NULL, 0);
    return 0;
}

static void destroy(struct comp *c)
{
    struct shared *shared = c->shared;

    positions_free(shared->positions);
    status_board_set(&shared->board, NULL);
}

static struct file_info info_of(struct target_status *s, struct arena *a)
{
    return (struct file_info){.path = arena_str(a, str_of(s->name)),
                              .labels = arena_str(a, str_of(s->labels)),
                              .is_running = target_status_is_running(s),
                              .read_offset = target_status_offset(s)};
}

static void debug_info(struct comp *c, struct arena *a, void *out)
{
    struct file_infos *infos = out;
    struct status_list *l = status_board_get(&((struct shared *)c->shared)->board);

    if (!l) return;
    infos->targets_info.v = arena_array(a, struct file_info, l->n);
    for (size_t i = 0; i < l->n; i++)
        infos->targets_info.v[infos->targets_info.n++] = info_of(l->v[i], a);
    status_list_unref(l);
}

static void init_timers(struct self *self, struct loop *l)
{
    self->tick = timer_new(l, on_tick, self);
    self->check = timer_new(l, on_check, self);
    self->retry = timer_new(l, on_retry, self);
    self->stop = timer_new(l, on_stop_deadline, self);
    self->refollow = timer_new(l, on_refollow, self);
    timer_every(self->check, CHECK);
}

static void init_source(struct self *self, struct shard *shard, const struct plan *plan)
{
    const struct shared *shared = shard->comp->shared;
    struct file_source *s = &self->source;

    s->shard = shard;
    s->conf = &plan->conf;
    s->positions = shared->positions;
    s->active = shared->active;
    s->gaps = shared->gaps;
    s->reading.budget = shard->comp->host->data_budget;
    (void)charset_new(plan->args->encoding, &s->reading.configured); /* prepare has tried */
    list_init(&s->all);
    list_init(&s->ready);
    list_init(&s->waiting);
    s->watch =
        watch_new(&(struct watch_conf){.loop = shard->worker->loop,
                                       .min_poll = plan->args->file_watch.min_poll_frequency.ns,
                                       .max_poll = plan->args->file_watch.max_poll_frequency.ns,
                                       .look = on_look,
                                       .arg = self});
    log_source_init(&s->out, shard, &plan->args->forward_to, on_room, self);
}

static void tell_refused(struct self *self)
{
    int err = watch_refused(self->source.watch);

    if (err)
        log_warn(self->source.shard->comp->log,
                 "changes of files cannot be watched: they are polled (for inotify's limits see "
                 "fs.inotify.max_user_watches and max_user_instances)",
                 F_CSTR("err", strerror(err)));
}

static int run(struct shard *shard)
{
    struct self *self = shard->self;
    const struct plan *plan = shard->plan;

    self->pump.fn = on_pump;
    init_timers(self, shard->worker->loop);
    init_source(self, shard, plan);
    positions_start(self->source.positions, shard);
    follow(self, plan);
    tell_refused(self);
    return 0;
}

static bool reads_alike(const struct plan *a, const struct plan *b)
{
    return str_eq(a->args->encoding, b->args->encoding) && a->conf.unpack == b->conf.unpack &&
           a->conf.format == b->conf.format;
}

static int apply(struct shard *shard, const void *plan_)
{
    struct self *self = shard->self;
    const struct plan *plan = plan_, *old = shard->plan;
    struct file_source *s = &self->source;

    if (!reads_alike(old, plan)) {
        drop_all(self);
        charset_free(s->reading.configured);
        s->reading.configured = NULL;
        (void)charset_new(plan->args->encoding, &s->reading.configured);
    }
    s->conf = &plan->conf;
    watch_set_poll(s->watch, plan->args->file_watch.min_poll_frequency.ns,
                   plan->args->file_watch.max_poll_frequency.ns);
    log_source_apply(&s->out, &plan->args->forward_to);
    follow(self, plan);
    return 0;
}

static void shard_done(struct shard *shard)
{
    struct self *self = shard->self;
    struct file_source *s = &self->source;

    self->done = true;
    file_match_free(self->match);
    self->match = NULL;
    drop_all(self);
    map_done(&self->tailers, NULL);
    map_done(&s->metrics, NULL);
    log_source_done(&s->out);
    watch_free(s->watch);
    reading_done(&s->reading);
    positions_stop(s->positions);
    timer_free(self->tick);
    timer_free(self->check);
    timer_free(self->retry);
    timer_free(self->stop);
    timer_free(self->refollow);
}

static const char example[] = "loki.source.file \"default\" {\n"
                              "  targets = [\n"
                              "    {__path__ = \"/var/log/syslog\", job = \"syslog\"},\n"
                              "  ]\n"
                              "  forward_to = [loki.echo.default.receiver]\n"
                              "}\n"
                              "\n"
                              "loki.echo \"default\" { }\n";

DEFINE_COMPONENT(loki_source_file) = {
    .name = "loki.source.file",
    .summary = "Reads lines of files as log entries, and follows the files.",
    .example = example,
    .stability = STABILITY_GA,
    .args = &args_schema,
    .debug = &infos_schema,
    .placement = PLACE_ONE,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct shared),
    .self_size = sizeof(struct self),
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .destroy = destroy,
    .debug_info = debug_info,
};
