/* A listening socket of a component that lives on every worker: opened on the control loop, served
 * by the shards, closed by whoever leaves last, so that a changed address opens the new socket
 * before the old one closes. Counted. */
#ifndef COMPONENTS_COMMON_LISTENING_H
#define COMPONENTS_COMMON_LISTENING_H

#include "base/list.h"
#include "runtime/component.h"

struct listening;

/* What it should be; NULL address: nothing. */
struct listening_conf {
    const char *network, *addr;
    struct http_conf http;
};
/* Control loop. Brings *at to conf: keeps the socket (new settings) while the address stays, else
 * opens the new one and lets go of the old. 0; or -errno with an owned *ret_err, and *at as it was.
 */
int listening_set(struct listening **at, const struct host *host, const struct listening_conf *conf,
                  char **ret_err);
/* Lets another owner claim the address unless conf keeps it (NULL: keeps nothing). Takes l == NULL.
 */
void listening_leave(struct listening *l, const struct listening_conf *conf);
struct listening *listening_ref(struct listening *l);
void listening_unref(struct listening *l); /* takes NULL; any loop's thread */
struct str listening_addr(const struct listening *l);
u32 listening_connections(const struct listening *l);

/* One shard's part. Zeroed: serves nothing. Worker. */
struct serving {
    struct listening *l;
    const struct http_handler *handler;
    void *arg;
    struct list leaving;     /* sockets being left */
    void (*idle)(void *arg); /* the last one is left */
};
void serving_init(struct serving *s, const struct http_handler *handler, void *arg,
                  void (*idle)(void *arg));
/* Serves l (NULL: nothing) from now on; requests of the one before finish within grace. */
void serving_set(struct serving *s, struct listening *l, struct loop *loop, i64 grace);
bool serving_idle(const struct serving *s); /* serves nothing and leaves nothing */
/* Forgets sockets that are still being left: idle is not called any more. */
void serving_done(struct serving *s);

#endif
