/* Tables of the blocks that the language brings. Spec: runtime.md 8, reference config-blocks. */
#include "runtime/compile/blocks.h"

#include "runtime/import/import.h"
#include "runtime/compile/template.h"

/* ---- declare ---- */

#define OPAQUE(T, ...)                                                                             \
    {                                                                                              \
        .size = sizeof(T), .span_off = -1, .present_off = -1, .rest_off = -1, .opaque = true,      \
        ##__VA_ARGS__                                                                              \
    }

static const struct schema declare_schema = OPAQUE(char);
const struct component_def declare_def = {
    .name = "declare",
    .summary = "Defines a component of one's own, made of others.",
    .example = "declare \"sink\" {\n"
               "  argument \"url\" { }\n"
               "\n"
               "  otelcol.exporter.otlphttp \"default\" {\n"
               "    client {\n"
               "      endpoint = argument.url.value\n"
               "    }\n"
               "  }\n"
               "\n"
               "  export \"input\" {\n"
               "    value = otelcol.exporter.otlphttp.default.input\n"
               "  }\n"
               "}\n"
               "\n"
               "sink \"main\" {\n"
               "  url = \"http://127.0.0.1:4318\"\n"
               "}\n",
    .args = &declare_schema,
};

/* ---- argument ---- */

static const struct row argument_rows[] = {
    ATTR(struct argument_args, optional, .doc = "Instances may leave it out.", .def = "false"),
    ATTR_AS(struct argument_args, def, "default",
            .doc = "Its value when it is optional and left out."),
    ATTR(struct argument_args, comment, .doc = "What it is for.", .def = "\"\""),
};
static const struct schema argument_schema = SCHEMA(struct argument_args, argument_rows);
struct argument_exports {
    struct value value;
};
static const struct row argument_export_rows[] = {
    ATTR(struct argument_exports, value, .doc = "What the instance gives, or the default."),
};
static const struct schema argument_exports_schema =
    SCHEMA(struct argument_exports, argument_export_rows);
const struct component_def argument_def = {
    .name = "argument",
    .summary = "An argument of the module it stands in.",
    .example = "declare \"note\" {\n"
               "  argument \"text\" {\n"
               "    optional = true\n"
               "    default  = \"none\"\n"
               "    comment  = \"What to say.\"\n"
               "  }\n"
               "\n"
               "  export \"text\" {\n"
               "    value = argument.text.value\n"
               "  }\n"
               "}\n",
    .args = &argument_schema,
    .exports = &argument_exports_schema,
};

/* ---- export ---- */

static const struct row export_rows[] = {
    ATTR(struct export_args, value, .doc = "What instances of the module export under this name.",
         .required = true),
};
static const struct schema export_schema = SCHEMA(struct export_args, export_rows);
const struct component_def export_def = {
    .name = "export",
    .summary = "An export of the module it stands in.",
    .example = "declare \"home\" {\n"
               "  export \"path\" {\n"
               "    value = sys.env(\"HOME\")\n"
               "  }\n"
               "}\n",
    .args = &export_schema,
};

/* ---- foreach ---- */

static const struct schema template_schema = OPAQUE(bool, .present_off = 0);
static const struct row foreach_rows[] = {
    ATTR(struct foreach_args, collection, .doc = "The items, one instance of the template each.",
         .required = true),
    ATTR(struct foreach_args, var, .doc = "The name that stands for the item in the template.",
         .required = true),
    ATTR(struct foreach_args, id,
         .doc = "The key of an item, when items are objects, that tells them apart.",
         .def = "\"\""),
    ATTR(struct foreach_args, hash_string_id,
         .doc = "Name the instances of text items by a hash of the text.", .def = "false"),
    ATTR(struct foreach_args, enable_metrics,
         .doc = "Show the metrics of the components in the instances.", .def = "false"),
    BLOCK_AS(struct foreach_args, body, "template", &template_schema,
             .doc = "The blocks that each item gets.", .required = true),
};

static void foreach_validate(const void *args, const struct span *at, struct diags *diags);
static const struct schema foreach_schema =
    SCHEMA(struct foreach_args, foreach_rows, .validate = foreach_validate);

static void foreach_validate(const void *args, const struct span *at, struct diags *diags)
{
    const struct foreach_args *a = args;
    enum vtype type = (enum vtype)a->collection.type;
    if (type != V_ARRAY && type != V_NULL)
        diag_error(diags, DIAG_EVAL_TYPE, schema_span(&foreach_schema, at, "collection"),
                   "collection should be array, got %s", vtype_name(type));
}

const struct component_def foreach_def = {
    .name = "foreach",
    .summary = "Runs the blocks of its template once for each item of a list.",
    .example = "foreach \"each\" {\n"
               "  collection = [\"a.txt\", \"b.txt\"]\n"
               "  var        = \"name\"\n"
               "\n"
               "  template {\n"
               "    local.file \"default\" {\n"
               "      filename = file.path_join(module_path, name)\n"
               "    }\n"
               "  }\n"
               "}\n",
    .stability = STABILITY_EXPERIMENTAL,
    .args = &foreach_schema,
};

/* ---- instances ---- */

static const struct schema custom_schema = {.size = sizeof(struct custom_args),
                                            .span_off = -1,
                                            .present_off = -1,
                                            .freeform = true,
                                            .rest_off = offsetof(struct custom_args, args)};
const struct component_def custom_def = {
    .name = "custom component",
    .summary = "An instance of a declared or imported module; its attributes are the arguments.",
    .args = &custom_schema,
};

/* ---- all ---- */

const struct block_kind language_blocks[] = {
    {&argument_def, NODE_ARGUMENT},       {&declare_def, NODE_DECLARE},
    {&export_def, NODE_EXPORT},           {&foreach_def, NODE_FOREACH},
    {&import_file_kind.def, NODE_IMPORT}, {&import_git_kind.def, NODE_IMPORT},
    {&import_http_kind.def, NODE_IMPORT}, {&import_string_kind.def, NODE_IMPORT},
};
const size_t language_blocks_count = ARRAY_LEN(language_blocks);
