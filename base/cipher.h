/* Encryption and key derivation, by OpenSSL. */
#ifndef BASE_CIPHER_H
#define BASE_CIPHER_H

#include "base/buf.h"

#define AES_BLOCK 16
/* AES-256 in CBC mode over whole blocks, without padding. n is a multiple of AES_BLOCK. */
void aes256_cbc(bool encrypt, const u8 key[32], const u8 iv[AES_BLOCK], const u8 *in, size_t n,
                u8 *out);
/* scrypt; -EINVAL for parameters it does not take or too much memory (64 MiB). */
int scrypt_key(struct str password, struct str salt, u64 n, u64 r, u64 p, u8 *out, size_t n_out);

#endif
