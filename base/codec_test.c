/* Tests of base/codec.h: round trips, limits, and broken input for every codec. */
#include "base/codec.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include "base/test.h"

static const enum codec all[] = {CODEC_NONE,   CODEC_GZIP,          CODEC_ZLIB, CODEC_ZSTD,
                                 CODEC_SNAPPY, CODEC_SNAPPY_FRAMED, CODEC_LZ4,  CODEC_DEFLATE};

/* Repetitive for two thirds, random for the rest. */
static struct str sample(size_t n)
{
    char *p = malloc(n + 1);
    unsigned random = 1;

    for (size_t i = 0; i < n; i++) {
        random = random * 1103515245 + 12345;
        p[i] = i % 300 < 200 ? "a body of spans "[i % 16] : (char)(random >> 16);
    }
    return str_n(p, n);
}

static void round_trip(enum codec c, int level, struct str in)
{
    struct buf packed = BUF_INIT(64 << 20), out = BUF_INIT(64 << 20);
    const char *err = NULL;

    buf_cstr(&packed, "P");
    buf_cstr(&out, "O");
    assert_int_equal(codec_compress(c, level, in, &packed), 0);
    assert_int_equal(packed.p[0], 'P');
    struct str body = str_sub(buf_view(&packed), 1, packed.n);
    assert_int_equal(codec_decompress(c, body, in.n, &out, &err), 0);
    assert_null(err);
    assert_int_equal(out.n, in.n + 1);
    assert_int_equal(out.p[0], 'O');
    if (in.n) assert_memory_equal(out.p + 1, in.p, in.n);
    buf_done(&packed);
    buf_done(&out);
}

static void round_trips(void **state)
{
    static const size_t sizes[] = {0, 1, 17, 1000, 65535, 65536, 65537, 200000, 3000000};

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct str in = sample(sizes[i]);

        for (size_t c = 0; c < ARRAY_LEN(all); c++)
            round_trip(all[c], CODEC_LEVEL_DEFAULT, in);
        free((char *)in.p);
    }
}

static void levels(void **state)
{
    struct str in = sample(50000);

    round_trip(CODEC_GZIP, 0, in);
    round_trip(CODEC_GZIP, 12, in);
    round_trip(CODEC_ZLIB, 6, in);
    round_trip(CODEC_GZIP, CODEC_LEVEL_DEFAULT, in);
    round_trip(CODEC_ZSTD, 3, in);
    round_trip(CODEC_LZ4, 9, in);
    free((char *)in.p);
}

/* One byte too little room is an error that leaves the output as it was. */
static void limits(void **state)
{
    struct str in = sample(100000);

    for (size_t c = 0; c < ARRAY_LEN(all); c++) {
        struct buf packed = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
        const char *err = NULL;

        assert_int_equal(codec_compress(all[c], CODEC_LEVEL_DEFAULT, in, &packed), 0);
        buf_cstr(&out, "kept");
        assert_int_equal(codec_decompress(all[c], buf_view(&packed), in.n - 1, &out, &err), -E2BIG);
        assert_non_null(err);
        assert_text(buf_view(&out), "kept");
        struct buf small = BUF_INIT(in.n - 1);
        assert_int_equal(codec_decompress(all[c], buf_view(&packed), SIZE_MAX, &small, NULL),
                         -E2BIG);
        buf_done(&small);
        small = BUF_INIT(100);
        assert_int_equal(codec_compress(all[c], CODEC_LEVEL_DEFAULT, in, &small), -E2BIG);
        assert_int_equal(small.n, 0);
        buf_done(&small);
        buf_done(&packed);
        buf_done(&out);
    }
    free((char *)in.p);
}

/* Every prefix of a body is an error; so is a body whose bytes were changed, unless the format has
 * no checksum. */
static void broken_bodies(void **state)
{
    struct str in = sample(400);

    for (size_t c = 1; c < ARRAY_LEN(all); c++) {
        struct buf packed = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);

        assert_int_equal(codec_compress(all[c], CODEC_LEVEL_DEFAULT, in, &packed), 0);
        for (size_t n = 0; n < packed.n; n++) {
            bool chunk_end =
                all[c] == CODEC_SNAPPY_FRAMED && n == 10; /* a stream without data is whole */
            char *exact = malloc(n + 1);

            memcpy(exact, packed.p, n);
            int rc = codec_decompress(all[c], str_n(exact, n), 1 << 19, &out, NULL);
            if ((rc == 0) != chunk_end || (rc && rc != -EBADMSG))
                fail_msg("%s cut at %zu: %d", codec_name(all[c]), n, rc);
            free(exact);
        }
        bool checked = all[c] != CODEC_SNAPPY && all[c] != CODEC_ZSTD && all[c] != CODEC_DEFLATE;
        packed.p[packed.n / 2] ^= 0x55;
        int rc = codec_decompress(all[c], buf_view(&packed), 1 << 19, &out, NULL);
        if (checked && rc != -EBADMSG) fail_msg("%s changed: %d", codec_name(all[c]), rc);
        buf_done(&packed);
        buf_done(&out);
    }
    free((char *)in.p);
}

static void gzip_members(void **state)
{
    struct buf packed = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
    struct str in = sample(5000);

    assert_int_equal(codec_compress(CODEC_GZIP, 1, in, &packed), 0);
    assert_int_equal(codec_compress(CODEC_GZIP, 6, STR("tail"), &packed), 0);
    assert_int_equal(codec_decompress(CODEC_GZIP, buf_view(&packed), 5004, &out, NULL), 0);
    assert_int_equal(out.n, 5004);
    assert_text(str_sub(buf_view(&out), 5000, 5004), "tail");
    buf_reset(&out);
    assert_int_equal(codec_decompress(CODEC_GZIP, buf_view(&packed), 5003, &out, NULL), -E2BIG);
    buf_cstr(&packed, "garbage behind the last member");
    assert_int_equal(codec_decompress(CODEC_GZIP, buf_view(&packed), 10000, &out, NULL), -EBADMSG);
    buf_done(&packed);
    buf_done(&out);
    free((char *)in.p);
}

/* A length of 4 GiB at the end of a small body sets nothing aside. */
static void gzip_size_lie(void **state)
{
    struct buf packed = BUF_INIT(1 << 20), out = BUF_INIT(SIZE_MAX / 2);

    assert_int_equal(codec_compress(CODEC_GZIP, 1, STR("a small body"), &packed), 0);
    memset(packed.p + packed.n - 4, 0xFF, 4);
    assert_int_equal(codec_decompress(CODEC_GZIP, buf_view(&packed), SIZE_MAX / 2, &out, NULL),
                     -EBADMSG);
    assert_true(out.cap < 10000);
    buf_done(&packed);
    buf_done(&out);
}

static void snappy_block_takes_frames(void **state)
{
    struct buf packed = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);

    assert_int_equal(codec_compress(CODEC_SNAPPY_FRAMED, -1, STR("framed text"), &packed), 0);
    assert_int_equal(codec_decompress(CODEC_SNAPPY, buf_view(&packed), 100, &out, NULL), 0);
    assert_buf(&out, "framed text");
    /* padding, a skippable chunk and a second magic are passed over; a reserved one is not */
    buf_add(&packed, "\xfe\x02\x00\x00xx\x80\x00\x00\x00\xff\x06\x00\x00sNaPpY", 20);
    assert_int_equal(codec_decompress(CODEC_SNAPPY_FRAMED, buf_view(&packed), 100, &out, NULL), 0);
    assert_buf(&out, "framed text");
    buf_add(&packed, "\x02\x00\x00\x00", 4);
    assert_int_equal(codec_decompress(CODEC_SNAPPY_FRAMED, buf_view(&packed), 100, &out, NULL),
                     -EBADMSG);
    buf_done(&packed);
    buf_done(&out);
}

static void concatenated_frames(void **state)
{
    static const enum codec joined[] = {CODEC_ZSTD, CODEC_LZ4};
    struct buf packed = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);

    for (size_t i = 0; i < ARRAY_LEN(joined); i++) {
        buf_reset(&packed);
        assert_int_equal(codec_compress(joined[i], -1, STR("one "), &packed), 0);
        assert_int_equal(codec_compress(joined[i], -1, STR("two"), &packed), 0);
        assert_int_equal(codec_decompress(joined[i], buf_view(&packed), 7, &out, NULL), 0);
        assert_buf(&out, "one two");
    }
    buf_done(&packed);
    buf_done(&out);
}

static void names(void **state)
{
    static const struct {
        const char *name;
        enum codec codec;
    } good[] = {{"", CODEC_NONE},
                {"none", CODEC_NONE},
                {"identity", CODEC_NONE},
                {"gzip", CODEC_GZIP},
                {"deflate", CODEC_ZLIB},
                {"zlib", CODEC_ZLIB},
                {"zstd", CODEC_ZSTD},
                {"snappy", CODEC_SNAPPY},
                {"x-snappy-framed", CODEC_SNAPPY_FRAMED},
                {"lz4", CODEC_LZ4},
                {"deflate-raw", CODEC_DEFLATE}};
    enum codec c;

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(codec_by_name(str_of(good[i].name), &c));
        assert_int_equal(c, good[i].codec);
    }
    assert_false(codec_by_name(STR("br"), &c));
    assert_string_equal(codec_name(CODEC_ZLIB), "zlib");
}

static void *use_all(void *arg)
{
    struct str in = sample(10000);

    for (size_t c = 0; c < ARRAY_LEN(all); c++) {
        struct buf packed = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);

        if (codec_compress(all[c], -1, in, &packed) ||
            codec_decompress(all[c], buf_view(&packed), in.n, &out, NULL))
            abort();
        buf_done(&packed);
        buf_done(&out);
    }
    free((char *)in.p);
    return NULL;
}

/* Contexts are the thread's own and go with it: leak and race detectors watch. */
static void threads(void **state)
{
    pthread_t t[3];

    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, use_all, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        pthread_join(t[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(levels),
        cmocka_unit_test(limits),
        cmocka_unit_test(broken_bodies),
        cmocka_unit_test(gzip_members),
        cmocka_unit_test(gzip_size_lie),
        cmocka_unit_test(snappy_block_takes_frames),
        cmocka_unit_test(concatenated_frames),
        cmocka_unit_test(names),
        cmocka_unit_test(threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
