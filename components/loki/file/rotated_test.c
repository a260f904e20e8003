/* Names that rotations leave. What is done with such files: source_file_test.c. */
#include "components/loki/file/rotated.h"

#include "base/test.h"

static void expect(const char *name, const char *base, bool want, int want_packed)
{
    int packed;

    if (rotated_name(str_of(name), str_of(base), &packed) != want)
        fail_msg("%s is%s one of %s", name, want ? "" : " not", base);
    assert_int_equal(packed, want_packed);
}

static void test_names(void **state)
{
    expect("app.log.1", "app.log", true, -1);
    expect("app.log.12.gz", "app.log", true, UNPACK_GZIP);
    expect("app.log-20261130", "app.log", true, -1);
    expect("app.log-2026-11-30T10:15:00.bz2", "app.log", true, UNPACK_BZIP2);
    expect("app-20261130.log", "app.log", true, -1);
    expect("app-20261130.log.gz", "app.log", true, UNPACK_GZIP);
    expect("0.log.20261130-101500", "0.log", true, -1);
    expect("syslog.1", "syslog", true, -1);
    expect("app.log", "app.log", false, -1);
    expect("app.log.gz", "app.log", false, UNPACK_GZIP);
    expect("app.log.tmp", "app.log", false, -1);
    expect("app.log1", "app.log", false, -1);
    expect("app-error.log", "app.log", false, -1);
    expect("app.log.", "app.log", false, -1);
    expect("other.log.1", "app.log", false, -1);
    expect(".log.1", ".log", true, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
