/* Which processes match, and what their groups are called. */
#include "base/test.h"

#include "components/prometheus/process/matcher.h"
#include "runtime/component.h"

static struct arena arena;
static struct diags diags;

static int begin(void **state)
{
    arena_init(&arena, 0);
    diags_init(&diags);
    return 0;
}

static int end(void **state)
{
    arena_done(&arena);
    diags_done(&diags);
    return 0;
}

static struct str user(void *arg, struct arena *a)
{
    return STR("ann");
}

static size_t cgroups(void *arg, struct arena *a, struct str **ret)
{
    *ret = arena_array(a, struct str, 2);
    (*ret)[0] = STR("/a");
    (*ret)[1] = STR("/b");
    return 2;
}

static struct matchers *make(const struct matcher_args *args, size_t n)
{
    struct prepare p = {.arena = &arena, .diags = &diags};
    struct matcher_list list = {(struct matcher_args *)args, n};

    return matchers_new(&p, &list);
}

#define LIST(...)                                                                                  \
    {                                                                                              \
        (struct str[]){__VA_ARGS__}, sizeof((struct str[]){__VA_ARGS__}) / sizeof(struct str)      \
    }

struct match_case {
    struct matcher_args args;
    const char *want; /* NULL: does not match */
};

static void test_matching(void **state)
{
    static const char line[] = "/usr/bin/java\0-jar\0app one.jar\0--port=80";
    const struct proc_face face = {.comm = "java",
                                   .cmdline = str_n(line, sizeof(line)),
                                   .pid = 42,
                                   .start_time = 1700000000 * NS_PER_SEC,
                                   .user = user,
                                   .cgroups = cgroups};
    const struct match_case cases[] = {
        {{.comm = LIST(STR("java"))}, "java"},
        {{.comm = LIST(STR("jav"))}, NULL},
        {{.comm = LIST(STR("x"), STR("java")), .name = STR("{{.Comm}}!")}, "java!"},
        {{.exe = LIST(STR("java"))}, "java"},
        {{.exe = LIST(STR("/usr/bin/java")), .name = STR("{{.ExeFull}}")}, "/usr/bin/java"},
        {{.exe = LIST(STR("/bin/java"))}, NULL},
        {{.exe = LIST(STR("/bin/java"), STR("/usr/bin/java"))}, "java"},
        {{.exe = LIST(STR("java")), .comm = LIST(STR("perl"))}, NULL},
        {{.cmdline = LIST(STR("app (?P<n>one)\\.jar")), .name = STR("{{.Matches.n}}")}, "one"},
        {{.cmdline = LIST(STR("(?P<a>java)"), STR("port=(?P<b>\\d+)")),
          .name = STR("{{.Matches.a}}:{{.Matches.b}}")},
         "java:80"},
        {{.cmdline = LIST(STR("java"), STR("perl"))}, NULL},
        {{.cmdline = LIST(STR("^/usr/bin/java -jar app one.jar --port=80$"))}, "java"},
        {{.cmdline = LIST(STR(".")), .name = STR("{{.Matches.none}}")}, "<no value>"},
        {{.cmdline = LIST(STR(".")),
          .name = STR("{{.Username}} {{.PID}} {{index .Cgroups 1}} {{.Cgroups}}")},
         "ann 42 /b [/a /b]"},
        {{.cmdline = LIST(STR(".")), .name = STR("{{.StartTime}}")},
         "2023-11-14 22:13:20 +0000 UTC"},
        {{.cmdline = LIST(STR(".")), .name = STR("{{.StartTime.Unix}}")}, "1700000000"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct matchers *m = make(&cases[i].args, 1);
        const char *err = NULL;
        assert_non_null(m);
        struct str got = matchers_name(m, &face, &arena, &err);
        assert_null(err);
        if (cases[i].want)
            assert_text(got, cases[i].want);
        else
            assert_null(got.p);
        matchers_unref(m);
    }
    assert_int_equal(diags.list.n, 0);
}

/* Kernel threads have no arguments. */
static void test_without_arguments(void **state)
{
    const struct proc_face face = {.comm = "kworker/0:1"};
    const struct matcher_args args[] = {
        {.exe = LIST(STR("kworker/0:1"))},
        {.cmdline = LIST(STR("^$")), .name = STR("{{.ExeBase}} {{.ExeFull}}")},
    };
    struct matchers *m = make(args, 2);
    const char *err = NULL;

    assert_text(matchers_name(m, &face, &arena, &err), "kworker/0:1 kworker/0:1");
    matchers_unref(m);
}

static void test_first_counts(void **state)
{
    const struct proc_face face = {.comm = "a", .cmdline = STR("a\0")};
    const struct matcher_args args[] = {
        {.comm = LIST(STR("b")), .name = STR("0")},
        {.comm = LIST(STR("a")), .name = STR("1")},
        {.exe = LIST(STR("a")), .name = STR("2")},
    };
    struct matchers *m = make(args, 3);
    const char *err = NULL;

    assert_text(matchers_name(m, &face, &arena, &err), "1");
    matchers_unref(m);
}

static void test_failing_template(void **state)
{
    const struct proc_face face = {
        .comm = "a", .cmdline = STR("/x/prog\0"), .user = user, .cgroups = cgroups};
    const struct matcher_args args = {.comm = LIST(STR("a")),
                                      .name = STR("some {{index .Cgroups 7}}")};
    struct matchers *m = make(&args, 1);
    const char *err = NULL;

    assert_text(matchers_name(m, &face, &arena, &err), "prog");
    assert_non_null(err);
    matchers_unref(m);
}

static void test_faults(void **state)
{
    const struct {
        struct matcher_args args;
        const char *want;
    } cases[] = {
        {{.name = STR("x")}, "a matcher needs comm, exe or cmdline"},
        {{.cmdline = LIST(STR("("))}, "bad cmdline expression: error parsing regexp"},
        {{.comm = LIST(STR("x")), .name = STR("{{.Foo}}")},
         "bad name template: there is no field Foo"},
        {{.comm = LIST(STR("x")), .name = STR("{{.Comm")}, "bad name template: template: name:1:"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_null(make(&cases[i].args, 1));
        assert_int_equal(diags.list.n, 1);
        if (!strstr(diags.list.v[0].message, cases[i].want))
            fail_msg("%s", diags.list.v[0].message);
        diags_clear(&diags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_matching, begin, end),
        cmocka_unit_test_setup_teardown(test_without_arguments, begin, end),
        cmocka_unit_test_setup_teardown(test_first_counts, begin, end),
        cmocka_unit_test_setup_teardown(test_failing_template, begin, end),
        cmocka_unit_test_setup_teardown(test_faults, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
