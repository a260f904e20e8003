/* Tables that keep attributes without a row, and bodies that somebody else reads. */
#include "value/testing.h"

#include <errno.h>
#include "base/json.h"
#include "value/check.h"
#include "value/decode.h"
#include "value/encode.h"

struct loose {
    i64 known;
    struct value rest;
};
static const struct row loose_rows[] = {ATTR(struct loose, known, .doc = "Known.", .def = "3")};
static const struct schema loose =
    SCHEMA(struct loose, loose_rows, .freeform = true, .rest_off = offsetof(struct loose, rest));

struct closed {
    bool present;
};
static const struct schema closed = {.size = sizeof(struct closed),
                                     .span_off = -1,
                                     .present_off = offsetof(struct closed, present),
                                     .rest_off = -1,
                                     .opaque = true};
struct holder {
    i64 n;
    struct closed body;
};
static const struct row holder_rows[] = {
    ATTR(struct holder, n, .doc = "Number.", .def = "1"),
    BLOCK_AS(struct holder, body, "template", &closed, .doc = "Read later.", .required = true),
};
static const struct schema holder = SCHEMA(struct holder, holder_rows);

struct fixture {
    struct tree *tree;
    struct arena arena;
    struct diags diags;
    int rc;
};

static void decode(struct fixture *f, const struct schema *s, const char *text, void *out)
{
    f->tree = parse_text(text);
    arena_init(&f->arena, 0);
    diags_init(&f->diags);
    f->rc = decode_body(s, NULL, &f->tree->body, NULL, &f->arena, out, &f->diags);
}

static void done(struct fixture *f)
{
    arena_done(&f->arena);
    diags_done(&f->diags);
    tree_free(f->tree);
}

static void assert_checked(const struct schema *s, const char *text, const char *want)
{
    struct diags diags;
    struct type_env env = {0};
    struct tree *tree = parse_text(text);
    diags_init(&diags);
    check_body(s, NULL, &tree->body, &env, &diags);
    assert_diags(&diags, want);
    diags_done(&diags);
    tree_free(tree);
}

static void attributes_are_kept_in_order(void **state)
{
    struct fixture f;
    struct loose l;
    decode(&f, &loose, "zeta = 1\nknown = 7\nalpha = [true]\n", &l);
    assert_int_equal(f.rc, 0);
    assert_int_equal(l.known, 7);
    assert_int_equal(l.rest.object->n, 2);
    assert_string_equal(l.rest.object->m[0].key->p, "zeta");
    assert_string_equal(l.rest.object->m[1].key->p, "alpha");
    done(&f);
}

static void none_is_an_empty_object(void **state)
{
    struct fixture f;
    struct loose l;
    decode(&f, &loose, "", &l);
    assert_int_equal(l.rest.type, V_OBJECT);
    assert_int_equal(l.rest.object->n, 0);
    done(&f);
}

static void every_attribute_is_encoded(void **state)
{
    struct fixture f;
    struct loose l;
    struct buf out = BUF_INIT(4096);
    struct json_out j = {.b = &out};
    decode(&f, &loose, "b = \"x\"\n", &l);
    encode_json(&loose, &l, &j);
    assert_string_equal(
        out.p,
        "[{\"name\":\"b\",\"type\":\"attr\",\"value\":{\"type\":\"string\",\"value\":\"x\"}}]");
    struct value v = encode_value(&loose, &l);
    assert_int_equal(v.object->n, 2);
    assert_non_null(value_member(v, STR("b")));
    value_unref(v);
    buf_done(&out);
    done(&f);
}

static void objects_are_kept_too(void **state)
{
    struct arena arena;
    struct diags diags;
    struct loose l;
    struct object_builder b = {.ordered = true};
    arena_init(&arena, 0);
    diags_init(&diags);
    object_set_take(&b, STR("z"), value_int(1));
    object_set_take(&b, STR("known"), value_int(2));
    struct value v = object_done(&b);
    assert_int_equal(decode_object(&loose, v, NO_SPAN, &arena, &l, &diags), 0);
    assert_int_equal(l.known, 2);
    assert_int_equal(l.rest.object->n, 1);
    value_unref(v);
    arena_done(&arena);
    diags_done(&diags);
}

static void blocks_have_no_place_in_it(void **state)
{
    struct fixture f;
    struct loose l;
    const char *text = "a = 1\nmore { }\n";
    decode(&f, &loose, text, &l);
    assert_diags(&f.diags, "2:1 nested blocks not supported here\n");
    done(&f);
    assert_checked(&loose, text, "2:1 nested blocks not supported here\n");
    assert_checked(&loose, "a = constants.os\nmore { }\n",
                   "2:1 nested blocks not supported here\n");
}

static void opaque_bodies_are_not_read(void **state)
{
    struct fixture f;
    struct holder h;
    const char *text = "n = 2\ntemplate {\n  what = nobody.knows\n  deep \"x\" { }\n}\n";
    decode(&f, &holder, text, &h);
    assert_int_equal(f.rc, 0);
    assert_int_equal(h.n, 2);
    assert_true(h.body.present);
    struct buf out = BUF_INIT(4096);
    struct json_out j = {.b = &out};
    encode_json(&holder, &h, &j);
    assert_true(str_is(buf_view(&out), "[{\"name\":\"n\",\"type\":\"attr\",\"value\":{\"type\":"
                                       "\"number\",\"value\":2}}]"));
    buf_done(&out);
    done(&f);
    assert_checked(&holder, text, "");
    assert_checked(&holder, "n = 2\n", "0:0 missing required block \"template\"\n");
    assert_checked(&holder, "template \"x\" { }\n",
                   "1:1 block \"template\" does not support specifying labels\n");
}

static void the_self_test_knows_both(void **state)
{
    static const struct schema bad = {.rows = loose_rows,
                                      .n_rows = 1,
                                      .size = sizeof(struct loose),
                                      .span_off = -1,
                                      .present_off = -1,
                                      .opaque = true,
                                      .freeform = true,
                                      .rest_off = 1000};
    struct buf out = BUF_INIT(4096);
    assert_int_equal(schema_lint(&loose, "loose", &out), 0);
    assert_int_equal(schema_lint(&holder, "holder", &out), 0);
    assert_int_equal(schema_lint(&bad, "bad", &out), 2);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_kept_in_order),
        cmocka_unit_test(none_is_an_empty_object),
        cmocka_unit_test(every_attribute_is_encoded),
        cmocka_unit_test(objects_are_kept_too),
        cmocka_unit_test(blocks_have_no_place_in_it),
        cmocka_unit_test(opaque_bodies_are_not_read),
        cmocka_unit_test(the_self_test_knows_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
