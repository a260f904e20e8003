/* Secrets: capsules around a text that is never printed. An optional secret carries a flag:
 * unflagged it behaves like its text. */
#include "value/value.h"

#include "base/digest.h"
#include "base/xalloc.h"
#include "parser/printer.h"

static struct vtext *take_text(struct str s)
{
    return value_str(s).text;
}

static void drop_text(struct vtext *t)
{
    value_unref((struct value){.type = V_STRING, .text = t});
}

static struct str view(const struct vtext *t)
{
    return str_n(t->p, t->n);
}

/* --- secret --- */

static void secret_destroy(void *data)
{
    drop_text(data);
}

static bool secret_equal(const void *a, const void *b)
{
    return secret_eq(view(a), view(b));
}

static void secret_text(const void *data, struct buf *out)
{
    (void)data;
    buf_cstr(out, "(secret)");
}

const struct capsule_type capsule_secret = {
    .name = "alloytypes.Secret",
    .destroy = secret_destroy,
    .equal = secret_equal,
    .text = secret_text,
};

struct value value_secret(struct str s)
{
    return value_capsule(&capsule_secret, take_text(s));
}

/* --- optional secret --- */

static void opt_destroy(void *data)
{
    struct opt_secret *o = data;
    drop_text(o->text);
    free(o);
}

static bool opt_equal(const void *pa, const void *pb)
{
    const struct opt_secret *a = pa, *b = pb;
    return a->is_secret == b->is_secret && secret_eq(view(a->text), view(b->text));
}

static void opt_text(const void *data, struct buf *out)
{
    const struct opt_secret *o = data;
    if (o->is_secret)
        buf_cstr(out, "(secret)");
    else
        print_quoted(view(o->text), out);
}

const struct capsule_type capsule_opt_secret = {
    .name = "alloytypes.OptionalSecret",
    .destroy = opt_destroy,
    .equal = opt_equal,
    .text = opt_text,
};

struct value value_opt_secret(struct str s, bool is_secret)
{
    struct opt_secret *o = xnew(struct opt_secret);
    o->is_secret = is_secret;
    o->text = take_text(s);
    return value_capsule(&capsule_opt_secret, o);
}

/* --- both --- */

static bool opt_parts(const struct opt_secret *o, struct str *ret, bool *ret_is_secret)
{
    *ret = view(o->text);
    *ret_is_secret = o->is_secret;
    return true;
}

bool value_secret_text(struct value v, struct str *ret, bool *ret_is_secret)
{
    if (v.type == V_STRING) {
        *ret = value_text(v);
        *ret_is_secret = false;
        return true;
    }
    if (v.type != V_CAPSULE) return false;
    if (v.capsule->type == &capsule_opt_secret)
        return opt_parts(v.capsule->data, ret, ret_is_secret);
    if (v.capsule->type != &capsule_secret) return false;
    *ret = view(v.capsule->data);
    *ret_is_secret = true;
    return true;
}

bool value_is_secret(struct value v)
{
    struct str s;
    bool secret;
    return v.type == V_CAPSULE && value_secret_text(v, &s, &secret) && secret;
}
