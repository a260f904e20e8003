/* Chance, from the kernel's source. */
#include "base/clock.h"
#include "base/digest.h"
#include "components/common/template/run.h"

/* Without the bias of a remainder. */
static u64 below(u64 n)
{
    u64 limit = UINT64_MAX - UINT64_MAX % n, v;
    do
        v = random_u64();
    while (v >= limit);
    return v % n;
}

static struct tval from_set(struct run *r, i64 n, const char *set)
{
    struct buf b = run_buf();
    size_t len = strlen(set);
    if (n < 0) return tv_str((struct str){0});
    if ((u64)n > OUTPUT_LIMIT) return run_too_big(r);
    for (i64 i = 0; i < n; i++)
        buf_ch(&b, set[below(len)]);
    return run_value(r, &b);
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

FN(alpha)
{
    return from_set(r, a[0].i, LETTERS);
}

FN(alpha_num)
{
    return from_set(r, a[0].i, LETTERS "0123456789");
}

FN(numeric)
{
    return from_set(r, a[0].i, "0123456789");
}

FN(ascii)
{
    char set[128];
    for (char c = ' '; c < 127; c++)
        set[c - ' '] = c;
    set[127 - ' '] = '\0';
    return from_set(r, a[0].i, set);
}

FN(bytes)
{
    struct buf b = run_buf();
    if (a[0].i < 0) return run_fail(r, "runtime error: makeslice: len out of range");
    if ((u64)a[0].i > OUTPUT_LIMIT / 2 || !run_room(r, (size_t)a[0].i)) return run_too_big(r);
    char *p = arena_alloc(r->arena, (size_t)a[0].i + 1);
    random_bytes(p, (size_t)a[0].i);
    base64_encode(&b, BASE64_STD, p, (size_t)a[0].i);
    return run_value(r, &b);
}

FN(rand_int)
{
    if (a[1].i <= a[0].i) return run_fail(r, "invalid argument to Intn");
    return tv_int((i64)((u64)a[0].i + below((u64)a[1].i - (u64)a[0].i)));
}

FN(uuidv4)
{
    u8 u[16];
    random_bytes(u, sizeof(u));
    u[6] = (u8)((u[6] & 0x0F) | 0x40);
    u[8] = (u8)((u[8] & 0x3F) | 0x80);
    struct buf b = run_buf();
    for (size_t i = 0; i < 16; i++)
        buf_printf(&b, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", u[i]);
    return run_value(r, &b);
}

static const struct tfunc funcs[] = {
    {"randAlpha", "i", alpha}, {"randAlphaNum", "i", alpha_num}, {"randNumeric", "i", numeric},
    {"randAscii", "i", ascii}, {"randBytes", "i", bytes},        {"randInt", "ii", rand_int},
    {"uuidv4", "", uuidv4},
};
FUNC_TABLE(fn_random, funcs);
