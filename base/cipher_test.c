/* Against published vectors: SP 800-38A (CBC-AES256), RFC 7914. */
#include "base/cipher.h"

#include "base/digest.h"
#include "base/test.h"

static void aes(void **state)
{
    static const char key_hex[] =
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
    static const char plain_hex[] = "6bc1bee22e409f96e93d7e117393172a";
    u8 key[32], iv[16], plain[16], out[16], back[16];
    size_t n;
    struct buf hex = BUF_INIT(100);
    hex_decode(str_of(key_hex), key, 32, &n);
    hex_decode(str_of(plain_hex), plain, 16, &n);
    for (u8 i = 0; i < 16; i++)
        iv[i] = i;
    aes256_cbc(true, key, iv, plain, 16, out);
    hex_encode(&hex, out, 16);
    assert_buf(&hex, "f58c4c04d6e5f1ba779eabfb5f7bfbd6");
    aes256_cbc(false, key, iv, out, 16, back);
    assert_memory_equal(back, plain, 16);
    buf_done(&hex);
}

static void scrypt(void **state)
{
    u8 out[64];
    struct buf hex = BUF_INIT(200);
    assert_int_equal(scrypt_key(STR("password"), STR("NaCl"), 1024, 8, 16, out, 64), 0);
    hex_encode(&hex, out, 64);
    assert_buf(&hex, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                     "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
    assert_true(scrypt_key(STR("p"), STR("s"), 1000, 8, 1, out, 64) < 0); /* no power of two */
    buf_done(&hex);
}

static void more_digests(void **state)
{
    u8 out[64];
    struct buf hex = BUF_INIT(200);
    sha3_256("abc", 3, out);
    hex_encode(&hex, out, 32);
    assert_buf(&hex, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    sha512("abc", 3, out);
    hex_encode(&hex, out, 64);
    assert_buf(&hex, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    buf_done(&hex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes),
        cmocka_unit_test(scrypt),
        cmocka_unit_test(more_digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
