/* weir completion SHELL: prints a script with which the shell asks weir itself what may stand next,
 * so that commands, flags and names are known from the tables and nowhere else:
 *
 *     weir completion words -- WORD... LAST
 *
 * answers with what may stand in the place of LAST, "word\tmeaning" a line, or with the line
 * ":files" when that is a path. */
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/report.h"

#define WORDS_MAX (1u << 20)

/* ---- the scripts ---- */

/* Bash cuts words at '='; they are joined again, and what stands before the '=' is left out of the
 * answer. */
static const char bash_script[] =
    "# weir completion bash: load it with  source <(weir completion bash)\n"
    "_weir() {\n"
    "    local words=() word line value\n"
    "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD}\"; do\n"
    "        if ((${#words[@]})) && [[ $word == = || ${words[-1]} == --*= ]]; then\n"
    "            words[-1]+=$word\n"
    "        else\n"
    "            words+=(\"$word\")\n"
    "        fi\n"
    "    done\n"
    "    value=${words[-1]}\n"
    "    [[ $value == --*=* ]] && value=${value#*=}\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        if [[ $line == :files ]]; then\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            mapfile -t COMPREPLY < <(compgen -f -- \"$value\")\n"
    "        else\n"
    "            line=${line%%$'\\t'*}\n"
    "            [[ $line == --*=* ]] && line=${line#*=}\n"
    "            COMPREPLY+=(\"$line\")\n"
    "        fi\n"
    "    done < <(\"${COMP_WORDS[0]}\" completion words -- \"${words[@]}\" 2>/dev/null)\n"
    "}\n"
    "complete -F _weir weir\n";

static const char zsh_script[] =
    "#compdef weir\n"
    "# weir completion zsh: load it with  source <(weir completion zsh)\n"
    "_weir() {\n"
    "    local line files=0\n"
    "    local -a found\n"
    "    while IFS= read -r line; do\n"
    "        if [[ $line == :files ]]; then\n"
    "            files=1\n"
    "        else\n"
    "            found+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
    "        fi\n"
    "    done < <(\"${words[1]}\" completion words -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
    "    if ((files)); then\n"
    "        compset -P '--*='\n"
    "        _files\n"
    "    else\n"
    "        _describe weir found\n"
    "    fi\n"
    "}\n"
    "if [[ $funcstack[1] == _weir ]]; then\n"
    "    _weir \"$@\"\n"
    "else\n"
    "    compdef _weir weir\n"
    "fi\n";

static const char fish_script[] =
    "# weir completion fish: load it with  weir completion fish | source\n"
    "function __weir_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l last (commandline -ct)\n"
    "    set -l program $words[1]\n"
    "    set -e words[1]\n"
    "    for line in ($program completion words -- $words \"$last\" 2>/dev/null)\n"
    "        if test \"$line\" = :files\n"
    "            set -l flag (string match -r -- '^--[^=]*=' \"$last\")\n"
    "            for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' "
    "\"$last\"))\n"
    "                echo \"$flag$path\"\n"
    "            end\n"
    "        else\n"
    "            echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c weir -f -a '(__weir_complete)'\n";

static const struct shell {
    const char *name, *script;
} shells[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

/* ---- what may stand next ---- */

/* Prints the lines of text that begin with last, each behind prefix. */
static void answer_lines(struct str text, const char *prefix, int prefix_n, struct str last)
{
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        if (str_starts(line, last)) printf("%.*s" STR_FMT "\n", prefix_n, prefix, STR_ARG(line));
    }
}

static void answer_values(const struct flag *f, const char *prefix, int prefix_n, struct str last)
{
    const char *const *choices = flag_choices(f);
    for (size_t i = 0; choices && choices[i]; i++)
        if (str_starts(str_of(choices[i]), last))
            printf("%.*s%s\t%s\n", prefix_n, prefix, choices[i], f->help);
    if (f->file) puts(":files");
}

static void answer_flags(const struct command *c, struct str last)
{
    struct buf all = BUF_INIT(WORDS_MAX);
    for (size_t i = 0; i < c->flags.n; i++)
        if (!c->flags.rows[i].deprecated)
            buf_printf(&all, "--%s\t%s\n", c->flags.rows[i].name, c->flags.rows[i].help);
    buf_cstr(&all, "--help\tWhat the command takes.\n");
    answer_lines(buf_view(&all), "", 0, last);
    buf_done(&all);
}

static void answer_arguments(const struct command *c, struct str last)
{
    struct buf all = BUF_INIT(WORDS_MAX);
    if (c->files) puts(":files");
    if (c->words) c->words(&all);
    answer_lines(buf_view(&all), "", 0, last);
    buf_done(&all);
}

static void answer_commands(struct str last)
{
    struct buf all = BUF_INIT(WORDS_MAX);
    help_command.words(&all);
    if (last.n > 0) buf_cstr(&all, "--help\tThe commands.\n--version\tThe version.\n");
    answer_lines(buf_view(&all), "", 0, last);
    buf_done(&all);
}

/* The flag whose value is being written behind it, as the next word; NULL when there is none. */
static const struct flag *open_flag(const struct command *c, const char *word)
{
    const struct flag *f = NULL;
    if (str_starts(str_of(word), STR("--"))) f = flags_find(&c->flags, str_of(word + 2));
    return f && f->kind != FLAG_BOOL ? f : NULL;
}

static bool flags_ended(const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(str_of(words[i]), "--")) return true;
    return false;
}

/* words: those of the command, n > 0; the last is to be completed. */
static void answer_command(const struct command *c, const char *const *words, size_t n)
{
    struct str last = str_of(words[n - 1]), value = last;
    struct str name = str_cut(&value, '=');
    if (flags_ended(words, n - 1)) {
        answer_arguments(c, last);
        return;
    }
    const struct flag *f = n > 1 ? open_flag(c, words[n - 2]) : NULL;
    if (f) {
        answer_values(f, "", 0, last);
    } else if (str_starts(last, STR("-")) && value.p) {
        f = name.n > 2 ? flags_find(&c->flags, str_sub(name, 2, name.n)) : NULL;
        if (f) answer_values(f, last.p, (int)name.n + 1, value);
    } else if (str_starts(last, STR("-"))) {
        answer_flags(c, last);
    } else {
        answer_arguments(c, last);
    }
}

static void answer(const char *const *words, size_t n)
{
    const struct command *c = n > 1 ? command_find(str_of(words[0])) : NULL;
    if (n == 1) answer_commands(str_of(words[0]));
    if (c) answer_command(c, words + 1, n - 1);
}

/* ---- the command ---- */

static void shell_words(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(shells); i++)
        buf_printf(out, "%s\tA script for %s.\n", shells[i].name, shells[i].name);
}

static int complete(const arg_list *args)
{
    struct str what = str_of(args->v[0]);
    if (str_is(what, "words")) {
        answer(args->v + 1, args->n - 1);
        return 0;
    }
    if (args->n > 1) return fail("accepts 1 arg(s), received %zu", args->n);
    for (size_t i = 0; i < ARRAY_LEN(shells); i++)
        if (str_is(what, shells[i].name)) {
            fputs(shells[i].script, stdout);
            return 0;
        }
    return fail("there is no completion for \"%s\": it is bash, zsh or fish", args->v[0]);
}

static int cmd_completion(int argc, char **argv)
{
    arg_list args = {0};
    int rc = command_parse(&completion_command, argc, argv, NULL, &args);
    int code = rc == 0 ? complete(&args) : rc < 0;
    vec_done(&args);
    return code;
}

const struct command completion_command = {
    .name = "completion",
    .usage = "bash|zsh|fish",
    .summary = "Print a script that completes commands, flags and names in a shell",
    .about = "The scripts ask `weir completion words -- WORD... LAST` what may stand in the place "
             "of LAST.",
    .min_args = 1,
    .max_args = ARGS_ANY,
    .words = shell_words,
    .run = cmd_completion,
};
