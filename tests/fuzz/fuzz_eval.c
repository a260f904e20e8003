/* Any text as an expression: parsed, evaluated against the standard library, its value printed,
 * compared and dropped, its faults printed. */
#include <stddef.h>
#include <stdint.h>

#include "parser/parser.h"
#include "stdlib/stdlib.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct func_env env = {
    .hostname = "box", .os = "linux", .arch = "amd64", .version = "v1.0.0"};

static void use(struct value v)
{
    struct buf out = BUF_INIT(1 << 20);
    value_json(v, &out);
    if (!value_same(v, v)) __builtin_trap();
    buf_done(&out);
    value_unref(v);
}

static void show(const struct diags *diags)
{
    struct buf out = BUF_INIT(1 << 20);
    if (diags->list.n == 0) __builtin_trap();
    diags_render(diags, &out, false);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct diags diags;
    struct expr *e;
    struct value v;
    struct stdlib *lib = stdlib_new(&env);
    diags_init(&diags);
    struct source *src = source_new("fuzz", str_n((const char *)data, size));
    struct tree *tree = parse_expr(src, &diags, &e);
    if (tree && eval_expr(e, stdlib_scope(lib), &v, &diags) == 0)
        use(v);
    else
        show(&diags);
    tree_free(tree);
    source_unref(src);
    diags_done(&diags);
    stdlib_free(lib);
    return 0;
}
