/* The program: finds the command (cmd/command.h) and runs it. */
#include <malloc.h>
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/platform.h"
#include "cmd/report.h"

/* ---- version ---- */

static int print_version(const char *program)
{
    printf("%s, version v%s (branch: , revision: %s)\n",
           called_as_alloy(program) ? "alloy" : "weir", WEIR_VERSION, WEIR_REVISION);
    printf("  build user:       \n  build date:       \n");
    printf("  go version:       none (C, %s)\n", __VERSION__);
    printf("  platform:         " WEIR_PLATFORM "\n");
#ifdef HAVE_LIBSYSTEMD
    printf("  tags:             libsystemd\n");
#else
    printf("  tags:             nosystemd (the library was missing: no journal)\n");
#endif
    return 0;
}

static int cmd_version(int argc, char **argv)
{
    arg_list none = {0};
    int rc = command_parse(&version_command, argc, argv, NULL, &none);
    vec_done(&none);
    return rc == 0 ? print_version(argv[-1]) : rc < 0;
}

const struct command version_command = {
    .name = "version",
    .usage = "",
    .summary = "Print the version",
    .run = cmd_version,
};

/* ---- help ---- */

static int print_usage(void)
{
    const struct command *c;
    puts("Weir collects, changes and sends on logs, metrics and traces, as a configuration says.\n"
         "\nUsage:\n  weir COMMAND [flags] [arguments]\n\nCommands:");
    for (size_t i = 0; (c = command_at(i)); i++)
        printf("  %-11s %s\n", c->name, c->summary);
    puts("\nFlags:\n  -h, --help     this text\n  -v, --version  the version\n\n`weir COMMAND "
         "--help` says what a command takes.");
    return 0;
}

static int unknown_command(const char *name)
{
    const struct command *c, *near = NULL;
    int best = 4;
    for (size_t i = 0; (c = command_at(i)); i++) {
        int d = str_distance(str_of(name), str_of(c->name), best);
        if (d < best) best = d, near = c;
    }
    if (!near) return fail("unknown command \"%s\" for \"weir\"", name);
    return fail("unknown command \"%s\" for \"weir\"; did you mean \"%s\"?", name, near->name);
}

static int help_about(const char *name)
{
    const struct command *c = command_find(str_of(name));
    if (!c) return unknown_command(name);
    command_help(c, stdout);
    return 0;
}

static int cmd_help(int argc, char **argv)
{
    arg_list args = {0};
    int rc = command_parse(&help_command, argc, argv, NULL, &args);
    int code = rc ? rc < 0 : args.n ? help_about(args.v[0]) : print_usage();
    vec_done(&args);
    return code;
}

static void command_words(struct buf *out)
{
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)); i++)
        buf_printf(out, "%s\t%s\n", c->name, c->summary);
}

const struct command help_command = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "List the commands, or say what one takes",
    .max_args = 1,
    .words = command_words,
    .run = cmd_help,
};

/* ---- dispatch ---- */

static int dispatch(int argc, char **argv)
{
    if (argc < 2) return print_usage();
    struct str first = str_of(argv[1]);
    if (str_is(first, "--version") || str_is(first, "-v")) return print_version(argv[0]);
    if (str_is(first, "--help") || str_is(first, "-h")) return print_usage();
    const struct command *c = command_find(first);
    if (c) return c->run(argc - 1, argv + 1);
    return argv[1][0] == '-' ? fail("unknown flag: %s", argv[1]) : unknown_command(argv[1]);
}

/* What was printed must also have been written. */
static int finish(int code)
{
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    return code == 0 && !written ? fail("cannot write to standard output") : code;
}

int main(int argc, char **argv)
{
    /* One heap: batches are made on one thread and freed on another; with a heap per thread memory
     * spreads and costs more CPU. */
    mallopt(M_ARENA_MAX, 1);
    /* libcurl may bring GnuTLS along for protocols that are not used here. It sets itself up when
     * it is loaded, unless it is told not to: 0.6 MiB. Here, since no thread reads the environment
     * yet. */
    setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 0);
    return finish(dispatch(argc, argv));
}
