/* The names of addresses (reverse DNS, /etc/hosts), asked on the offload pool and remembered: what
 * was used least lately is forgotten. A few questions are asked at a time; the others wait for
 * their turn, so that senders with invented addresses do not keep the pool from its other work. One
 * loop. */
#ifndef NET_REVERSE_NAMES_H
#define NET_REVERSE_NAMES_H

#include "net/loop.h"
#include "base/str.h"

struct reverse_names;
/* answered(arg, ip): ip is known now. capacity: addresses remembered, at least 1. */
struct reverse_names *reverse_names_new(struct offload *pool, struct loop *loop, size_t capacity,
                                        void (*answered)(void *arg, struct str ip), void *arg);
/* Questions on their way answer nobody. Takes NULL. */
void reverse_names_free(struct reverse_names *r);
/* The names, each that has a dot ending in one ("host.example.org.,localhost"), "" when it has
 * none; valid until the next call. .p NULL: not known yet, `answered` comes. */
struct str reverse_names_get(struct reverse_names *r, struct str ip);

/* What is asked, on a pool thread; may be replaced in tests. Owned. */
extern char *(*reverse_names_ask)(const char *ip);

#endif
