/* Tests of family_record.h: what is written comes back, damage costs one entry, who belongs to
 * whom. */
#include <errno.h>
#include "base/test.h"
#include "components/prometheus/remote_write/family_record.h"

#define TEXT(lit)                                                                                  \
    {                                                                                              \
        "" lit, sizeof(lit) - 1                                                                    \
    }
static const struct metric_meta metas[] = {
    {TEXT("up"), TEXT("is it"), TEXT(""), TYPE_GAUGE},
    {TEXT("x_seconds"), TEXT(""), TEXT("seconds"), TYPE_HISTOGRAM},
    {TEXT("y"), TEXT("a\nb"), TEXT("z"), TYPE_STATESET},
};

static struct buf written(void)
{
    struct buf b = BUF_INIT(1 << 16);

    for (size_t i = 0; i < ARRAY_LEN(metas); i++)
        family_record_add(&b, &metas[i]);
    return b;
}

static void assert_meta(const struct metric_meta *got, const struct metric_meta *want)
{
    assert_true(str_eq(got->family, want->family) && str_eq(got->help, want->help));
    assert_true(str_eq(got->unit, want->unit) && got->type == want->type);
}

static void comes_back(void **state)
{
    struct buf b = written();
    struct str text = buf_view(&b);
    struct metric_meta m;

    for (size_t i = 0; i < ARRAY_LEN(metas); i++) {
        assert_int_equal(family_record_next(&text, &m), 1);
        assert_meta(&m, &metas[i]);
    }
    assert_int_equal(family_record_next(&text, &m), 0);
    buf_done(&b);
}

/* How many entries are read of the text, and how many are damaged. */
static size_t count(struct str text, size_t *ret_damaged)
{
    struct metric_meta m;
    size_t n = 0;
    int got;

    *ret_damaged = 0;
    while ((got = family_record_next(&text, &m)))
        if (got > 0)
            n++;
        else
            ++*ret_damaged;
    return n;
}

static void cut_anywhere(void **state)
{
    struct buf b = written();
    size_t damaged;

    for (size_t n = 0; n < b.n; n++)
        assert_true(count(str_n(b.p, n), &damaged) < ARRAY_LEN(metas) && damaged <= 1);
    buf_done(&b);
}

static void flipped_bits_never_pass(void **state)
{
    struct buf b = written();
    size_t damaged;

    for (size_t i = 0; i < b.n * 8; i++) {
        b.p[i / 8] = (char)(b.p[i / 8] ^ 1 << i % 8);
        assert_true(count(buf_view(&b), &damaged) < ARRAY_LEN(metas) && damaged > 0);
        b.p[i / 8] = (char)(b.p[i / 8] ^ 1 << i % 8);
    }
    assert_int_equal(count(buf_view(&b), &damaged), ARRAY_LEN(metas));
    buf_done(&b);
}

static bool has(const char *family, enum metric_type type, const char *series)
{
    const struct metric_meta m = {str_of(family), STR(""), STR(""), type};

    return family_has(&m, str_of(series));
}

static void who_belongs_to_whom(void **state)
{
    assert_true(has("x", TYPE_GAUGE, "x"));
    assert_true(has("x", TYPE_HISTOGRAM, "x_bucket") && has("x", TYPE_SUMMARY, "x_sum"));
    assert_true(has("x", TYPE_COUNTER, "x_total") && has("x", TYPE_COUNTER, "x_created"));
    assert_true(has("x", TYPE_INFO, "x_info") && has("x", TYPE_GAUGEHISTOGRAM, "x_gcount"));
    assert_false(has("x", TYPE_GAUGE, "x_count"));
    assert_false(has("x", TYPE_SUMMARY, "x_bucket"));
    assert_false(has("x", TYPE_COUNTER, "x_sum"));
    assert_false(has("x", TYPE_HISTOGRAM, "xy_bucket") || has("x", TYPE_HISTOGRAM, "x_"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(flipped_bits_never_pass),
        cmocka_unit_test(who_belongs_to_whom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
