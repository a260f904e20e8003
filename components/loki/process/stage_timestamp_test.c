/* stage.timestamp: formats, years that are not told, failures and doubles. */
#include "components/loki/process/last_times.h"
#include "components/loki/process/testing.h"
#include "components/loki/process/time_format.h"

#define EXTRACT "stage.regex { expression = `^(?P<t>.*)$` }\n"

struct format_case {
    const char *format, *location, *text;
    i64 want; /* ns; 0: does not fit */
};
#define S INT64_C(1000000000)
/* The clock says 2026-11-30 21:04:39 UTC unless told otherwise. */
static const struct format_case format_cases[] = {
    {"Unix", "", "1562708916", 1562708916 * S},
    {"Unix", "", "-5", -5 * S},
    {"Unix", "", "+5", 5 * S},
    {"Unix", "", "1562708916.414123", 1562708916 * S + 414123000},
    {"Unix", "", "1562708916.000000123", 1562708916 * S + 123},
    {"Unix", "", "1562708916.0000001239", 1562708916 * S + 123},
    {"Unix", "", "-1.5", -S / 2},
    {"Unix", "", "1.", 0},
    {"Unix", "", ".5", 0},
    {"Unix", "", "1.2.3", 0},
    {"Unix", "", "1e3", 0},
    {"Unix", "", " 1", 0},
    {"Unix", "", "9223372036854775807", 0},
    {"UnixMs", "", "1562708916414", 1562708916 * S + 414000000},
    {"UnixMs", "", "1.5", 0},
    {"UnixUs", "", "1562708916414123", 1562708916 * S + 414123000},
    {"UnixNs", "", "1562708916000000123", 1562708916 * S + 123},
    {"UnixNs", "", "x", 0},
    {"RFC3339", "", "2026-11-30T21:04:39.5+01:00", 1796069079 * S + S / 2},
    {"RFC3339Nano", "", "2026-11-30T21:04:39Z", 1796072679 * S},
    {"RFC1123", "America/New_York", "Mon, 30 Nov 2026 21:04:39 UTC", 1796072679 * S},
    {"ANSIC", "America/New_York", "Mon Nov 30 21:04:39 2026", 1796072679 * S}, /* not for it */
    {"2006-01-02 15:04:05", "", "2026-11-30 21:04:39", 1796072679 * S},
    {"2006-01-02 15:04:05", "America/New_York", "2026-11-30 21:04:39", 1796090679 * S},
    {"2006-01-02 15:04:05 -0700", "America/New_York", "2026-11-30 21:04:39 +0000", 1796072679 * S},
    {"02/Jan/06:15:04", "", "30/Nov/26:21:04", 1796072640 * S},
    {"2006-01-02", "", "9999-01-01", 0},
    {"2006-01-02", "", "2026-02-30", 0},
    {"Jan 2 15:04:05", "", "Nov 30 21:04:39", 1796072679 * S},
    {"Jan 2 15:04:05", "America/New_York", "Nov 30 21:04:39", 1796090679 * S},
    {"Jan 2 15:04:05", "", "Feb 29 00:00:00", 1772323200 * S}, /* March 1 of a common year */
    {"Jan 2 15:04:05", "", "Jan 1 00:00:00", 1767225600 * S},
    {"15:04:05", "", "21:04:39", 1767301479 * S},
    {"Jan 2 15:04:05", "", "Foo 30", 0},
};

static i64 by_format(const struct format_case *c, i64 now)
{
    char *err = NULL;
    i64 ns = 0;
    struct time_zone *z = *c->location ? time_zone_load(str_of(c->location), &err) : NULL;
    struct time_format f = time_format_new(str_of(c->format));
    int r = time_format_parse(&f, str_of(c->text), z, NULL, now, &ns);
    time_format_done(&f);
    time_zone_free(z);
    return r ? 0 : ns;
}

static void test_formats(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(format_cases); i++) {
        const struct format_case *c = &format_cases[i];
        i64 got = by_format(c, 1796072679 * S);
        if (got != c->want)
            fail_msg("%s by %s in %s: %lld", c->text, c->format, c->location, (long long)got);
    }
}

/* Around New Year the other year is meant. */
static void test_new_year(void **state)
{
    struct format_case dec = {"Jan 2 15:04:05", "", "Dec 31 23:59:59", 0};
    struct format_case jan = {"Jan 2 15:04:05", "", "Jan 1 00:00:01", 0};
    assert_int_equal(by_format(&dec, 1798761605 * S), 1798761599 * S); /* read on 2027-01-01 */
    assert_int_equal(by_format(&jan, 1798761605 * S), 1798761601 * S);
    assert_int_equal(by_format(&jan, 1798761590 * S), 1798761601 * S); /* read on 2026-12-31 */
    assert_int_equal(by_format(&dec, 1798761590 * S), 1798761599 * S);
}

static void test_stage(void **state)
{
    process_case(EXTRACT "stage.timestamp {\n source = \"t\"\n format = \"Unix\"\n}",
                 "5\n5\nx\n7\n{a=\"1\"} y\n{a=\"1\"} 5\n{a=\"1\"} 5",
                 "{} @5000000000 5\n{} @5000000001 5\n{} @5000000002 x\n{} @7000000000 7\n"
                 "{a=\"1\"} y\n{a=\"1\"} @5000000000 5\n{a=\"1\"} @5000000001 5\n");
    process_case(EXTRACT
                 "stage.timestamp {\n source = \"t\"\n format = \"Unix\"\n action_on_failure = "
                 "\"skip\"\n action_on_duplicate_timestamp = \"keep\"\n}",
                 "5\n5\nx", "{} @5000000000 5\n{} @5000000000 5\n{} x\n");
    process_case(EXTRACT "stage.timestamp {\n source = \"none\"\n format = \"Unix\"\n}", "5",
                 "{} 5\n");
    process_case(EXTRACT
                 "stage.timestamp {\n source = \"t\"\n format = \"Unix\"\n fallback_formats = "
                 "[\"UnixMs\", \"2006\", \"RFC3339\"]\n}",
                 "5\n2026\n2026-11-30T21:04:39Z",
                 "{} @5000000000 5\n{} @2026000000000 2026\n{} @1796072679000000000 "
                 "2026-11-30T21:04:39Z\n");
    process_case(EXTRACT
                 "stage.timestamp {\n source = \"t\"\n format = \"2006-01-02 15:04\"\n location "
                 "= \"Asia/Tokyo\"\n}",
                 "1970-01-01 09:01", "{} @60000000000 1970-01-01 09:01\n");
}

static void test_faults(void **state)
{
    process_fault("stage.timestamp {\n source = \"\"\n format = \"Unix\"\n}",
                  "timestamp source value is required if timestamp is specified");
    process_fault("stage.timestamp {\n source = \"t\"\n format = \"\"\n}",
                  "timestamp format is required");
    process_fault(
        "stage.timestamp {\n source = \"t\"\n format = \"2006\"\n location = \"Mars/X\"\n}",
        "invalid location specified: unknown time zone Mars/X");
}

/* More streams than are remembered: the one used last stays, the oldest are forgotten. */
static void test_memory_is_bounded(void **state)
{
    struct label_table *table = label_table_new();
    struct last_times t = {0};
    struct labels *first = labels_intern(table, NULL, 0);
    last_times_add(&t, first, 1, 1);
    for (int i = 0; i < 2 * LAST_TIMES_MAX; i++) {
        char value[16];
        snprintf(value, sizeof(value), "%d", i);
        struct label l = {STR("n"), str_of(value)};
        struct labels *set = labels_intern(table, &l, 1);
        assert_null(last_times_find(&t, set));
        last_times_add(&t, set, i, i);
        assert_int_equal(last_times_find(&t, first)->parsed, 1);
        assert_int_equal(last_times_find(&t, set)->parsed, i);
        labels_unref(set);
    }
    assert_int_equal(t.n, LAST_TIMES_MAX);
    assert_int_equal(label_table_count(table), LAST_TIMES_MAX);
    last_times_done(&t);
    labels_unref(first);
    assert_int_equal(label_table_count(table), 0);
    label_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_new_year),
        cmocka_unit_test(test_stage),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_memory_is_bounded),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
