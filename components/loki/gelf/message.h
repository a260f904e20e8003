/* A GELF message: JSON, compressed or not. Pure. Source: GELF's description by Graylog, and the
 * fields that Alloy reads and writes. */
#ifndef COMPONENTS_LOKI_GELF_MESSAGE_H
#define COMPONENTS_LOKI_GELF_MESSAGE_H

#include "base/arena.h"
#include "base/buf.h"

#define GELF_PLAIN_MAX ((size_t)4 << 20) /* of a message, decompressed */

struct gelf_message {
    struct str host, version, facility; /* views into the text, or into scratch */
    i64 level;
    bool has_time;
    i64 time; /* ns since 1970 */
};
/* The JSON text of a payload: itself, or what it is compressed from, in `plain` (a limit of
 * GELF_PLAIN_MAX or less). 0, -EBADMSG, -E2BIG, -ENOMEM with *ret_why. */
int gelf_unpack(struct str payload, struct buf *plain, struct str *ret, const char **ret_why);
/* Reads it, and appends the line that is made of it: the fields that GELF knows, then all others in
 * the sender's order, values as they were written. 0, or -EBADMSG with *ret_why. */
int gelf_parse(struct str text, struct arena *scratch, struct gelf_message *ret, struct buf *line,
               const char **ret_why);
/* "" when there is none. */
const char *gelf_level_name(i64 level);

#endif
