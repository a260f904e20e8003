/* Putting GELF messages together. */
#include "components/loki/gelf/chunks.h"

#include "base/list.h"
#include "base/map.h"
#include "base/xalloc.h"

#define HEAD 12 /* before a piece */

struct partial {
    struct list node; /* oldest first */
    char *key;
    size_t key_n;
    i64 since;
    u32 total, got;
    size_t bytes;
    struct str pieces[GELF_CHUNKS]; /* owned */
};
struct gelf_chunks {
    struct gelf_chunks_conf conf;
    struct map by_key; /* sender and id */
    struct list all;
    size_t bytes;
    u32 given_up;
};

struct gelf_chunks *gelf_chunks_new(const struct gelf_chunks_conf *conf)
{
    struct gelf_chunks *c = xnew(struct gelf_chunks);

    c->conf = *conf;
    list_init(&c->all);
    return c;
}

static void forget(struct gelf_chunks *c, struct partial *p)
{
    map_del(&c->by_key, str_n(p->key, p->key_n));
    list_del(&p->node);
    c->bytes -= p->bytes;
    for (u32 i = 0; i < p->total; i++)
        free((char *)p->pieces[i].p);
    free(p->key);
    free(p);
}

static struct partial *oldest(struct gelf_chunks *c)
{
    return list_empty(&c->all) ? NULL : list_item(c->all.next, struct partial, node);
}

void gelf_chunks_free(struct gelf_chunks *c)
{
    if (!c) return;
    while (!list_empty(&c->all))
        forget(c, oldest(c));
    map_done(&c->by_key, NULL);
    free(c);
}

bool gelf_is_chunk(struct str d)
{
    return d.n >= 2 && d.p[0] == 0x1e && d.p[1] == 0x0f;
}

static void make_room(struct gelf_chunks *c, size_t n, const struct partial *but)
{
    while (!list_empty(&c->all) &&
           (c->by_key.live > c->conf.max_messages || c->bytes + n > c->conf.max_bytes)) {
        struct partial *p = oldest(c);
        if (p == but) return;
        forget(c, p);
        c->given_up++;
    }
}

static struct partial *partial_new(struct gelf_chunks *c, struct str key, u32 total, i64 now)
{
    struct partial *p = xnew(struct partial);

    p->key = str_dup(key);
    p->key_n = key.n;
    p->since = now;
    p->total = total;
    list_add_tail(&c->all, &p->node);
    map_put(&c->by_key, key, p);
    return p;
}

static enum gelf_chunk bad(const char **ret_why, const char *why)
{
    *ret_why = why;
    return GELF_BAD;
}

static enum gelf_chunk add_piece(struct gelf_chunks *c, struct partial *p, u32 number,
                                 struct str piece, struct buf *whole, const char **ret_why)
{
    if (p->pieces[number].p) return bad(ret_why, "a chunk came twice");
    p->pieces[number] = str_n(str_dup(piece), piece.n);
    p->bytes += piece.n;
    c->bytes += piece.n;
    if (++p->got < p->total) return GELF_WAITS;
    buf_reset(whole);
    for (u32 i = 0; i < p->total; i++)
        buf_str(whole, p->pieces[i]);
    forget(c, p);
    return buf_err(whole) ? bad(ret_why, "the message is too large") : GELF_WHOLE;
}

enum gelf_chunk gelf_chunks_add(struct gelf_chunks *c, struct str sender, struct str d, i64 now,
                                struct buf *whole, const char **ret_why)
{
    char key[80];

    if (d.n <= HEAD) return bad(ret_why, "a chunk without content");
    u32 number = (u8)d.p[10], total = (u8)d.p[11];
    size_t n = MIN(sender.n, sizeof(key) - 8);
    if (total == 0 || total > GELF_CHUNKS) return bad(ret_why, "a message has 1 to 128 chunks");
    if (number >= total) return bad(ret_why, "a chunk's number is beyond their count");
    memcpy(key, d.p + 2, 8);
    memcpy(key + 8, sender.p, n);
    struct str k = str_n(key, 8 + n), piece = str_sub(d, HEAD, d.n);
    struct partial *p = map_get(&c->by_key, k);
    if (p && p->total != total) return bad(ret_why, "chunks of a message differ in their count");
    if (!p) p = partial_new(c, k, total, now);
    make_room(c, piece.n, p);
    if (c->bytes + piece.n > c->conf.max_bytes) {
        forget(c, p);
        c->given_up++;
        return bad(ret_why, "the message is too large");
    }
    return add_piece(c, p, number, piece, whole, ret_why);
}

u32 gelf_chunks_expire(struct gelf_chunks *c, i64 now)
{
    while (!list_empty(&c->all) && now - oldest(c)->since >= GELF_CHUNK_TIME) {
        forget(c, oldest(c));
        c->given_up++;
    }
    u32 n = c->given_up;
    c->given_up = 0;
    return n;
}

bool gelf_chunks_empty(const struct gelf_chunks *c)
{
    return list_empty(&c->all);
}
