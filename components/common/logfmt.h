/* logfmt: key=value pairs of a text, as go-logfmt reads them. Bytes up to a blank separate; a value
 * may stand in quotes, with JSON's escapes; a key without `=` has an empty value. The first fault
 * ends the scan: = or " where none may be, a quote that does not end on its line, a bad escape, bad
 * UTF-8 in a key. */
#ifndef COMPONENTS_COMMON_LOGFMT_H
#define COMPONENTS_COMMON_LOGFMT_H

#include "base/arena.h"

struct logfmt {
    const char *p, *end;
    struct arena *scratch; /* values with escapes are decoded into it */
    struct str key, value; /* of the pair found; views of the text otherwise */
    bool failed;
};
void logfmt_init(struct logfmt *l, struct str text, struct arena *scratch);
/* True while there is another pair; over the lines of a text as if they were one. */
bool logfmt_next(struct logfmt *l);

#endif
