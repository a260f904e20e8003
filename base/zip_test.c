/* The archive byte by byte where it matters; tests/integration reads a whole one with another
 * program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/zip.h"

static u32 at32(const struct buf *b, size_t off)
{
    const u8 *p = (const u8 *)b->p + off;
    return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static void test_stored(void **state)
{
    struct buf out = BUF_INIT(1 << 16);
    struct zip z;
    zip_init(&z, &out, 0);
    zip_add(&z, "a/b.txt", STR("123456789"));
    zip_finish(&z);
    assert_int_equal(buf_err(&out), 0);
    assert_int_equal(at32(&out, 0), 0x04034b50);
    assert_int_equal(at32(&out, 14), 0xcbf43926); /* the check value of CRC-32 */
    assert_int_equal(at32(&out, 18), 9);
    assert_memory_equal(out.p + 30, "a/b.txt123456789", 16);
    assert_int_equal(at32(&out, 46), 0x02014b50);
    size_t end = out.n - 22;
    assert_int_equal(at32(&out, end), 0x06054b50);
    assert_int_equal(at32(&out, end + 8), 1 | 1 << 16);
    assert_int_equal(at32(&out, end + 12), end - 46);
    assert_int_equal(at32(&out, end + 16), 46);
    buf_done(&out);
}

static void test_deflated(void **state)
{
    static char zeros[10000];
    struct buf out = BUF_INIT(1 << 16);
    struct zip z;
    zip_init(&z, &out, 0);
    zip_add(&z, "z", str_n(zeros, sizeof(zeros)));
    zip_add(&z, "empty", STR(""));
    zip_finish(&z);
    assert_int_equal(buf_err(&out), 0);
    assert_int_equal(out.p[8], 8);
    assert_int_equal(at32(&out, 22), sizeof(zeros));
    assert_true(at32(&out, 18) < 200);
    buf_done(&out);
}

static void test_too_small_a_buffer_is_an_error(void **state)
{
    struct buf out = BUF_INIT(40);
    struct zip z;
    zip_init(&z, &out, 0);
    zip_add(&z, "name", STR("some content"));
    zip_finish(&z);
    assert_true(buf_err(&out) < 0);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_deflated),
        cmocka_unit_test(test_too_small_a_buffer_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
