/* Zones: the system's, and files made here. */
#include "base/time_zone.h"

#include <stdlib.h>
#include "base/test.h"
#include "base/time_rule.h"

static struct time_zone *zone(const char *name)
{
    char *err = NULL;
    struct time_zone *z = time_zone_load(str_of(name), &err);
    if (!z) print_error("%s (is tzdata installed?)\n", err);
    assert_non_null(z);
    return z;
}

static void names_that_are_no_zone(void **state)
{
    static const char *const bad[] = {"Mars/Olympus",  "../etc/passwd", "/etc/localtime", "Europe",
                                      "Europe/../UTC", "a\\b",          "utc+1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char *err = NULL, want[100];
        snprintf(want, sizeof(want), "unknown time zone %s", bad[i]);
        assert_null(time_zone_load(str_of(bad[i]), &err));
        assert_string_equal(err, want);
        free(err);
    }
}

struct at {
    const char *zone;
    i64 unix_s;
    i32 offset;
    const char *abbr;
};
/* As `TZ=<zone> date -d @<s>` says. */
static const struct at moments[] = {
    {"", 0, 0, "UTC"},
    {"UTC", 1796072679, 0, "UTC"},
    {"Europe/Berlin", 1774745999, 3600, "CET"},
    {"Europe/Berlin", 1774746000, 7200, "CEST"},
    {"Europe/Berlin", 1792889999, 7200, "CEST"},
    {"Europe/Berlin", 1792890000, 3600, "CET"},
    {"Europe/Berlin", 4118000000, 7200, "CEST"}, /* 2100: by the rule of the footer */
    {"Europe/Berlin", 4102444800, 3600, "CET"},
    {"Europe/Dublin", 4102444800, 0, "GMT"},
    {"Europe/Dublin", 4118000000, 3600, "IST"},
    {"America/Sao_Paulo", 4102444800, -10800, "-03"},
    {"Australia/Sydney", 4102444800, 39600, "AEDT"},
    {"Australia/Sydney", 4118000000, 36000, "AEST"},
    {"Asia/Kathmandu", 1796072679, 20700, "+0545"},
};

static void offsets(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
        const struct at *m = &moments[i];
        struct time_zone *z = zone(m->zone);
        const char *abbr;
        assert_int_equal(time_zone_offset(z, m->unix_s, &abbr), m->offset);
        assert_string_equal(abbr, m->abbr);
        time_zone_free(z);
    }
}

static void rules(void **state)
{
    static const char *const bad[] = {"",
                                      "A1",
                                      "CET",
                                      "CET-1CEST,",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1x",
                                      "CET-1CEST,M13.1.0,M1.1.0",
                                      "<+03",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-999",
                                      "CET-1CEST,M3.5.0,M10.5.0x",
                                      "CET-1:60"};
    struct time_rule r;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(time_rule_parse(str_of(bad[i]), &r));
    assert_true(time_rule_parse(STR("<+0330>-3:30"), &r));
    assert_int_equal(r.std_offset, 12600);
    assert_string_equal(r.std, "+0330");
    /* Summer over the new year, changes by day of the year, times beyond a day. */
    assert_true(time_rule_parse(STR("AAA3BBB,J300/-1:00,J60/25"), &r));
    assert_int_equal(time_rule_offset(&r, 1704067200, NULL), -7200);  /* 2024-01-01 */
    assert_int_equal(time_rule_offset(&r, 1719792000, NULL), -10800); /* 2024-07-01 */
    assert_true(time_rule_parse(STR("AAA3BBB1,59,299"), &r));
    assert_int_equal(time_rule_offset(&r, 1719792000, NULL), -3600);
}

static void damaged_files_are_refused(void **state)
{
    /* Version 1: one type, no change. */
    char ok[44 + 6 + 4] = "TZif";
    ok[20 + 19] = 1, ok[20 + 23] = 4;
    memcpy(ok + 44, "\0\0\x0e\x10\0\0CET", 10);
    struct time_zone *z = time_zone_decode(str_n(ok, sizeof(ok)));
    assert_non_null(z);
    assert_int_equal(time_zone_offset(z, 0, NULL), 3600);
    time_zone_free(z);
    for (size_t n = 0; n < sizeof(ok); n++)
        assert_null(time_zone_decode(str_n(ok, n)));
    ok[49] = 9; /* an abbreviation outside of the texts */
    assert_null(time_zone_decode(str_n(ok, sizeof(ok))));
}

static void local_follows_the_environment(void **state)
{
    const char *abbr;
    setenv("TZ", ":Asia/Tokyo", 1);
    struct time_zone *z = zone("Local");
    assert_int_equal(time_zone_offset(z, 0, &abbr), 9 * 3600);
    assert_string_equal(abbr, "JST");
    time_zone_free(z);
    setenv("TZ", "", 1);
    z = zone("Local");
    assert_int_equal(time_zone_offset(z, 0, NULL), 0);
    time_zone_free(z);
    unsetenv("TZ");
}

static void calendar(void **state)
{
    for (i64 d = -800000; d < 3000000; d += 97) {
        struct civil c = civil_of_days(d);
        assert_int_equal(civil_days(c.year, c.month, c.day), d);
        assert_in_range(c.day, 1, civil_month_days(c.year, c.month));
    }
    assert_int_equal(civil_days(2026, 14, 1), civil_days(2027, 2, 1));
    assert_int_equal(civil_days(2026, -1, 1), civil_days(2025, 11, 1));
    assert_int_equal(civil_days(1970, 1, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_are_no_zone),
        cmocka_unit_test(offsets),
        cmocka_unit_test(rules),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(calendar),
        cmocka_unit_test(local_follows_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
