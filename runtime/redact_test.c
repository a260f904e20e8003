/* Which values of a text are secrets, and what is left of it without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "parser/printer.h"
#include "runtime/redact.h"

struct auth {
    struct str user;
    struct secret password;
};
struct args {
    struct opt_secret_text content;
    struct secret_map headers;
    struct str note;
    struct auth auth;
};
static const struct row auth_rows[] = {ATTR(struct auth, user, .doc = "u"),
                                       ATTR(struct auth, password, .doc = "p")};
static const struct schema auth_schema = SCHEMA(struct auth, auth_rows);
static const struct row rows[] = {
    ATTR(struct args, content, .doc = "c"), ATTR(struct args, headers, .doc = "h"),
    ATTR(struct args, note, .doc = "n"), BLOCK(struct args, auth, &auth_schema, .doc = "a")};
static const struct schema schema = SCHEMA(struct args, rows);
static const struct component_def def = {.name = "a.b", .args = &schema};
static const struct component_def *const defs[] = {&def};
static const struct compile_opts opts = {.registry = {defs, 1}};

static char shown[8192];

static struct source *source(const char *text)
{
    return source_new("t.alloy", str_of(text));
}

/* The formatted text without its secrets. */
static const char *redacted(const char *text)
{
    struct source_set files = {0};
    struct tree_set trees;
    struct diags diags;
    struct buf out = BUF_INIT(sizeof(shown) - 1);
    diags_init(&diags);
    vec_push(&files.files, source(text));
    assert_int_equal(source_set_parse(&files, &trees, &diags), 0);
    redact_trees(&trees, &opts);
    print_tree(trees.trees.v[0], &out);
    snprintf(shown, sizeof(shown), STR_FMT, STR_ARG(buf_view(&out)));
    buf_done(&out);
    tree_set_done(&trees);
    source_set_done(&files);
    diags_done(&diags);
    return shown;
}

static void test_the_whole_expression_goes(void **state)
{
    assert_string_equal(redacted("a.b \"x\" {\n  content = \"x\" + /* y */ env(\"z\")\n"
                                 "  headers = {\"a\" = \"x\"}\n  note = \"shown\"\n"
                                 "  auth {\n    user = \"shown\"\n    password = \"x\"\n  }\n}\n"),
                        "a.b \"x\" {\n\tcontent = \"(secret)\"\n\theaders = \"(secret)\"\n"
                        "\tnote    = \"shown\"\n\n\tauth {\n\t\tuser     = \"shown\"\n"
                        "\t\tpassword = \"(secret)\"\n\t}\n}\n");
}

static void test_unknown_bodies_keep_no_texts(void **state)
{
    assert_string_equal(redacted("mods.x \"x\" {\n  t = \"x\"\n  n = 1\n  r = a.b.c.d\n}\n"),
                        "mods.x \"x\" {\n\tt = \"(secret)\"\n\tn = 1\n\tr = a.b.c.d\n}\n");
}

static void test_arguments_of_declares_are_followed(void **state)
{
    const char *text =
        redacted("declare \"inner\" {\n  argument \"p\" {\n    default = \"one\"\n  }\n"
                 "  a.b \"x\" {\n    auth {\n      password = argument.p.value\n    }\n  }\n}\n"
                 "declare \"outer\" {\n  argument \"q\" { }\n  argument \"n\" { }\n"
                 "  inner \"x\" {\n    p = argument.q.value\n  }\n"
                 "  a.b \"y\" {\n    note = argument.n.value\n  }\n}\n"
                 "outer \"o\" {\n  q = \"two\"\n  n = \"shown\"\n}\n");
    assert_null(strstr(text, "one"));
    assert_null(strstr(text, "two"));
    assert_non_null(strstr(text, "n = \"shown\""));
}

static void test_declares_that_use_themselves(void **state)
{
    const char *text = redacted("declare \"a\" {\n  argument \"x\" { }\n  a \"b\" {\n    x = "
                                "argument.x.value\n  }\n}\na \"c\" {\n  x = \"shown\"\n}\n");
    assert_non_null(strstr(text, "\"shown\""));
}

static void test_a_collection_that_holds_secrets(void **state)
{
#define EACH(attr)                                                                                 \
    "foreach \"f\" {\n  collection = [\"one\"]\n  var = \"v\"\n  template {\n"                     \
    "    a.b \"x\" {\n      " attr " = v\n    }\n  }\n}\n"
    assert_null(strstr(redacted(EACH("content")), "one"));
    assert_non_null(strstr(redacted(EACH("note")), "one"));
}

static const char *masked(const char *text)
{
    struct source *s = source(text), *m = redact_source(s, &opts);
    assert_int_equal(m->text.n, s->text.n);
    assert_int_equal(m->n_lines, s->n_lines);
    snprintf(shown, sizeof(shown), STR_FMT, STR_ARG(m->text));
    source_unref(m);
    source_unref(s);
    return shown;
}

static void test_texts_keep_their_places(void **state)
{
    assert_string_equal(masked("a.b \"x\" {\n  content = \"0123456789\"\n  note = \"n\"\n}\n"),
                        "a.b \"x\" {\n  content = ********    \n  note = \"n\"\n}\n");
    assert_string_equal(masked("a.b \"x\" {\n  note = \"n\"\n"), "a.b *** {\n  note = ***\n");
    assert_string_equal(masked("x = \"abc\ny"), "x = ****\ny");
}

static void test_diagnostics(void **state)
{
    struct diags d;
    struct buf out = BUF_INIT(1 << 16);
    struct source *s =
        source("a.b \"x\" {\n  auth {\n    password = \"hunter2\"\n  }\n  note = 1\n}\n");
    diags_init(&d);
    struct span at = {.file = s, .start = {3, 16}, .end = {3, 24}};
    diag_error(&d, DIAG_VALUE_INVALID, at, "\"hunter2\" is bad");
    at = (struct span){.file = s, .start = {1, 1}, .end = {6, 1}};
    diag_error(&d, DIAG_COMPONENT_BUILD, at, "it does not build");
    redact_diags(&d, &opts, 1 << 16, &out);
    assert_null(strstr(out.p, "hunter2"));
    assert_non_null(strstr(out.p, "it does not build"));
    assert_non_null(strstr(out.p, "password = ********"));
    buf_reset(&out);
    redact_diags(&d, &opts, 1, &out);
    assert_non_null(strstr(out.p, "... and 1 more"));
    buf_done(&out);
    diags_done(&d);
    source_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_whole_expression_goes),
        cmocka_unit_test(test_unknown_bodies_keep_no_texts),
        cmocka_unit_test(test_arguments_of_declares_are_followed),
        cmocka_unit_test(test_declares_that_use_themselves),
        cmocka_unit_test(test_a_collection_that_holds_secrets),
        cmocka_unit_test(test_texts_keep_their_places),
        cmocka_unit_test(test_diagnostics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
