/* Files that were left, and may get lines still. */
#include "components/loki/file/late.h"
#include "components/loki/file/rotated.h"

#include <sys/stat.h>

#define QUIET    (10 * NS_PER_SEC) /* without news it is let go of */
#define LOOK     (500 * NS_PER_MS)
#define LATE_MAX 4   /* files of one tailer */
#define LATE_ALL 512 /* of all of them */

static i64 now_of(const struct tailer *t)
{
    return loop_now(t->source->shard->worker->loop);
}

static void take_out(struct tailer *t, struct handle **at)
{
    *at = (*at)->next;
    t->n_late--;
    t->source->late--;
}

static void drop(struct tailer *t, struct handle **at)
{
    struct handle *h = *at;

    take_out(t, at);
    handle_close(h);
}

/* The same file from where h is on. NULL: no descriptor is left. */
static struct handle *rest_of(const struct handle *h)
{
    struct handle *rest = handle_again(h);

    if (!rest) return NULL;
    handle_seek(rest, h->offset);
    rest->scanned = h->scanned;
    rest->start = h->offset;
    rest->head = h->head;
    rest->charset = h->charset;
    rest->bom_known = h->bom_known;
    rest->resting = h->resting;
    rest->late = h->late;
    return rest;
}

static void bound(struct handle *h)
{
    h->bounded = true;
    h->end = h->offset;
}

/* --- what was left --- */

/* Whatever else the tailer waits for. */
static void wait_until(struct tailer *t, i64 at)
{
    t->late_at = at;
    if (list_empty(&t->waiting) || t->again > at) tailer_delay(t, at - now_of(t));
}

static bool may_grow(const struct handle *h)
{
    return !h->packed && !h->resting && !h->dead && !h->bounded;
}

static void add(struct tailer *t, struct handle *h)
{
    struct handle **at = &t->late;

    while (*at)
        at = &(*at)->next;
    *at = h;
    h->next = NULL;
    h->quiet_at = now_of(t) + QUIET;
    t->n_late++;
    t->source->late++;
}

void late_keep(struct tailer *t, struct handle *h)
{
    if (!may_grow(h)) return;
    if (t->n_late == LATE_MAX) drop(t, &t->late);
    struct handle *rest = t->source->late < LATE_ALL ? rest_of(h) : NULL;
    if (!rest) return;
    bound(h);
    add(t, rest);
    wait_until(t, now_of(t) + LOOK);
}

/* --- what came --- */

static bool has_more(const struct handle *h)
{
    struct stat st;

    return handle_stat(h, &st) == 0 && (u64)st.st_size > h->offset;
}

/* The file being read is cut in two where it is now. */
static bool may_cut(const struct handle *h)
{
    return !h->ended && !h->bounded && !h->packed && !h->late;
}

/* False: not now. */
static bool queue(struct tailer *t, struct handle **at)
{
    struct handle *h = *at, *now = t->reading, *rest = NULL;

    if (now && (!may_cut(now) || !(rest = rest_of(now)))) return false;
    take_out(t, at);
    h->late = true;
    h->next = NULL;
    if (!now) {
        tailer_append(t, h);
        return true;
    }
    bound(now);
    rest->next = now->next;
    h->next = rest;
    now->next = h;
    log_debug(t->source->shard->comp->log,
              "lines came to a renamed file after its successor had begun", F_CSTR("path", t->path),
              F_UINT("position", h->offset));
    return true;
}

void late_look(struct tailer *t)
{
    i64 now = now_of(t);

    if (t->late && now < t->late_at) wait_until(t, t->late_at);
    if (!t->late || now < t->late_at) return;
    for (struct handle **at = &t->late; *at;) {
        if (has_more(*at)) {
            if (!queue(t, at)) at = &(*at)->next;
        } else if (now >= (*at)->quiet_at) {
            drop(t, at);
        } else {
            at = &(*at)->next;
        }
    }
    if (t->late) wait_until(t, now + LOOK);
}

/* --- over a restart --- */

bool late_has(const struct tailer *t, u64 ino)
{
    for (const struct handle *h = t->late; h; h = h->next)
        if (h->ino == ino) return true;
    return false;
}

/* What was compressed meanwhile gets no more lines, but may have got some before. */
static void resume(struct tailer *t, struct handle *h)
{
    h->late = true;
    if (h->packed) {
        tailer_append(t, h);
        return;
    }
    add(t, h);
    t->late_at = now_of(t);
}

bool late_resume(struct tailer *t, const struct late_note *l, u64 ino_now)
{
    const struct lost lost = {.head = l->head, .ino = l->ino, .offset = l->offset, .now = ino_now};

    if (t->n_late == LATE_MAX || t->source->late == LATE_ALL) return false;
    struct handle *h = rotated_one(t->path, &lost, &t->source->reading);
    if (h) resume(t, h);
    return h != NULL;
}

static void note(struct file_note *n, const struct handle *h, u64 offset)
{
    for (u32 i = 0; i < n->n_late; i++)
        if (n->late[i].ino == h->ino) return; /* from the first place that is not delivered */
    if (n->n_late == NOTE_LATE_MAX || h->head.n == 0) return;
    n->late[n->n_late++] = (struct late_note){h->ino, h->head, offset};
}

/* Those in the queue first. A file that was left, and whose own lines are on their way still, is
 * found by the position itself. */
void late_note(const struct tailer *t, const struct handle *at, u64 done, struct file_note *n)
{
    for (const struct handle *h = at; h; h = h->next)
        if (h->late) note(n, h, h == at ? done - h->base : h->start);
    for (const struct handle *late = t->late; late; late = late->next) {
        const struct handle *h = at;
        while (h && (h->late || h->ino != late->ino))
            h = h->next;
        if (!h) note(n, late, late->offset);
    }
}

void late_close(struct tailer *t)
{
    while (t->late)
        drop(t, &t->late);
}
