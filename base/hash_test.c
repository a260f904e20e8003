/* Tests of base/hash.h: published vectors of XXH64 and CRC-32C. */
#include "base/hash.h"
#include "base/test.h"

static void xxh64_vectors(void **state)
{
    char text[222];

    assert_true(hash_bytes(NULL, 0, 0) == UINT64_C(0xEF46DB3751D8E999));
    assert_true(hash_bytes("a", 1, 0) == UINT64_C(0xD24EC4F1A98C6E5B));
    assert_true(hash_bytes("abc", 3, 0) == UINT64_C(0x44BC2CF5AD770999));
    assert_true(hash_str(STR("as")) == UINT64_C(0x1C330FB2D66BE179));
    assert_true(hash_str(STR("asd")) == UINT64_C(0x631C37CE72A97393));
    assert_true(hash_str(STR("asdf")) == UINT64_C(0x415872F599CEA71E));
    assert_true(hash_str(STR("Call me Ishmael. Some years ago--never mind how long precisely-")) ==
                UINT64_C(0x02A2E85470D6FD96));
    memset(text, 'x', sizeof(text));
    assert_true(hash_bytes(text, 222, 0) != hash_bytes(text, 221, 0));
    assert_true(hash_bytes(text, 222, 0) != hash_bytes(text, 222, 1));
}

/* Unaligned starts give the same. */
static void alignment_does_not_matter(void **state)
{
    char text[80], aligned[64];

    for (size_t at = 0; at < 8; at++) {
        for (size_t i = 0; i < 64; i++)
            text[at + i] = (char)i;
        memcpy(aligned, text + at, 64);
        assert_true(hash_bytes(text + at, 64, 7) == hash_bytes(aligned, 64, 7));
    }
}

/* Every bit of the text, its length and the seed tell, at every length; where it stands does not.
 */
static void quick(void **state)
{
    char text[120], moved[128];

    memset(text, 'x', sizeof(text));
    for (size_t n = 0; n <= 100; n++) {
        u64 h = hash_quick(text, n, 7);
        assert_true(h != hash_quick(text, n + 1, 7) && h != hash_quick(text, n, 8));
        memcpy(moved + n % 8, text, n);
        assert_true(h == hash_quick(moved + n % 8, n, 7));
        for (size_t bit = 0; bit < n * 8; bit++) {
            text[bit / 8] ^= (char)(1 << bit % 8);
            assert_true(h != hash_quick(text, n, 7));
            text[bit / 8] ^= (char)(1 << bit % 8);
        }
    }
}

static void mixing(void **state)
{
    assert_true(hash_mix(1, 2) != hash_mix(2, 1));
    assert_true(hash_mix(0, 0) != hash_mix(0, 1));
    assert_true(hash_process_seed() != 0);
    assert_true(hash_process_seed() == hash_process_seed());
}

static void crc32c_vectors(void **state)
{
    u8 bytes[32];

    assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283u);
    assert_int_equal(crc32c(0, NULL, 0), 0);
    memset(bytes, 0, 32);
    assert_int_equal(crc32c(0, bytes, 32), 0x8A9136AAu);
    memset(bytes, 0xFF, 32);
    assert_int_equal(crc32c(0, bytes, 32), 0x62A8AB43u);
    assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xE3069283u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xxh64_vectors),  cmocka_unit_test(alignment_does_not_matter),
        cmocka_unit_test(quick),          cmocka_unit_test(mixing),
        cmocka_unit_test(crc32c_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
