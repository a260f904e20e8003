/* What became of things that are known by their address: a cache from pointers to pointers, the
 * least recently asked for leaving first (or those that were not asked for in a while). A lookup
 * hashes an address, no text. Memory is charged to the budget and doubles until the maximum is
 * reached: a small set costs little. One thread. */
#ifndef BASE_LRU_H
#define BASE_LRU_H

#include "base/common.h"

struct lru;
struct lru_conf {
    u32 max; /* entries; 0: without limit, lru_expire bounds it then */
    /* An entry leaves: the cache's hold on both ends. Called in the middle of a change. */
    void (*let_go)(void *arg, void *key, void *value);
    void *arg;
};

struct lru *lru_new(const struct lru_conf *conf);
void lru_free(struct lru *c); /* lets all go; takes NULL */
/* True: *ret is the value that was put (may be NULL). It counts as asked for now. */
bool lru_get(struct lru *c, const void *key, i64 now, void **ret);
/* For a key that is not in it. The cache holds both until it lets them go; false: no memory,
 * nothing is held. */
bool lru_put(struct lru *c, void *key, void *value, i64 now);
/* Forgets it, when it is there; whether it was. */
bool lru_del(struct lru *c, const void *key);
/* Forgets at most n of those last asked for before this time; how many. */
u32 lru_expire(struct lru *c, i64 before, u32 n);
u32 lru_count(const struct lru *c);

#endif
