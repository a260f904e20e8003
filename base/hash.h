/* Non-cryptographic hashes. hash_bytes is stable across processes and versions (XXH64): it may be
 * stored and sent. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

u64 hash_bytes(const void *p, size_t n, u64 seed);
static inline u64 hash_str(struct str s)
{
    return hash_bytes(s.p, s.n, 0);
}
u64 hash_mix(u64 a, u64 b);
/* In a third of the time of hash_bytes: for what is hashed again and again within one process. It
 * may differ from version to version. Whoever knows the seed can find texts that collide. */
u64 hash_quick(const void *p, size_t n, u64 seed);
/* CRC-32C (Castagnoli) of n bytes more; start with 0. By the CPU's instruction where there is one.
 */
u32 crc32c(u32 crc, const void *p, size_t n);
/* A value drawn once per process; seeds tables whose keys come from outside. */
u64 hash_process_seed(void);

#endif
