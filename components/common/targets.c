/* Targets as values and as label sets. */
#include "components/common/targets.h"

#include <errno.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "stdlib/format.h"

#define TEXT_MAX ((size_t)16 << 20)

static const struct row any_row = {
    .name = "element", .kind = K_ANY, .doc = "A label's value, made text."};
static const struct shape target_shape = {SHAPE_TARGET, "map(string)", &any_row, 1};
static const struct row target_row = {
    .name = "element", .kind = K_ANY, .doc = "A target.", .shape = &target_shape};
const struct shape targets_shape = {SHAPE_LIST, "list(map(string))", &target_row, 1};

size_t targets_count(struct value targets)
{
    return targets.type == V_ARRAY ? targets.array->n : 0;
}

/* --- reading --- */

/* Values that are no text, as Go's %v prints them. */
static void put_printed(struct label_set *into, struct str name, struct value v)
{
    struct buf text = BUF_INIT(TEXT_MAX);

    format_values(&text, STR("%v"), &v, 1);
    if (buf_err(&text)) into->err = -ENOMEM;
    label_set_put(into, name, buf_view(&text));
    buf_done(&text);
}

/* Names stay where they are, in the object. */
static void put_member(struct label_set *into, const struct vmember *m)
{
    struct str name = str_n(m->key->p, m->key->n), text;
    bool secret;

    if (m->value.type == V_STRING)
        label_set_put_view(into, name, value_text(m->value));
    else if (value_secret_text(m->value, &text, &secret))
        label_set_put_view(into, name, text);
    else if (m->value.type != V_NULL)
        put_printed(into, name, m->value);
}

static void load_object(const struct vobject *o, struct label_set *into)
{
    for (size_t i = 0; i < o->n; i++)
        put_member(into, &o->m[i]);
}

/* Of an object made for us alone nothing may be borrowed. */
static void own_texts(struct label_set *s)
{
    for (u32 i = 0; i < s->n; i++) {
        s->v[i].name = label_set_keep(s, s->v[i].name);
        s->v[i].value = label_set_keep(s, s->v[i].value);
    }
}

static void load_converted(struct value v, struct label_set *into)
{
    struct value object;

    if (!value_to_object(v, &object)) return;
    load_object(object.object, into);
    own_texts(into);
    value_unref(object);
}

void target_load(struct value targets, size_t i, struct label_set *into)
{
    struct value v = targets.array->v[i];

    label_set_reset(into);
    if (v.type == V_OBJECT)
        load_object(v.object, into);
    else
        load_converted(v, into);
}

static bool is_named(const struct str_list *names, struct str name)
{
    for (size_t i = 0; i < names->n; i++)
        if (str_eq(names->v[i], name)) return true;
    return names->n == 0;
}

void target_copy(struct value targets, size_t i, const struct str_list *names, struct label_set *to)
{
    struct label_set from;

    label_set_init(&from);
    target_load(targets, i, &from);
    for (u32 k = 0; k < from.n; k++)
        if (is_named(names, from.v[k].name) && from.v[k].value.n > 0)
            label_set_put(to, from.v[k].name, from.v[k].value);
    if (from.err) to->err = from.err;
    label_set_done(&from);
}

/* --- writing --- */

struct value target_value(const struct label_set *s)
{
    struct object_builder b = {0};

    for (u32 i = 0; i < s->n; i++)
        object_set_take(&b, s->v[i].name, value_str(s->v[i].value));
    return object_done(&b);
}

void target_list_add(struct target_list *t, const struct label_set *s)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 16;
        t->v = xrealloc(t->v, t->cap * sizeof(*t->v));
    }
    t->v[t->n++] = target_value(s);
}

struct value target_list_value(struct target_list *t)
{
    struct value list = value_array(t->n);

    if (t->n) memcpy(list.array->v, t->v, t->n * sizeof(*t->v));
    free(t->v);
    *t = (struct target_list){0};
    return list;
}

/* --- live debugging --- */

void target_text(const struct label_set *s, struct buf *out)
{
    buf_ch(out, '{');
    for (u32 i = 0; i < s->n; i++) {
        if (i > 0) buf_cstr(out, ", ");
        utf8_quote(out, s->v[i].name);
        buf_ch(out, '=');
        utf8_quote(out, s->v[i].value);
    }
    buf_ch(out, '}');
}

static int render_list(const void *what, struct buf *out)
{
    const struct value *list = what;
    struct label_set set;

    label_set_init(&set);
    buf_ch(out, '[');
    for (size_t i = 0; i < targets_count(*list); i++) {
        if (i > 0) buf_ch(out, ' ');
        target_load(*list, i, &set);
        target_text(&set, out);
    }
    buf_ch(out, ']');
    label_set_done(&set);
    return buf_err(out);
}

void targets_tap(struct comp *c, struct value targets)
{
    if (!comp_tapped(c)) return;
    comp_tap(c, &(struct tap_item){.type = TAP_TARGET,
                                   .count = targets_count(targets),
                                   .render = render_list,
                                   .what = &targets});
}
