/* Digests and text encodings of bytes. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/buf.h"

#define SHA256_LEN 32
void sha256(const void *p, size_t n, u8 out[SHA256_LEN]);
void sha1(const void *p, size_t n, u8 out[20]);
void sha512(const void *p, size_t n, u8 out[64]);
void sha3_256(const void *p, size_t n, u8 out[32]);
void md5(const void *p, size_t n, u8 out[16]);
void hmac_sha256(struct str key, struct str msg, u8 out[SHA256_LEN]);
int hex_digit(char c);                                   /* its value; -1: none */
void hex_encode(struct buf *b, const void *p, size_t n); /* lower case */
/* -EINVAL on a bad digit or odd length; decodes into out (cap bytes), *ret_n its length; -E2BIG
 * when it does not fit. */
int hex_decode(struct str s, u8 *out, size_t cap, size_t *ret_n);

enum base64_kind {
    BASE64_STD,
    BASE64_URL,
    BASE64_STD_RAW
}; /* RAW: no padding written; decoding takes both */
void base64_encode(struct buf *b, enum base64_kind k, const void *p, size_t n);
/* Strict: -EINVAL with the offset of the first bad byte in *ret_at (may be NULL). CR and LF are
 * skipped, as Go does. */
int base64_decode(struct buf *b, enum base64_kind k, struct str s, size_t *ret_at);
/* Constant-time comparison of secrets. */
bool secret_eq(struct str a, struct str b);

#endif
