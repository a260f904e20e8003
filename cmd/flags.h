/* Command line flags from a table: --name=value, --name value, --bool, --bool=false; arguments may
 * stand between flags, "--" ends them. Messages are those scripts know from pflag. */
#ifndef CMD_FLAGS_H
#define CMD_FLAGS_H

#include "base/vec.h"

enum flag_kind { FLAG_BOOL, FLAG_INT, FLAG_TEXT, FLAG_DURATION, FLAG_SIZE, FLAG_STABILITY };

struct flag {
    const char *name;
    enum flag_kind kind;
    size_t off;      /* of bool, i64, const char *, i64 (ns), i64 (bytes), enum stability in the
                        command's struct */
    const char *def; /* as text */
    const char *help;
    /* Set to another value than the default: why that has no effect (a warning), or cannot be (an
     * error). */
    const char *unheeded, *refused;
    bool deprecated; /* a notice, no effect */
};

#define FLAG(T, m, nm, k, d, h, ...)                                                               \
    {                                                                                              \
        .name = (nm), .kind = (k), .off = offsetof(T, m), .def = (d), .help = (h), ##__VA_ARGS__   \
    }

struct flag_table {
    const struct flag *rows;
    size_t n;
};

typedef VEC(const char *) arg_list;

/* Fills out with defaults, then with what argv says (argv[0] is skipped); arguments go to args. 0,
 * or -EINVAL with the message on stderr. Texts are borrowed from argv. *ret_help: --help or -h was
 * given. */
int flags_parse(const struct flag_table *t, int argc, char **argv, void *out, arg_list *args,
                bool *ret_help);
/* The table as help text. */
void flags_print(const struct flag_table *t, FILE *to);

#endif
