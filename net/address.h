/* Addresses to listen on and peers as text. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>
#include "base/str.h"

struct address {
    struct sockaddr_storage sa;
    socklen_t len;
};

/* network "tcp", "tcp4", "tcp6", the same with udp, "unix", "unixgram" (or an addr
 * "unix:/path"). An empty host
 * is every address, over IPv6 where the machine has it. May look a host name up, which blocks: for
 * start-up and reload only. 0 or -errno with an owned *ret_err. */
int address_parse(const char *network, const char *addr, struct address *ret, char **ret_err);
/* Text as Go prints it: "127.0.0.1:80", "[::1]:80", "/run/x.sock", "@" for a nameless Unix peer. ip
 * (may be NULL) without port. */
void address_format(const struct sockaddr *sa, socklen_t len, char *text, size_t cap, char *ip,
                    size_t ip_cap);

#endif
