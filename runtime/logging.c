/* logging { level, format, destination, write_to }. Spec: runtime.md 18. */
#include "runtime/logging.h"

#include <errno.h>

struct logging_args {
    struct str level, format, destination;
    struct capsule_list write_to;
    struct span span;
};
struct logging_plan {
    enum log_level level;
    enum log_format format;
    const struct capsule_list *write_to; /* in the arguments */
};

static const struct row logging_rows[] = {
    ATTR(struct logging_args, level, .doc = "Least severe records that are written.",
         .def = "\"info\"", .one_of = ONE_OF_TEXT("debug", "info", "warn", "error", ""),
         .one_of_error = "unrecognized log level \"%s\""),
    ATTR(struct logging_args, format, .doc = "Form of a line.", .def = "\"logfmt\"",
         .one_of = ONE_OF_TEXT("logfmt", "json", ""),
         .one_of_error = "unrecognized log format \"%s\""),
    ATTR(struct logging_args, write_to, .doc = "Log receivers that get every line as well.",
         .def = "[]", .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    ATTR(struct logging_args, destination, .doc = "Where lines go; only stderr outside of Windows.",
         .def = "\"stderr\"", .one_of = ONE_OF_TEXT("stderr", "windows_event_log"),
         .one_of_error = "unrecognized log destination \"%s\""),
};
static const struct schema logging_schema = {.rows = logging_rows,
                                             .n_rows = ARRAY_LEN(logging_rows),
                                             .size = sizeof(struct logging_args),
                                             .span_off = offsetof(struct logging_args, span),
                                             .present_off = -1};

/* Level and format are among the allowed ones; empty means the default. */
static int logging_prepare(struct prepare *p, const void *args, void *plan)
{
    const struct logging_args *a = args;
    struct logging_plan *out = plan;
    size_t errors = p->diags->n_errors;
    *out = (struct logging_plan){LOG_INFO, LOG_LOGFMT, &a->write_to};
    (void)log_level_parse(a->level, &out->level);
    (void)log_format_parse(a->format, &out->format);
    if (str_is(a->destination, "windows_event_log"))
        diag_error(p->diags, DIAG_VALUE_CHOICE, a->span,
                   "the log destination windows_event_log exists on Windows only");
    return p->diags->n_errors > errors ? -EINVAL : 0;
}

/* Receivers first: they get the lines that were held until now as well. */
static int logging_apply(void *self, const void *args, const void *plan, char **ret_err)
{
    const struct logging *l = self;
    const struct logging_plan *p = plan;
    own_log_set(l->own, p->write_to);
    log_root_open(l->root, p->level, p->format);
    return 0;
}

const struct config_def logging_def = {
    .def = {.name = "logging",
            .summary = "Sets level and form of the agent's own log, and sends it to log receivers.",
            .example = "logging {\n  level  = \"info\"\n  format = \"logfmt\"\n}\n",
            .args = &logging_schema,
            .plan_size = sizeof(struct logging_plan),
            .prepare = logging_prepare},
    .apply = logging_apply,
};
