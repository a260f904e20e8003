/* Command line flags from a table: --name=value, --name value, --bool, --bool=false, -b; arguments
 * may stand between flags, "--" ends them. Messages are those scripts know from pflag. */
#ifndef CMD_FLAGS_H
#define CMD_FLAGS_H

#include "base/str.h"
#include "base/buf.h"
#include "base/vec.h"

enum flag_kind { FLAG_BOOL, FLAG_INT, FLAG_TEXT, FLAG_DURATION, FLAG_SIZE, FLAG_STABILITY };

struct flag {
    const char *name;
    char letter; /* -w; only with FLAG_BOOL; 0: none */
    enum flag_kind kind;
    size_t off;      /* of bool, i64, const char *, i64 (ns), i64 (bytes), enum stability in the
                        command's struct */
    const char *def; /* as text */
    const char *help;
    const char *const *one_of; /* FLAG_TEXT: the allowed texts, NULL-terminated; NULL: any */
    bool file;                 /* FLAG_TEXT: names a file or folder; for completion */
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
/* By name, or NULL. */
const struct flag *flags_find(const struct flag_table *t, struct str name);
/* The texts a flag allows, NULL-terminated, or NULL when they are without number. */
const char *const *flag_choices(const struct flag *f);
/* name=value lines of all flags as they are in `in`, sorted by name; no LF behind the last. */
void flags_write(const struct flag_table *t, const void *in, struct buf *out);
/* The table as help text. */
void flags_print(const struct flag_table *t, FILE *to);

#endif
