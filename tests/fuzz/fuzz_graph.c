/* Any text as a configuration: parse, compile as the checker does, throw away. With a small
 * registry whose schemas have every shape. */
#include "runtime/logging.h"
#include "runtime/services.h"
#include "runtime/compile/template.h"
#include "stdlib/stdlib.h"

struct inner {
    struct str_list names;
    struct dur wait;
};
struct inner_list {
    struct inner *v;
    size_t n;
};
struct args {
    struct str text;
    i64 number;
    struct str_map map;
    struct secret secret;
    struct capsule_list to;
    struct value any;
    struct inner inner;
    struct inner *optional;
    struct inner_list many;
};
struct exports {
    struct capsule_ref receiver;
    struct str text;
};

static const struct row inner_rows[] = {
    ATTR(struct inner, names, .doc = "Names."),
    ATTR(struct inner, wait, .doc = "Wait.", .def = "\"1s\""),
};
static const struct schema inner_schema = SCHEMA(struct inner, inner_rows);
static const struct row arg_rows[] = {
    ATTR(struct args, text, .doc = "Text.", .one_of = ONE_OF_TEXT("", "a", "b")),
    ATTR(struct args, number, .doc = "Number.", .def = "1", .min = 0, .has_min = true),
    ATTR(struct args, map, .doc = "Map."),
    ATTR(struct args, secret, .doc = "Secret."),
    ATTR(struct args, to, .doc = "To.", .capsule = &capsule_otelcol_consumer,
         .signals = SIGNALS_LOGS),
    ATTR(struct args, any, .doc = "Any."),
    BLOCK(struct args, inner, &inner_schema, .doc = "Inner."),
    BLOCK_PTR(struct args, optional, &inner_schema, .doc = "Optional."),
    BLOCKS(struct args, many, &inner_schema, .doc = "Many."),
};
static const struct schema arg_schema = SCHEMA(struct args, arg_rows);
static const struct row export_rows[] = {
    ATTR(struct exports, receiver, .doc = "Receiver.", .capsule = &capsule_otelcol_consumer,
         .signals = SIGNALS_TRACES),
    ATTR(struct exports, text, .doc = "Text."),
};
static const struct schema export_schema = SCHEMA(struct exports, export_rows);
static const struct component_def a_b = {
    .name = "a.b", .args = &arg_schema, .exports = &export_schema};
static const struct component_def a_c = {
    .name = "a.c", .args = &arg_schema, .stability = STABILITY_EXPERIMENTAL};
static const struct component_def *const all[] = {&a_b, &a_c};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compile(struct tree_set *trees, const struct scope *stdlib, struct diags *diags,
                    bool check)
{
    static const struct config_use blocks[] = {
        {&logging_def, NULL}, {&labelstore_def, NULL}, {&cluster_def, NULL}};
    struct compile_opts o = {.registry = {all, ARRAY_LEN(all)},
                             .configs = blocks,
                             .n_configs = ARRAY_LEN(blocks),
                             .stdlib = stdlib,
                             .check = check};
    struct template *t = NULL;
    if (template_compile(&o, trees, diags, &t) == 0) template_unref(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct func_env env = {.hostname = "h", .os = "linux", .arch = "amd64", .version = "v0"};
    struct stdlib *lib = stdlib_new(&env);
    for (int check = 0; check < 2; check++) {
        struct source_set files = {0};
        struct tree_set trees;
        struct diags diags;
        char *err = NULL;
        diags_init(&diags);
        if (source_set_add(&files, "f", str_n((const char *)data, size), &err) == 0 &&
            source_set_parse(&files, &trees, &diags) == 0)
            compile(&trees, stdlib_scope(lib), &diags, check);
        free(err);
        source_set_done(&files);
        diags_done(&diags);
    }
    stdlib_free(lib);
    return 0;
}
