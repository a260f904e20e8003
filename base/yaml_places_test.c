/* Tests of base/yaml_places.h. */
#include "base/yaml_places.h"
#include "base/test.h"

/* The runs of the value of `k`, as "value@document+len", for a document in ASCII. */
static void assert_places(const char *document, const char *value, const char *want)
{
    struct buf b = BUF_INIT(10000);
    struct yaml_node *root;
    yaml_runs runs = {0};
    struct arena a;

    arena_init(&a, 0);
    assert_int_equal(yaml_parse(str_of(document), &a, &root, NULL), 0);
    const struct yaml_node *n = yaml_get(root, STR("k"));
    assert_true(str_is(n->text, value));
    yaml_places(str_of(document), n->index, n, &runs);
    vec_each (&runs, r) {
        assert_memory_equal(value + r->value, document + r->document, r->len);
        buf_printf(&b, "%u@%u+%u ", r->value, r->document, r->len);
    }
    assert_string_equal(b.p, want);
    vec_done(&runs);
    buf_done(&b);
    arena_done(&a);
}

static void test_literal(void **state)
{
    assert_places("k: |\n  ab\n  c\n", "ab\nc\n", "0@7+2 3@12+1 ");
    assert_places("k: |-\n  ab\n\n   c\nj: x\n", "ab\n\n c", "0@8+2 3@11+0 4@14+2 ");
    assert_places("k: |+ # note\n  a\n\n", "a\n\n", "0@15+1 2@17+0 ");
    assert_places("k: |2\n    a\n  b\n", "  a\nb\n", "0@8+3 4@14+1 ");
    assert_places("k: &x !!str |\n  a\n", "a\n", "0@16+1 ");
    assert_places("k: |\r\n  a\r\n  b\r\n", "a\nb\n", "0@8+1 2@13+1 ");
}

static void test_folded(void **state)
{
    assert_places("k: >\n  ab\n  c\n\n  d\n", "ab c\nd\n", "0@7+2 3@12+1 5@17+1 ");
    assert_places("k: >-\n  a\n    b\n  c", "a\n  b\nc", "0@8+1 2@12+3 6@18+1 ");
}

static void test_flow(void **state)
{
    assert_places("k: ab c", "ab c", "0@3+4 ");
    assert_places("k: ab\n  c\n", "ab c", "0@3+2 3@8+1 ");
    assert_places("k: 'it''s'", "it's", "0@4+2 2@6+1 3@8+1 ");
    assert_places("k: \"a\\tb\"", "a\tb", "0@4+1 1@5+0 2@7+1 ");
    assert_places("k: \"\\u00e9b\"",
                  "\xC3\xA9"
                  "b",
                  "0@4+0 2@10+1 ");
    assert_places("k: \"a  \n\n  b\"", "a\nb", "0@4+1 2@11+1 ");
    assert_places("k: \"a\\\n  b\"", "ab", "0@4+1 1@9+1 ");
    assert_places("k: \"\"", "", "0@3+0 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literal),
        cmocka_unit_test(test_folded),
        cmocka_unit_test(test_flow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
