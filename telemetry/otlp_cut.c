/* Cutting batches. The state is a path: from the batch's slice down through the containers that are
 * open, each with its read position and with its own fields (resource, scope, schema_url, a
 * metric's name ...) copied together once, since every piece repeats them. */
#include "telemetry/otlp_cut.h"

#include <errno.h>
#include "base/xalloc.h"
#include "telemetry/otlp.h"
#include "telemetry/otlp_walk.h"

struct open {
    u32 num; /* of the field in its parent */
    u32 children;
    struct pb_in in;
    struct buf own;
};

struct otlp_cut {
    struct batch *b;
    u32 left, slice;
    struct pb_in in; /* of the slice */
    int depth;       /* path[0 .. depth) is open; path[i] is a container of level i + 1 */
    struct open path[LEVEL_MAX - 1];
};

static void enter_slice(struct otlp_cut *c, u32 slice)
{
    c->slice = slice;
    if (slice < c->b->n_slices) c->in = pb_in(str_n(c->b->slices[slice].p, c->b->slices[slice].n));
}

struct otlp_cut *otlp_cut_new(struct batch *b)
{
    ASSERT(b->sealed);
    struct otlp_cut *c = xnew(struct otlp_cut);
    c->b = b;
    c->left = b->items;
    enter_slice(c, 0);
    return c;
}

static void pop(struct otlp_cut *c)
{
    buf_done(&c->path[--c->depth].own);
}

void otlp_cut_free(struct otlp_cut *c)
{
    if (!c) return;
    while (c->depth > 0)
        pop(c);
    batch_unref(c->b);
    free(c);
}

u32 otlp_cut_left(const struct otlp_cut *c)
{
    return c->left;
}

/* --- the open path --- */

static void collect_own(struct open *o, struct str msg)
{
    struct pb_field f;
    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);)
        if (!otlp_is_child(o->children, &f)) buf_add(&o->own, f.at, (size_t)(in.p - f.at));
}

/* Opens the container in f, one level below the deepest; false without memory. */
static bool push(struct otlp_cut *c, const struct pb_field *f)
{
    struct open *o = &c->path[c->depth];
    *o = (struct open){.num = f->num, .in = pb_in(f->b), .own = BUF_INIT(f->b.n)};
    o->children = otlp_children((enum otlp_level)(c->depth + 1), f->b);
    collect_own(o, f->b);
    if (buf_err(&o->own)) {
        buf_done(&o->own);
        return false;
    }
    c->depth++;
    return true;
}

/* Moves to the next child, over own fields; false behind the last. */
static bool more(struct open *o)
{
    struct pb_field f;
    for (struct pb_in in = o->in; pb_next(&in, &f); o->in = in)
        if (otlp_is_child(o->children, &f)) return true;
    return false;
}

/* --- one piece of the open path --- */

static void emit_container(struct otlp_cut *c, int at, u32 *want, struct buf *out);

static void took(struct otlp_cut *c, u32 items, u32 *want)
{
    c->left -= items;
    *want -= items;
}

/* Children of path[at] as long as they are wanted whole; enters the one that is not. Short of
 * memory nothing more is wanted. */
static void emit_children(struct otlp_cut *c, int at, u32 *want, struct buf *out)
{
    struct open *o = &c->path[at];
    while (*want > 0 && more(o)) {
        struct pb_field f;
        const char *before = o->in.p;
        pb_next(&o->in, &f);
        u32 items = otlp_items_in(c->b->signal, (enum otlp_level)(at + 2), f.b);
        if (items <= *want) {
            buf_add(out, before, (size_t)(o->in.p - before));
            took(c, items, want);
        } else if (push(c, &f)) {
            emit_container(c, at + 1, want, out);
        } else {
            o->in.p = before;
            *want = 0;
        }
    }
}

/* Wrapper, own fields, what is left of the open child, then more children. Closes the path behind
 * the last child. */
static void emit_container(struct otlp_cut *c, int at, u32 *want, struct buf *out)
{
    struct open *o = &c->path[at];
    unsigned width = (unsigned)pb_varint_size(o->own.n + (size_t)(o->in.end - o->in.p));
    size_t start = pb_open(out, o->num, width);
    buf_str(out, buf_view(&o->own));
    if (at + 1 < c->depth) emit_container(c, at + 1, want, out);
    emit_children(c, at, want, out);
    pb_close(out, start, width);
    if (c->depth == at + 1 && !more(o)) pop(c);
}

/* The most that the open path can still give: all bytes behind the deepest position, and what is
 * repeated. */
static size_t bound(const struct otlp_cut *c)
{
    size_t n = (size_t)(c->path[0].in.end - c->path[c->depth - 1].in.p);
    for (int i = 0; i < c->depth; i++)
        n += c->path[i].own.n;
    return n + LEVEL_MAX * 2 * PB_MAX_VARINT;
}

/* Copies a piece of the ResourceX that is open. All memory is taken before anything moves. */
static bool take_open(struct otlp_cut *c, u32 *want, struct budget *budget, struct batch *out)
{
    struct buf piece = BUF_INIT(bound(c));
    if (!buf_reserve(&piece, piece.max)) return false;
    u32 before = c->left;
    emit_container(c, 0, want, &piece);
    ASSERT(!buf_err(&piece));
    struct blob *root = blob_take_buf(&piece, budget);
    batch_add_slice(out, root, root->p, root->n, before - c->left);
    blob_unref(root);
    return true;
}

/* --- whole ResourceX, by reference --- */

static u32 items_of(const struct otlp_cut *c, const struct pb_field *f)
{
    bool resource = f->num == OTLP_RESOURCES && f->wire == PB_BYTES;
    return resource ? otlp_items_in(c->b->signal, LEVEL_RESOURCE, f->b) : 0;
}

/* The next ResourceX are taken as long as they are wanted whole; true when the one that follows
 * must be cut, *ret is it. */
static bool take_whole(struct otlp_cut *c, u32 *want, struct batch *out, struct pb_field *ret)
{
    const struct slice *s = &c->b->slices[c->slice];
    const char *start = c->in.p;
    bool cut = false;
    u32 before = c->left;
    if (start == s->p && s->items <= *want) {
        took(c, s->items, want);
        c->in.p = c->in.end;
    }
    for (struct pb_in in = c->in; *want > 0 && !cut && pb_next(&in, ret);) {
        u32 items = items_of(c, ret);
        cut = items > *want;
        if (cut) break;
        took(c, items, want);
        c->in = in;
    }
    if (c->in.p > start)
        batch_add_slice(out, s->root, start, (size_t)(c->in.p - start), before - c->left);
    if (c->in.p == c->in.end) enter_slice(c, c->slice + 1);
    return cut;
}

/* Opens the ResourceX at the slice's position, which f is. */
static bool open_top(struct otlp_cut *c, const struct pb_field *f)
{
    if (!push(c, f)) return false;
    struct pb_field again;
    pb_next(&c->in, &again);
    return true;
}

/* The slice is done when its last ResourceX was cut and is used up. */
static void leave_open(struct otlp_cut *c)
{
    if (c->depth == 0 && c->in.p == c->in.end) enter_slice(c, c->slice + 1);
}

int otlp_cut_take(struct otlp_cut *c, u32 items, struct budget *budget, struct batch **ret)
{
    u32 want =
        items < c->left ? items : UINT32_MAX; /* the last piece takes what counts nothing, too */
    struct batch *out = batch_derive(c->b);
    bool ok = true;
    while (ok && want > 0 && (c->depth > 0 || c->slice < c->b->n_slices)) {
        struct pb_field f;
        if (c->depth == 0 && take_whole(c, &want, out, &f)) ok = open_top(c, &f);
        if (!ok || c->depth == 0) continue;
        ok = take_open(c, &want, budget, out);
        leave_open(c);
    }
    if (!ok && out->items == 0) {
        batch_unref(out);
        return -ENOMEM;
    }
    batch_seal(out);
    *ret = out;
    return 0;
}

/* --- two pieces --- */

int otlp_split(const struct batch *b, u32 items, struct batch **ret_head, struct batch **ret_tail)
{
    ASSERT(items > 0 && items < b->items);
    struct batch *head = NULL, *tail = NULL;
    struct otlp_cut *c = otlp_cut_new(batch_ref((struct batch *)(uintptr_t)b));
    int err = otlp_cut_take(c, items, NULL, &head);
    if (!err && head->items < items) err = -ENOMEM;
    if (!err) err = otlp_cut_take(c, UINT32_MAX, NULL, &tail);
    if (!err && otlp_cut_left(c) > 0) err = -ENOMEM;
    otlp_cut_free(c);
    if (err) {
        batch_unref(head);
        batch_unref(tail);
        return err;
    }
    *ret_head = head;
    *ret_tail = tail;
    return 0;
}
