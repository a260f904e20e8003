/* Type inference over the AST. Whatever is not certain is accepted: the load will tell. */
#include "value/static_type.h"

#include "base/assert.h"
#include "value/fault.h"

static const struct static_type unknown;
static const struct row anything = {.kind = K_ANY};

static struct static_type known(enum vtype type)
{
    return (struct static_type){.known = true, .type = type};
}

/* --- inference --- */

static struct static_type sum(const struct expr *e, const struct type_env *env)
{
    struct static_type l = static_type_of(e->binary.l, env), r = static_type_of(e->binary.r, env);
    bool plain = l.known && r.known && l.type == r.type && l.type != V_CAPSULE;
    return plain ? known(l.type) : unknown;
}

static struct static_type binary(const struct expr *e, const struct type_env *env)
{
    switch (e->binary.op) {
    case OP_OR:
    case OP_AND:
    case OP_EQ:
    case OP_NE:
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
    case OP_NOT: return known(V_BOOL);
    case OP_ADD: return sum(e, env);
    case OP_SUB:
    case OP_MUL:
    case OP_DIV:
    case OP_MOD:
    case OP_POW:
    case OP_NEG: return known(V_NUMBER);
    }
    UNREACHABLE();
}

static struct static_type asked(const struct expr *e, const struct type_env *env)
{
    return env && env->type_of ? env->type_of(env->arg, e) : unknown;
}

struct static_type static_type_of(const struct expr *e, const struct type_env *env)
{
    switch (e->kind) {
    case EXPR_NULL: return unknown; /* taken everywhere */
    case EXPR_BOOL: return known(V_BOOL);
    case EXPR_NUMBER:
    case EXPR_FLOAT: return known(V_NUMBER);
    case EXPR_STRING: return known(V_STRING);
    case EXPR_IDENT:
    case EXPR_ACCESS:
    case EXPR_INDEX:
    case EXPR_CALL: return asked(e, env);
    case EXPR_UNARY: return known(e->unary.op == OP_NOT ? V_BOOL : V_NUMBER);
    case EXPR_BINARY: return binary(e, env);
    case EXPR_PAREN: return static_type_of(e->paren, env);
    case EXPR_ARRAY: return known(V_ARRAY);
    case EXPR_OBJECT: return known(V_OBJECT);
    }
    UNREACHABLE();
}

/* --- what kinds take --- */

#define T(t) (1u << (t))

struct taking {
    u32 types;
    const char *wanted; /* the type named in the message */
};

/* Every conversion that may succeed: numbers as texts, texts as numbers, optional secrets as texts,
 * lists of bytes as texts. */
static const struct taking takings[] = {
    [K_BOOL] = {T(V_BOOL), "bool"},
    [K_OPT_BOOL] = {T(V_BOOL), "bool"},
    [K_I64] = {T(V_NUMBER) | T(V_STRING) | T(V_CAPSULE), "number"},
    [K_F64] = {T(V_NUMBER) | T(V_STRING) | T(V_CAPSULE), "number"},
    [K_OPT_I64] = {T(V_NUMBER) | T(V_STRING) | T(V_CAPSULE), "number"},
    [K_OPT_F64] = {T(V_NUMBER) | T(V_STRING) | T(V_CAPSULE), "number"},
    [K_STR] = {T(V_STRING) | T(V_NUMBER) | T(V_CAPSULE) | T(V_ARRAY), "string"},
    [K_OPT_STR] = {T(V_STRING) | T(V_NUMBER) | T(V_CAPSULE) | T(V_ARRAY), "string"},
    [K_DUR] = {T(V_STRING) | T(V_NUMBER) | T(V_CAPSULE) | T(V_ARRAY), "string"},
    [K_OPT_DUR] = {T(V_STRING) | T(V_NUMBER) | T(V_CAPSULE) | T(V_ARRAY), "string"},
    [K_BYTES] = {T(V_STRING) | T(V_NUMBER) | T(V_CAPSULE) | T(V_ARRAY), "string"},
    [K_SECRET] = {T(V_STRING) | T(V_CAPSULE), "capsule"},
    [K_OPT_SECRET] = {T(V_STRING) | T(V_CAPSULE), "capsule"},
    [K_STR_LIST] = {T(V_ARRAY), "array"},
    [K_STR_MAP] = {T(V_OBJECT) | T(V_CAPSULE), "object"},
    [K_SECRET_MAP] = {T(V_OBJECT) | T(V_CAPSULE), "object"},
    [K_CAPSULE] = {T(V_CAPSULE), "capsule"},
    [K_CAPSULE_LIST] = {T(V_ARRAY), "array"},
    [K_ANY] = {~0u, "any"},
    [K_BLOCK] = {~0u, "block"},
    [K_BLOCK_PTR] = {~0u, "block"},
    [K_BLOCKS] = {~0u, "block"},
    [K_ONE_OF] = {~0u, "block"},
    [K_LABEL] = {~0u, "label"},
    [K_MAP_BLOCK] = {~0u, "block"},
};

/* A place for a value: a row, or the elements of one. */
struct place {
    const struct row *row;
    enum kind kind;
};

static u32 taken_types(struct place p)
{
    if (p.kind != K_ANY || !p.row->shape) return takings[p.kind].types;
    return p.row->shape->form == SHAPE_LIST ? T(V_ARRAY) : T(V_OBJECT) | T(V_CAPSULE);
}

static const char *wanted_type(struct place p)
{
    if (p.kind != K_ANY || !p.row->shape) return takings[p.kind].wanted;
    return p.row->shape->form == SHAPE_LIST ? "array" : "object";
}

/* Where the elements of a list or the members of a map go. */
static struct place elements_of(struct place p)
{
    const struct shape *shape = p.kind == K_ANY ? p.row->shape : NULL;
    if (shape && shape->form != SHAPE_OBJECT) return (struct place){shape->rows, shape->rows->kind};
    if (p.kind == K_STR_LIST || p.kind == K_STR_MAP) return (struct place){p.row, K_STR};
    if (p.kind == K_SECRET_MAP) return (struct place){p.row, K_SECRET};
    if (p.kind == K_CAPSULE_LIST) return (struct place){p.row, K_CAPSULE};
    return (struct place){&anything, K_ANY};
}

/* --- capsules --- */

static const char *wanted_capsule(const struct row *row)
{
    return row->capsule ? row->capsule->name : row->capsule_name;
}

static bool takes_text(enum kind k)
{
    return k == K_STR || k == K_OPT_STR || k == K_DUR || k == K_OPT_DUR || k == K_BYTES;
}

static void wrong_signal(const struct row *row, const struct expr *e, struct static_type t,
                         struct diags *diags)
{
    struct buf text = BUF_INIT(256);
    if (!t.signals || !row->signals || (t.signals & row->signals)) return;
    buf_cstr(&text, "does not take");
    for (int s = 0; s < SIGNAL_COUNT; s++)
        if (row->signals & (1u << s)) buf_printf(&text, " %s", signal_name((enum signal)s));
    fault_report(diags, DIAG_EVAL_TYPE, e, NULL, text.p);
    buf_done(&text);
}

static void check_capsule(const struct row *row, enum kind kind, const struct expr *e,
                          struct static_type t, struct diags *diags)
{
    const char *want = wanted_capsule(row);
    if (takes_text(kind) && t.capsule && strcmp(t.capsule, capsule_secret.name) == 0)
        fault_report(diags, DIAG_EVAL_TYPE, e, NULL, "secrets may not be converted into strings");
    if (kind != K_CAPSULE) return;
    if (!t.capsule || !want || strcmp(t.capsule, want) == 0) {
        wrong_signal(row, e, t, diags);
        return;
    }
    struct buf text = BUF_INIT(1024);
    buf_printf(&text, "expected capsule(\"%s\"), got capsule(\"%s\")", want, t.capsule);
    fault_report(diags, DIAG_EVAL_TYPE, e, NULL, text.p ? text.p : "expected another capsule");
    buf_done(&text);
}

/* --- rows --- */

static void check_as(struct place p, const struct expr *e, const struct type_env *env,
                     struct diags *diags);

static void mismatch(struct place p, const struct expr *e, enum vtype got, struct diags *diags)
{
    struct buf text = BUF_INIT(128);
    buf_printf(&text, "should be %s, got %s", wanted_type(p), vtype_name(got));
    fault_report(diags, DIAG_EVAL_TYPE, e, NULL, text.p);
    buf_done(&text);
}

/* A list known by its type only: its elements as one. */
static void check_elements(struct place p, const struct expr *e, struct static_type t,
                           struct diags *diags)
{
    struct static_type element = {
        .known = true, .type = t.elem, .capsule = t.elem_capsule, .signals = t.signals};
    struct place to = elements_of(p);
    if (!t.is_list) return;
    if (!(taken_types(to) & T(t.elem)))
        mismatch(to, e, t.elem, diags);
    else if (t.elem == V_CAPSULE)
        check_capsule(to.row, to.kind, e, element, diags);
}

static void unknown_field(const struct shape *s, const struct field *f, struct diags *diags)
{
    struct suggestion near = {0};
    struct diag *d = diag_error(diags, DIAG_ATTR_UNKNOWN, f->key_span,
                                "unrecognized field name \"" STR_FMT "\"", STR_ARG(f->key));
    for (size_t i = 0; i < s->n_rows; i++)
        suggestion_offer(&near, f->key, str_of(s->rows[i].name));
    suggestion_hint(&near, diags, d);
}

static void check_field(struct place p, const struct field *f, const struct type_env *env,
                        struct diags *diags)
{
    const struct shape *shape = p.kind == K_ANY ? p.row->shape : NULL;
    struct place to = elements_of(p);
    if (shape && shape->form == SHAPE_OBJECT) {
        const struct row *row = shape_field(shape, f->key);
        if (!row) {
            unknown_field(shape, f, diags);
            return;
        }
        to = (struct place){row, row->kind};
    }
    check_as(to, f->value, env, diags);
}

static void check_literal(struct place p, const struct expr *e, const struct type_env *env,
                          struct diags *diags)
{
    for (size_t i = 0; e->kind == EXPR_ARRAY && i < e->array.n; i++)
        check_as(elements_of(p), e->array.items[i], env, diags);
    for (size_t i = 0; e->kind == EXPR_OBJECT && i < e->object.n; i++)
        check_field(p, &e->object.fields[i], env, diags);
}

static void check_as(struct place p, const struct expr *e, const struct type_env *env,
                     struct diags *diags)
{
    while (e->kind == EXPR_PAREN)
        e = e->paren;
    struct static_type t = static_type_of(e, env);
    if (!t.known) return;
    if (!(taken_types(p) & T(t.type)))
        mismatch(p, e, t.type, diags);
    else if (t.type == V_CAPSULE)
        check_capsule(p.row, p.kind, e, t, diags);
    else if (e->kind == EXPR_ARRAY || e->kind == EXPR_OBJECT)
        check_literal(p, e, env, diags);
    else if (t.type == V_ARRAY)
        check_elements(p, e, t, diags);
}

void static_check(const struct row *row, const struct expr *e, const struct type_env *env,
                  struct diags *diags)
{
    check_as((struct place){row, row->kind}, e, env, diags);
}
