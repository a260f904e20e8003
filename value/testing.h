/* Shared by the unit tests of value/ and stdlib/: text in, value or message out. */
#ifndef VALUE_TESTING_H
#define VALUE_TESTING_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

#include "parser/parser.h"
#include "value/eval.h"

/* Evaluates text and compares the plain JSON, or "line:col message" (with " +hint") when it fails.
 */
UNUSED static void assert_eval(const struct scope *scope, const char *text, const char *want)
{
    struct diags diags;
    struct expr *e;
    struct value v;
    struct buf got = BUF_INIT(1 << 24);
    diags_init(&diags);
    struct source *src = source_new(NULL, str_of(text));
    struct tree *tree = parse_expr(src, &diags, &e);
    if (tree && eval_expr(e, scope, &v, &diags) == 0) {
        assert_int_equal(diags.list.n, 0);
        value_json(v, &got);
        value_unref(v);
    } else {
        assert_int_equal(diags.list.n, 1);
        struct diag *d = &diags.list.v[0];
        buf_printf(&got, "%u:%u %s%s%s", d->span.start.line, d->span.start.col, d->message,
                   d->hint ? " +" : "", d->hint ? d->hint : "");
    }
    if (!str_is(buf_view(&got), want)) fail_msg("%s\n  gives  %s\n  wanted %s", text, got.p, want);
    tree_free(tree);
    source_unref(src);
    diags_done(&diags);
    buf_done(&got);
}

/* A parsed file; free with tree_free. */
UNUSED static struct tree *parse_text(const char *text)
{
    struct diags diags;
    diags_init(&diags);
    struct source *src = source_new("test.alloy", str_of(text));
    struct tree *tree = parse_file(src, &diags);
    source_unref(src);
    if (!tree) fail_msg("does not parse: %s", diags.list.v[0].message);
    diags_done(&diags);
    return tree;
}

/* All messages, one a line: "2:3 text +hint". */
UNUSED static void assert_diags(const struct diags *d, const char *want)
{
    struct buf got = BUF_INIT(1 << 20);
    buf_cstr(&got, "");
    for (size_t i = 0; i < d->list.n; i++) {
        const struct diag *x = &d->list.v[i];
        buf_printf(&got, "%u:%u %s%s%s%s\n", x->span.start.line, x->span.start.col,
                   x->severity == SEV_WARNING ? "warning: " : "", x->message, x->hint ? " +" : "",
                   x->hint ? x->hint : "");
    }
    if (!str_is(buf_view(&got), want)) fail_msg("got:\n%swanted:\n%s", got.p ? got.p : "", want);
    buf_done(&got);
}

#endif
