/* AES and scrypt. */
#include "base/cipher.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include "base/assert.h"

#define SCRYPT_MEMORY ((u64)64 << 20)

/* Fails only when memory is out or the library lacks AES: neither can be gone on from. */
void aes256_cbc(bool encrypt, const u8 key[32], const u8 iv[AES_BLOCK], const u8 *in, size_t n,
                u8 *out)
{
    int written = 0;
    ASSERT(n % AES_BLOCK == 0 && n <= INT_MAX);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    ASSERT(c && EVP_CipherInit_ex(c, EVP_aes_256_cbc(), NULL, key, iv, encrypt) == 1);
    EVP_CIPHER_CTX_set_padding(c, 0);
    ASSERT(n == 0 || EVP_CipherUpdate(c, out, &written, in, (int)n) == 1);
    ASSERT((size_t)written == n);
    EVP_CIPHER_CTX_free(c);
}

int scrypt_key(struct str password, struct str salt, u64 n, u64 r, u64 p, u8 *out, size_t n_out)
{
    int ok =
        EVP_PBE_scrypt(password.n ? password.p : "", password.n, (const u8 *)(salt.n ? salt.p : ""),
                       salt.n, n, r, p, SCRYPT_MEMORY, out, n_out);
    return ok == 1 ? 0 : -EINVAL;
}
