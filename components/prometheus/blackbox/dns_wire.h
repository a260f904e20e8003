/* Messages of DNS (RFC 1035): the question of a probe, and the records of what comes back. Pure;
 * answers are hostile. */
#ifndef COMPONENTS_PROMETHEUS_BLACKBOX_DNS_WIRE_H
#define COMPONENTS_PROMETHEUS_BLACKBOX_DNS_WIRE_H

#include "base/buf.h"

struct dns_question {
    u16 id, type, class;
    bool recursion;
    struct str name;
};
/* Appends the message. -EINVAL: the name is none. */
int dns_ask(const struct dns_question *q, struct buf *out);

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };
struct dns_reply {
    u8 rcode;
    bool truncated;
    u16 n[DNS_SECTIONS];
    bool has_serial;
    u32 serial; /* of the last SOA among the answers */
};
/* Whether the message answers the question: its id, and that it is an answer at all. */
bool dns_answers_to(struct str message, u16 id);
/* Reads it; fn (may be NULL) gets each record as zone files have it: "name.\t60\tIN\tA\t1.2.3.4".
 * 0, or -EBADMSG: what was told before stands. */
int dns_read(struct str message, struct dns_reply *ret,
             void (*fn)(void *arg, enum dns_section s, struct str record), void *arg);

#endif
