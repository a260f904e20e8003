/* Where messages begin and end (RFC 6587): octet counting ("LEN message") or a delimiter behind
 * each, told by the first byte. Pure; of a connection, or of one datagram. */
#ifndef COMPONENTS_LOKI_SYSLOG_FRAMING_H
#define COMPONENTS_LOKI_SYSLOG_FRAMING_H

#include "base/str.h"

enum syslog_framing_kind { FRAMING_UNKNOWN, FRAMING_COUNTED, FRAMING_DELIMITED };
struct syslog_framing {
    char delimiter; /* '\n', or NUL */
    bool raw;       /* any text; each line may have either framing */
    bool datagram;  /* a line that does not begin with a priority belongs to the one before */
    size_t max;     /* longest message; more of it is cut off */
    enum syslog_framing_kind kind;
    u64 skip;       /* bytes of a cut message still to come */
    bool skip_line; /* its rest, up to the delimiter */
};

enum syslog_frame {
    FRAME_MORE,    /* nothing whole: `in` is what is left, to be given again with more */
    FRAME_MESSAGE, /* *ret is one, without trailing line ends */
    FRAME_CUT,     /* the same, cut at its longest */
    FRAME_SHORT,   /* the end came before all of it */
    FRAME_BROKEN,  /* it cannot be told where the next message begins: *ret_fault says why */
};
/* The next message of *in, which moves behind it. last: nothing will follow. Empty ones are passed
 * over. FRAME_MORE is answered with less than max + 16 bytes left. */
enum syslog_frame syslog_frame_next(struct syslog_framing *f, struct str *in, bool last,
                                    struct str *ret, const char **ret_fault);

#endif
