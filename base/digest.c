/* Digests by OpenSSL; hexadecimal and base64 by hand, with the rules of Go's encoding packages. */
#include "base/digest.h"

#define OPENSSL_SUPPRESS_DEPRECATED 1 /* SHA256_*: see sha256 */

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include "base/assert.h"

/* Fails only when memory is out or the library was built without the algorithm: neither can be gone
 * on from. */
static void digest(const EVP_MD *md, const void *p, size_t n, u8 *out)
{
    int ok = EVP_Digest(n ? p : "", n, out, NULL, md, NULL);

    ASSERT(ok == 1);
}

/* Every start hashes its configuration: the direct calls spare it the set-up of OpenSSL's
 * providers, 1 ms and 2 MB. */
void sha256(const void *p, size_t n, u8 out[SHA256_LEN])
{
    SHA256_CTX c;
    int ok = SHA256_Init(&c) && SHA256_Update(&c, n ? p : "", n) && SHA256_Final(out, &c);

    ASSERT(ok);
}

void sha1(const void *p, size_t n, u8 out[20])
{
    digest(EVP_sha1(), p, n, out);
}

void sha512(const void *p, size_t n, u8 out[64])
{
    digest(EVP_sha512(), p, n, out);
}

void sha3_256(const void *p, size_t n, u8 out[32])
{
    digest(EVP_sha3_256(), p, n, out);
}

void md5(const void *p, size_t n, u8 out[16])
{
    digest(EVP_md5(), p, n, out);
}

void hmac_sha256(struct str key, struct str msg, u8 out[SHA256_LEN])
{
    unsigned n = SHA256_LEN;
    u8 *ok = HMAC(EVP_sha256(), key.n ? key.p : "", (int)key.n, (const u8 *)(msg.n ? msg.p : ""),
                  msg.n, out, &n);

    ASSERT(ok && key.n <= INT32_MAX);
}

bool secret_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

/* --- hexadecimal --- */

void hex_encode(struct buf *b, const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const u8 *in = p;
    char *out = buf_reserve(b, n * 2);

    if (!out || n == 0) return;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    buf_commit(b, n * 2);
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_decode(struct str s, u8 *out, size_t cap, size_t *ret_n)
{
    if (s.n % 2) return -EINVAL;
    if (s.n / 2 > cap) return -E2BIG;
    for (size_t i = 0; i < s.n; i++) {
        if (hex_digit(s.p[i]) < 0) return -EINVAL;
    }
    for (size_t i = 0; i < s.n / 2; i++)
        out[i] = (u8)(hex_digit(s.p[2 * i]) << 4 | hex_digit(s.p[2 * i + 1]));
    *ret_n = s.n / 2;
    return 0;
}

/* --- base64 --- */

static const char alphabet_std[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *encode_rest(char *out, const char *alphabet, bool pad, const u8 *in, size_t n)
{
    u32 v = (u32)in[0] << 16 | (n > 1 ? (u32)in[1] << 8 : 0);

    *out++ = alphabet[v >> 18];
    *out++ = alphabet[v >> 12 & 63];
    if (n > 1) *out++ = alphabet[v >> 6 & 63];
    for (size_t i = n; pad && i < 3; i++)
        *out++ = '=';
    return out;
}

void base64_encode(struct buf *b, enum base64_kind k, const void *p, size_t n)
{
    const char *alphabet = k == BASE64_URL ? alphabet_url : alphabet_std;
    const u8 *in = p;
    char *start = n > SIZE_MAX / 2 ? NULL : buf_reserve(b, n / 3 * 4 + 4), *out = start;

    if (!out) return;
    for (; n >= 3; n -= 3, in += 3) {
        u32 v = (u32)in[0] << 16 | (u32)in[1] << 8 | in[2];

        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        *out++ = alphabet[v >> 6 & 63];
        *out++ = alphabet[v & 63];
    }
    if (n) out = encode_rest(out, alphabet, k != BASE64_STD_RAW, in, n);
    buf_commit(b, (size_t)(out - start));
}

static int base64_value(char c, enum base64_kind k)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == (k == BASE64_URL ? '-' : '+')) return 62;
    return c == (k == BASE64_URL ? '_' : '/') ? 63 : -1;
}

static size_t skip_lines(struct str s, size_t i)
{
    while (i < s.n && (s.p[i] == '\n' || s.p[i] == '\r'))
        i++;
    return i;
}

/* The text after the first '=' of a group that holds `have` digits: a second '=' if two are due,
 * then nothing. The offset of what is wrong, or SIZE_MAX. */
static size_t check_padding(struct str s, size_t i, int have)
{
    if (have < 2) return i;
    size_t next = skip_lines(s, i + 1);
    if (have == 2) {
        if (next == s.n) return s.n;
        if (s.p[next] != '=') return next - 1;
        next = skip_lines(s, next + 1);
    }
    return next < s.n ? next : SIZE_MAX;
}

static void add_group(struct buf *b, u32 v, int digits)
{
    char bytes[3];

    v <<= 6 * (4 - digits);
    bytes[0] = (char)(v >> 16);
    bytes[1] = (char)(v >> 8);
    bytes[2] = (char)v;
    buf_add(b, bytes, (size_t)digits * 3 / 4);
}

static int bad_base64(struct buf *b, size_t keep, size_t at, size_t *ret_at)
{
    buf_truncate(b, keep);
    if (ret_at) *ret_at = at;
    return -EINVAL;
}

int base64_decode(struct buf *b, enum base64_kind k, struct str s, size_t *ret_at)
{
    size_t keep = b->n;
    u32 v = 0;
    int have = 0;

    for (size_t i = 0; i < s.n; i++) {
        int digit = base64_value(s.p[i], k);

        if (digit >= 0) {
            v = v << 6 | (u32)digit;
            if (++have < 4) continue;
            add_group(b, v, 4);
            v = 0, have = 0;
        } else if (s.p[i] == '=') {
            size_t bad = check_padding(s, i, have);
            if (bad != SIZE_MAX) return bad_base64(b, keep, bad, ret_at);
            add_group(b, v, have);
            return buf_err(b);
        } else if (s.p[i] != '\n' && s.p[i] != '\r') {
            return bad_base64(b, keep, i, ret_at);
        }
    }
    if (have == 1 || (have && k != BASE64_STD_RAW))
        return bad_base64(b, keep, s.n - (size_t)have, ret_at);
    if (have) add_group(b, v, have);
    return buf_err(b);
}
