/* weir check [--format=text|json] PATH...: every fault of every configuration, without running
 * anything. A path is a file, a directory (one configuration of several files), or "-". `validate`
 * is the same for one path, with Alloy's flags, and warnings fail it too. */
#include <stdio.h>
#include "cmd/command.h"
#include "cmd/language.h"
#include "cmd/report.h"
#include "runtime/load.h"

struct check {
    const char *format;
    enum stability stability;
    bool community;
    const char *config_format, *extra_args;
    bool bypass;
    bool strict; /* warnings fail */
    struct language language;
    struct diags diags;
};

#define NO_CONVERTER "this build does not convert other formats"

static const struct flag check_flags[] = {
    FLAG(struct check, format, "format", FLAG_TEXT, "text", "How faults are printed.",
         .one_of = (const char *const[]){"text", "json", NULL}),
    FLAG(struct check, stability, "stability.level", FLAG_STABILITY, "generally-available",
         "Least stable features allowed."),
    FLAG(struct check, community, "feature.community-components.enabled", FLAG_BOOL, "false",
         "Allow community components."),
};
static const struct flag validate_flags[] = {
    FLAG(struct check, config_format, "config.format", FLAG_TEXT, "alloy", "Format of the file.",
         .refused = NO_CONVERTER),
    FLAG(struct check, bypass, "config.bypass-conversion-errors", FLAG_BOOL, "false",
         "Go on after conversion errors.", .unheeded = NO_CONVERTER),
    FLAG(struct check, extra_args, "config.extra-args", FLAG_TEXT, "",
         "Arguments of the converter.", .unheeded = NO_CONVERTER),
    FLAG(struct check, stability, "stability.level", FLAG_STABILITY, "generally-available",
         "Least stable features allowed."),
    FLAG(struct check, community, "feature.community-components.enabled", FLAG_BOOL, "false",
         "Allow community components."),
};

static void compile(struct check *c, struct tree_set *trees)
{
    struct compile_opts o = language_opts(&c->language, c->stability, c->community, true);
    struct template *t = NULL;
    if (template_compile(&o, trees, &c->diags, &t) == 0) template_unref(t);
}

/* False when it could not be read. */
static bool check_path(struct check *c, const char *path)
{
    struct source_set files;
    struct tree_set trees;
    char *err = NULL;
    if (source_set_read(path, &files, &err) < 0) {
        if (strcmp(c->format, "json") == 0)
            diag_error(&c->diags, DIAG_CONFIG_READ, NO_SPAN, "%s", err);
        else
            fail("%s", err);
        free(err);
        return false;
    }
    if (source_set_parse(&files, &trees, &c->diags) == 0) compile(c, &trees);
    source_set_done(&files);
    return true;
}

static bool passed(const struct check *c)
{
    return c->diags.n_errors == 0 && !(c->strict && c->diags.list.n > 0);
}

static int print_json(const struct check *c, bool all_read)
{
    struct buf out = BUF_INIT(SIZE_MAX / 2);
    diags_json(&c->diags, &out);
    buf_ch(&out, '\n');
    fwrite(out.p, 1, out.n, stdout);
    buf_done(&out);
    return passed(c) && all_read ? 0 : 1;
}

static int print_text(const struct check *c, bool all_read)
{
    report_diags(&c->diags);
    if (c->diags.list.n > 0) putchar('\n');
    fflush(stdout);
    if (!passed(c)) return fail("%s failed", c->strict ? "validation" : "check");
    return all_read ? 0 : 1;
}

static int run_check(struct check *c, const arg_list *paths)
{
    bool all_read = true, json = strcmp(c->format, "json") == 0;
    language_init(&c->language, NULL, NULL);
    diags_init(&c->diags);
    for (size_t i = 0; i < paths->n; i++)
        all_read &= check_path(c, paths->v[i]);
    int code = json ? print_json(c, all_read) : print_text(c, all_read);
    diags_done(&c->diags);
    language_done(&c->language);
    return code;
}

static int run_form(const struct command *form, struct check *c, int argc, char **argv)
{
    arg_list paths = {0};
    int rc = command_parse(form, argc, argv, c, &paths);
    int code = rc == 0 ? run_check(c, &paths) : rc < 0;
    vec_done(&paths);
    return code;
}

static int cmd_check(int argc, char **argv)
{
    return run_form(&check_command, &(struct check){0}, argc, argv);
}

static int cmd_validate(int argc, char **argv)
{
    return run_form(&validate_command, &(struct check){.format = "text", .strict = true}, argc,
                    argv);
}

const struct command check_command = {
    .name = "check",
    .usage = "[flags] PATH...",
    .summary = "Find every fault of configurations without running them",
    .flags = {check_flags, ARRAY_LEN(check_flags)},
    .min_args = 1,
    .max_args = ARGS_ANY,
    .files = true,
    .run = cmd_check,
};

const struct command validate_command = {
    .name = "validate",
    .usage = "[flags] PATH",
    .summary = "Check with Alloy's flags and strictness: warnings fail too",
    .flags = {validate_flags, ARRAY_LEN(validate_flags)},
    .min_args = 1,
    .max_args = 1,
    .files = true,
    .run = cmd_validate,
};
