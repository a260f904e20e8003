/* Tests of base/yaml.h. */
#include "base/yaml.h"
#include <errno.h>
#include "base/test.h"

/* A one-line picture of a tree: kinds by their brackets, texts in the mark of their style, tags
 * before. */
static void draw(struct buf *b, const struct yaml_node *n)
{
    static const char marks[] = {[YAML_PLAIN] = 0,
                                 [YAML_SINGLE] = '\'',
                                 [YAML_DOUBLE] = '"',
                                 [YAML_LITERAL] = '|',
                                 [YAML_FOLDED] = '>'};

    if (n->tag.n) buf_printf(b, "<" STR_FMT ">", STR_ARG(n->tag));
    if (n->kind == YAML_SCALAR) {
        if (marks[n->style]) buf_ch(b, marks[n->style]);
        buf_str(b, n->text);
        if (marks[n->style]) buf_ch(b, marks[n->style]);
        return;
    }
    buf_ch(b, n->kind == YAML_SEQ ? '[' : '{');
    for (size_t i = 0; i < n->n; i++) {
        if (i) buf_ch(b, n->kind == YAML_MAP && i % 2 ? ':' : ',');
        draw(b, n->items[i]);
    }
    buf_ch(b, n->kind == YAML_SEQ ? ']' : '}');
}

static void assert_tree(const char *text, const char *want)
{
    struct buf b = BUF_INIT(10000);
    struct yaml_node *root;
    const char *err = NULL;
    struct arena a;

    arena_init(&a, 0);
    if (yaml_parse(str_of(text), &a, &root, &err)) fail_msg("%s: %s", text, err);
    if (root) draw(&b, root);
    assert_buf(&b, want);
    buf_done(&b);
    arena_done(&a);
}

static void assert_refused(const char *text, const char *want)
{
    struct yaml_node *root = (void *)&root;
    const char *err = NULL;
    struct arena a;

    arena_init(&a, 0);
    assert_int_equal(yaml_parse(str_of(text), &a, &root, &err), -EBADMSG);
    assert_ptr_equal(root, &root);
    assert_text(str_of(err), want);
    arena_done(&a);
}

static void trees(void **state)
{
    assert_tree("", "");
    assert_tree("# only a comment\n", "");
    assert_tree("a", "a");
    assert_tree("a: 1\nb: [x, 'y', \"z\\n\"]\n", "{a:1,b:[x,'y',\"z\n\"]}");
    assert_tree("- |\n  one\n  two\n- >\n  three\n  four\n", "[|one\ntwo\n|,>three four\n>]");
    assert_tree("a:\nb: {}\nc: []\n", "{a:,b:{},c:[]}");
    assert_tree("!!int \"1\"", "<tag:yaml.org,2002:int>\"1\"");
    assert_tree("!local {a: !!set {}}", "<!local>{a:<tag:yaml.org,2002:set>{}}");
    assert_tree("one\n---\ntwo\n", "one");
    assert_tree("? [a]\n: b\n", "{[a]:b}");
}

static void aliases(void **state)
{
    assert_tree("a: &x [1, 2]\nb: *x\n", "{a:[1,2],b:[1,2]}");
    assert_tree("- &x 1\n- &x 2\n- *x\n", "[1,2,2]");
    assert_tree("base: &b {k: v}\nuse: {<<: *b}\n", "{base:{k:v},use:{<<:{k:v}}}");
    assert_refused("a: *nope\n", "yaml: line 1: unknown anchor referenced: nope");
    assert_refused("a: &x\n  b: *x\n", "yaml: line 2: anchor contains itself: x");
}

/* Nine levels of nine aliases each are four hundred million nodes. */
static void billion_laughs(void **state)
{
    struct buf b = BUF_INIT(10000);

    buf_cstr(&b, "l0: &l0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n");
    for (int i = 1; i < 9; i++) {
        buf_printf(&b, "l%d: &l%d [", i, i);
        for (int k = 0; k < 9; k++)
            buf_printf(&b, "%s*l%d", k ? "," : "", i - 1);
        buf_cstr(&b, "]\n");
    }
    assert_refused(b.p, "yaml: line 7: document contains excessive aliasing or is too large");
    buf_done(&b);
}

static void limits(void **state)
{
    struct yaml_node *root;
    const char *err;
    struct arena a;

    arena_init(&a, 0);
    struct yaml_reader *r = yaml_reader_new(STR("[[[x]]]\n--- [1,2,3]\n"), &a);
    yaml_reader_limit(r, 4, 3);
    assert_int_equal(yaml_next(r, &root, &err), 1);
    assert_int_equal(root->weight, 4);
    assert_int_equal(yaml_next(r, &root, &err), 1); /* counted anew for each document */
    yaml_reader_free(r);
    r = yaml_reader_new(STR("[[[[x]]]]"), &a);
    yaml_reader_limit(r, 100, 3);
    assert_int_equal(yaml_next(r, &root, &err), -EBADMSG);
    assert_string_equal(err, "yaml: line 1: nested too deeply");
    assert_int_equal(yaml_next(r, &root, &err), -EBADMSG); /* for good */
    yaml_reader_free(r);
    yaml_reader_free(NULL);
    arena_done(&a);
}

static void documents(void **state)
{
    static const char *const want[] = {"a", "b", ""};
    struct yaml_node *root;
    struct arena a;

    arena_init(&a, 0);
    struct yaml_reader *r = yaml_reader_new(STR("a\n---\nb\n---\n"), &a);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_int_equal(yaml_next(r, &root, NULL), 1);
        assert_text(root->text, want[i]);
    }
    assert_int_equal(yaml_next(r, &root, NULL), 0);
    assert_int_equal(yaml_next(r, &root, NULL), 0);
    yaml_reader_free(r);
    arena_done(&a);
}

static void places_and_keys(void **state)
{
    struct yaml_node *root;
    struct arena a;

    arena_init(&a, 0);
    assert_int_equal(yaml_parse(STR("alloy:\n  port: 12345\n  list:\n    - x\n"), &a, &root, NULL),
                     0);
    struct yaml_node *alloy = yaml_get(root, STR("alloy")), *port = yaml_get(alloy, STR("port"));
    assert_text(port->text, "12345");
    assert_int_equal(port->line, 2);
    assert_int_equal(port->col, 9);
    assert_int_equal(yaml_get(alloy, STR("list"))->items[0]->line, 4);
    assert_null(yaml_get(alloy, STR("none")));
    assert_null(yaml_get(port, STR("none")));
    arena_done(&a);
}

static void faults(void **state)
{
    assert_refused("a: [1, 2\n", "yaml: line 2: did not find expected ',' or ']'");
    assert_refused("a: b: c\n", "yaml: line 1: mapping values are not allowed in this context");
    assert_refused("\tx", "yaml: line 1: found character that cannot start any token");
    assert_refused("\xFF", "yaml: line 1: invalid leading UTF-8 octet");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),  cmocka_unit_test(aliases),   cmocka_unit_test(billion_laughs),
        cmocka_unit_test(limits), cmocka_unit_test(documents), cmocka_unit_test(places_and_keys),
        cmocka_unit_test(faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
