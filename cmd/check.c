/* weir check [flags] PATH...: every fault of every configuration, without running anything. A path
 * is a file, a directory (one configuration of several files), "-", or YAML with configurations
 * inside (runtime/extract.h). A file with faults of syntax does not hide those of the
 * other files of its configuration; of its own text only they are told.
 *
 * `validate` is the same for one path under Alloy's name: of a configuration with faults of syntax
 * it tells those only. Warnings fail it, but not those about components that only this build cannot
 * run. */
#include <stdio.h>
#include <unistd.h>
#include "cmd/command.h"
#include "cmd/language.h"
#include "cmd/report.h"
#include "parser/parser.h"
#include "runtime/extract.h"

struct check {
    const char *format;
    enum stability stability;
    bool community;
    const char *config_format, *extra_args;
    bool bypass;
    bool strict;   /* components that this build cannot run are errors */
    bool yaml;     /* files are YAML whatever they are called */
    bool validate; /* the other command */
    struct language language;
    struct diags diags;
    size_t n_files;
};

#define NO_CONVERTER "this build does not convert other formats"

static const struct flag check_flags[] = {
    FLAG(struct check, format, "format", FLAG_TEXT, "text", "How faults are printed.",
         .one_of = (const char *const[]){"text", "json", NULL}),
    FLAG(struct check, strict, "strict", FLAG_BOOL, "false",
         "Components that this build cannot run are errors, not warnings."),
    FLAG(struct check, yaml, "yaml", FLAG_BOOL, "false",
         "Files and standard input are YAML, whatever they are called."),
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

/* ---- one configuration ---- */

static void compile(struct check *c, struct tree_set *trees, struct diags *diags)
{
    struct compile_opts o = language_opts(&c->language, c->stability, c->community, true);
    struct template *t = NULL;
    if (template_compile(&o, trees, diags, &t) == 0) template_unref(t);
}

/* Whether a finding holds though a file of the configuration could not be parsed: what is missed
 * may stand in it. */
static bool holds(const struct diag *d)
{
    return d->code != DIAG_REFERENCE && d->code != DIAG_COMPONENT_UNKNOWN;
}

static void move_those_that_hold(struct diags *to, struct diags *found)
{
    size_t n = 0;
    found->n_errors = 0;
    vec_each (&found->list, d)
        if (holds(d)) found->list.v[n++] = *d;
    found->list.n = n;
    diags_move(to, found);
}

static void compile_part(struct check *c, struct tree_set *trees)
{
    struct diags found;
    diags_init(&found);
    compile(c, trees, &found);
    move_those_that_hold(&c->diags, &found);
    diags_done(&found);
}

/* Alloy's `validate` goes no further than the syntax of the files when that has faults. */
static void validate_files(struct check *c, const struct source_set *files)
{
    struct tree_set trees;
    if (source_set_parse(files, &trees, &c->diags) == 0) compile(c, &trees, &c->diags);
}

static void check_files(struct check *c, const struct source_set *files)
{
    struct tree_set trees = {0};
    for (size_t i = 0; i < files->files.n; i++) {
        struct tree *t = parse_file(files->files.v[i], &c->diags);
        if (t) vec_push(&trees.trees, t);
    }
    if (trees.trees.n == files->files.n)
        compile(c, &trees, &c->diags);
    else if (trees.trees.n > 0)
        compile_part(c, &trees);
    tree_set_done(&trees);
}

static void check_set(struct check *c, const struct source_set *files)
{
    if (c->validate)
        validate_files(c, files);
    else
        check_files(c, files);
}

/* ---- paths ---- */

static void check_yaml(struct check *c, const struct source_set *file)
{
    source_sets inside = {0};
    extract_yaml(file, &inside, &c->diags);
    vec_each (&inside, files)
        check_set(c, files);
    extract_done(&inside);
}

static bool is_directory(const char *path, const struct source_set *read)
{
    return strcmp(path, "-") != 0 &&
           !(read->files.n == 1 && strcmp(read->files.v[0]->name, path) == 0);
}

static void unreadable(struct check *c, const char *why)
{
    if (strcmp(c->format, "json") == 0)
        diag_error(&c->diags, DIAG_CONFIG_READ, NO_SPAN, "%s", why);
    else
        fail("%s", why);
}

/* False when it could not be read. */
static bool check_path(struct check *c, const char *path)
{
    struct source_set files;
    char *err = NULL;
    if (source_set_read(path, &files, &err) < 0) {
        unreadable(c, err);
        free(err);
        return false;
    }
    c->n_files += files.files.n;
    bool yaml = c->yaml || (!c->validate && extract_by_name(path));
    if (yaml && !is_directory(path, &files))
        check_yaml(c, &files);
    else
        check_set(c, &files);
    source_set_done(&files);
    return true;
}

/* ---- the outcome ---- */

static void apply_strictness(struct check *c)
{
    vec_each (&c->diags.list, d) {
        if (!c->strict || d->code != DIAG_COMPONENT_FOREIGN || d->severity == SEV_ERROR) continue;
        d->severity = SEV_ERROR;
        c->diags.n_errors++;
    }
}

/* Alloy has code for all components, and does not warn of deprecated settings. */
static bool alloy_is_silent(const struct diag *d)
{
    return d->code == DIAG_COMPONENT_FOREIGN || d->code == DIAG_SETTING_DEPRECATED;
}

static bool passed(const struct check *c)
{
    if (c->diags.n_errors > 0) return false;
    bool silent = true;
    for (size_t i = 0; i < c->diags.list.n; i++)
        silent &= alloy_is_silent(&c->diags.list.v[i]);
    return !c->validate || silent;
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

static void count(struct buf *b, const char *before, size_t n, const char *what)
{
    buf_printf(b, "%s%zu %s%s", before, n, what, n == 1 ? "" : "s");
}

/* For people, at the end: a terminal is also told that all is well. */
static int print_summary(const struct check *c, bool all_read)
{
    size_t errors = c->diags.n_errors, warnings = c->diags.list.n - errors;
    struct buf b = BUF_INIT(256);
    if (errors > 0) count(&b, ": ", errors, "error");
    if (warnings > 0) count(&b, errors > 0 ? ", " : ": ", warnings, "warning");
    count(&b, errors + warnings > 0 ? " in " : ": ", c->n_files, "file");
    if (errors > 0)
        fail("check failed%s", b.p);
    else if (all_read && (warnings > 0 || isatty(STDERR_FILENO)))
        fprintf(stderr, "check passed%s\n", b.p);
    buf_done(&b);
    return errors == 0 && all_read ? 0 : 1;
}

static int print_text(const struct check *c, bool all_read)
{
    report_diags(&c->diags);
    if (c->diags.list.n > 0 && !(c->validate && passed(c))) putchar('\n');
    fflush(stdout);
    if (!c->validate) return print_summary(c, all_read);
    return passed(c) ? !all_read : fail("validation failed");
}

static int run_check(struct check *c, const arg_list *paths)
{
    bool all_read = true, json = strcmp(c->format, "json") == 0;
    language_init(&c->language, NULL, NULL, NULL);
    diags_init(&c->diags);
    for (size_t i = 0; i < paths->n; i++)
        all_read &= check_path(c, paths->v[i]);
    apply_strictness(c);
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
    return run_form(&validate_command, &(struct check){.format = "text", .validate = true}, argc,
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
