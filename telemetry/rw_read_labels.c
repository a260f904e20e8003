/* Label lists of remote write requests: as messages in 1.0, as references into the symbols in 2.0.
 */
#include <stdlib.h>
#include "base/utf8.h"
#include "base/xalloc.h"
#include "telemetry/rw_read_impl.h"

static struct label *label_slot(struct rw_in *d)
{
    if (d->n_labels == d->cap_labels) {
        d->cap_labels = d->cap_labels ? d->cap_labels * 2 : 32;
        d->labels = xrealloc(d->labels, d->cap_labels * sizeof(*d->labels));
    }
    return &d->labels[d->n_labels++];
}

int rw_named(struct rw_in *d, const char *at, size_t n)
{
    d->named += n;
    return d->named > RW_MAX_NAMED
               ? rw_broken(d, at, "its labels and metadata are larger than 512 MiB")
               : 0;
}

static int add_label(struct rw_in *d, const char *at, struct label l)
{
    if (d->n_labels == RW_MAX_LABELS)
        return rw_broken(d, at, "more than 1024 labels of one series or exemplar");
    *label_slot(d) = l;
    return rw_named(d, at, l.name.n + l.value.n);
}

static int read_label(struct rw_in *d, const struct pb_field *f)
{
    struct label l = {STR(""), STR("")};
    struct pb_field g;

    if (f->wire != PB_BYTES) return rw_wrong_type(d, f);
    struct pb_in in = pb_in(f->b);
    while (!d->err && pb_next(&in, &g)) {
        if (g.num == LABEL_NAME)
            rw_bytes(d, &g, &l.name);
        else if (g.num == LABEL_VALUE)
            rw_bytes(d, &g, &l.value);
    }
    return rw_walked(d, &in) ? d->err : add_label(d, f->at, l);
}

int rw_labels_set(struct rw_in *d, const char *at, struct str name, struct str value)
{
    for (u32 i = 0; i < d->n_labels; i++)
        if (str_eq(d->labels[i].name, name)) {
            d->labels[i].value = value;
            return rw_named(d, at, value.n);
        }
    return add_label(d, at, (struct label){name, value});
}

int rw_symbol(struct rw_in *d, const char *at, u64 ref, struct str *ret)
{
    if (ref >= d->n_symbols && ref > 0)
        return rw_broken(d, at, "a reference points behind the symbols");
    *ret = ref < d->n_symbols ? d->symbols[ref] : STR("");
    return 0;
}

/* References come in pairs, packed or one by one, over several fields even. */
static int read_ref(struct rw_in *d, const char *at, u64 ref)
{
    struct str text;

    if (rw_symbol(d, at, ref, &text)) return d->err;
    if (!d->half) {
        d->pending = text;
        d->half = true;
        return 0;
    }
    d->half = false;
    return add_label(d, at, (struct label){d->pending, text});
}

static int read_refs(struct rw_in *d, const struct pb_field *f)
{
    if (f->wire == PB_VARINT) return read_ref(d, f->at, f->v);
    if (f->wire != PB_BYTES) return rw_wrong_type(d, f);
    const char *p = f->b.p, *end = p + f->b.n;
    while (!d->err && p < end) {
        u64 ref;
        p = pb_varint(p, end, &ref);
        if (!p) return rw_broken(d, f->at, "a label reference is cut off");
        read_ref(d, f->at, ref);
    }
    return d->err;
}

int rw_label_field(struct rw_in *d, const struct pb_field *f)
{
    return d->version == RW_V1 ? read_label(d, f) : read_refs(d, f);
}

void rw_labels_begin(struct rw_in *d)
{
    d->n_labels = 0;
    d->half = false;
}

int rw_labels_end(struct rw_in *d, const char *at)
{
    return d->half ? rw_broken(d, at, "an odd number of label references") : d->err;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

static bool sorted(const struct rw_in *d)
{
    for (u32 i = 1; i < d->n_labels; i++)
        if (by_name(&d->labels[i - 1], &d->labels[i]) > 0) return false;
    return true;
}

const char *rw_labels_judge(struct rw_in *d, struct str *ret_about)
{
    if (!sorted(d)) qsort(d->labels, d->n_labels, sizeof(*d->labels), by_name);
    for (u32 i = 0; i < d->n_labels; i++) {
        const struct label *l = &d->labels[i];
        *ret_about = l->name;
        if (!l->name.n) return "a label has no name";
        if (!utf8_valid(l->name)) return "the name of a label is not valid UTF-8";
        if (!utf8_valid(l->value)) return "the value of a label is not valid UTF-8";
        if (i && str_eq(l->name, l[-1].name)) return "a label is there twice";
    }
    return NULL;
}

struct str rw_labels_get(const struct rw_in *d, struct str name)
{
    for (u32 i = 0; i < d->n_labels; i++)
        if (str_eq(d->labels[i].name, name)) return d->labels[i].value;
    return STR("");
}
