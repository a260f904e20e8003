/* A subcommand of weir: one const row at the end of the file that does its work. Dispatch, help and
 * shell completion are derived from it; nothing about a command stands anywhere else. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "base/buf.h"
#include "cmd/flags.h"

#define ARGS_ANY UINT8_MAX

struct command {
    const char *name, *alias;
    const char *usage;   /* what stands behind the name: "[flags] PATH..." */
    const char *summary; /* one line, an imperative without a full stop */
    const char *about;   /* more, for its own help; NULL: nothing */
    struct flag_table flags;
    u8 min_args, max_args; /* arguments it takes; max ARGS_ANY: as many as there are */
    bool files;            /* they are paths */
    /* Else: appends every argument it knows, "word\tmeaning\n" each. NULL: there are none to name.
     */
    void (*words)(struct buf *out);
    /* argv[0] is the command's name, argv[-1] the program's. Returns the exit code. */
    int (*run)(int argc, char **argv);
};

extern const struct command run_command, check_command, validate_command, fmt_command,
    graph_command, eval_command, explain_command, completion_command, version_command, help_command;

/* All commands in the order of the help; NULL past the end. */
const struct command *command_at(size_t i);
/* By name or alias; NULL when there is none. */
const struct command *command_find(struct str name);

/* Fills out (the command's struct) and args from the command line and counts the arguments. 0: go
 * on. 1: it was asked for help, which is printed. -EINVAL: the message is printed. */
int command_parse(const struct command *c, int argc, char **argv, void *out, arg_list *args);
void command_help(const struct command *c, FILE *to);

/* Whether the program was called by the name `alloy`. */
bool called_as_alloy(const char *program);

#endif
