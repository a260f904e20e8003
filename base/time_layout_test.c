/* Layouts against what Go's time package answers (time_layout_cases.def), and what stands beside
 * it. */
#include "base/time_layout.h"

#include <errno.h>
#include <stdlib.h>
#include "base/test.h"

struct parse_case {
    const char *layout, *zone, *text, *want;
};
struct format_case {
    const char *layout, *zone;
    i64 ns;
    const char *want;
};

#define CASE(l, z, t, w) {l, z, t, w},
#define FORMAT(l, z, n, w)
static const struct parse_case parse_cases[] = {
#include "base/time_layout_cases.def"
};
#undef CASE
#undef FORMAT
#define CASE(l, z, t, w)
#define FORMAT(l, z, n, w) {l, z, n, w},
static const struct format_case format_cases[] = {
#include "base/time_layout_cases.def"
};

static struct time_zone *zone(const char *name)
{
    char *err = NULL;
    struct time_zone *z = time_zone_load(str_of(name), &err);
    if (!z) print_error("%s (is tzdata installed?)\n", err);
    assert_non_null(z);
    return z;
}

static void parse(const struct parse_case *c, struct buf *out)
{
    struct time_zone *z = zone(c->zone);
    struct time_layout *l = time_layout_new(str_of(c->layout));
    struct time_parsed t;
    char *err = NULL;
    int r = time_layout_parse(l, str_of(c->text), z, &t, &err);
    if (r == -EINVAL)
        buf_cstr(out, err);
    else
        buf_printf(out, "%lld.%09d %d", (long long)(t.local_s - t.offset), t.nsec, t.year);
    if (r == 0) assert_int_equal(t.ns, (t.local_s - t.offset) * NS_PER_SEC + t.nsec);
    free(err);
    time_layout_free(l);
    time_zone_free(z);
}

static void parses_like_go(void **state)
{
    struct buf out = BUF_INIT(1 << 16);
    int bad = 0;
    for (size_t i = 0; i < ARRAY_LEN(parse_cases); i++) {
        const struct parse_case *c = &parse_cases[i];
        parse(c, &out);
        if (!str_is(buf_view(&out), c->want)) {
            print_error("\"%s\" by \"%s\" in \"%s\":\n  got  %s\n  want %s\n", c->text, c->layout,
                        c->zone, out.p, c->want);
            bad++;
        }
        buf_reset(&out);
    }
    buf_done(&out);
    assert_int_equal(bad, 0);
}

static void formats_like_go(void **state)
{
    struct buf out = BUF_INIT(1 << 16);
    int bad = 0;
    for (size_t i = 0; i < ARRAY_LEN(format_cases); i++) {
        const struct format_case *c = &format_cases[i];
        struct time_zone *z = zone(c->zone);
        struct time_layout *l = time_layout_new(str_of(c->layout));
        time_layout_format(l, c->ns, z, &out);
        if (!str_is(buf_view(&out), c->want)) {
            print_error("%lld by \"%s\" in \"%s\":\n  got  %s\n  want %s\n", (long long)c->ns,
                        c->layout, c->zone, out.p, c->want);
            bad++;
        }
        buf_reset(&out);
        time_layout_free(l);
        time_zone_free(z);
    }
    buf_done(&out);
    assert_int_equal(bad, 0);
}

static void years_beyond_64_bits_are_told(void **state)
{
    struct time_layout *l = time_layout_new(STR("2006"));
    struct time_parsed t;
    char *err = NULL;
    assert_int_equal(time_layout_parse(l, STR("9999"), NULL, &t, &err), -ERANGE);
    assert_int_equal(t.year, 9999);
    assert_non_null(strstr(err, "does not fit"));
    free(err);
    assert_int_equal(time_layout_parse(l, STR("x"), NULL, &t, NULL), -EINVAL);
    time_layout_free(l);
}

static i64 with_year(const char *text, int year, const struct time_zone *z)
{
    struct time_layout *l = time_layout_new(STR("Jan 2 15:04:05"));
    struct time_parsed t;
    assert_int_equal(time_layout_parse(l, str_of(text), z, &t, NULL), -ERANGE); /* year 0 */
    assert_int_equal(time_parsed_add_years(&t, year, z), 0);
    time_layout_free(l);
    return t.ns / NS_PER_SEC;
}

static void years_are_added_to_the_date(void **state)
{
    struct time_zone *ny = zone("America/New_York");
    assert_int_equal(with_year("Nov 30 21:04:39", 2026, NULL), 1796072679);
    assert_int_equal(with_year("Feb 29 00:00:00", 2026, NULL), 1772323200); /* March 1 */
    assert_int_equal(with_year("Feb 29 00:00:00", 2024, NULL), 1709164800);
    /* The zone's offset is that of the year that was added, not of year 0. */
    assert_int_equal(with_year("Nov 30 21:04:39", 2026, ny), 1796072679 + 5 * 3600);
    time_zone_free(ny);
}

static void abbreviations_may_have_a_zone_of_their_own(void **state)
{
    struct time_zone *ny = zone("America/New_York");
    struct time_layout *l = time_layout_new(STR("2006-01-02 MST"));
    struct time_parsed t;
    assert_int_equal(time_layout_parse_in(l, STR("2026-01-01 EST"), NULL, ny, &t, NULL), 0);
    assert_int_equal(t.offset, -5 * 3600);
    assert_int_equal(time_layout_parse_in(l, STR("2026-01-01 EST"), NULL, NULL, &t, NULL), 0);
    assert_int_equal(t.offset, 0);
    time_layout_free(l);
    time_zone_free(ny);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_like_go),
        cmocka_unit_test(formats_like_go),
        cmocka_unit_test(years_beyond_64_bits_are_told),
        cmocka_unit_test(years_are_added_to_the_date),
        cmocka_unit_test(abbreviations_may_have_a_zone_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
