/* Tests of components/common/relabel.h: every action on label sets, every message, the capsule. */
#include "base/test.h"

#include "components/common/relabel_testing.h"

/* "a=1,b=2" */
static void load(struct label_set *s, const char *text)
{
    struct str rest = str_of(text);

    while (rest.n > 0) {
        struct str value = str_cut(&rest, ',');
        struct str name = str_cut(&value, '=');
        label_set_put(s, name, value);
    }
}

static void print(const struct label_set *s, struct buf *out)
{
    for (u32 i = 0; i < s->n; i++)
        buf_printf(out, "%s" STR_FMT "=" STR_FMT, i ? "," : "", STR_ARG(s->v[i].name),
                   STR_ARG(s->v[i].value));
}

static void apply_to(const struct relabel *rules, const char *labels, const char *want)
{
    struct label_set set;
    struct buf got = BUF_INIT(1 << 20);
    bool limited = false;

    label_set_init(&set);
    load(&set, labels);
    if (relabel_apply(rules, &set, &limited))
        print(&set, &got);
    else
        buf_cstr(&got, "dropped");
    if (!got.p) buf_cstr(&got, "");
    assert_buf(&got, want);
    assert_false(limited);
    assert_int_equal(set.err, 0);
    buf_done(&got);
    label_set_done(&set);
}

static void expect_as(enum relabel_names names, const char *rules, const char *labels,
                      const char *want)
{
    struct relabel_case c;

    relabel_case_init(&c, str_of(rules), names);
    if (!c.rules) print_error("%s\n", c.diags.list.v[0].message);
    assert_non_null(c.rules);
    apply_to(c.rules, labels, want);
    relabel_case_done(&c);
}

static void expect(const char *rules, const char *labels, const char *want)
{
    expect_as(RELABEL_NAMES_CLASSIC, rules, labels, want);
}

static void refused(const char *rules, const char *want)
{
    struct relabel_case c;

    relabel_case_init(&c, str_of(rules), RELABEL_NAMES_CLASSIC);
    assert_null(c.rules);
    assert_int_equal(c.diags.list.n, 1);
    assert_string_equal(c.diags.list.v[0].message, want);
    assert_true(c.diags.list.v[0].span.start.line > 0);
    relabel_case_done(&c);
}

#define RULE(text) "rule {\n" text "\n}\n"
#define SOURCE     "source_labels = [\"a\", \"b\"]\n"

static void replace(void **state)
{
    expect(RULE(SOURCE "target_label = \"c\""), "a=1,b=2", "a=1,b=2,c=1;2");
    expect(RULE(SOURCE "target_label = \"c\""), "b=2", "b=2,c=;2");
    expect(RULE(SOURCE "target_label = \"c\"\nseparator = \"--\""), "a=1,b=2", "a=1,b=2,c=1--2");
    expect(RULE(SOURCE "target_label = \"c\"\nseparator = \"\"\nregex = \"(.)(.)\"\n"
                       "replacement = \"$2-${1}$$\""),
           "a=1,b=2", "a=1,b=2,c=2-1$");
    expect(RULE("source_labels = [\"a\"]\ntarget_label = \"a\"\nregex = \"x(.+)\""), "a=y", "a=y");
    expect(RULE("source_labels = [\"a\"]\ntarget_label = \"a\"\nregex = \"x(.+)\""), "a=xy", "a=y");
    expect(RULE("target_label = \"job\"\nreplacement = \"fixed\""), "", "job=fixed");
    /* Anchored, and the dot takes line feeds. */
    expect(RULE("source_labels = [\"a\"]\ntarget_label = \"b\"\nregex = \"foo\""), "a=foobar",
           "a=foobar");
    expect(RULE("source_labels = [\"a\"]\ntarget_label = \"b\"\nregex = \"a|b\""), "a=ab", "a=ab");
    expect(RULE("source_labels = [\"a\"]\ntarget_label = \"b\"\nregex = \"x.y\"\n"
                "replacement = \"z\""),
           "a=x\ny", "a=x\ny,b=z");
}

static void replace_takes_away(void **state)
{
    expect(RULE("source_labels = [\"none\"]\ntarget_label = \"a\""), "a=1,b=2", "b=2");
    expect(RULE("target_label = \"a\"\nreplacement = \"\""), "a=1,b=2", "b=2");
    expect(RULE("source_labels = [\"a\"]\nregex = \"(x)?1\"\ntarget_label = \"b\""), "a=1,b=2",
           "a=1");
    expect(RULE("source_labels = [\"a\"]\nregex = \"(.)\"\nreplacement = \"$1x\"\n"
                "target_label = \"b\""),
           "a=1,b=2", "a=1");
}

static void names_with_groups(void **state)
{
    const char *rule = RULE("source_labels = [\"a\"]\nregex = \"(?P<n>[^:]*):(.*)\"\n"
                            "target_label = \"x_${n}\"\nreplacement = \"$2\"");

    expect(rule, "a=app:web", "a=app:web,x_app=web");
    expect(rule, "a=a-b:web", "a=a-b:web");
    expect_as(RELABEL_NAMES_ANY, rule, "a=a-b:web", "a=a-b:web,x_a-b=web");
    expect_as(RELABEL_NAMES_ANY, RULE("target_label = \"a.b\"\nreplacement = \"1\""), "", "a.b=1");
    expect(RULE("target_label = \"a.b\"\nreplacement = \"1\""), "", "");
}

static void many_groups(void **state)
{
    expect(RULE("source_labels = [\"a\"]\ntarget_label = \"b\"\nreplacement = \"$20$3\"\nregex = "
                "\"(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)\""),
           "a=abcdefghijklmnopqrst", "a=abcdefghijklmnopqrst,b=tc");
}

static void keep_and_drop(void **state)
{
    const char *keep = RULE("action = \"keep\"\nsource_labels = [\"a\"]\nregex = \"x|y\"");
    const char *drop = RULE("action = \"drop\"\nsource_labels = [\"a\"]\nregex = \"x|y\"");

    expect(keep, "a=x", "a=x");
    expect(keep, "a=xx", "dropped");
    expect(keep, "b=x", "dropped");
    expect(drop, "a=y", "dropped");
    expect(drop, "a=z", "a=z");
    expect(RULE("action = \"drop\"\nsource_labels = [\"a\"]\nregex = \"\""), "b=1", "dropped");
    expect(RULE("action = \"keep\""), "b=1", "b=1");
}

static void keepequal_and_dropequal(void **state)
{
    const char *keep =
        RULE("action = \"keepequal\"\nsource_labels = [\"a\"]\ntarget_label = \"b\"");
    const char *drop =
        RULE("action = \"dropequal\"\nsource_labels = [\"a\"]\ntarget_label = \"b\"");

    expect(keep, "a=1,b=1", "a=1,b=1");
    expect(keep, "a=1,b=2", "dropped");
    expect(keep, "c=1", "c=1");
    expect(drop, "a=1,b=1", "dropped");
    expect(drop, "a=1,b=2", "a=1,b=2");
}

/* Values of Prometheus' own hashmod: the last 8 bytes of the MD5 sum. */
static void hashmod(void **state)
{
    expect(RULE("action = \"hashmod\"\nsource_labels = [\"c\"]\ntarget_label = \"d\"\n"
                "modulus = 1000"),
           "a=foo,b=bar,c=baz", "a=foo,b=bar,c=baz,d=976");
    expect(RULE("action = \"hashmod\"\nsource_labels = [\"c\"]\ntarget_label = \"d\"\n"
                "modulus = 1000"),
           "a=foo,b=bar,c=foo\nbar", "a=foo,b=bar,c=foo\nbar,d=734");
}

static void case_of_letters(void **state)
{
    expect(RULE("action = \"lowercase\"\nsource_labels = [\"a\"]\ntarget_label = \"b\""),
           "a=Straße ÄX", "a=Straße ÄX,b=straße äx");
    expect(RULE("action = \"uppercase\"\nsource_labels = [\"a\"]\ntarget_label = \"a\""), "a=äx",
           "a=ÄX");
    expect(RULE("action = \"uppercase\"\nsource_labels = [\"none\"]\ntarget_label = \"a\""),
           "a=äx,b=1", "b=1");
}

static void labelmap(void **state)
{
    expect(RULE("action = \"labelmap\"\nregex = \"__meta_(.+)\""), "__meta_a=1,__meta_b=2,c=3",
           "__meta_a=1,__meta_b=2,a=1,b=2,c=3");
    /* The walk is over the names, and values, of the start. */
    expect(RULE("action = \"labelmap\"\nregex = \"(a|ax)\"\nreplacement = \"${1}x\""), "a=1,ax=2",
           "a=1,ax=1,axx=2");
    expect(RULE("action = \"labelmap\"\nregex = \"x(.*)\"\nreplacement = \"$1\""), "x=1,xy.z=2",
           "x=1,xy.z=2,y.z=2");
}

static void labeldrop_and_labelkeep(void **state)
{
    expect(RULE("action = \"labeldrop\"\nregex = \"a.*\""), "a=1,ab=2,ba=3", "ba=3");
    expect(RULE("action = \"labelkeep\"\nregex = \"a.*\""), "a=1,ab=2,ba=3", "a=1,ab=2");
}

static void rules_in_order(void **state)
{
    expect(RULE("target_label = \"x\"\nreplacement = \"1\"")
               RULE("action = \"keep\"\nsource_labels = [\"x\"]\nregex = \"1\"")
                   RULE("action = \"labeldrop\"\nregex = \"x\""),
           "a=1", "a=1");
    expect(RULE("action = \"drop\"") RULE("target_label = \"x\"\nreplacement = \"1\""), "a=1",
           "dropped");
    expect("", "a=1,b=", "a=1,b=");
    expect(RULE("action = \"labeldrop\"\nregex = \"x\""), "a=1,b=", "a=1");
    apply_to(NULL, "a=1", "a=1");
}

static void messages(void **state)
{
    refused(RULE("action = \"Replace\""), "\"Replace\" unrecognized action type \"Replace\"");
    refused(RULE("action = \"\""), "\"\" unrecognized action type \"\"");
    refused(RULE("action = \"hashmod\"\ntarget_label = \"x\""),
            "relabel configuration for hashmod requires non-zero modulus");
    refused(RULE("regex = \"x\""),
            "relabel configuration for replace action requires 'target_label' value");
    refused(RULE("action = \"keepequal\""),
            "relabel configuration for keepequal action requires 'target_label' value");
    refused(RULE("target_label = \"a-${b}\""),
            "\"a-${b}\" is invalid 'target_label' for replace action");
    refused(RULE("target_label = \"\\xff\""),
            "\"\\xff\" is invalid 'target_label' for replace action");
    refused(RULE("action = \"labelmap\"\nreplacement = \"a-$1\""),
            "\"a-$1\" is invalid 'replacement' for labelmap action");
    refused(RULE("action = \"labelmap\"\nreplacement = \"1$1\""),
            "\"1$1\" is invalid 'replacement' for labelmap action");
    refused(RULE("action = \"lowercase\"\ntarget_label = \"a\"\nreplacement = \"x\""),
            "'replacement' can not be set for lowercase action");
    refused(RULE("action = \"dropequal\"\ntarget_label = \"a\"\nregex = \"x\""),
            "dropequal action requires only 'source_labels' and 'target_label', and no other "
            "fields");
    refused(RULE("action = \"labeldrop\"\nregex = \"x\"\nsource_labels = [\"a\"]"),
            "labeldrop action requires only 'regex', and no other fields");
    refused(RULE("action = \"labelkeep\"\nregex = \"x\"\nreplacement = \"a\""),
            "labelkeep action requires only 'regex', and no other fields");
    refused(RULE("target_label = \"a\"\nregex = \"(\""),
            "regex of a rule: error parsing regexp: missing closing ): `(`");
    refused(RULE("action = \"hashmod\"\ntarget_label = \"x\"\nmodulus = -1"),
            "-1 should be at least 0");
}

static void all_faults_at_once(void **state)
{
    struct relabel_case c;

    relabel_case_init(&c, STR(RULE("regex = \"x\"") RULE("action = \"keep\"\nregex = \"[\"")),
                      RELABEL_NAMES_ANY);
    assert_null(c.rules);
    assert_int_equal(c.diags.list.n, 2);
    assert_int_equal(c.diags.list.v[1].span.start.line, 4);
    relabel_case_done(&c);
}

/* A capsule outlives its plan, makes classic names, and equals one of the same rules. */
static void capsules(void **state)
{
    const char *rule = RULE("target_label = \"a.b\"\nreplacement = \"1\"")
        RULE("target_label = \"c\"\nreplacement = \"2\"");
    struct relabel_case one, other, third;

    relabel_case_init(&one, str_of(rule), RELABEL_NAMES_ANY);
    relabel_case_init(&other, str_of(rule), RELABEL_NAMES_ANY);
    relabel_case_init(&third, STR(RULE("target_label = \"c\"")), RELABEL_NAMES_ANY);
    assert_true(relabel_equal(one.rules, other.rules));
    assert_false(relabel_equal(one.rules, third.rules));
    struct capsule *a = relabel_capsule(one.rules), *b = relabel_capsule(other.rules);
    assert_true(capsule_relabel_rules.equal(a->data, b->data));
    relabel_case_done(&one);
    relabel_case_done(&other);
    relabel_case_done(&third);
    apply_to(relabel_of(a), "", "c=2");
    assert_null(relabel_of(NULL));
    value_unref((struct value){.type = V_CAPSULE, .capsule = a});
    value_unref((struct value){.type = V_CAPSULE, .capsule = b});
}

/* A regex that gives up does not match, and says so. */
static void match_limit(void **state)
{
    struct relabel_case c;
    struct label_set set;
    char text[200];
    bool limited = false;

    memset(text, 'a', sizeof(text));
    text[199] = 'b';
    relabel_case_init(&c,
                      STR(RULE("action = \"drop\"\nsource_labels = [\"x\"]\n"
                               "regex = \"(a+)+\"")),
                      RELABEL_NAMES_ANY);
    label_set_init(&set);
    label_set_put(&set, STR("x"), str_n(text, sizeof(text)));
    assert_true(relabel_apply(c.rules, &set, &limited));
    assert_true(limited);
    label_set_done(&set);
    relabel_case_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replace),
        cmocka_unit_test(replace_takes_away),
        cmocka_unit_test(names_with_groups),
        cmocka_unit_test(many_groups),
        cmocka_unit_test(keep_and_drop),
        cmocka_unit_test(keepequal_and_dropequal),
        cmocka_unit_test(hashmod),
        cmocka_unit_test(case_of_letters),
        cmocka_unit_test(labelmap),
        cmocka_unit_test(labeldrop_and_labelkeep),
        cmocka_unit_test(rules_in_order),
        cmocka_unit_test(messages),
        cmocka_unit_test(all_faults_at_once),
        cmocka_unit_test(capsules),
        cmocka_unit_test(match_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
