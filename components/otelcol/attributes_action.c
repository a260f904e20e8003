/* Actions of otelcol.processor.attributes. What an action needs and what it must not have is a
 * table; what it does is a function. Source: spec D.4. */
#include "components/otelcol/attributes_action.h"

#include <errno.h>
#include <math.h>
#include "base/digest.h"
#include "base/num.h"
#include "base/regex.h"
#include "base/xalloc.h"
#include "components/common/spans.h"
#include "components/otelcol/attributes_value.h"

enum value_source { FROM_VALUE, FROM_ATTRIBUTE, FROM_CONTEXT };
enum convert { TO_INT, TO_DOUBLE, TO_STRING };

struct action_kind;
struct action {
    const struct action_kind *kind;
    struct str key;
    enum value_source source;
    struct str value; /* AnyValue bytes */
    struct str from;  /* attribute or context key */
    struct regex *pattern;
    struct str *groups; /* names of the pattern's groups, from 1 */
    int n_groups;
    enum convert to;
};

/* --- arguments --- */

#define A struct action_args
static const struct row action_rows[] = {
    ATTR(A, action, .required = true,
         .doc = "What to do: insert, update, upsert, delete, hash, extract or convert."),
    ATTR(A, converted_type, .def = "\"\"",
         .doc = "Type that convert makes: int, double or string."),
    ATTR(A, from_attribute, .def = "\"\"", .doc = "Attribute whose value is set."),
    ATTR(A, from_context, .def = "\"\"",
         .doc =
             "Client context whose value is set: client.address, metadata.KEY or auth.ATTRIBUTE."),
    ATTR(A, key, .def = "\"\"", .doc = "Attribute to act on."),
    ATTR(A, pattern, .def = "\"\"",
         .doc = "Regular expression: of keys for delete and hash, with named groups for extract."),
    ATTR(A, value, .doc = "Value that is set."),
};
const struct schema attributes_action_schema = SCHEMA(struct action_args, action_rows);
#undef A

/* --- kinds --- */

/* IGNORED: from_context may be given and means nothing, as in the Collector. */
enum { KEY = 1, PATTERN = 2, SOURCE = 4, TYPE = 8, KEY_OR_PATTERN = 16, IGNORED = 32 };
struct action_kind {
    const char *name;
    int takes; /* settings it may have */
    int needs; /* and must have */
    void (*run)(const struct action *a, size_t nth, const struct action_run *r,
                struct otlp_edit *e);
};

static void run_insert(const struct action *a, size_t nth, const struct action_run *r,
                       struct otlp_edit *e);
static void run_update(const struct action *a, size_t nth, const struct action_run *r,
                       struct otlp_edit *e);
static void run_upsert(const struct action *a, size_t nth, const struct action_run *r,
                       struct otlp_edit *e);
static void run_delete(const struct action *a, size_t nth, const struct action_run *r,
                       struct otlp_edit *e);
static void run_hash(const struct action *a, size_t nth, const struct action_run *r,
                     struct otlp_edit *e);
static void run_extract(const struct action *a, size_t nth, const struct action_run *r,
                        struct otlp_edit *e);
static void run_convert(const struct action *a, size_t nth, const struct action_run *r,
                        struct otlp_edit *e);

static const struct action_kind kinds[] = {
    {"insert", KEY | SOURCE, KEY | SOURCE, run_insert},
    {"update", KEY | SOURCE, KEY | SOURCE, run_update},
    {"upsert", KEY | SOURCE, KEY | SOURCE, run_upsert},
    {"delete", KEY | PATTERN | IGNORED, KEY_OR_PATTERN, run_delete},
    {"hash", KEY | PATTERN | IGNORED, KEY_OR_PATTERN, run_hash},
    {"extract", KEY | PATTERN, KEY | PATTERN, run_extract},
    {"convert", KEY | TYPE, KEY | TYPE, run_convert},
};

static const struct action_kind *kind_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_ieq(name, str_of(kinds[i].name))) return &kinds[i];
    return NULL;
}

/* --- checks: one action block, number n from 0 --- */

struct checked {
    struct prepare *p;
    const struct action_args *args;
    const struct action_kind *kind;
    size_t n;
};

static struct span at(const struct checked *c, const char *setting)
{
    return span_in(c->p->block, "action", c->n, setting);
}

static bool has_value(const struct action_args *a)
{
    return a->value.type != V_NULL;
}

static int sources(const struct action_args *a)
{
    return has_value(a) + (a->from_attribute.n > 0) + (a->from_context.n > 0);
}

/* The block must have a key, or a pattern where that will do. */
static void check_key(const struct checked *c)
{
    const struct action_args *a = c->args;
    if ((c->kind->needs & KEY) && a->key.n == 0)
        diag_error(c->p->diags, DIAG_BODY_RULE, at(c, ""),
                   "validation failed for action block number %zu: the action " STR_FMT
                   " requires the key argument to be set",
                   c->n + 1, STR_ARG(a->action));
    if ((c->kind->needs & KEY_OR_PATTERN) && a->key.n == 0 && a->pattern.n == 0)
        diag_error(c->p->diags, DIAG_BODY_RULE, at(c, ""),
                   "validation failed for action block number %zu: the action " STR_FMT
                   " requires at least the key argument or the pattern argument to be set",
                   c->n + 1, STR_ARG(a->action));
}

static void check_sources(const struct checked *c)
{
    if (!(c->kind->needs & SOURCE)) return;
    int n = sources(c->args);
    if (n == 0)
        diag_error(c->p->diags, DIAG_BODY_RULE, at(c, ""),
                   "error creating AttrProc. Either field \"value\", \"from_attribute\" or "
                   "\"from_context\" setting must be specified for %zu-th action",
                   c->n);
    if (n > 1)
        diag_error(
            c->p->diags, DIAG_BODY_RULE, at(c, ""),
            "error creating AttrProc due to multiple value sources being set at the %zu-th actions",
            c->n);
}

static void check_needed(const struct checked *c)
{
    if ((c->kind->needs & PATTERN) && c->args->pattern.n == 0)
        diag_error(c->p->diags, DIAG_BODY_RULE, at(c, ""),
                   "error creating AttrProc due to missing required field \"pattern\" for action "
                   "\"%s\" at the %zu-th action",
                   c->kind->name, c->n);
    if ((c->kind->needs & TYPE) && c->args->converted_type.n == 0)
        diag_error(c->p->diags, DIAG_BODY_RULE, at(c, ""),
                   "error creating AttrProc due to missing required field \"converted_type\" for "
                   "action \"%s\" at the %zu-th action",
                   c->kind->name, c->n);
}

static void refuse(const struct checked *c, bool given, int setting, const char *name)
{
    if (given && !(c->kind->takes & setting))
        diag_error(c->p->diags, DIAG_BODY_RULE, at(c, name),
                   "error creating AttrProc. Action \"%s\" does not use the \"%s\" field. This "
                   "must not be specified for %zu-th action",
                   c->kind->name, name, c->n);
}

static void check_unused(const struct checked *c)
{
    const struct action_args *a = c->args;
    refuse(c, has_value(a), SOURCE, "value");
    refuse(c, a->from_attribute.n > 0, SOURCE, "from_attribute");
    refuse(c, a->from_context.n > 0, SOURCE | IGNORED, "from_context");
    if (a->from_context.n > 0 && (c->kind->takes & IGNORED))
        diag_add(c->p->diags, SEV_WARNING, DIAG_BODY_RULE, at(c, "from_context"),
                 "the action \"%s\" does not use from_context", c->kind->name);
    refuse(c, a->pattern.n > 0, PATTERN, "pattern");
    refuse(c, a->converted_type.n > 0, TYPE, "converted_type");
}

/* --- compiling --- */

static void compile_source(const struct checked *c, struct action *out)
{
    const struct action_args *a = c->args;
    const char *type;
    if (has_value(a) && attributes_value(c->p->arena, a->value, &out->value, &type))
        diag_error(c->p->diags, DIAG_EVAL_TYPE, at(c, "value"), "an attribute cannot hold a %s",
                   type);
    if (a->from_attribute.n > 0) {
        out->source = FROM_ATTRIBUTE;
        out->from = a->from_attribute;
    } else if (a->from_context.n > 0) {
        out->source = FROM_CONTEXT;
        out->from = a->from_context;
    }
}

static void compile_type(const struct checked *c, struct action *out)
{
    static const char *const types[] = {
        [TO_INT] = "int", [TO_DOUBLE] = "double", [TO_STRING] = "string"};
    struct str type = c->args->converted_type;
    if (type.n == 0) return;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (!str_is(type, types[i])) continue;
        out->to = (enum convert)i;
        return;
    }
    diag_error(c->p->diags, DIAG_VALUE_CHOICE, at(c, "converted_type"),
               "error creating AttrProc due to invalid value \"" STR_FMT
               "\" in field \"converted_type\" for action \"%s\" at the %zu-th action",
               STR_ARG(type), c->kind->name, c->n);
}

/* Every group must have a name: it becomes an attribute's key. */
static void compile_groups(const struct checked *c, struct action *out)
{
    int n = regex_groups(out->pattern), named = 0;
    out->groups = arena_array(c->p->arena, struct str, (size_t)n + 1);
    out->n_groups = n;
    for (int i = 1; i <= n; i++) {
        out->groups[i] = arena_str(c->p->arena, regex_group_name(out->pattern, i));
        named += out->groups[i].n > 0;
    }
    if (named == 0)
        diag_error(c->p->diags, DIAG_VALUE_INVALID, at(c, "pattern"),
                   "error creating AttrProc. Field \"pattern\" contains no named matcher groups at "
                   "the %zu-th actions",
                   c->n);
    else if (named < n)
        diag_error(c->p->diags, DIAG_VALUE_INVALID, at(c, "pattern"),
                   "error creating AttrProc. Field \"pattern\" contains at least one unnamed "
                   "matcher group at the %zu-th actions",
                   c->n);
}

static void free_regex(void *re)
{
    regex_free(re);
}

static void compile_pattern(const struct checked *c, struct action *out)
{
    char *why = NULL;
    if (c->args->pattern.n == 0) return;
    out->pattern = regex_compile(c->args->pattern, &why);
    if (!out->pattern) {
        struct diag *d =
            diag_error(c->p->diags, DIAG_VALUE_INVALID, at(c, "pattern"),
                       "error creating AttrProc. Field \"pattern\" has invalid pattern: \"" STR_FMT
                       "\" to be set at the %zu-th actions",
                       STR_ARG(c->args->pattern), c->n);
        diag_hint(c->p->diags, d, "%s", why);
        free(why);
        return;
    }
    arena_cleanup(c->p->arena, free_regex, out->pattern);
    if (c->kind->run == run_extract) compile_groups(c, out);
}

static void compile(const struct checked *c, struct action *out)
{
    out->kind = c->kind;
    out->key = c->args->key;
    check_key(c);
    check_sources(c);
    check_needed(c);
    check_unused(c);
    compile_source(c, out);
    compile_type(c, out);
    if (c->kind->takes & PATTERN) compile_pattern(c, out);
}

void actions_prepare(struct prepare *p, const struct action_args_list *args,
                     struct action_list *ret)
{
    ret->v = arena_array(p->arena, struct action, args->n + 1);
    ret->n = args->n;
    for (size_t i = 0; i < args->n; i++) {
        struct checked c = {
            .p = p, .args = &args->v[i], .kind = kind_of(args->v[i].action), .n = i};
        if (c.kind)
            compile(&c, &ret->v[i]);
        else
            diag_error(p->diags, DIAG_VALUE_CHOICE, at(&c, "action"),
                       "error creating AttrProc due to unsupported action \"" STR_FMT
                       "\" at the %zu-th actions",
                       STR_ARG(args->v[i].action), i);
    }
}

/* --- values from the context --- */

/* All values of one key, joined by ';'. False: none. */
static bool join_metadata(const struct client_info *c, struct str key, struct buf *out)
{
    bool any = false;
    for (size_t i = 0; i < c->n_metadata; i++) {
        if (!str_ieq(str_of(c->metadata[i].key), key)) continue;
        if (any) buf_ch(out, ';');
        buf_cstr(out, c->metadata[i].value);
        any = true;
    }
    return any;
}

static bool find_auth(const struct client_info *c, struct str key, struct buf *out)
{
    for (size_t i = 0; i < c->n_auth; i++) {
        if (!str_is(key, c->auth[i].key)) continue;
        buf_cstr(out, c->auth[i].value);
        return true;
    }
    return false;
}

static bool context_value(const struct client_info *c, struct str key, struct buf *out)
{
    static const struct str metadata = {"metadata.", 9}, auth = {"auth.", 5};
    if (str_is(key, "client.address")) {
        buf_cstr(out, c->peer_ip);
        return out->n > 0;
    }
    if (str_starts(key, auth)) return find_auth(c, str_sub(key, auth.n, key.n), out);
    if (str_starts(key, metadata)) key = str_sub(key, metadata.n, key.n);
    return join_metadata(c, key, out);
}

static void look_up(struct action_run *r, size_t i, const struct client_info *client)
{
    struct buf text = BUF_INIT(SIZE_MAX);
    r->of[i].at = r->values.n;
    r->of[i].set = context_value(client, r->list->v[i].from, &text);
    if (r->of[i].set)
        otlp_value_write(&r->values,
                         &(struct otlp_value){.type = OTLP_V_STR, .s = buf_view(&text)});
    r->of[i].n = r->values.n - r->of[i].at;
    if (buf_err(&text) && !buf_err(&r->values)) r->values.err = buf_err(&text);
    buf_done(&text);
}

int action_run_begin(struct action_run *r, const struct action_list *list,
                     const struct client_info *client)
{
    r->list = list;
    r->values.max = SIZE_MAX;
    buf_reset(&r->values);
    if (list->n > r->cap) {
        r->of = xrealloc(r->of, list->n * sizeof(*r->of));
        r->cap = list->n;
    }
    for (size_t i = 0; i < list->n; i++) {
        r->of[i].set = false;
        if (list->v[i].source == FROM_CONTEXT && client) look_up(r, i, client);
    }
    return buf_err(&r->values);
}

void action_run_done(struct action_run *r)
{
    buf_done(&r->values);
    free(r->of);
    *r = (struct action_run){0};
}

/* --- running --- */

void actions_apply(const struct action_run *r, struct otlp_edit *e)
{
    for (size_t i = 0; i < r->list->n; i++)
        r->list->v[i].kind->run(&r->list->v[i], i, r, e);
}

/* The value to set; false: its source is not there. */
static bool source_value(const struct action *a, size_t nth, const struct action_run *r,
                         struct otlp_edit *e, struct str *ret)
{
    const struct otlp_attr *from;
    switch (a->source) {
    case FROM_VALUE: *ret = a->value; return true;
    case FROM_CONTEXT:
        if (!r->of[nth].set) return false;
        *ret = str_n(r->values.p + r->of[nth].at, r->of[nth].n);
        return true;
    case FROM_ATTRIBUTE:
        from = otlp_attr_find(e, a->from);
        if (from) *ret = from->value;
        return from;
    }
    return false;
}

static void run_insert(const struct action *a, size_t nth, const struct action_run *r,
                       struct otlp_edit *e)
{
    struct str value;
    if (!otlp_attr_find(e, a->key) && source_value(a, nth, r, e, &value))
        otlp_attr_add(e, a->key, value);
}

static void run_update(const struct action *a, size_t nth, const struct action_run *r,
                       struct otlp_edit *e)
{
    struct str value;
    struct otlp_attr *attr = otlp_attr_find(e, a->key);
    if (attr && source_value(a, nth, r, e, &value)) otlp_attr_set(e, attr, value);
}

static void run_upsert(const struct action *a, size_t nth, const struct action_run *r,
                       struct otlp_edit *e)
{
    struct str value;
    if (source_value(a, nth, r, e, &value)) otlp_attr_put(e, a->key, value);
}

/* Attributes with the key, which may be given more than once, and those whose keys match. */
static void run_delete(const struct action *a, size_t nth, const struct action_run *r,
                       struct otlp_edit *e)
{
    u32 n;
    struct otlp_attr *attrs = otlp_attrs(e, &n);
    for (u32 i = 0; i < n; i++) {
        bool named = a->key.n > 0 && str_eq(attrs[i].key, a->key);
        if (!attrs[i].gone &&
            (named || (a->pattern && regex_match(a->pattern, attrs[i].key, 0, NULL, 0) > 0)))
            otlp_attr_remove(e, &attrs[i]);
    }
}

/* The value as AnyValue bytes in scratch memory; false when there is none left. */
static bool build(struct otlp_edit *e, const struct otlp_value *v, struct str *ret)
{
    struct buf b = BUF_INIT(SIZE_MAX);
    otlp_value_write(&b, v);
    char *p = otlp_edit_scratch(e, b.n);
    if (p && b.n) memcpy(p, b.p, b.n);
    *ret = str_n(p, b.n);
    bool ok = p && !buf_err(&b);
    if (!ok) otlp_edit_fail(e, -ENOMEM);
    buf_done(&b);
    return ok;
}

static void set_value(struct otlp_edit *e, struct otlp_attr *attr, const struct otlp_value *v)
{
    struct str value;
    if (build(e, v, &value)) otlp_attr_set(e, attr, value);
}

/* The bytes that are hashed; empty for what cannot be. Numbers are little endian, as machines here
 * are. */
static struct str hash_input(const struct otlp_value *v)
{
    switch (v->type) {
    case OTLP_V_STR: return v->s;
    case OTLP_V_BOOL: return v->b ? STR("\x01") : STR("\0");
    case OTLP_V_INT: return str_n((const char *)&v->i, sizeof(v->i));
    case OTLP_V_DOUBLE: return str_n((const char *)&v->f, sizeof(v->f));
    case OTLP_V_NONE:
    case OTLP_V_ARRAY:
    case OTLP_V_MAP:
    case OTLP_V_BYTES: break;
    }
    return (struct str){0};
}

static void hash_attr(struct otlp_edit *e, struct otlp_attr *attr)
{
    struct otlp_value v = otlp_value_read(attr->value);
    struct str input = hash_input(&v);
    struct buf hex = BUF_INIT(2 * SHA256_LEN);
    u8 digest[SHA256_LEN];
    if (input.n > 0) {
        sha256(input.p, input.n, digest);
        hex_encode(&hex, digest, sizeof(digest));
    }
    set_value(e, attr, &(struct otlp_value){.type = OTLP_V_STR, .s = buf_view(&hex)});
    buf_done(&hex);
}

static void run_hash(const struct action *a, size_t nth, const struct action_run *r,
                     struct otlp_edit *e)
{
    struct otlp_attr *named = a->key.n > 0 ? otlp_attr_find(e, a->key) : NULL;
    if (named) hash_attr(e, named);
    if (!a->pattern) return;
    u32 n;
    struct otlp_attr *attrs = otlp_attrs(e, &n);
    for (u32 i = 0; i < n; i++)
        if (!attrs[i].gone && regex_match(a->pattern, attrs[i].key, 0, NULL, 0) > 0)
            hash_attr(e, &attrs[i]);
}

static void run_extract(const struct action *a, size_t nth, const struct action_run *r,
                        struct otlp_edit *e)
{
    const struct otlp_attr *from = otlp_attr_find(e, a->key);
    struct otlp_value v = from ? otlp_value_read(from->value) : (struct otlp_value){0};
    if (v.type != OTLP_V_STR) return;
    size_t n = 2 * ((size_t)a->n_groups + 1);
    ssize_t *ov = xcalloc(n, sizeof(*ov));
    struct str value;
    if (regex_match(a->pattern, v.s, 0, ov, (size_t)a->n_groups + 1) > 0)
        for (int i = 1; i <= a->n_groups; i++) {
            bool set = ov[2 * i] >= 0;
            struct str text =
                set ? str_sub(v.s, (size_t)ov[2 * i], (size_t)ov[2 * i + 1]) : STR("");
            if (build(e, &(struct otlp_value){.type = OTLP_V_STR, .s = text}, &value))
                otlp_attr_put(e, a->groups[i], value);
        }
    free(ov);
}

/* Cut towards zero; what does not fit becomes the smallest number, as on Go's amd64. */
static i64 cut_f64(f64 f)
{
    return f >= -0x1p63 && f < 0x1p63 ? (i64)f : INT64_MIN;
}

static bool to_int(const struct otlp_value *v, struct otlp_value *ret)
{
    ret->type = OTLP_V_INT;
    switch (v->type) {
    case OTLP_V_DOUBLE: ret->i = cut_f64(v->f); return true;
    case OTLP_V_BOOL: ret->i = v->b; return true;
    case OTLP_V_STR: return num_parse_i64(v->s, &ret->i) == 0;
    case OTLP_V_NONE:
    case OTLP_V_INT:
    case OTLP_V_ARRAY:
    case OTLP_V_MAP:
    case OTLP_V_BYTES: break;
    }
    return false;
}

static bool to_double(const struct otlp_value *v, struct otlp_value *ret)
{
    ret->type = OTLP_V_DOUBLE;
    switch (v->type) {
    case OTLP_V_INT: ret->f = (f64)v->i; return true;
    case OTLP_V_BOOL: ret->f = v->b; return true;
    case OTLP_V_STR: return num_parse_f64(v->s, &ret->f) == 0;
    case OTLP_V_NONE:
    case OTLP_V_DOUBLE:
    case OTLP_V_ARRAY:
    case OTLP_V_MAP:
    case OTLP_V_BYTES: break;
    }
    return false;
}

static void convert_to_text(struct otlp_edit *e, struct otlp_attr *attr, const struct otlp_value *v)
{
    struct buf text = BUF_INIT(SIZE_MAX);
    if (v->type == OTLP_V_STR) return;
    otlp_value_text(&text, v);
    if (buf_err(&text))
        otlp_edit_fail(e, buf_err(&text));
    else
        set_value(e, attr, &(struct otlp_value){.type = OTLP_V_STR, .s = buf_view(&text)});
    buf_done(&text);
}

static void run_convert(const struct action *a, size_t nth, const struct action_run *r,
                        struct otlp_edit *e)
{
    struct otlp_attr *attr = otlp_attr_find(e, a->key);
    if (!attr) return;
    struct otlp_value v = otlp_value_read(attr->value), out;
    switch (a->to) {
    case TO_INT:
        if (to_int(&v, &out)) set_value(e, attr, &out);
        return;
    case TO_DOUBLE:
        if (to_double(&v, &out)) set_value(e, attr, &out);
        return;
    case TO_STRING: convert_to_text(e, attr, &v); return;
    }
}
