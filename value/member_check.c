/* Allowed texts and bounds of a decoded member. */
#include "value/member.h"

#include <errno.h>
#include "base/num.h"

/* --- allowed texts --- */

static bool allowed(const struct row *row, struct str s)
{
    for (const char *const *p = row->one_of; *p; p++)
        if (str_is(s, *p) || (row->fold_case && str_ieq(s, str_of(*p)))) return true;
    return false;
}

/* The table's own sentence, with the value in place of its %s. */
static void canonical(const struct row *row, struct str s, struct buf *out)
{
    struct str text = str_of(row->one_of_error);
    ssize_t at = str_find(text, STR("%s"));
    if (at < 0) {
        buf_str(out, text);
        return;
    }
    buf_str(out, str_sub(text, 0, (size_t)at));
    buf_str(out, s);
    buf_str(out, str_sub(text, (size_t)at + 2, text.n));
}

static void list_allowed(const struct row *row, struct str s, struct buf *out)
{
    buf_cstr(out, "should be one of ");
    for (const char *const *p = row->one_of; *p; p++)
        buf_printf(out, "%s\"%s\"", p == row->one_of ? "" : ", ", *p);
    buf_printf(out, ", got \"" STR_FMT "\"", STR_ARG(s));
}

static int check_text(const struct row *row, struct str s, struct vfault *f,
                      enum diag_code *ret_code)
{
    if (!row->one_of || allowed(row, s)) return 0;
    struct buf text = BUF_INIT(1 << 20);
    if (row->one_of_error)
        canonical(row, s, &text);
    else
        list_allowed(row, s, &text);
    vfault_set(f, "%s", buf_err(&text) ? "is not an allowed value" : text.p);
    buf_done(&text);
    *ret_code = DIAG_VALUE_CHOICE;
    return -EINVAL;
}

static int check_texts(const struct row *row, const struct str_list *l, struct vfault *f,
                       enum diag_code *ret_code)
{
    for (size_t i = 0; i < l->n; i++) {
        if (check_text(row, l->v[i], f, ret_code)) {
            vpath_element(&f->path, i);
            return -EINVAL;
        }
    }
    return 0;
}

/* --- bounds --- */

static void bound_text(const struct row *row, f64 bound, struct buf *out)
{
    if (row->kind == K_DUR || row->kind == K_OPT_DUR)
        dur_format(out, (i64)bound);
    else if (row->kind == K_BYTES)
        bytesize_format(out, (i64)bound);
    else
        num_f64_plain(out, bound);
}

static int check_bounds(const struct row *row, f64 v, struct vfault *f, enum diag_code *ret_code)
{
    bool low = row->has_min && !(v >= row->min), high = row->has_max && !(v <= row->max);
    if (!low && !high) return 0;
    struct buf bound = BUF_INIT(512);
    bound_text(row, low ? row->min : row->max, &bound);
    vfault_set(f, "should be at %s %s", low ? "least" : "most", bound.p);
    buf_done(&bound);
    *ret_code = DIAG_VALUE_RANGE;
    return -EINVAL;
}

int member_check(const struct row *row, const void *m, struct vfault *f, enum diag_code *ret_code)
{
    switch (row->kind) {
    case K_STR: return check_text(row, *(const struct str *)m, f, ret_code);
    case K_OPT_STR: return check_text(row, ((const struct opt_str *)m)->s, f, ret_code);
    case K_STR_LIST: return check_texts(row, m, f, ret_code);
    case K_I64: return check_bounds(row, (f64) * (const i64 *)m, f, ret_code);
    case K_F64: return check_bounds(row, *(const f64 *)m, f, ret_code);
    case K_DUR: return check_bounds(row, (f64)((const struct dur *)m)->ns, f, ret_code);
    case K_BYTES: return check_bounds(row, (f64)((const struct bytesize *)m)->n, f, ret_code);
    case K_OPT_I64: return check_bounds(row, (f64)((const struct opt_i64 *)m)->v, f, ret_code);
    case K_OPT_F64: return check_bounds(row, ((const struct opt_f64 *)m)->v, f, ret_code);
    case K_OPT_DUR: return check_bounds(row, (f64)((const struct opt_dur *)m)->ns, f, ret_code);
    case K_BOOL:
    case K_OPT_BOOL:
    case K_SECRET:
    case K_OPT_SECRET:
    case K_STR_MAP:
    case K_SECRET_MAP:
    case CAPSULE_KINDS:
    case K_ANY:
    case BLOCK_KINDS:
    case K_LABEL: return 0;
    }
    UNREACHABLE();
}
