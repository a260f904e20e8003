/* The texts of one component for one reader: a bounded queue that loses the newest when it is full.
 * Filled on workers, emptied on the control loop. */
#include "runtime/tap/tap_impl.h"

#define ITEMS_MAX  1000
#define BYTES_MAX  ((size_t)8 << 20)
#define ITEMS_SOON (ITEMS_MAX / 4) /* the reader is told before it is too late */

struct tap_texts {
    struct tap_watch watch;
    struct refs refs; /* the owner's, and one for each item on its way */
    struct taps *taps;
    struct tap_texts_conf conf;
    bool freed; /* control loop */
    struct msg filling;
    pthread_mutex_t lock; /* for all below */
    struct blob *items[ITEMS_MAX];
    size_t first, n, bytes;
    size_t typical; /* length of the last text: the next is taken to need as much */
    u64 lost;
    bool silent, told;
};

static void unref(struct tap_texts *w)
{
    if (!refs_put(&w->refs)) return;
    for (size_t i = 0; i < w->n; i++)
        blob_unref(w->items[(w->first + i) % ITEMS_MAX]);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static void on_filling(struct msg *m)
{
    struct tap_texts *w = container_of(m, struct tap_texts, filling);

    pthread_mutex_lock(&w->lock);
    w->told = false;
    pthread_mutex_unlock(&w->lock);
    if (!w->freed) w->conf.filling(w->conf.arg);
    unref(w);
}

struct tap_texts *tap_texts_new(struct taps *t, struct comp *c, const struct tap_texts_conf *conf)
{
    if (t->n_texts >= TAP_TEXTS_MAX) return NULL;
    struct tap_texts *w = xnew(struct tap_texts);
    t->n_texts++;
    w->taps = t;
    w->conf = *conf;
    w->watch.texts = w;
    w->filling.fn = on_filling;
    refs_init(&w->refs);
    ASSERT(pthread_mutex_init(&w->lock, NULL) == 0);
    tap_watch_begin(t, c, &w->watch);
    return w;
}

void tap_texts_free(struct tap_texts *w)
{
    if (!w) return;
    tap_watch_end(&w->watch);
    w->taps->n_texts--;
    w->freed = true;
    unref(w);
}

void texts_silence(struct tap_texts *w)
{
    struct blob *text;

    pthread_mutex_lock(&w->lock);
    w->silent = true;
    pthread_mutex_unlock(&w->lock);
    while ((text = tap_texts_next(w)))
        blob_unref(text);
}

/* The queue's lock is held. */
static bool has_room(const struct tap_texts *w, size_t n)
{
    return w->n < ITEMS_MAX && w->bytes + n <= BYTES_MAX;
}

/* A full queue is found before the text is written: it would be for nothing. */
bool texts_want(struct tap_texts *w)
{
    if (w->conf.probability < 1 && random_unit() >= w->conf.probability) return false;
    pthread_mutex_lock(&w->lock);
    bool room = has_room(w, w->typical);
    w->lost += !room;
    pthread_mutex_unlock(&w->lock);
    if (room) refs_get(&w->refs);
    return room;
}

void texts_put(struct tap_texts *w, struct blob *text)
{
    bool tell = false;

    pthread_mutex_lock(&w->lock);
    if (text) w->typical = text->n;
    if (!w->silent && text && has_room(w, text->n)) {
        w->items[(w->first + w->n++) % ITEMS_MAX] = blob_ref(text);
        w->bytes += text->n;
        tell = w->n >= ITEMS_SOON && !w->told;
        w->told |= tell;
    } else if (!w->silent) {
        w->lost++;
    }
    pthread_mutex_unlock(&w->lock);
    if (tell)
        loop_post(w->taps->control, &w->filling); /* takes the reference along */
    else
        unref(w);
}

struct blob *tap_texts_next(struct tap_texts *w)
{
    struct blob *text = NULL;

    pthread_mutex_lock(&w->lock);
    if (w->n > 0) {
        text = w->items[w->first];
        w->first = (w->first + 1) % ITEMS_MAX;
        w->n--;
        w->bytes -= text->n;
    }
    pthread_mutex_unlock(&w->lock);
    return text;
}

u64 tap_texts_lost(struct tap_texts *w)
{
    pthread_mutex_lock(&w->lock);
    u64 lost = w->lost;
    pthread_mutex_unlock(&w->lock);
    return lost;
}
