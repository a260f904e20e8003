/* Text forms and OTLP/JSON of a payload with every kind of record. The expected files of
 * tests/fixtures/otlp were compared with what the Collector's debug and file exporters (0.158)
 * print for the same input. Runs from the repository's root, as `make unit` does. */
#include "telemetry/testing.h"

static struct buf fixture(enum signal s, const char *suffix)
{
    struct buf b = BUF_INIT(1 << 20);
    char path[128], chunk[4096];
    snprintf(path, sizeof(path), "tests/fixtures/otlp/%s.%s", signal_name(s), suffix);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;)
        buf_add(&b, chunk, n);
    fclose(f);
    return b;
}

static struct batch *load(enum signal s)
{
    struct buf json = fixture(s, "json");
    struct batch *b = batch_of_json(s, json.p);
    buf_done(&json);
    return b;
}

static void expect(enum signal s, const char *suffix,
                   int (*print)(const struct batch *b, struct buf *out))
{
    struct batch *b = load(s);
    struct buf got = BUF_INIT(1 << 20), want = fixture(s, suffix);
    assert_int_equal(print(b, &got), 0);
    assert_string_equal(got.p, want.p);
    buf_done(&got);
    buf_done(&want);
    batch_unref(b);
}

static int print_normal(const struct batch *b, struct buf *out)
{
    return otlp_dump(b, OTLP_NORMAL, out);
}

static int print_detailed(const struct batch *b, struct buf *out)
{
    return otlp_dump(b, OTLP_DETAILED, out);
}

static int print_json(const struct batch *b, struct buf *out)
{
    int err = otlp_to_json(b, out);
    buf_ch(out, '\n');
    return err;
}

static void prints_one_line_per_record(void **state)
{
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        expect(s, "normal.txt", print_normal);
}

static void prints_every_field(void **state)
{
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        expect(s, "detailed.txt", print_detailed);
}

static void prints_json_as_the_collector(void **state)
{
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        expect(s, "encoded.json", print_json);
}

static void basic_prints_nothing_but_counts(void **state)
{
    static const struct otlp_counts want[] = {{2, 4, 0}, {1, 9, 6}, {1, 3, 0}};
    for (enum signal s = 0; s < SIGNAL_COUNT; s++) {
        struct batch *b = load(s);
        struct buf out = BUF_INIT(100);
        struct otlp_counts got;
        assert_int_equal(otlp_dump(b, OTLP_BASIC, &out), 0);
        assert_int_equal(out.n, 0);
        assert_int_equal(otlp_count(b, &got), 0);
        assert_memory_equal(&got, &want[s], sizeof(got));
        assert_int_equal(got.items, b->items);
        batch_unref(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_one_line_per_record),
        cmocka_unit_test(prints_every_field),
        cmocka_unit_test(prints_json_as_the_collector),
        cmocka_unit_test(basic_prints_nothing_but_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
