/* The registry of sockets that others connect or send to: one owner an address, whatever it speaks.
 * An owner that is leaving may be taken over: the new one gets the same descriptor, so that the
 * kernel goes on collecting. Control loop. */
#ifndef NET_LISTEN_SOCKET_H
#define NET_LISTEN_SOCKET_H

#include "base/list.h"
#include "net/http_server.h" /* struct listeners */

struct listeners {
    struct loop *control;
    struct list all; /* of listening sockets */
};

struct listen_socket;
struct socket_owner {
    struct listen_socket *sock; /* NULL after it was taken over */
    bool leaving;
    void (*taken)(struct socket_owner *o); /* it is another's now: forget the descriptor */
};
/* Opens the address for o, or takes it over from an owner that leaves. network is one of tcp, udp
 * (both also with 4 or 6), unix and unixgram. 0 or -errno with an owned *ret_err ("listen tcp 127.0.0.1:80:
 * bind: address already in use"). */
int listen_socket_claim(struct listeners *ls, const char *network, const char *addr,
                        struct socket_owner *o, char **ret_err);
/* Closes the socket unless it was taken over. */
void listen_socket_release(struct socket_owner *o);
int listen_socket_fd(const struct socket_owner *o);
char *listen_socket_addr(const struct socket_owner *o); /* as bound, port filled in; owned */

#endif
