/* Tests of components/loki/journal/entry.h: fields, labels, lines. */
#include <errno.h>

#include "base/test.h"

#include "components/common/relabel_testing.h"
#include "components/loki/journal/entry.h"

static struct journal_fields fields;
static struct label_set set;
static struct buf scratch, text;

static struct str_pair label_pairs[2];
static const struct str_map labels = {label_pairs, 2};

static int setup(void **state)
{
    label_pairs[0] = (struct str_pair){STR("env"), STR("test")};
    label_pairs[1] = (struct str_pair){STR("job"), STR("mine")};
    journal_fields_init(&fields, 1 << 20);
    label_set_init(&set);
    scratch = BUF_INIT(1 << 20);
    text = BUF_INIT(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    journal_fields_done(&fields);
    label_set_done(&set);
    buf_done(&scratch);
    buf_done(&text);
    return 0;
}

static void add(const char *const *data)
{
    journal_fields_reset(&fields);
    for (; *data; data++)
        journal_fields_add(&fields, str_of(*data));
    assert_int_equal(journal_fields_settle(&fields), 0);
}

/* Outcome; labels in text, the line behind a bar. */
static enum journal_outcome entry(const char *rules, bool json)
{
    struct relabel_case c;
    struct str line = {0};
    bool limited = false;

    relabel_case_init(&c, str_of(rules), RELABEL_NAMES_CLASSIC);
    assert_non_null(c.rules);
    const struct journal_format fmt = {
        .json = json, .labels = &labels, .job = STR("loki.source.journal.x"), .rules = c.rules};
    enum journal_outcome got = journal_entry(&fmt, &fields, &set, &scratch, &line, &limited);
    buf_reset(&text);
    label_set_text(&set, &text);
    buf_cstr(&text, "|");
    buf_str(&text, line);
    relabel_case_done(&c);
    return got;
}

#define UNIT                                                                                       \
    "rule {\n source_labels = [\"__journal__systemd_unit\"]\n target_label = \"unit\"\n}\n"        \
    "rule {\n source_labels = [\"__journal_priority_keyword\"]\n target_label = \"level\"\n}\n"

static void fields_become_labels(void **state)
{
    add((const char *[]){"_SYSTEMD_UNIT=ssh.service", "PRIORITY=3", "MESSAGE=a=b", NULL});
    assert_int_equal(entry(UNIT, false), JOURNAL_ENTRY);
    assert_buf(&text, "{env=\"test\", job=\"loki.source.journal.x\", level=\"error\", "
                      "unit=\"ssh.service\"}|a=b");
}

static void priorities(void **state)
{
    static const char *const cases[][2] = {{"PRIORITY=0", "emerg"},  {"PRIORITY=1", "alert"},
                                           {"PRIORITY=2", "crit"},   {"PRIORITY=4", "warning"},
                                           {"PRIORITY=5", "notice"}, {"PRIORITY=6", "info"},
                                           {"PRIORITY=7", "debug"},  {"PRIORITY=9", "9"}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        add((const char *[]){cases[i][0], "MESSAGE=m", NULL});
        assert_int_equal(entry(UNIT, false), JOURNAL_ENTRY);
        assert_text(label_set_get(&set, STR("level")), cases[i][1]);
    }
}

static void the_last_of_a_field_counts(void **state)
{
    add((const char *[]){"A=1", "MESSAGE=x", "A=2", "=no name", "no value", "E=", NULL});
    assert_int_equal(fields.n, 3);
    assert_text(journal_fields_get(&fields, STR("A")), "2");
    assert_text(journal_fields_get(&fields, STR("E")), "");
    assert_null(journal_fields_get(&fields, STR("B")).p);
}

static void as_json(void **state)
{
    add((const char *[]){"_PID=1", "MESSAGE=<a> \"b\"", "PRIORITY=6", NULL});
    assert_int_equal(entry("", true), JOURNAL_ENTRY);
    assert_buf(&text,
               "{env=\"test\", job=\"loki.source.journal.x\"}|"
               "{\"MESSAGE\":\"\\u003ca\\u003e \\\"b\\\"\",\"PRIORITY\":\"6\",\"_PID\":\"1\"}");
}

static void skipped(void **state)
{
    add((const char *[]){"_PID=1", NULL});
    assert_int_equal(entry("", false), JOURNAL_NO_MESSAGE);
    assert_int_equal(entry("", true), JOURNAL_NO_MESSAGE);
    add((const char *[]){"MESSAGE=", NULL});
    assert_int_equal(entry("", false), JOURNAL_NO_MESSAGE);
    add((const char *[]){"MESSAGE=x", NULL});
    assert_int_equal(entry("rule {\n action = \"labeldrop\"\n regex = \"job|env\"\n}", false),
                     JOURNAL_NO_LABELS);
    assert_int_equal(entry("rule {\n action = \"drop\"\n}", false), JOURNAL_NO_LABELS);
}

static void too_large(void **state)
{
    struct journal_fields small;

    journal_fields_init(&small, 8);
    journal_fields_add(&small, STR("MESSAGE=does not fit"));
    assert_int_equal(journal_fields_settle(&small), -E2BIG);
    journal_fields_done(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_become_labels),
        cmocka_unit_test(priorities),
        cmocka_unit_test(the_last_of_a_field_counts),
        cmocka_unit_test(as_json),
        cmocka_unit_test(skipped),
        cmocka_unit_test(too_large),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
