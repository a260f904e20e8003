/* Streaming decompression: byte by byte, members in a row, padding, what is broken or cut. */
#include "base/unpack.h"

#include <bzlib.h>
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include "base/test.h"

static struct str pack(enum unpack_format f, struct str in, char *out, size_t cap)
{
    if (f == UNPACK_BZIP2) {
        unsigned n = (unsigned)cap;
        assert_int_equal(BZ2_bzBuffToBuffCompress(out, &n, (char *)(uintptr_t)in.p,
                                                  (unsigned)in.n, 1, 0, 0),
                         BZ_OK);
        return str_n(out, n);
    }
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in.p,
                  .avail_in = (uInt)in.n,
                  .next_out = (Bytef *)out,
                  .avail_out = (uInt)cap};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, f == UNPACK_GZIP ? 31 : 15, 8, 0), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&z), Z_OK);
    return str_n(out, cap - z.avail_out);
}

/* All of `in`, given `step` bytes at a time. */
static int unpack_all(struct unpack *u, struct str in, size_t step, struct buf *out,
                      const char **err)
{
    char piece[7];

    while (in.n > 0) {
        struct str now = str_sub(in, 0, MIN(step, in.n));
        in = str_sub(in, now.n, in.n);
        for (ssize_t n = 1; n > 0 || now.n > 0;) {
            n = unpack_some(u, &now, piece, sizeof(piece), err);
            if (n < 0) return (int)n;
            buf_add(out, piece, (size_t)n);
        }
    }
    return 0;
}

static const struct str TEXT = {"hello\nthere, hello hello hello hello hello\n", 43};

static void check(enum unpack_format f, size_t step)
{
    char packed[2048];
    struct str one = pack(f, TEXT, packed, 1000);
    struct unpack *u = unpack_new(f);
    struct buf out = BUF_INIT(4096);
    const char *err = NULL;

    memmove(packed + one.n, packed, one.n); /* a second member */
    memset(packed + 2 * one.n, 0, 9);       /* and padding */
    assert_int_equal(unpack_all(u, str_n(packed, 2 * one.n + 9), step, &out, &err), 0);
    assert_int_equal(out.n, 2 * TEXT.n);
    assert_memory_equal(out.p, TEXT.p, TEXT.n);
    assert_memory_equal(out.p + TEXT.n, TEXT.p, TEXT.n);
    assert_true(unpack_at_end(u));
    unpack_free(u);
    buf_done(&out);
}

static void test_members(void **state)
{
    for (enum unpack_format f = UNPACK_GZIP; f <= UNPACK_BZIP2; f++) {
        check(f, 1);
        check(f, 4096);
    }
}

static void test_cut_and_broken(void **state)
{
    char packed[1000];

    for (enum unpack_format f = UNPACK_GZIP; f <= UNPACK_BZIP2; f++) {
        struct str one = pack(f, TEXT, packed, sizeof(packed));
        struct unpack *u = unpack_new(f);
        struct buf out = BUF_INIT(4096);
        const char *err = NULL;

        assert_int_equal(unpack_all(u, str_sub(one, 0, one.n - 3), 1, &out, &err), 0);
        assert_false(unpack_at_end(u));
        unpack_free(u);
        u = unpack_new(f);
        packed[one.n - 3] = (char)(packed[one.n - 3] ^ 0x10); /* of the check sum */
        assert_int_equal(unpack_all(u, one, 100, &out, &err), -EBADMSG);
        assert_non_null(strstr(err, "the compressed data is broken"));
        unpack_free(u);
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_cut_and_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
