/* Forms of flags, defaults, messages. */
#include "cmd/flags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "value/schema.h"

struct opts {
    bool on, off;
    i64 count, wait, size;
    const char *name;
    enum stability level;
    i64 missing;
    bool old, write, test;
    const char *form;
};

static const struct flag rows[] = {
    FLAG(struct opts, on, "on", FLAG_BOOL, "true", "On."),
    FLAG(struct opts, off, "off", FLAG_BOOL, "false", "Off."),
    FLAG(struct opts, count, "count", FLAG_INT, "3", "Count."),
    FLAG(struct opts, wait, "wait", FLAG_DURATION, "1m", "Wait."),
    FLAG(struct opts, size, "size", FLAG_SIZE, "0", "Size."),
    FLAG(struct opts, name, "name", FLAG_TEXT, "x", "Name."),
    FLAG(struct opts, level, "level", FLAG_STABILITY, "generally-available", "Level."),
    FLAG(struct opts, missing, "missing", FLAG_INT, "0", "Missing.", .refused = "there is none"),
    FLAG(struct opts, old, "old", FLAG_BOOL, "false", "", .deprecated = true),
    FLAG(struct opts, write, "write", FLAG_BOOL, "false", "Write.", .letter = 'w'),
    FLAG(struct opts, test, "test", FLAG_BOOL, "false", "Test.", .letter = 't'),
    FLAG(struct opts, form, "form", FLAG_TEXT, "text", "Form.",
         .one_of = (const char *const[]){"text", "json", NULL}),
};
static const struct flag_table table = {rows, ARRAY_LEN(rows)};

static char said[1024]; /* on stderr during the last parse */

/* words: NULL-terminated, without the command. */
static int parse(struct opts *o, arg_list *args, const char *const *words)
{
    char *argv[16] = {(char *)"test"};
    int argc = 1;
    bool help;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    char path[] = "/tmp/weir-flags-XXXXXX";
    int fd = mkstemp(path), kept = dup(STDERR_FILENO);
    assert_true(fd >= 0 && kept >= 0);
    fflush(stderr);
    dup2(fd, STDERR_FILENO);
    int err = flags_parse(&table, argc, argv, o, args, &help);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    ssize_t n = pread(fd, said, sizeof(said) - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    close(fd);
    unlink(path);
    return err;
}

#define PARSE(...) parse(&o, &args, (const char *const[]){__VA_ARGS__, NULL})

static void test_defaults(void **state)
{
    struct opts o;
    arg_list args = {0};
    assert_int_equal(PARSE("path"), 0);
    assert_true(o.on && !o.off && o.count == 3 && o.wait == 60 * NS_PER_SEC && o.size == 0);
    assert_string_equal(o.name, "x");
    assert_int_equal(args.n, 1);
    assert_string_equal(args.v[0], "path");
    vec_done(&args);
}

static void test_forms(void **state)
{
    struct opts o;
    arg_list args = {0};
    assert_int_equal(PARSE("--off", "a", "--on=false", "--count", "7", "--wait=1h30m",
                           "--size=2MiB", "--name=", "--level=experimental", "--", "--off=x"),
                     0);
    assert_true(o.off && !o.on && o.count == 7 && o.wait == 5400 * NS_PER_SEC && o.size == 2 << 20);
    assert_string_equal(o.name, "");
    assert_int_equal(o.level, STABILITY_EXPERIMENTAL);
    assert_int_equal(args.n, 2);
    assert_string_equal(args.v[1], "--off=x");
    vec_done(&args);
}

static void test_letters(void **state)
{
    struct opts o;
    arg_list args = {0};
    assert_int_equal(PARSE("-wt", "-", "-1", "--form", "json"), 0);
    assert_true(o.write && o.test);
    assert_string_equal(o.form, "json");
    assert_int_equal(args.n, 2); /* standard input and a number are no flags */
    vec_done(&args);
}

static void test_faults(void **state)
{
    static const struct {
        const char *word, *says;
    } cases[] = {
        {"--nothing", "Error: unknown flag: --nothing\n"},
        {"-x", "Error: unknown shorthand flag: 'x' in -x\n"},
        {"--count", "Error: flag needs an argument: --count\n"},
        {"--count=x", "Error: invalid argument \"x\" for \"--count\" flag: strconv.ParseInt: "
                      "parsing \"x\": invalid syntax\n"},
        {"--on=maybe", "Error: invalid argument \"maybe\" for \"--on\" flag: strconv.ParseBool: "
                       "parsing \"maybe\": invalid syntax\n"},
        {"--wait=5", "Error: invalid argument \"5\" for \"--wait\" flag: time: missing unit in "
                     "duration \"5\"\n"},
        {"--level=x",
         "Error: invalid argument \"x\" for \"--level\" flag: invalid stability level \"x\"\n"},
        {"--missing=1", "Error: --missing: there is none\n"},
        {"-wx", "Error: unknown shorthand flag: 'x' in -wx\n"},
        {"--form=yaml",
         "Error: invalid argument \"yaml\" for \"--form\" flag: it is one of text, json\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct opts o;
        arg_list args = {0};
        assert_int_equal(PARSE(cases[i].word), -EINVAL);
        assert_string_equal(said, cases[i].says);
        vec_done(&args);
    }
}

static void test_notices(void **state)
{
    struct opts o;
    arg_list args = {0};
    assert_int_equal(PARSE("--old", "--missing=0"), 0);
    assert_string_equal(
        said, "Flag --old has been deprecated, This flag is deprecated and has no effect.\n");
    vec_done(&args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_forms),
        cmocka_unit_test(test_letters),  cmocka_unit_test(test_faults),
        cmocka_unit_test(test_notices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
