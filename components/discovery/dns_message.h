/* The records of a DNS answer that discovery.dns makes targets of. Pure; answers are hostile. */
#ifndef COMPONENTS_DISCOVERY_DNS_MESSAGE_H
#define COMPONENTS_DISCOVERY_DNS_MESSAGE_H

#include "base/str.h"

#define DNS_NAME_MAX 1026 /* with the dot at the end and the zero */

enum dns_type { DNS_A = 1, DNS_NS = 2, DNS_MX = 15, DNS_AAAA = 28, DNS_SRV = 33 };

struct dns_record {
    enum dns_type type;
    char text[DNS_NAME_MAX]; /* an address, or a name with a dot at its end */
    unsigned port;           /* SRV */
};
/* Calls fn for each answer of a type above, in order; others (CNAME) are passed over. 0, or
 * -EBADMSG: the message is broken, what was told before stands. */
int dns_answers(struct str message, void (*fn)(void *arg, const struct dns_record *r), void *arg);

#endif
