/* weir fmt [-w|--write] [-t|--test] [FILE|-]: prints a configuration in canonical form, rewrites
 * the file, or tests it. Only syntax matters here; components and references are not looked at. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "cmd/command.h"
#include "cmd/input.h"
#include "cmd/report.h"
#include "parser/parser.h"
#include "parser/printer.h"

struct fmt {
    bool write, test;
    const char *path; /* "-": standard input */
    struct buf in, out;
};

/* --- faults --- */

static int fail_diags(const struct diags *d)
{
    struct buf b = BUF_INIT(SIZE_MAX);
    for (size_t i = 0; i < d->list.n; i++) {
        diag_line(&d->list.v[i], &b);
        buf_ch(&b, '\n');
    }
    fwrite(b.p, 1, b.n, stderr);
    buf_done(&b);
    return fail("encountered errors during formatting");
}

static int fail_read(const struct fmt *f, int rc)
{
    if (rc == -EISDIR) return fail("cannot format a directory");
    return fail("cannot read %s: %s", input_name(f->path), strerror(-rc));
}

/* --- the command --- */

static int emit(const struct fmt *f)
{
    struct str in = buf_view(&f->in), out = buf_view(&f->out);
    bool same = str_eq(in, out);
    if (f->test) return same ? 0 : fail("file %s is not formatted correctly", input_name(f->path));
    if (f->write) {
        int rc = same ? 0 : input_write(f->path, out);
        return rc ? fail("cannot write %s: %s", f->path, strerror(-rc)) : 0;
    }
    if (fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0)
        return fail("cannot write to standard output: %s", strerror(errno));
    return 0;
}

static int format(struct fmt *f)
{
    struct source *src = source_new(input_name(f->path), buf_view(&f->in));
    struct diags diags;
    diags_init(&diags);
    struct tree *t = parse_file(src, &diags);
    if (t) print_tree(t, &f->out);
    int code = !t ? fail_diags(&diags) : buf_err(&f->out) ? fail("out of memory") : emit(f);
    tree_free(t);
    diags_done(&diags);
    source_unref(src);
    return code;
}

static int run(struct fmt *f)
{
    if (f->write && f->test) return fail("cannot use -w/--write and -t/--test at the same time");
    if (f->write && str_is(str_of(f->path), "-")) return fail("cannot use -w with standard input");
    int rc = input_read(f->path, &f->in);
    return rc ? fail_read(f, rc) : format(f);
}

static const struct flag fmt_flags[] = {
    FLAG(struct fmt, write, "write", FLAG_BOOL, "false", "Rewrite the file when its form changes.",
         .letter = 'w'),
    FLAG(struct fmt, test, "test", FLAG_BOOL, "false",
         "Print nothing; fail when the form would change.", .letter = 't'),
};

static int cmd_fmt(int argc, char **argv)
{
    struct fmt f = {.in = BUF_INIT(SIZE_MAX), .out = BUF_INIT(SIZE_MAX)};
    arg_list args = {0};
    int rc = command_parse(&fmt_command, argc, argv, &f, &args);
    f.path = args.n ? args.v[0] : "-";
    int code = rc == 0 ? run(&f) : rc < 0;
    vec_done(&args);
    buf_done(&f.in);
    buf_done(&f.out);
    return code;
}

const struct command fmt_command = {
    .name = "fmt",
    .alias = "format",
    .usage = "[flags] [FILE|-]",
    .summary = "Print or rewrite a configuration in canonical form",
    .flags = {fmt_flags, ARRAY_LEN(fmt_flags)},
    .max_args = 1,
    .files = true,
    .run = cmd_fmt,
};
