/* weir fmt [-w|--write] [-t|--test] [FILE|-]: prints a configuration in canonical form, rewrites
 * the file, or tests it. Only syntax matters here; components and references are not looked at. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>
#include "cmd/fmt.h"
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

static const char usage[] = "usage: weir fmt [-w|--write] [-t|--test] [FILE|-]\n"
                            "  -w, --write   rewrite the file when its form changes\n"
                            "  -t, --test    print nothing; fail when the form would change\n";

/* 0: go on; 1: asked for help; -EINVAL: said why. */
static int parse_args(struct fmt *f, int argc, char **argv)
{
    static const struct option options[] = {{"write", no_argument, NULL, 'w'},
                                            {"test", no_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    opterr = 0;
    optind = 0; /* GNU: start over, the command line of weir itself was scanned before */
    for (int c; (c = getopt_long(argc, argv, "wth", options, NULL)) != -1;) {
        if (c == 'h') return 1;
        if (c == 'w')
            f->write = true;
        else if (c == 't')
            f->test = true;
        else
            return fail("unknown flag: %s", argv[optind - 1]), -EINVAL;
    }
    if (argc - optind > 1)
        return fail("accepts at most 1 arg(s), received %d", argc - optind), -EINVAL;
    if (argc - optind == 1) f->path = argv[optind];
    return 0;
}

int cmd_fmt(int argc, char **argv)
{
    struct fmt f = {.path = "-", .in = BUF_INIT(SIZE_MAX), .out = BUF_INIT(SIZE_MAX)};
    int rc = parse_args(&f, argc, argv);
    if (rc > 0) fputs(usage, stdout);
    if (rc == 0)
        rc = run(&f);
    else
        rc = rc < 0;
    buf_done(&f.in);
    buf_done(&f.out);
    return rc;
}
