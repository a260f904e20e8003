/* Tests of packed 1.0 requests (telemetry/rw_pack.c): unpacked by the library they are, byte for
 * byte, the plain request with the same contents. */
#include <errno.h>
#include <stdlib.h>
#include "base/budget.h"
#include "base/codec.h"
#include "base/test.h"
#include "telemetry/remote_write.h"
#include "telemetry/snap_writer.h"

#define LIMIT ((size_t)32 << 20)

static struct series_table *table;
static struct series *series[4096];
static size_t n_series;
static u64 seed;

static int setup(void **state)
{
    table = series_table_new();
    n_series = 0;
    seed = 42;
    return 0;
}

static int teardown(void **state)
{
    while (n_series)
        series_unref(table, series[--n_series]);
    series_table_free(table);
    return 0;
}

static u64 any(u64 below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

static struct series *add(const struct label *v, size_t n)
{
    assert_true(n_series < ARRAY_LEN(series));
    series[n_series] = series_intern(table, v, n);
    assert_non_null(series[n_series]);
    return series[n_series++];
}

/* --- two requests with the same contents --- */

struct pair {
    struct rw_request *plain, *packed;
    struct rw_external *external;
};

static struct pair pair_new(struct rw_external *external)
{
    return (struct pair){rw_request_new(RW_V1, LIMIT), rw_request_new_packed(RW_V1, LIMIT),
                         external};
}

static void pair_done(struct pair *p)
{
    rw_request_free(p->plain);
    rw_request_free(p->packed);
    rw_external_free(p->external);
}

static void sample(struct pair *p, const struct series *s, struct rw_external *e, i64 time,
                   u64 bits)
{
    assert_int_equal(rw_request_sample(p->plain, s, e, NULL, time, bits), 0);
    assert_int_equal(rw_request_sample(p->packed, s, e, NULL, time, bits), 0);
}

/* Bytes of the packed form. */
static size_t assert_same(struct pair *p)
{
    struct buf packed = BUF_INIT(LIMIT), got = BUF_INIT(LIMIT);
    struct str want = rw_request_bytes(p->plain);

    assert_int_equal(rw_request_size(p->packed), want.n);
    assert_int_equal(rw_request_packed(p->packed, &packed), 0);
    size_t n = packed.n;
    assert_int_equal(codec_decompress(CODEC_SNAPPY, buf_view(&packed), LIMIT, &got, NULL), 0);
    assert_int_equal(got.n, want.n);
    if (want.n) assert_memory_equal(got.p, want.p, want.n);
    assert_memory_equal(rw_request_counts(p->packed), rw_request_counts(p->plain),
                        sizeof(struct rw_counts));
    buf_done(&packed);
    buf_done(&got);
    rw_request_reset(p->plain);
    rw_request_reset(p->packed);
    return n;
}

#define L(name, value)                                                                             \
    {                                                                                              \
        STR(name), STR(value)                                                                      \
    }
#define EXTERNAL(...)                                                                              \
    rw_external_new((const struct label[]){__VA_ARGS__},                                           \
                    sizeof((const struct label[]){__VA_ARGS__}) / sizeof(struct label))

/* --- tests --- */

static void nothing(void **state)
{
    struct pair p = pair_new(NULL);

    assert_int_equal(assert_same(&p), 1);
    pair_done(&p);
}

/* The lines of a histogram: what repeats costs next to nothing. */
static void buckets(void **state)
{
    struct pair p = pair_new(EXTERNAL(L("cluster", "a"), L("zone", "b")));
    char le[16];

    for (int i = 0; i < 1000; i++) {
        snprintf(le, sizeof(le), "%d", i % 12);
        const struct label v[] = {L("__name__", "request_duration_seconds_bucket"),
                                  L("code", "200"),
                                  L("instance", "10.11.12.13:9100"),
                                  L("job", "api"),
                                  {STR("le"), str_of(le)}};
        struct series *s = add(v, ARRAY_LEN(v));
        sample(&p, s, p.external, 1700000000000, sample_bits(1000 + i / 12));
    }
    size_t plain = rw_request_size(p.plain);
    assert_true(assert_same(&p) < plain / 6);
    pair_done(&p);
}

static void random_series(size_t n, size_t value_max)
{
    static char text[200000];
    static const char *const names[] = {"AA",  "__name__", "a", "b_long_name_of_a_label",
                                        "job", "z"};

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + any(4));
    for (size_t i = 0; i < n; i++) {
        struct label v[ARRAY_LEN(names)];
        size_t k = 0;
        for (size_t x = 0; x < ARRAY_LEN(names); x++) {
            if (any(8) == 0) continue;
            size_t len = any(4) ? 1 + any(20) : 1 + any(value_max), at = any(16);
            v[k++] = (struct label){str_of(names[x]), str_n(text + at, len)};
        }
        (void)add(v, k);
    }
}

static i64 some_time(void)
{
    static const i64 times[] = {0, 1, -1, 1700000000000, 1700000000000, 1700000000000, INT64_MAX};

    return times[any(ARRAY_LEN(times))];
}

static u64 some_bits(void)
{
    static const u64 bits[] = {0, SAMPLE_STALE_BITS, SAMPLE_NAN_BITS, 0x8000000000000000u};

    return any(3) ? sample_bits((f64)any(100000) / 4) : bits[any(ARRAY_LEN(bits))];
}

static void at_random(size_t value_max, size_t rounds, size_t each)
{
    struct pair p = pair_new(
        EXTERNAL(L("A", "first"), L("cluster", "c"), L("job", "mine"), L("zz", "the last one")));

    random_series(200, value_max);
    for (size_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < each; i++)
            sample(&p, series[any(n_series)], any(5) ? p.external : NULL, some_time(), some_bits());
        (void)assert_same(&p);
    }
    pair_done(&p);
}

static void any_series(void **state)
{
    at_random(300, 20, 500);
}

/* Copies from further back than 64 KiB, literals of more than that. */
static void long_values(void **state)
{
    at_random(150000, 3, 40);
}

/* A copy that overlaps what it makes. */
static void the_same_again(void **state)
{
    struct pair p = pair_new(NULL);
    const struct label v[] = {L("__name__", "up"), L("job", "x")};
    struct series *s = add(v, ARRAY_LEN(v)), *none = add(NULL, 0);

    for (int i = 0; i < 100; i++)
        sample(&p, s, NULL, 5, 7);
    for (int i = 0; i < 100; i++)
        sample(&p, none, NULL, 5, 7);
    assert_true(assert_same(&p) < 400);
    pair_done(&p);
}

static void members(struct pair *p, struct series *s)
{
    const struct histogram h = {.count.i = 3, .sum = 1.5, .schema = 2, .zero_count.i = 3};
    const struct histogram_sample hs = {.series = s, .time = 5, .h = &h};
    const struct label of[] = {L("trace_id", "abcdef")};
    const struct exemplar_sample x = {
        .series = s, .time = 6, .has_time = true, .value = 2, .labels = of, .n_labels = 1};
    struct rw_request *both[] = {p->plain, p->packed};

    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        assert_int_equal(rw_request_histogram(both[i], p->external, NULL, &hs), 0);
        assert_int_equal(rw_request_exemplar(both[i], p->external, NULL, &x), 0);
    }
}

static void histograms_and_exemplars(void **state)
{
    struct pair p = pair_new(EXTERNAL(L("cluster", "c")));

    random_series(20, 30);
    for (size_t i = 0; i < 200; i++) {
        sample(&p, series[any(n_series)], p.external, 5, 7);
        members(&p, series[any(n_series)]);
    }
    (void)assert_same(&p);
    pair_done(&p);
}

/* Behind the series, whenever it was added. */
static void metadata(void **state)
{
    struct pair p = pair_new(NULL);
    const struct label v[] = {L("__name__", "up")};
    const struct metric_meta m = {
        .family = STR("up"), .help = STR("Whether whether whether it is up."), .type = TYPE_GAUGE};
    struct series *s = add(v, ARRAY_LEN(v));

    sample(&p, s, NULL, 5, 7);
    assert_int_equal(rw_request_meta(p.plain, &m), 0);
    assert_int_equal(rw_request_meta(p.packed, &m), 0);
    (void)assert_same(&p);
    assert_int_equal(rw_request_meta(p.plain, &m), 0);
    assert_int_equal(rw_request_meta(p.packed, &m), 0);
    (void)assert_same(&p);
    pair_done(&p);
}

/* What does not fit leaves the request as it was, at the same byte as in a plain one. */
static void over_the_limit(void **state)
{
    random_series(50, 60);
    for (size_t limit = 0; limit < 2000; limit += 7) {
        struct pair p = {rw_request_new(RW_V1, limit), rw_request_new_packed(RW_V1, limit), NULL};
        int a = 0, b = 0;
        for (size_t i = 0; i < 200 && !a && !b; i++) {
            const struct series *s = series[any(n_series)];
            a = rw_request_sample(p.plain, s, NULL, NULL, 5, i);
            b = rw_request_sample(p.packed, s, NULL, NULL, 5, i);
        }
        assert_int_equal(a, -E2BIG);
        assert_int_equal(b, -E2BIG);
        (void)assert_same(&p);
        pair_done(&p);
    }
}

/* HOSTILE builds. */
static void memory_is_out(void **state)
{
    random_series(50, 60);
    for (long nth = 1; nth < 12; nth++) {
        struct pair p = pair_new(NULL);
        for (size_t i = 0; i < 100; i++) {
            const struct series *s = series[any(n_series)];
            budget_fail_nth(i == 30 ? nth : 0);
            int err = rw_request_sample(p.packed, s, NULL, NULL, 5, i);
            budget_fail_nth(0);
            if (!err) assert_int_equal(rw_request_sample(p.plain, s, NULL, NULL, 5, i), 0);
        }
        (void)assert_same(&p);
        pair_done(&p);
    }
}

/* --- the elements --- */

static void assert_unpacks(struct snap_writer *w, const char *want, size_t n)
{
    struct buf block = BUF_INIT(LIMIT), got = BUF_INIT(LIMIT);

    assert_int_equal(w->plain, n);
    for (size_t v = n;; v >>= 7) {
        buf_ch(&block, (char)(v >= 0x80 ? v | 0x80 : v));
        if (v < 0x80) break;
    }
    buf_str(&block, snap_end(w));
    assert_int_equal(codec_decompress(CODEC_SNAPPY, buf_view(&block), LIMIT, &got, NULL), 0);
    assert_int_equal(got.n, n);
    assert_memory_equal(got.p, want, n);
    buf_done(&block);
    buf_done(&got);
}

/* Copies of every length from near, middle and far; literals of all sizes of tag. */
static void elements(void **state)
{
    static const size_t distances[] = {1, 7, 2047, 2048, 65535, 65536, 99999};
    static const size_t literals[] = {1, 60, 61, 256, 257, 65536, 65537, 100000};
    static char text[1 << 20];
    struct snap_writer w;

    snap_init(&w);
    for (size_t d = 0; d < ARRAY_LEN(distances); d++)
        for (size_t l = 0; l < ARRAY_LEN(literals); l++) {
            size_t n = literals[l] + (literals[l] < distances[d] ? distances[d] : 0);
            for (size_t i = 0; i < n; i++)
                text[i] = (char)any(256);
            snap_reset(&w);
            assert_true(snap_room(&w, sizeof(text), 300));
            snap_literal(&w, text, n);
            for (size_t len = 4; len < 140 && n >= distances[d]; len++) {
                snap_copy(&w, n - distances[d], len);
                for (size_t i = 0; i < len; i++, n++)
                    text[n] = text[n - distances[d]];
                snap_literal(&w, "x", 1);
                text[n++] = 'x';
            }
            assert_unpacks(&w, text, n);
        }
    snap_done(&w);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nothing),     T(buckets),        T(any_series),
        T(long_values), T(the_same_again), T(histograms_and_exemplars),
        T(metadata),    T(over_the_limit), T(memory_is_out),
        T(elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
