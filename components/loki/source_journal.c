/* needs: libsystemd */
/* loki.source.journal: entries of the systemd journal as log entries. The cursor of what was
 * delivered is saved. Spec: pipelines A.7. */
#include "base/xalloc.h"
#include "components/common/settings.h"
#include "components/loki/journal/tail.h"

struct legacy {
    struct str file, name;
};
struct args {
    struct capsule_list forward_to;
    bool format_as_json;
    struct str_map labels;
    struct str matches, path;
    struct dur max_age;
    struct capsule_ref relabel_rules;
    struct legacy *legacy_position;
};
struct plan {
    const struct args *args;
    struct journal_conf conf;
};
struct shared {
    struct positions *positions;
    struct metric *lines, *no_message, *no_labels, *too_large;
};

static const struct row legacy_rows[] = {
    ATTR(struct legacy, file, .doc = "Positions file of Promtail or the Grafana Agent.",
         .required = true),
    ATTR(struct legacy, name, .doc = "Name of the journal target there.", .required = true),
};
static const struct schema legacy_schema = SCHEMA(struct legacy, legacy_rows);

static const struct row arg_rows[] = {
    ATTR(struct args, format_as_json,
         .doc = "Lines are all fields of an entry as JSON instead of its message.", .def = "false"),
    ATTR(struct args, forward_to, .doc = "Receivers of the entries.", .required = true,
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    ATTR(struct args, labels, .doc = "Labels of every entry.", .def = "{}"),
    BLOCK_PTR(struct args, legacy_position, &legacy_schema,
              .doc = "Where an earlier agent had read to, used when nothing was read yet."),
    ATTR(struct args, matches, .doc = "Fields an entry has to have: FIELD=value FIELD=value ...",
         .def = "\"\""),
    ATTR(struct args, max_age, .doc = "Older entries are not read at the start; 0s: all are.",
         .def = "\"7h\"", .min = 0, .has_min = true),
    ATTR(struct args, path, .doc = "Folder of the journal; empty: that of this machine.",
         .def = "\"\""),
    RELABEL_RULES_ATTR(struct args, relabel_rules),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static const struct metric_desc lines_desc = {.name = "loki_source_journal_target_lines_total",
                                              .help = "Entries read and handed on.",
                                              .kind = METRIC_COUNTER};
static const struct metric_desc errors_desc = {
    .name = "loki_source_journal_target_parsing_errors_total",
    .help = "Entries skipped, by reason.",
    .kind = METRIC_COUNTER};

/* The journal refuses it, which is the component's health, not a fault of the configuration. */
static void warn_of_match(struct prepare *p, struct str matches)
{
    struct str bad = journal_bad_match(matches);

    if (bad.n > 0)
        diag_add(p->diags, SEV_WARNING, DIAG_VALUE_INVALID, span_at(p->block, "matches"),
                 "matches: \"" STR_FMT "\" is not FIELD=value; the journal cannot be read so",
                 STR_ARG(bad));
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    const struct args *a = plan->args = args;

    plan->conf = (struct journal_conf){.path = a->path,
                                       .matches = a->matches,
                                       .max_age = a->max_age.ns,
                                       .format = {.json = a->format_as_json,
                                                  .labels = &a->labels,
                                                  .rules = relabel_of(a->relabel_rules.c)},
                                       .forward_to = &a->forward_to};
    warn_of_match(p, a->matches);
    return 0;
}

/* --- control loop --- */

/* The legacy file says it under a name of its own. */
static void take_over(struct comp *c, struct positions *p, const struct legacy *l)
{
    char *key = xprintf("cursor-%s", c->id), *old = xprintf("cursor-" STR_FMT, STR_ARG(l->name));
    struct str cursor = positions_get(p, str_of(old), STR("{}"));

    if (cursor.n > 0 && positions_get(p, str_of(key), STR("")).n == 0) {
        char *text = str_dup(cursor);
        positions_put(p, str_of(key), STR(""), str_of(text));
        positions_del(p, str_of(old), STR("{}"));
        free(text);
    }
    free(key);
    free(old);
}

static int load_positions(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;
    const struct legacy *l = ((const struct plan *)c->plan)->args->legacy_position;
    int err = positions_load(c, &sh->positions, ret_err);

    if (err || !l) return err;
    err = positions_load_legacy(sh->positions, l->file.p, ret_err);
    if (!err) take_over(c, sh->positions, l);
    return err;
}

static struct metric *error_metric(struct comp *c, const char *reason)
{
    return comp_metric(c, &errors_desc, &(struct metric_label){"error", reason}, 1);
}

static int create(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;

    sh->lines = comp_metric(c, &lines_desc, NULL, 0);
    sh->no_message = error_metric(c, "no_message");
    sh->no_labels = error_metric(c, "empty_labels");
    sh->too_large = error_metric(c, "too_large");
    return load_positions(c, ret_err);
}

static void destroy(struct comp *c)
{
    positions_free(((struct shared *)c->shared)->positions);
}

/* --- worker --- */

static int run(struct shard *s)
{
    struct journal_tail *t = s->self;
    struct shared *sh = s->comp->shared;

    t->lines = sh->lines;
    t->no_message = sh->no_message;
    t->no_labels = sh->no_labels;
    t->too_large = sh->too_large;
    journal_tail_start(t, s, &((const struct plan *)s->plan)->conf, sh->positions);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    journal_tail_apply(s->self, &((const struct plan *)plan)->conf);
    return 0;
}

static void stop(struct shard *s)
{
    journal_tail_stop(s->self);
}

static void shard_done(struct shard *s)
{
    journal_tail_done(s->self);
}

DEFINE_COMPONENT(loki_source_journal) = {
    .name = "loki.source.journal",
    .summary = "Reads the systemd journal.",
    .example = "loki.source.journal \"read\" {\n"
               "  forward_to    = [loki.echo.default.receiver]\n"
               "  relabel_rules = loki.relabel.journal.rules\n"
               "}\n"
               "\n"
               "loki.relabel \"journal\" {\n"
               "  forward_to = []\n"
               "\n"
               "  rule {\n"
               "    source_labels = [\"__journal__systemd_unit\"]\n"
               "    target_label  = \"unit\"\n"
               "  }\n"
               "}\n"
               "\n"
               "loki.echo \"default\" { }\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .placement = PLACE_ONE,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct shared),
    .self_size = sizeof(struct journal_tail),
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .destroy = destroy,
};
