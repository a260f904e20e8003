/* Operators: number kinds are coerced uint < int < float, integers wrap, and every type error names
 * the operand. */
#include "value/ops.h"

#include <errno.h>
#include <math.h>
#include "base/xalloc.h"
#include "value/limits.h"

/* --- numbers: both operands are already of kind k, seen as integers through .u / .i --- */

typedef struct value (*num_op)(enum numkind k, struct value l, struct value r);

static struct value number(enum numkind k, u64 bits)
{
    return (struct value){.type = V_NUMBER, .numkind = k, .u = bits};
}

static struct value num_add(enum numkind k, struct value l, struct value r)
{
    return k == NUM_FLOAT ? value_float(l.f + r.f) : number(k, l.u + r.u);
}

static struct value num_sub(enum numkind k, struct value l, struct value r)
{
    return k == NUM_FLOAT ? value_float(l.f - r.f) : number(k, l.u - r.u);
}

static struct value num_mul(enum numkind k, struct value l, struct value r)
{
    return k == NUM_FLOAT ? value_float(l.f * r.f) : number(k, l.u * r.u);
}

/* Division by -1 is negation: the machine's instruction traps on the smallest integer. */
static struct value num_div(enum numkind k, struct value l, struct value r)
{
    if (k == NUM_FLOAT) return value_float(l.f / r.f);
    if (k == NUM_UINT) return value_uint(l.u / r.u);
    return r.i == -1 ? number(k, -l.u) : value_int(l.i / r.i);
}

static struct value num_mod(enum numkind k, struct value l, struct value r)
{
    if (k == NUM_FLOAT) return value_float(fmod(l.f, r.f));
    if (k == NUM_UINT) return value_uint(l.u % r.u);
    return r.i == -1 ? value_int(0) : value_int(l.i % r.i);
}

static u64 wrapping_pow(u64 base, u64 exp)
{
    u64 product = 1;
    for (; exp > 0; exp >>= 1) {
        if (exp & 1) product *= base;
        base *= base;
    }
    return product;
}

/* A negative integer exponent leaves the base as it is (the reference's loop never runs). */
static struct value num_pow(enum numkind k, struct value l, struct value r)
{
    if (k == NUM_FLOAT) return value_float(pow(l.f, r.f));
    if (k == NUM_INT && r.i < 0) return l;
    return number(k, wrapping_pow(l.u, r.u));
}

static int num_cmp(enum numkind k, struct value l, struct value r)
{
    if (k == NUM_UINT) return (l.u > r.u) - (l.u < r.u);
    return (l.i > r.i) - (l.i < r.i);
}

static struct value num_lt(enum numkind k, struct value l, struct value r)
{
    return value_bool(k == NUM_FLOAT ? l.f < r.f : num_cmp(k, l, r) < 0);
}

static struct value num_le(enum numkind k, struct value l, struct value r)
{
    return value_bool(k == NUM_FLOAT ? l.f <= r.f : num_cmp(k, l, r) <= 0);
}

static struct value num_gt(enum numkind k, struct value l, struct value r)
{
    return value_bool(k == NUM_FLOAT ? l.f > r.f : num_cmp(k, l, r) > 0);
}

static struct value num_ge(enum numkind k, struct value l, struct value r)
{
    return value_bool(k == NUM_FLOAT ? l.f >= r.f : num_cmp(k, l, r) >= 0);
}

/* --- the table --- */

#define T(t) (1u << (t))

struct op_row {
    u32 types;          /* T(...) set taken; 0: any */
    const char *wanted; /* the same for people */
    num_op num;
};

static const struct op_row rows[] = {
    [OP_OR] = {T(V_BOOL), "bool", NULL},
    [OP_AND] = {T(V_BOOL), "bool", NULL},
    [OP_EQ] = {0, "", NULL},
    [OP_NE] = {0, "", NULL},
    [OP_LT] = {T(V_NUMBER) | T(V_STRING), "number string", num_lt},
    [OP_LE] = {T(V_NUMBER) | T(V_STRING), "number string", num_le},
    [OP_GT] = {T(V_NUMBER) | T(V_STRING), "number string", num_gt},
    [OP_GE] = {T(V_NUMBER) | T(V_STRING), "number string", num_ge},
    [OP_ADD] = {T(V_NUMBER) | T(V_STRING) | T(V_CAPSULE), "number string capsule", num_add},
    [OP_SUB] = {T(V_NUMBER), "number", num_sub},
    [OP_MUL] = {T(V_NUMBER), "number", num_mul},
    [OP_DIV] = {T(V_NUMBER), "number", num_div},
    [OP_MOD] = {T(V_NUMBER), "number", num_mod},
    [OP_POW] = {T(V_NUMBER), "number", num_pow},
};

static int fault(struct op_fault *f, bool right, enum diag_code code, char *text)
{
    *f = (struct op_fault){right, code, text};
    return -EINVAL;
}

static int wrong_operand(enum op op, bool right, struct value v, struct op_fault *f)
{
    return fault(f, right, DIAG_EVAL_OPERAND,
                 xprintf("should be one of [%s] for binop %s, got %s", rows[op].wanted, op_text(op),
                         vtype_name(v.type)));
}

static int check_operands(enum op op, struct value l, struct value r, struct op_fault *f)
{
    if (!(rows[op].types & T(l.type))) return wrong_operand(op, false, l, f);
    if (!(rows[op].types & T(r.type))) return wrong_operand(op, true, r, f);
    if (l.type == r.type) return 0;
    return fault(f, true, DIAG_EVAL_OPERAND,
                 xprintf("should be %s, got %s", vtype_name(l.type), vtype_name(r.type)));
}

/* --- numbers, strings, bools, secrets --- */

static struct value coerce(struct value v, enum numkind k)
{
    if (v.numkind == k) return v;
    return k == NUM_FLOAT ? value_float(value_num_f64(v)) : number(k, v.u);
}

static bool is_zero(struct value v)
{
    return v.numkind == NUM_FLOAT ? v.f == 0 : v.u == 0;
}

static int numbers(enum op op, struct value l, struct value r, struct value *ret,
                   struct op_fault *f)
{
    enum numkind k = MAX(l.numkind, r.numkind);
    if ((op == OP_DIV || op == OP_MOD) && is_zero(r))
        return fault(f, true, DIAG_EVAL_DIVIDE, xstrdup("divide by zero error"));
    *ret = rows[op].num(k, coerce(l, k), coerce(r, k));
    return 0;
}

static int join(struct str a, struct str b, struct value *ret, struct op_fault *f)
{
    struct buf text = BUF_INIT(VALUE_TEXT_MAX);
    buf_str(&text, a);
    buf_str(&text, b);
    int rc = buf_err(&text);
    if (!rc) *ret = value_str(buf_view(&text));
    buf_done(&text);
    return rc ? fault(f, false, DIAG_EVAL_LIMIT,
                      xprintf("would give a string of more than %zu MiB", VALUE_TEXT_MAX >> 20))
              : 0;
}

static int strings(enum op op, struct value l, struct value r, struct value *ret,
                   struct op_fault *f)
{
    if (op == OP_ADD) return join(value_text(l), value_text(r), ret, f);
    int c = str_cmp(value_text(l), value_text(r));
    *ret = rows[op].num(NUM_INT, value_int(c), value_int(0));
    return 0;
}

static bool is_plain_secret(struct value v)
{
    return v.type == V_CAPSULE && v.capsule->type == &capsule_secret;
}

/* The sum of texts of which one at least is a capsule: as secret as the more secret operand. */
static int secrets(struct value l, struct value r, struct value *ret, struct op_fault *f)
{
    struct str a = {0}, b = {0};
    bool secret_a = false, secret_b = false;
    struct value sum;
    value_secret_text(l, &a, &secret_a);
    value_secret_text(r, &b, &secret_b);
    if (join(a, b, &sum, f)) return -EINVAL;
    if (is_plain_secret(l) || is_plain_secret(r))
        *ret = value_secret(value_text(sum));
    else if (l.type == V_CAPSULE && r.type == V_CAPSULE)
        *ret = value_opt_secret(value_text(sum), secret_a || secret_b);
    else
        *ret = secret_a || secret_b ? value_opt_secret(value_text(sum), true) : value_ref(sum);
    value_unref(sum);
    return 0;
}

static bool has_secret_text(struct value v)
{
    struct str s;
    bool secret;
    return value_secret_text(v, &s, &secret);
}

int op_binary(enum op op, struct value l, struct value r, struct value *ret, struct op_fault *f)
{
    if (op == OP_EQ || op == OP_NE) {
        *ret = value_bool(value_equal(l, r) == (op == OP_EQ));
        return 0;
    }
    bool capsule = l.type == V_CAPSULE || r.type == V_CAPSULE;
    if (op == OP_ADD && capsule && has_secret_text(l) && has_secret_text(r))
        return secrets(l, r, ret, f);
    if (check_operands(op, l, r, f)) return -EINVAL;
    if (l.type == V_NUMBER) return numbers(op, l, r, ret, f);
    if (l.type == V_STRING) return strings(op, l, r, ret, f);
    if (l.type == V_CAPSULE)
        return fault(f, has_secret_text(l), DIAG_EVAL_OPERAND,
                     xstrdup("should be a secret or a string for binop +"));
    *ret = value_bool(op == OP_AND ? l.b && r.b : l.b || r.b);
    return 0;
}

static struct value negate(struct value v)
{
    return v.numkind == NUM_FLOAT ? value_float(-v.f) : number(NUM_INT, -v.u);
}

int op_unary(enum op op, struct value v, struct value *ret, struct op_fault *f)
{
    enum vtype want = op == OP_NOT ? V_BOOL : V_NUMBER;
    if (v.type != want)
        return fault(f, false, DIAG_EVAL_OPERAND,
                     xprintf("should be %s, got %s", vtype_name(want), vtype_name(v.type)));
    *ret = op == OP_NOT ? value_bool(!v.b) : negate(v);
    return 0;
}
