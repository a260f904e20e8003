/* Any text as a body: checked and decoded by a table with every kind; what decodes is encoded. */
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "parser/parser.h"
#include "value/check.h"
#include "value/decode.h"
#include "value/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct inner {
    struct str label;
    i64 n;
    struct dur every;
};
static const struct row inner_rows[] = {
    LABEL_ROW(struct inner, label),
    ATTR(struct inner, n, .def = "7", .min = 1, .has_min = true),
    ATTR(struct inner, every, .def = "\"1m\""),
};
static const struct schema inner_schema = SCHEMA(struct inner, inner_rows);
static const struct one_of_def stages[] = {{.name = "stage.a", .sub = &inner_schema},
                                           {.name = "stage.b", .sub = &inner_schema}};

struct args {
    bool flag;
    i64 count;
    f64 ratio;
    struct str name;
    struct bytesize size;
    struct secret password;
    struct opt_secret_text token;
    struct opt_i64 oi;
    struct str_list list;
    struct str_map map;
    struct secret_map headers;
    struct capsule_list to;
    struct value any;
    struct inner block;
    struct inner *ptr;
    struct {
        struct inner *v;
        size_t n;
    } many;
    struct one_of_list stage;
    struct value extra;
};
static const struct row rows[] = {
    ATTR(struct args, flag),
    ATTR(struct args, count, .required = true),
    ATTR(struct args, ratio),
    ATTR(struct args, name, .one_of = ONE_OF_TEXT("x", "y")),
    ATTR_AS(struct args, name, "old", .alias_of = "name"),
    ATTR(struct args, size),
    ATTR(struct args, password),
    ATTR(struct args, token),
    ATTR(struct args, oi),
    ATTR(struct args, list, .def = "[\"a\"]"),
    ATTR(struct args, map),
    ATTR(struct args, headers),
    ATTR(struct args, to),
    ATTR(struct args, any),
    BLOCK(struct args, block, &inner_schema),
    BLOCK_PTR(struct args, ptr, &inner_schema),
    BLOCKS(struct args, many, &inner_schema),
    ONE_OF_BLOCKS(struct args, stage, "stage", stages),
    {.name = "extra",
     .kind = K_MAP_BLOCK,
     .off = offsetof(struct args, extra),
     .size = sizeof(struct value)},
};
static const struct rule rules[] = {
    {.kind = RULE_AT_MOST_ONE, .names = {"password", "token"}, .message = "at most one"}};
static const struct schema schema = SCHEMA(struct args, rows, .rules = rules, .n_rules = 1);

static void decode(const struct body *body)
{
    struct arena arena;
    struct diags diags;
    struct args args;
    diags_init(&diags);
    arena_init(&arena, 0);
    int rc = decode_body(&schema, NULL, body, NULL, &arena, &args, &diags);
    if ((rc != 0) != diags_failed(&diags)) __builtin_trap();
    if (rc == 0) {
        struct buf out = BUF_INIT(1 << 20);
        struct json_out j = {.b = &out};
        encode_json(&schema, &args, &j);
        value_unref(encode_value(&schema, &args));
        buf_done(&out);
    }
    arena_done(&arena);
    diags_done(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct diags diags;
    diags_init(&diags);
    struct source *src = source_new("fuzz", str_n((const char *)data, size));
    struct tree *tree = parse_file(src, &diags);
    if (tree) {
        check_body(&schema, NULL, &tree->body, NULL, &diags);
        decode(&tree->body);
    }
    tree_free(tree);
    source_unref(src);
    diags_done(&diags);
    return 0;
}
