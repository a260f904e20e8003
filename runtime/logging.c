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
};

static const struct row logging_rows[] = {
    ATTR(struct logging_args, level, .doc = "Least severe records that are written: debug, info, warn or error.", .def = "\"info\""),
    ATTR(struct logging_args, format, .doc = "Form of a line: logfmt or json.", .def = "\"logfmt\""),
    ATTR(struct logging_args, write_to, .doc = "Log receivers that get every line as well.", .def = "[]",
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    ATTR(struct logging_args, destination, .doc = "Where lines go; only stderr outside of Windows.", .def = "\"stderr\""),
};
static const struct schema logging_schema = {.rows = logging_rows,
                                             .n_rows = ARRAY_LEN(logging_rows),
                                             .size = sizeof(struct logging_args),
                                             .span_off = offsetof(struct logging_args, span),
                                             .present_off = -1};

static bool level_of(const struct logging_args *a, enum log_level *ret)
{
    *ret = LOG_INFO;
    return a->level.n == 0 || log_level_parse(a->level, ret);
}

static bool format_of(const struct logging_args *a, enum log_format *ret)
{
    *ret = LOG_LOGFMT;
    return a->format.n == 0 || log_format_parse(a->format, ret);
}

static int logging_prepare(struct prepare *p, const void *args, void *plan)
{
    const struct logging_args *a = args;
    struct logging_plan *out = plan;
    struct diags *d = p->diags;
    size_t errors = d->n_errors;
    if (!level_of(a, &out->level))
        diag_error(d, DIAG_VALUE_CHOICE, a->span, "unrecognized log level \"" STR_FMT "\"", STR_ARG(a->level));
    if (!format_of(a, &out->format))
        diag_error(d, DIAG_VALUE_CHOICE, a->span, "unrecognized log format \"" STR_FMT "\"", STR_ARG(a->format));
    if (str_is(a->destination, "windows_event_log"))
        diag_error(d, DIAG_VALUE_CHOICE, a->span, "the log destination windows_event_log exists on Windows only");
    else if (!str_is(a->destination, "stderr"))
        diag_error(d, DIAG_VALUE_CHOICE, a->span, "unrecognized log destination \"" STR_FMT "\"", STR_ARG(a->destination));
    if (a->write_to.n > 0)
        diag_error(d, DIAG_NODE_UNSUPPORTED, a->span, "logging: write_to is not supported by this build of Weir yet");
    return d->n_errors > errors ? -EINVAL : 0;
}

static int logging_apply(void *self, const void *args, const void *plan, char **ret_err)
{
    const struct logging_plan *p = plan;
    log_root_open(self, p->level, p->format);
    return 0;
}

const struct config_def logging_def = {
    .def = {.name = "logging",
            .summary = "Sets level and form of the agent's own log.",
            .example = "logging {\n  level  = \"info\"\n  format = \"logfmt\"\n}\n",
            .args = &logging_schema,
            .plan_size = sizeof(struct logging_plan),
            .prepare = logging_prepare},
    .apply = logging_apply,
};
