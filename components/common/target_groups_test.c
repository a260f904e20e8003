/* Target groups: both formats, where labels come from, what is refused. */
#include "base/test.h"

#include <errno.h>

#include "components/common/target_groups.h"

static struct arena arena;
typedef int reader(struct str text, const struct target_groups_conf *conf, struct arena *a,
                   struct target_list *into, const char **ret_err);

static void expect(reader *read, const char *text, int want_r, const char *want)
{
    const struct target_groups_conf conf = {STR("__meta_url"), STR("u")};
    struct target_list list = {0};
    struct buf out = BUF_INIT(1 << 16);
    struct label_set set;
    const char *err = NULL;
    int r = read(str_of(text), &conf, &arena, &list, &err);
    struct value v = target_list_value(&list);

    label_set_init(&set);
    for (size_t i = 0; r == 0 && i < targets_count(v); i++) {
        target_load(v, i, &set);
        target_text(&set, &out);
    }
    label_set_done(&set);
    value_unref(v);
    assert_int_equal(r, want_r);
    if (r) buf_cstr(&out, err);
    if (*want)
        assert_buf(&out, want);
    else
        assert_int_equal(out.n, 0);
    buf_done(&out);
}

#define BOTH                                                                                       \
    "[{\"targets\": [\"a:1\", \"b:2\"], \"labels\": {\"x\": \"y\"}}, {\"targets\": [\"c\"]}]"
#define SAME                                                                                       \
    "{\"__address__\"=\"a:1\", \"__meta_url\"=\"u\", \"x\"=\"y\"}"                                 \
    "{\"__address__\"=\"b:2\", \"__meta_url\"=\"u\", \"x\"=\"y\"}"                                 \
    "{\"__address__\"=\"c\", \"__meta_url\"=\"u\"}"

static void json(void **state)
{
    expect(target_groups_json, BOTH, 0, SAME);
    expect(target_groups_json, "[]", 0, "");
    expect(target_groups_json, "null", 0, "");
    expect(target_groups_json,
           "[{\"targets\":[\"a\"],\"labels\":{\"__address__\":\"z\",\"e\":\"\"}}]", 0,
           "{\"__address__\"=\"a\", \"__meta_url\"=\"u\", \"e\"=\"\"}");
    expect(target_groups_json, "[{\"targets\":[\"a\"],\"labels\":null}]", 0,
           "{\"__address__\"=\"a\", \"__meta_url\"=\"u\"}");
}

static void json_refused(void **state)
{
    expect(target_groups_json, "{}", -EBADMSG, "it is not a list of target groups");
    expect(target_groups_json, "[null]", -EBADMSG, "a target group is no object");
    expect(target_groups_json, "[{\"targets\":[1]}]", -EBADMSG, "targets is not a list of texts");
    expect(target_groups_json, "[{\"labels\":{\"a\":1}}]", -EBADMSG,
           "labels is not an object of texts");
    expect(target_groups_json, "[{\"labels\":{\"\":\"1\"}}]", -EBADMSG,
           "a label has no valid name");
    expect(target_groups_json, "[{\"target\":[]}]", -EBADMSG,
           "unknown field \"target\" of a target group");
    expect(target_groups_json, "[] []", -EBADMSG, "there is something after the list");
}

static void yaml(void **state)
{
    expect(target_groups_yaml, BOTH, 0, SAME);
    expect(target_groups_yaml, "- targets: ['a:1', b:2]\n  labels:\n    x: y\n- targets:\n  - c\n",
           0, SAME);
    expect(target_groups_yaml, "- labels: {port: 80, none: ~}\n  targets: [a]\n", 0,
           "{\"__address__\"=\"a\", \"__meta_url\"=\"u\", \"none\"=\"\", \"port\"=\"80\"}");
    expect(target_groups_yaml, "", 0, "");
    expect(target_groups_yaml, "# nothing\n", 0, "");
}

static void yaml_refused(void **state)
{
    expect(target_groups_yaml, "a: b\n", -EBADMSG, "it is not a list of target groups");
    expect(target_groups_yaml, "- a\n", -EBADMSG, "line 1: a target group is no map");
    expect(target_groups_yaml, "- targets: [a]\n  x: 1\n", -EBADMSG,
           "line 2: unknown field of a target group");
    expect(target_groups_yaml, "- targets: [[a]]\n", -EBADMSG, "targets is not a list of texts");
}

static int begin(void **state)
{
    arena_init(&arena, 0);
    return 0;
}

static int end(void **state)
{
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json),
        cmocka_unit_test(json_refused),
        cmocka_unit_test(yaml),
        cmocka_unit_test(yaml_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
