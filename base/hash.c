/* XXH64, the published algorithm, and a mixer for pairs of hashes. */
#include "base/hash.h"

#include <endian.h>
#include <stdatomic.h>
#include "base/clock.h"

#define PRIME1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define PRIME3 UINT64_C(0x165667B19E3779F9)
#define PRIME4 UINT64_C(0x85EBCA77C2B2AE63)
#define PRIME5 UINT64_C(0x27D4EB2F165667C5)

static u64 load64(const u8 *p)
{
    u64 v;
    memcpy(&v, p, 8);
    return le64toh(v);
}

static u32 load32(const u8 *p)
{
    u32 v;
    memcpy(&v, p, 4);
    return le32toh(v);
}

static u64 rotl(u64 v, int by)
{
    return v << by | v >> (64 - by);
}

static u64 lane_step(u64 lane, u64 input)
{
    return rotl(lane + input * PRIME2, 31) * PRIME1;
}

static u64 lane_merge(u64 h, u64 lane)
{
    return (h ^ lane_step(0, lane)) * PRIME1 + PRIME4;
}

/* The 32-byte stripes, four lanes abreast; leaves *p at the first byte not taken. */
static u64 stripes(const u8 **p, const u8 *end, u64 seed)
{
    u64 lane[4] = {seed + PRIME1 + PRIME2, seed + PRIME2, seed, seed - PRIME1};

    for (; end - *p >= 32; *p += 32) {
        for (int i = 0; i < 4; i++)
            lane[i] = lane_step(lane[i], load64(*p + 8 * i));
    }
    u64 h = rotl(lane[0], 1) + rotl(lane[1], 7) + rotl(lane[2], 12) + rotl(lane[3], 18);
    for (int i = 0; i < 4; i++)
        h = lane_merge(h, lane[i]);
    return h;
}

static u64 tail(u64 h, const u8 *p, const u8 *end)
{
    for (; end - p >= 8; p += 8)
        h = rotl(h ^ lane_step(0, load64(p)), 27) * PRIME1 + PRIME4;
    if (end - p >= 4) {
        h = rotl(h ^ load32(p) * PRIME1, 23) * PRIME2 + PRIME3;
        p += 4;
    }
    for (; p < end; p++)
        h = rotl(h ^ *p * PRIME5, 11) * PRIME1;
    return h;
}

u64 hash_bytes(const void *data, size_t n, u64 seed)
{
    const u8 *p = n ? data : (const u8 *)"", *end = p + n;
    u64 h = n >= 32 ? stripes(&p, end, seed) : seed + PRIME5;

    h = tail(h + n, p, end);
    h = (h ^ h >> 33) * PRIME2;
    h = (h ^ h >> 29) * PRIME3;
    return h ^ h >> 32;
}

u64 hash_mix(u64 a, u64 b)
{
    unsigned __int128 wide = (unsigned __int128)(a ^ PRIME1) * (b ^ PRIME3);

    return (u64)wide ^ (u64)(wide >> 64);
}

/* --- quick --- */

/* Both halves of a product depend on all bits of both factors, except when one of them is zero:
 * then what came before is still there. */
static inline u64 fold(u64 h, u64 x, u64 y)
{
    unsigned __int128 wide = (unsigned __int128)x * (y ^ h);

    return rotl(h, 29) ^ (u64)wide ^ (u64)(wide >> 64);
}

/* Fewer than 16 bytes as two words; the length is hashed, too. */
static inline void short_words(const u8 *p, size_t n, u64 *x, u64 *y)
{
    if (n >= 8) {
        *x = load64(p);
        *y = load64(p + n - 8);
    } else if (n >= 4) {
        *x = load32(p);
        *y = load32(p + n - 4);
    } else {
        *x = n ? (u64)p[0] << 16 | (u64)p[n / 2] << 8 | p[n - 1] : 0;
        *y = 0;
    }
}

u64 hash_quick(const void *data, size_t n, u64 seed)
{
    const u8 *p = n ? data : (const u8 *)"", *end = p + n;
    u64 key = seed ^ PRIME1, a = seed + PRIME2, b = seed + PRIME3, x, y;

    for (; end - p >= 32; p += 32) {
        a = fold(a, load64(p) ^ key, load64(p + 8));
        b = fold(b, load64(p + 16) ^ key, load64(p + 24));
    }
    if (end - p >= 16) {
        a = fold(a, load64(p) ^ key, load64(p + 8));
        p += 16;
    }
    if (n >= 16) {
        x = load64(end - 16);
        y = load64(end - 8);
    } else {
        short_words(p, n, &x, &y);
    }
    a = fold(a, x ^ key, y);
    return fold(a ^ n, b ^ PRIME4, PRIME5);
}

/* The one process-wide value: tables of all threads must agree on it, and it never changes once
 * drawn. */
u64 hash_process_seed(void)
{
    static _Atomic u64 seed;
    u64 drawn = atomic_load_explicit(&seed, memory_order_relaxed);

    if (LIKELY(drawn)) return drawn;
    u64 fresh = random_u64() | 1;
    return atomic_compare_exchange_strong(&seed, &drawn, fresh) ? fresh : drawn;
}
