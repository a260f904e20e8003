/* Echo requests and their replies. Pure. */
#ifndef COMPONENTS_PROMETHEUS_BLACKBOX_ICMP_PACKET_H
#define COMPONENTS_PROMETHEUS_BLACKBOX_ICMP_PACKET_H

#include "base/buf.h"

struct icmp_echo {
    bool v6;
    u16 id, seq;
    size_t payload; /* bytes; 0: as many as the text has */
};
/* Appends the request, with its checksum where the kernel does not make it (IPv4). */
void icmp_request(const struct icmp_echo *e, struct buf *out);
/* Whether a packet (without the head of IP) is the reply; any_id: the kernel gave the request
 * another id. */
bool icmp_is_reply(const struct icmp_echo *e, struct str packet, bool any_id);
/* The packet behind the head of IPv4, which raw sockets give as well; empty: it is none. */
struct str icmp_behind_ip(struct str packet);

#endif
