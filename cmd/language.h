/* What compiling a configuration needs, for run, check and graph alike: the registry, the blocks
 * that are no components, the standard library. */
#ifndef CMD_LANGUAGE_H
#define CMD_LANGUAGE_H

#include "runtime/logging.h"
#include "components/foreign.h"
#include "runtime/compile/template.h"
#include "stdlib/stdlib.h"

#define LANGUAGE_BLOCKS 9

struct language {
    struct func_env env;
    char host[STDLIB_HOST_MAX];
    struct stdlib *stdlib;
    struct foreign *foreign;       /* components that this build only knows */
    struct foreign *foreign_aside; /* the same, for a thread that compiles beside */
    struct config_use blocks[LANGUAGE_BLOCKS];
};
/* logging, ui, taps: what the logging, http and livedebugging blocks configure; NULL in the
 * checker. */
void language_init(struct language *l, struct logging *logging, void *ui, struct taps *taps);
void language_done(struct language *l);
struct compile_opts language_opts(const struct language *l, enum stability min, bool community,
                                  bool check);

/* The same for one other thread: tables that are made on demand are its own. */
struct compile_opts language_opts_aside(const struct language *l, const struct compile_opts *of);

#endif
