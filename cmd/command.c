/* The table of commands, and what is alike for all of them: arguments are counted, help is printed.
 */
#include "cmd/command.h"

#include <errno.h>
#include <stdio.h>

#include "cmd/report.h"

static const struct command *const commands[] = {
    &run_command,  &check_command,   &validate_command,   &fmt_command,     &graph_command,
    &eval_command, &explain_command, &completion_command, &version_command, &help_command,
};

const struct command *command_at(size_t i)
{
    return i < ARRAY_LEN(commands) ? commands[i] : NULL;
}

const struct command *command_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (str_is(name, commands[i]->name) ||
            (commands[i]->alias && str_is(name, commands[i]->alias)))
            return commands[i];
    return NULL;
}

void command_help(const struct command *c, FILE *to)
{
    fprintf(to, "%s.\n", c->summary);
    if (c->about) fprintf(to, "\n%s\n", c->about);
    fprintf(to, "\nUsage:\n  weir %s%s%s\n", c->name, *c->usage ? " " : "", c->usage);
    flags_print(&c->flags, to);
}

static int count_args(const struct command *c, size_t n)
{
    if (n >= c->min_args && (n <= c->max_args || c->max_args == ARGS_ANY)) return 0;
    if (c->min_args == c->max_args)
        fail("accepts %d arg(s), received %zu", c->min_args, n);
    else if (n < c->min_args)
        fail("requires at least %d arg(s), only received %zu", c->min_args, n);
    else
        fail("accepts at most %d arg(s), received %zu", c->max_args, n);
    return -EINVAL;
}

int command_parse(const struct command *c, int argc, char **argv, void *out, arg_list *args)
{
    bool help;
    int err = flags_parse(&c->flags, argc, argv, out, args, &help);
    if (err) return err;
    if (!help) return count_args(c, args->n);
    command_help(c, stdout);
    return 1;
}

bool called_as_alloy(const char *program)
{
    struct str name = str_of(program);
    ssize_t slash = str_rchr(name, '/');
    return str_is(str_sub(name, (size_t)(slash + 1), name.n), "alloy");
}
