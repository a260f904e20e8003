/* The program: a table of commands. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include "base/str.h"
#include "cmd/check.h"
#include "cmd/eval.h"
#include "cmd/explain.h"
#include "cmd/fmt.h"
#include "cmd/graph.h"
#include "cmd/platform.h"
#include "cmd/report.h"
#include "cmd/run.h"

static bool called_as_alloy(const char *program)
{
    struct str name = str_of(program);
    ssize_t slash = str_rchr(name, '/');
    return str_is(str_sub(name, (size_t)(slash + 1), name.n), "alloy");
}

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

/* ---- commands ---- */

static int command_help(int argc, char **argv);
static int command_version(int argc, char **argv);
static int command_run(int argc, char **argv);

static const struct command {
    const char *name, *alias, *usage, *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name, argv[-1] the program's */
} commands[] = {
    {"run", NULL, "run [flags] PATH",
     "run a configuration: a file, or a directory of *.alloy and *.river", command_run},
    {"check", NULL, "check [--format=json] PATH...",
     "find every fault of configurations without running them", cmd_check},
    {"validate", NULL, "validate [flags] PATH", "the same with Alloy's flags; warnings fail too",
     cmd_validate},
    {"fmt", "format", "fmt [-w|-t] [FILE|-]", "print or rewrite a configuration in canonical form",
     cmd_fmt},
    {"graph", NULL, "graph [--dot|--json] PATH|-", "draw components and what flows between them",
     cmd_graph},
    {"eval", NULL, "eval EXPRESSION", "evaluate an expression of the language", cmd_eval},
    {"explain", NULL, "explain [--json] [NAME]",
     "list the components, or say what one takes and gives", cmd_explain},
    {"version", NULL, "version", "print the version", command_version},
    {"help", NULL, "help [COMMAND]", "print this, or the flags of a command", command_help},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0 ||
            (commands[i].alias && strcmp(commands[i].alias, name) == 0))
            return &commands[i];
    return NULL;
}

static int print_usage(void)
{
    puts("Weir collects, changes and sends on logs, metrics and traces, as a configuration "
         "says.\n\nUsage:");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        printf("  weir %-32s %s\n", commands[i].usage, commands[i].summary);
    puts("\nFlags:\n  -h, --help     this text\n  -v, --version  the version\n\n`weir COMMAND "
         "--help` lists the flags of a command.");
    return 0;
}

static int unknown_command(const char *name)
{
    return fail("unknown command \"%s\" for \"weir\"", name);
}

static int command_run(int argc, char **argv)
{
    return cmd_run(argc, argv, called_as_alloy(argv[-1]));
}

static int command_version(int argc, char **argv)
{
    return print_version(argv[-1]);
}

static int command_help(int argc, char **argv)
{
    if (argc < 2) return print_usage();
    const struct command *c = find_command(argv[1]);
    if (!c) return unknown_command(argv[1]);
    if (c->run == command_help || c->run == command_version) return print_usage();
    char flag[] = "--help";
    char *help[] = {argv[-1], argv[1], flag, NULL};
    return c->run(2, help + 1);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) return print_usage();
    const char *first = argv[1];
    if (strcmp(first, "--version") == 0 || strcmp(first, "-v") == 0) return print_version(argv[0]);
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) return print_usage();
    const struct command *c = find_command(first);
    if (c) return c->run(argc - 1, argv + 1);
    return first[0] == '-' ? fail("unknown flag: %s", first) : unknown_command(first);
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
    return finish(dispatch(argc, argv));
}
