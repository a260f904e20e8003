/* Batches: arrays of slices and acks with counts. See batch.h for who owns what. */
#include "telemetry/batch.h"

#include <errno.h>
#include "base/xalloc.h"
#include "telemetry/log_batch.h"
#include "telemetry/sample_batch.h"

/* --- what is known of the client --- */

struct client_info *client_info_new(struct str peer_ip)
{
    struct client_info *c = xnew(struct client_info);
    refs_init(&c->refs);
    c->peer_ip = xprintf(STR_FMT, STR_ARG(peer_ip));
    return c;
}

static char *copy_text(struct str s)
{
    char *p = xmalloc(s.n + 1);
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

void client_info_add(struct client_info *c, struct str key, struct str value)
{
    c->metadata = xrealloc(c->metadata, (c->n_metadata + 1) * sizeof(*c->metadata));
    c->metadata[c->n_metadata].key = copy_text(key);
    c->metadata[c->n_metadata++].value = copy_text(value);
}

void client_info_add_auth(struct client_info *c, struct str key, struct str value)
{
    c->auth = xrealloc(c->auth, (c->n_auth + 1) * sizeof(*c->auth));
    c->auth[c->n_auth].key = copy_text(key);
    c->auth[c->n_auth++].value = copy_text(value);
}

struct client_info *client_info_ref(struct client_info *c)
{
    refs_get(&c->refs);
    return c;
}

void client_info_unref(struct client_info *c)
{
    if (!c || !refs_put(&c->refs)) return;
    for (size_t i = 0; i < c->n_metadata; i++) {
        free(c->metadata[i].key);
        free(c->metadata[i].value);
    }
    for (size_t i = 0; i < c->n_auth; i++) {
        free(c->auth[i].key);
        free(c->auth[i].value);
    }
    free(c->metadata);
    free(c->auth);
    free(c->peer_ip);
    free(c);
}

/* --- life of a batch --- */

struct batch *batch_new(enum signal signal)
{
    struct batch *b = xnew(struct batch);
    refs_init(&b->refs);
    b->signal = signal;
    return b;
}

struct batch *batch_derive(const struct batch *parent)
{
    struct batch *b = batch_new(parent->signal);
    b->client = parent->client ? client_info_ref(parent->client) : NULL;
    b->received = parent->received;
    b->own = parent->own;
    for (u32 i = 0; i < parent->n_acks; i++)
        batch_add_ack(b, parent->acks[i]);
    return b;
}

void batch_seal(struct batch *b)
{
    b->sealed = true;
}

struct batch *batch_ref(struct batch *b)
{
    refs_get(&b->refs);
    return b;
}

bool batch_sole(struct batch *b)
{
    return refs_sole(&b->refs);
}

static void drop_slices(struct batch *b)
{
    for (u32 i = 0; i < b->n_slices; i++)
        blob_unref(b->slices[i].root);
    b->n_slices = b->items = 0;
    b->bytes = b->pinned = 0;
}

void batch_unref(struct batch *b)
{
    if (!b || !refs_put(&b->refs)) return;
    drop_slices(b);
    logs_unref(b->logs);
    samples_unref(b->samples);
    for (u32 i = 0; i < b->n_acks; i++)
        ack_unref(b->acks[i]);
    client_info_unref(b->client);
    free(b->slices);
    free(b->acks);
    free(b);
}

/* --- filling --- */

/* Makes room for one more; lists start with room for four. */
static void *room(void *v, u32 n, u32 *cap, size_t size)
{
    if (n < *cap) return v;
    *cap = *cap ? *cap * 2 : 4;
    return xrealloc(v, *cap * size);
}

void batch_add_slice(struct batch *b, struct blob *root, const char *p, size_t n, u32 items)
{
    ASSERT(!b->sealed && !b->logs && !b->samples);
    bool known = b->n_slices > 0 && b->slices[b->n_slices - 1].root == root;
    b->slices = room(b->slices, b->n_slices, &b->cap_slices, sizeof(*b->slices));
    b->slices[b->n_slices++] =
        (struct slice){.p = p, .n = n, .items = items, .root = blob_ref(root)};
    b->items += items;
    b->bytes += n;
    if (!known) b->pinned += root->cap;
}

void batch_add_ack(struct batch *b, struct ack *a)
{
    b->acks = room(b->acks, b->n_acks, &b->cap_acks, sizeof(*b->acks));
    b->acks[b->n_acks++] = ack_ref(a);
}

void batch_set_logs(struct batch *b, struct logs *l)
{
    ASSERT(!b->sealed && !b->logs && b->n_slices == 0);
    b->logs = l;
    b->items = l->items;
    b->bytes = l->bytes;
    b->pinned = l->pinned;
}

void batch_set_samples(struct batch *b, struct samples *s)
{
    ASSERT(!b->sealed && !b->samples && b->n_slices == 0);
    b->samples = s;
    b->items = s->items;
    b->bytes = s->bytes;
    b->pinned = s->pinned;
}

static void merge_client(struct batch *dst, const struct batch *src, bool first)
{
    if (dst->client == src->client) return;
    client_info_unref(dst->client);
    dst->client = first && src->client ? client_info_ref(src->client) : NULL;
}

void batch_append(struct batch *dst, const struct batch *src)
{
    bool first = dst->n_slices == 0 && dst->n_acks == 0 && !dst->client;
    ASSERT(!src->logs && !src->samples);
    dst->own |= src->own;
    merge_client(dst, src, first);
    if (first || src->received < dst->received) dst->received = src->received;
    for (u32 i = 0; i < src->n_slices; i++)
        batch_add_slice(dst, src->slices[i].root, src->slices[i].p, src->slices[i].n,
                        src->slices[i].items);
    for (u32 i = 0; i < src->n_acks; i++)
        batch_add_ack(dst, src->acks[i]);
}

/* --- outcomes and boundaries --- */

void batch_accept(struct batch *b)
{
    u32 kept = 0;
    for (u32 i = 0; i < b->n_acks; i++) {
        if (ack_stage(b->acks[i]) == ACK_ACCEPTED)
            ack_unref(b->acks[i]);
        else
            b->acks[kept++] = b->acks[i];
    }
    b->n_acks = kept;
}

struct batch *batch_own(struct batch *b)
{
    if (batch_sole(b)) return b;
    struct batch *own = batch_derive(b);
    for (u32 i = 0; i < b->n_slices; i++)
        batch_add_slice(own, b->slices[i].root, b->slices[i].p, b->slices[i].n, b->slices[i].items);
    if (b->logs) batch_set_logs(own, logs_ref(b->logs));
    if (b->samples) batch_set_samples(own, samples_ref(b->samples));
    batch_seal(own);
    batch_unref(b);
    return own;
}

void batch_fail(struct batch *b, enum ack_outcome outcome, const struct ack_failure *f)
{
    for (u32 i = 0; i < b->n_acks; i++)
        ack_fail(b->acks[i], outcome, f);
}

static int compact_slices(struct batch *b, struct budget *budget)
{
    struct blob *root = blob_new(b->bytes, budget);
    if (!root) return -ENOMEM;
    char *p = root->p;
    for (u32 i = 0; i < b->n_slices; i++) {
        struct slice *s = &b->slices[i];
        memcpy(p, s->p, s->n);
        blob_unref(s->root);
        s->p = p;
        s->root = blob_ref(root);
        p += s->n;
    }
    root->n = b->bytes;
    b->pinned = root->cap;
    blob_unref(root);
    return 0;
}

static int compact_logs(struct batch *b, struct budget *budget)
{
    struct logs *small;
    int err = logs_compact(b->logs, budget, &small);
    if (err) return err;
    logs_unref(b->logs);
    b->logs = small;
    b->pinned = small->pinned;
    return 0;
}

int batch_compact(struct batch *b, struct budget *budget)
{
    if (b->bytes >= b->pinned / 4 || b->bytes == 0 || b->samples) return 0; /* pin themselves */
    return b->logs ? compact_logs(b, budget) : compact_slices(b, budget);
}
