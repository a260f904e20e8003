/* A configuration path read, parsed and compiled: everything of a load that needs no running graph.
 * A reload has it done by a pool thread, so that the control loop only builds and commits. Touches
 * nothing but what it is given; any one thread. */
#ifndef RUNTIME_PREPARED_H
#define RUNTIME_PREPARED_H

#include "runtime/load.h"
#include "runtime/compile/template.h"

/* How far it came. */
enum prepared_stage {
    PREPARED_UNREAD,    /* why says what failed */
    PREPARED_UNCHANGED, /* the contents are those of `unless`: nothing was parsed */
    PREPARED_UNPARSED,  /* faults of syntax in diags */
    PREPARED_UNSOUND,   /* the compiler's faults in diags */
    PREPARED_WHOLE,
};

struct prepared {
    enum prepared_stage stage;
    char *why;               /* owned; only when unread */
    struct source_set files; /* when read */
    struct diags diags;
    struct template *tmpl; /* when whole */
};
/* unless: digest of contents that are not worth another load; NULL: load in any case. */
void prepared_init(struct prepared *p, const char *path, const struct compile_opts *o,
                   const char *unless);
void prepared_done(struct prepared *p);

#endif
