/* The editing engine: one walk that reads and writes at once. Lengths of records are known before
 * they are written; those of their containers are guessed from the old ones and put in afterwards,
 * so contents move only when a length needs another byte. */
#include "telemetry/otlp_edit.h"

#include <errno.h>
#include "base/vec.h"
#include "telemetry/otlp_walk.h"

/* Scratch memory: blocks that never move; only the newest is kept between records. */
struct block {
    struct block *older;
    size_t n, cap;
    char p[];
};

struct otlp_edit {
    /* the batch */
    struct buf out;
    otlp_edit_fn fn;
    void *arg;
    int err;
    u32 edits;       /* records changed */
    const char *run; /* source bytes from here on are not copied yet */
    struct otlp_at at;
    u32 data; /* field of Metric that leads to the points */

    /* the record */
    bool loaded;
    VEC(struct otlp_attr) attrs;
    size_t touched; /* index of the first attribute that was changed; SIZE_MAX: none */
    const char
        *place; /* where added ones go: behind the last that was there, else the record's end */
    struct block *scratch;
};

struct otlp_edit *otlp_edit_new(void)
{
    return xnew(struct otlp_edit);
}

static void free_blocks(struct block *b)
{
    for (struct block *older; b; b = older) {
        older = b->older;
        free(b);
    }
}

void otlp_edit_free(struct otlp_edit *e)
{
    if (!e) return;
    free_blocks(e->scratch);
    vec_done(&e->attrs);
    buf_done(&e->out);
    free(e);
}

void otlp_edit_fail(struct otlp_edit *e, int err)
{
    if (!e->err) e->err = err;
}

char *otlp_edit_scratch(struct otlp_edit *e, size_t n)
{
    struct block *b = e->scratch;
    if (!b || n > b->cap - b->n) {
        size_t cap = MAX(MAX(n, 1024), b ? b->cap * 2 : 0);
        b = budget_alloc(sizeof(*b) + cap);
        if (!b) {
            otlp_edit_fail(e, -ENOMEM);
            return NULL;
        }
        *b = (struct block){.older = e->scratch, .cap = cap};
        e->scratch = b;
    }
    char *p = b->p + b->n;
    b->n += n;
    return p;
}

static void reset_scratch(struct otlp_edit *e)
{
    if (!e->scratch) return;
    free_blocks(e->scratch->older);
    e->scratch->older = NULL;
    e->scratch->n = 0;
}

/* --- reading the attribute list --- */

/* Tag of the attributes in the record under edit; e->data is the field of Metric it stands under.
 */
static u8 attributes_tag(const struct otlp_edit *e)
{
    static const u8 by_data[] = {
        [OTLP_metric_gauge] = OTLP_number_point_attributes,
        [OTLP_metric_sum] = OTLP_number_point_attributes,
        [OTLP_metric_histogram] = OTLP_histogram_point_attributes,
        [OTLP_metric_exponential_histogram] = OTLP_exponential_point_attributes,
        [OTLP_metric_summary] = OTLP_summary_point_attributes,
    };
    u32 num = e->at.signal == SIGNAL_TRACES ? OTLP_span_attributes
              : e->at.signal == SIGNAL_LOGS ? OTLP_log_record_attributes
                                            : by_data[e->data];
    return (u8)PB_TAG(num, PB_BYTES);
}

/* KeyValue in any shape: the last key and the last value count. */
static void read_key_value(struct str kv, struct otlp_attr *a)
{
    struct pb_field f;
    a->key = a->value = (struct str){0};
    for (struct pb_in in = pb_in(kv); pb_next(&in, &f);) {
        if (f.num == OTLP_key_value_key && f.wire == PB_BYTES) a->key = f.b;
        if (f.num == OTLP_key_value_value && f.wire == PB_BYTES) a->value = f.b;
    }
}

/* KeyValue { key, value } with lengths of one byte; false: some other shape. */
static inline bool read_usual(const char *p, size_t n, struct otlp_attr *a)
{
    if (n < 4 || p[0] != PB_TAG(OTLP_key_value_key, PB_BYTES)) return false;
    size_t key = (u8)p[1];
    if (key >= 0x80 || key + 4 > n) return false;
    const char *v = p + 2 + key;
    size_t value = (u8)v[1];
    if (v[0] != PB_TAG(OTLP_key_value_value, PB_BYTES) || value >= 0x80 || key + 4 + value != n)
        return false;
    a->key.p = p + 2;
    a->key.n = key;
    a->value.p = v + 2;
    a->value.n = value;
    return true;
}

/* The field at p, when it is an attribute; returns what follows it, NULL on broken bytes. */
static const char *load_attr(struct otlp_edit *e, const char *at, const char *end)
{
    size_t n;
    const char *p = pb_len(at + 1, end, &n);
    if (!p) return NULL;
    if (e->attrs.n == OTLP_EDIT_MAX_ATTRS) {
        otlp_edit_fail(e, -E2BIG);
        return NULL;
    }
    vec_reserve(&e->attrs, e->attrs.n + 1);
    struct otlp_attr *a =
        &e->attrs.v[e->attrs.n++]; /* filled in place: a copy of fields just stored is slow */
    a->at = at;
    a->end = p + n;
    a->changed = a->gone = false;
    if (!read_usual(p, n, a)) read_key_value((struct str){p, n}, a);
    return p + n;
}

/* Over the field at p, which has a tag of any size. */
static const char *skip_field(const char *p, const char *end)
{
    u64 tag;
    p = pb_varint(p, end, &tag);
    return p ? pb_skip(p, end, (u32)(tag >> 3), (u8)(tag & 7)) : NULL;
}

/* The same with a short way for the usual fields of records: times, ids and short texts. */
static inline const char *skip_usual(const char *p, const char *end)
{
    size_t left = (size_t)(end - p);
    if (left > 9 && !(p[0] & 0x80)) {
        if ((p[0] & 7) == PB_FIXED64) return p + 9;
        if ((p[0] & 7) == PB_BYTES && !(p[1] & 0x80) && (size_t)p[1] + 2 <= left)
            return p + 2 + p[1];
    }
    return skip_field(p, end);
}

static void load(struct otlp_edit *e)
{
    u8 tag = attributes_tag(e);
    const char *p = e->at.record.p, *end = p + e->at.record.n;
    e->loaded = true;
    e->place = NULL;
    while (p && p < end) {
        if ((u8)*p == tag)
            e->place = p = load_attr(e, p, end);
        else
            p = skip_usual(p, end);
    }
    if (!p) otlp_edit_fail(e, -EBADMSG);
    if (!e->place) e->place = end;
}

struct otlp_attr *otlp_attrs(struct otlp_edit *e, u32 *ret_n)
{
    if (!e->loaded) load(e);
    *ret_n = (u32)e->attrs.n;
    return e->attrs.v;
}

/* Most keys of the same length differ in their first or last byte already. */
static inline bool same_bytes(const char *a, const char *b, size_t n)
{
    return n == 0 || (a[0] == b[0] && a[n - 1] == b[n - 1] && memcmp(a, b, n) == 0);
}

struct otlp_attr *otlp_attr_find(struct otlp_edit *e, struct str key)
{
    if (!e->loaded) load(e);
    vec_each (&e->attrs, a)
        if (a->key.n == key.n && !a->gone && same_bytes(a->key.p, key.p, key.n)) return a;
    return NULL;
}

static void touch(struct otlp_edit *e, const struct otlp_attr *a)
{
    e->touched = MIN(e->touched, (size_t)(a - e->attrs.v));
}

void otlp_attr_set(struct otlp_edit *e, struct otlp_attr *a, struct str value)
{
    a->value = value;
    a->changed = true;
    touch(e, a);
}

void otlp_attr_add(struct otlp_edit *e, struct str key, struct str value)
{
    struct otlp_attr a = {.key = key, .value = value, .changed = true};
    if (!e->loaded) load(e);
    if (e->attrs.n == OTLP_EDIT_MAX_ATTRS) {
        otlp_edit_fail(e, -E2BIG);
        return;
    }
    vec_push(&e->attrs, a);
    touch(e, &vec_last(&e->attrs));
}

void otlp_attr_put(struct otlp_edit *e, struct str key, struct str value)
{
    struct otlp_attr *a = otlp_attr_find(e, key);
    if (a)
        otlp_attr_set(e, a, value);
    else
        otlp_attr_add(e, key, value);
}

void otlp_attr_remove(struct otlp_edit *e, struct otlp_attr *a)
{
    a->gone = true;
    touch(e, a);
}

/* --- writing a record --- */

static size_t key_value_size(const struct otlp_attr *a)
{
    return 2 + pb_varint_size(a->key.n) + a->key.n + pb_varint_size(a->value.n) + a->value.n;
}

static size_t attr_size(const struct otlp_attr *a)
{
    size_t n = key_value_size(a);
    return 1 + pb_varint_size(n) + n;
}

static char *put(char *p, const char *from, size_t n)
{
    if (n) memcpy(p, from, n); /* an empty view may have no address */
    return p + n;
}

static char *put_attr(char *p, u8 tag, const struct otlp_attr *a)
{
    *p++ = (char)tag;
    p = pb_put_varint(p, key_value_size(a));
    *p++ = PB_TAG(OTLP_key_value_key, PB_BYTES);
    p = pb_put_varint(p, a->key.n);
    p = put(p, a->key.p, a->key.n);
    *p++ = PB_TAG(OTLP_key_value_value, PB_BYTES);
    p = pb_put_varint(p, a->value.n);
    return put(p, a->value.p, a->value.n);
}

static size_t new_length(const struct otlp_edit *e)
{
    size_t n = e->at.record.n;
    for (size_t i = e->touched; i < e->attrs.n; i++) {
        const struct otlp_attr *a = &e->attrs.v[i];
        if (a->at && (a->changed || a->gone)) n -= (size_t)(a->end - a->at);
        if (a->changed && !a->gone) n += attr_size(a);
    }
    return n;
}

static char *put_record(const struct otlp_edit *e, char *p)
{
    const char *from = e->at.record.p, *end = from + e->at.record.n;
    u8 tag = attributes_tag(e);
    for (size_t i = e->touched; i < e->attrs.n; i++) {
        const struct otlp_attr *a = &e->attrs.v[i];
        if (!a->changed && !a->gone) continue;
        const char *to = a->at ? a->at : e->place;
        p = put(p, from, (size_t)(to - from));
        from = a->at ? a->end : to;
        if (!a->gone) p = put_attr(p, tag, a);
    }
    return put(p, from, (size_t)(end - from));
}

static void flush_run(struct otlp_edit *e, const char *to)
{
    buf_add(&e->out, e->run, (size_t)(to - e->run));
}

static void write_record(struct otlp_edit *e, const struct pb_field *f, const char *end)
{
    flush_run(e, f->at);
    size_t n = new_length(e);
    char *start = buf_reserve(&e->out, 2 * PB_MAX_VARINT + n);
    if (!start) return;
    char *p = pb_put_varint(start, PB_TAG(f->num, PB_BYTES));
    p = put_record(e, pb_put_varint(p, n));
    buf_commit(&e->out, (size_t)(p - start));
    e->run = end;
    e->edits++;
}

/* --- the walk --- */

static void edit_record(struct otlp_edit *e, const struct pb_field *f, const char *end)
{
    e->at.record = f->b;
    e->loaded = false;
    e->touched = SIZE_MAX;
    vec_clear(&e->attrs);
    e->fn(e->arg, e, &e->at);
    if (e->touched != SIZE_MAX && !e->err) write_record(e, f, end);
    reset_scratch(e);
}

static void enter(struct otlp_edit *e, enum otlp_level level, const struct pb_field *f)
{
    switch (level) {
    case LEVEL_RESOURCE: e->at.resource = f->b; break;
    case LEVEL_SCOPE: e->at.scope = f->b; break;
    case LEVEL_METRIC: e->at.metric = f->b; break;
    case LEVEL_DATA: e->data = f->num; break;
    case LEVEL_REQUEST:
    case LEVEL_MAX: break;
    }
}

static void edit_children(struct otlp_edit *e, enum otlp_level level, struct str msg);

/* A container is always written anew; `end` is where the next field begins. */
static void edit_container(struct otlp_edit *e, enum otlp_level level, const struct pb_field *f,
                           const char *end)
{
    enter(e, level, f);
    flush_run(e, f->at);
    unsigned width = (unsigned)pb_varint_size(f->b.n);
    size_t start = pb_open(&e->out, f->num, width);
    edit_children(e, level, f->b);
    pb_close(&e->out, start, width);
    e->run = end;
}

/* Copies msg to the output with every record below it edited. */
static void edit_children(struct otlp_edit *e, enum otlp_level level, struct str msg)
{
    u32 children = otlp_children(level, msg);
    bool records = level + 1 == otlp_item_level(e->at.signal);
    struct pb_field f;
    struct pb_in in = pb_in(msg);
    e->run = msg.p;
    while (!e->err && pb_next(&in, &f)) {
        if (!otlp_is_child(children, &f)) continue;
        if (records)
            edit_record(e, &f, in.p);
        else
            edit_container(e, level + 1, &f, in.p);
    }
    if (in.bad) otlp_edit_fail(e, -EBADMSG);
    flush_run(e, in.end);
}

static void begin(struct otlp_edit *e, const struct batch *b, otlp_edit_fn fn, void *arg)
{
    e->fn = fn;
    e->arg = arg;
    e->err = 0;
    e->edits = 0;
    e->at = (struct otlp_at){.signal = b->signal, .client = b->client};
    e->out = BUF_INIT(b->bytes + OTLP_EDIT_MAX_GROWTH);
    (void)buf_reserve(&e->out, b->bytes + b->bytes / 8); /* a refusal sticks to the buf */
}

static struct batch *finish(struct otlp_edit *e, struct batch *b, struct budget *budget)
{
    if (e->edits == 0) return batch_ref(b);
    struct batch *out = batch_derive(b);
    struct blob *root = blob_take_buf(&e->out, budget);
    batch_add_slice(out, root, root->p, root->n, b->items);
    blob_unref(root);
    batch_seal(out);
    return out;
}

int otlp_edit_batch(struct otlp_edit *e, struct batch *b, otlp_edit_fn edit, void *arg,
                    struct budget *budget, struct batch **ret)
{
    begin(e, b, edit, arg);
    for (u32 i = 0; i < b->n_slices && !e->err; i++)
        edit_children(e, LEVEL_REQUEST, (struct str){b->slices[i].p, b->slices[i].n});
    if (!e->err) e->err = buf_err(&e->out);
    if (!e->err) *ret = finish(e, b, budget);
    buf_done(&e->out);
    return e->err;
}
