/* Looks for configurations in YAML documents and makes sources of the scalars that hold them. */
#include "runtime/extract.h"

#include <errno.h>
#include "base/utf8.h"
#include "base/yaml_places.h"

#define BOM "\xEF\xBB\xBF"

struct extract {
    const struct source_set *set;
    struct source *file;
    struct str text; /* of the file, without a byte order mark */
    size_t *chars;   /* before each line of the file; made when first needed */
    source_sets *out;
    struct diags *diags;
    size_t errors, found; /* found: configurations, broken ones too */
};

bool extract_by_name(const char *path)
{
    struct str name = str_of(path);
    return str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml"));
}

/* ---- places ---- */

static size_t count_chars(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((u8)s.p[i] & 0xC0) != 0x80;
    return n;
}

/* The byte order mark is no character to libyaml. */
static size_t mark_length(const struct extract *x)
{
    return x->file->text.n - x->text.n;
}

static void count_lines(struct extract *x)
{
    const struct source *f = x->file;
    x->chars = xcalloc(f->n_lines, sizeof(*x->chars));
    for (size_t i = 1; i < f->n_lines; i++) {
        size_t from = MAX(f->lines[i - 1], mark_length(x));
        x->chars[i] = x->chars[i - 1] + count_chars(str_sub(f->text, from, f->lines[i]));
    }
}

/* From libyaml's count of characters to bytes of the file. */
static size_t byte_offset(struct extract *x, size_t index)
{
    if (!x->chars) count_lines(x);
    size_t lo = 1, hi = x->file->n_lines;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (x->chars[mid] <= index)
            lo = mid + 1;
        else
            hi = mid;
    }
    size_t at = MAX(x->file->lines[lo - 1], mark_length(x)), left = index - x->chars[lo - 1];
    for (; left > 0 && at < x->file->text.n; left--) {
        u32 c;
        at += utf8_decode(str_sub(x->file->text, at, x->file->text.n), &c, NULL);
    }
    return at;
}

static struct span span_at(struct extract *x, size_t index)
{
    size_t at = byte_offset(x, index), line = 1, hi = x->file->n_lines;
    while (line < hi) {
        size_t mid = line + (hi - line) / 2;
        if (x->file->lines[mid] <= at)
            line = mid + 1;
        else
            hi = mid;
    }
    return (struct span){.file = x->file,
                         .start = {(u32)line, (u32)(at - x->file->lines[line - 1]) + 1}};
}

static struct source *source_of(struct extract *x, const struct yaml_node *n)
{
    yaml_runs found = {0};
    yaml_places(x->file->text, byte_offset(x, n->index), n, &found);
    struct source_run *runs = xcalloc(found.n, sizeof(*runs));
    for (size_t i = 0; i < found.n; i++)
        runs[i] = (struct source_run){found.v[i].value, found.v[i].document, found.v[i].len};
    struct source *s = source_new_inside(x->file, n->text, runs, found.n);
    vec_done(&found);
    return s;
}

/* ---- what holds a configuration ---- */

static struct source_set *new_set(struct extract *x)
{
    struct source_set set = {.module_path =
                                 xstrdup(x->set->module_path ? x->set->module_path : "")};
    memcpy(set.sha256, x->set->sha256, sizeof(set.sha256));
    vec_push(x->out, set);
    return &vec_last(x->out);
}

static void add_text(struct extract *x, struct source_set **set, const struct yaml_node *n,
                     const char *what)
{
    x->found++;
    if (n->kind != YAML_SCALAR) {
        struct diag *d = diag_error(x->diags, DIAG_CONFIG_READ, span_at(x, n->index),
                                    "%s must be a text that holds the configuration", what);
        diag_hint(x->diags, d, "begin it with `|` and indent the configuration below");
        return;
    }
    if (!*set) *set = new_set(x);
    vec_push(&(*set)->files, source_of(x, n));
}

static const char *const owners[] = {"alloy", "weir"};

static void look_in_values(struct extract *x, const struct yaml_node *map)
{
    for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
        const struct yaml_node *n = yaml_get(map, str_of(owners[i]));
        if (n) n = yaml_get(n, STR("configMap"));
        if (n) n = yaml_get(n, STR("content"));
        struct source_set *set = NULL;
        if (n) add_text(x, &set, n, "configMap.content");
    }
}

/* The chart's own values, or those of a chart that has it below. */
static void look_in_chart(struct extract *x, const struct yaml_node *root)
{
    look_in_values(x, root);
    for (size_t i = 0; root->kind == YAML_MAP && i + 1 < root->n; i += 2)
        look_in_values(x, root->items[i + 1]);
}

static bool is_text(const struct yaml_node *n, const char *text)
{
    return n && n->kind == YAML_SCALAR && str_is(n->text, text);
}

static bool is_config_key(const struct yaml_node *key)
{
    return key->kind == YAML_SCALAR &&
           (str_ends(key->text, STR(".alloy")) || str_ends(key->text, STR(".river")));
}

static void look_in_config_map(struct extract *x, const struct yaml_node *root)
{
    const struct yaml_node *data = yaml_get(root, STR("data"));
    struct source_set *set = NULL;
    for (size_t i = 0; data && data->kind == YAML_MAP && i + 1 < data->n; i += 2)
        if (is_config_key(data->items[i])) add_text(x, &set, data->items[i + 1], "this key");
}

static void look_in_manifest(struct extract *x, const struct yaml_node *n)
{
    if (is_text(yaml_get(n, STR("kind")), "ConfigMap")) look_in_config_map(x, n);
}

static void look_in_document(struct extract *x, const struct yaml_node *root)
{
    const struct yaml_node *items = yaml_get(root, STR("items")),
                           *kind = yaml_get(root, STR("kind"));
    if (is_text(kind, "List") || is_text(kind, "ConfigMapList")) {
        for (size_t i = 0; items && items->kind == YAML_SEQ && i < items->n; i++)
            look_in_manifest(x, items->items[i]);
    } else if (kind && yaml_get(root, STR("apiVersion"))) {
        look_in_manifest(x, root);
    } else {
        look_in_chart(x, root);
    }
}

/* ---- faults of the YAML ---- */

/* What is wrong may be that this is not YAML yet. */
static bool is_template(struct str text)
{
    return str_find(text, STR("{{")) >= 0;
}

static void refuse_yaml(struct extract *x, struct yaml_fault fault)
{
    struct diag *d = diag_error(x->diags, DIAG_CONFIG_READ, span_at(x, fault.index),
                                "this is not valid YAML: %s", fault.what);
    if (is_template(x->file->text))
        diag_hint(
            x->diags, d,
            "the file holds Helm templates ({{ }}); check what Helm makes of it: helm template "
            "... | weir check --yaml -");
    else
        diag_hint(x->diags, d, "only a configuration inside valid YAML can be checked");
}

static void refuse_empty(struct extract *x)
{
    struct diag *d =
        diag_error(x->diags, DIAG_CONFIG_READ, (struct span){.file = x->file, .start = {1, 1}},
                   "there is no configuration in this YAML");
    diag_hint(x->diags, d,
              "looked for alloy.configMap.content and weir.configMap.content (Helm values, also "
              "below one chart's name), and for keys ending in .alloy or .river in the data of a "
              "ConfigMap");
}

int extract_yaml(const struct source_set *yaml, source_sets *ret, struct diags *diags)
{
    struct extract x = {.set = yaml, .file = yaml->files.v[0], .out = ret, .diags = diags};
    struct arena arena;
    struct yaml_node *root;
    int rc;
    x.errors = diags->n_errors;
    x.text = x.file->text;
    if (str_starts(x.text, STR(BOM))) x.text = str_sub(x.text, 3, x.text.n);
    arena_init(&arena, 0);
    struct yaml_reader *r = yaml_reader_new(x.text, &arena);
    while ((rc = yaml_next(r, &root, NULL)) == 1)
        look_in_document(&x, root);
    if (rc < 0)
        refuse_yaml(&x, yaml_reader_fault(r));
    else if (x.found == 0)
        refuse_empty(&x);
    yaml_reader_free(r);
    arena_done(&arena);
    free(x.chars);
    return diags->n_errors > x.errors ? -EINVAL : 0;
}

void extract_done(source_sets *sets)
{
    vec_each (sets, s)
        source_set_done(s);
    vec_done(sets);
}
