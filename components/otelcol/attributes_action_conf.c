/* The `action` blocks as they are written: arguments, what each kind needs and must not have, and
 * compiling. Source: spec D.4. */
#include "components/common/spans.h"
#include "components/otelcol/attributes_action_int.h"
#include "components/otelcol/attributes_value.h"

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
    if ((c->kind->needs & ACT_KEY) && a->key.n == 0)
        diag_error(c->p->diags, DIAG_BODY_RULE, at(c, ""),
                   "validation failed for action block number %zu: the action " STR_FMT
                   " requires the key argument to be set",
                   c->n + 1, STR_ARG(a->action));
    if ((c->kind->needs & ACT_KEY_OR_PATTERN) && a->key.n == 0 && a->pattern.n == 0)
        diag_error(c->p->diags, DIAG_BODY_RULE, at(c, ""),
                   "validation failed for action block number %zu: the action " STR_FMT
                   " requires at least the key argument or the pattern argument to be set",
                   c->n + 1, STR_ARG(a->action));
}

static void check_sources(const struct checked *c)
{
    if (!(c->kind->needs & ACT_SOURCE)) return;
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
    if ((c->kind->needs & ACT_PATTERN) && c->args->pattern.n == 0)
        diag_error(c->p->diags, DIAG_BODY_RULE, at(c, ""),
                   "error creating AttrProc due to missing required field \"pattern\" for action "
                   "\"%s\" at the %zu-th action",
                   c->kind->name, c->n);
    if ((c->kind->needs & ACT_TYPE) && c->args->converted_type.n == 0)
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
    refuse(c, has_value(a), ACT_SOURCE, "value");
    refuse(c, a->from_attribute.n > 0, ACT_SOURCE, "from_attribute");
    refuse(c, a->from_context.n > 0, ACT_SOURCE | ACT_IGNORED, "from_context");
    if (a->from_context.n > 0 && (c->kind->takes & ACT_IGNORED))
        diag_add(c->p->diags, SEV_WARNING, DIAG_BODY_RULE, at(c, "from_context"),
                 "the action \"%s\" does not use from_context", c->kind->name);
    refuse(c, a->pattern.n > 0, ACT_PATTERN, "pattern");
    refuse(c, a->converted_type.n > 0, ACT_TYPE, "converted_type");
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
    if (c->kind->takes & ACT_GROUPS) compile_groups(c, out);
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
    if (c->kind->takes & ACT_PATTERN) compile_pattern(c, out);
}

void actions_prepare(struct prepare *p, const struct action_args_list *args,
                     struct action_list *ret)
{
    ret->v = arena_array(p->arena, struct action, args->n + 1);
    ret->n = args->n;
    for (size_t i = 0; i < args->n; i++) {
        struct checked c = {
            .p = p, .args = &args->v[i], .kind = action_kind_of(args->v[i].action), .n = i};
        if (c.kind)
            compile(&c, &ret->v[i]);
        else
            diag_error(p->diags, DIAG_VALUE_CHOICE, at(&c, "action"),
                       "error creating AttrProc due to unsupported action \"" STR_FMT
                       "\" at the %zu-th actions",
                       STR_ARG(args->v[i].action), i);
    }
}
