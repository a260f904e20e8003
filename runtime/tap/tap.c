/* Who watches which component, and showing items to them. Watches come and go on the control loop;
 * items come from any thread. */
#include "runtime/tap/tap_impl.h"

#include <errno.h>

#define TEXT_MAX ((size_t)4 << 20) /* longest text of one item */
#define NOTE_MAX 128               /* what is said in place of the rest */

/* --- all taps --- */

struct taps *taps_new(struct loop *control, struct budget *budget)
{
    struct taps *t = xnew(struct taps);

    *t = (struct taps){.control = control, .budget = budget};
    list_init(&t->watches);
    return t;
}

void taps_free(struct taps *t)
{
    if (!t) return;
    ASSERT(list_empty(&t->watches));
    if (t->by_id.live > 0) return; /* an instance that was left behind may still use its tap */
    map_done(&t->by_id, NULL);
    free(t);
}

bool taps_enabled(const struct taps *t)
{
    return t->enabled;
}

void taps_enable(struct taps *t, bool on)
{
    bool ends = t->enabled && !on;

    t->enabled = on;
    if (!ends) return;
    list_each (&t->watches, node) {
        struct tap_watch *w = list_item(node, struct tap_watch, of_taps);
        if (w->texts) texts_silence(w->texts);
        tap_watch_end(w);
    }
}

const char *tap_type_name(enum tap_type t)
{
    static const char *const names[] = {
        [TAP_TARGET] = "target",     [TAP_PROMETHEUS_METRIC] = "prometheus_metric",
        [TAP_LOKI_LOG] = "loki_log", [TAP_OTEL_METRIC] = "otel_metric",
        [TAP_OTEL_LOG] = "otel_log", [TAP_OTEL_TRACE] = "otel_trace",
    };

    return names[t];
}

/* --- the tap of an id --- */

static struct tap *tap_of_id(struct taps *taps, const char *id)
{
    struct tap *t = map_get(&taps->by_id, str_of(id));

    if (t) return t;
    t = xnew(struct tap);
    t->taps = taps;
    t->id = xstrdup(id);
    list_init(&t->instances);
    list_init(&t->watches);
    ASSERT(pthread_mutex_init(&t->lock, NULL) == 0);
    map_put(&taps->by_id, str_of(id), t);
    return t;
}

static void free_when_unused(struct tap *t)
{
    if (t->n_watches > 0 || !list_empty(&t->instances)) return;
    map_del(&t->taps->by_id, str_of(t->id));
    pthread_mutex_destroy(&t->lock);
    free(t->id);
    free(t);
}

/* What components test before they show anything. */
static void open_instance(struct instance *i, struct tap *t)
{
    atomic_store_explicit(&i->pub.tap, t, memory_order_release);
}

static void open_instances(struct tap *t, bool on)
{
    list_each (&t->instances, node)
        open_instance(list_item(node, struct instance, tap_node), on ? t : NULL);
}

static void join(struct tap *t, struct instance *i)
{
    i->tap = t;
    list_add_tail(&t->instances, &i->tap_node);
    if (t->n_watches > 0) open_instance(i, t);
}

void taps_attach(struct taps *taps, struct instance *i)
{
    struct tap *t = taps ? map_get(&taps->by_id, str_of(i->pub.id)) : NULL;

    if (t) join(t, i);
}

void taps_detach(struct instance *i)
{
    if (!i->tap) return;
    list_del(&i->tap_node);
    free_when_unused(i->tap);
}

/* --- watches --- */

void tap_watch_begin(struct taps *taps, struct comp *c, struct tap_watch *w)
{
    struct instance *i = instance_of(c);
    struct tap *t = tap_of_id(taps, c->id);

    if (!i->tap) join(t, i);
    w->tap = t;
    list_add_tail(&taps->watches, &w->of_taps);
    pthread_mutex_lock(&t->lock);
    list_add_tail(&t->watches, &w->of_tap);
    pthread_mutex_unlock(&t->lock);
    if (t->n_watches++ == 0) open_instances(t, true);
}

void tap_watch_end(struct tap_watch *w)
{
    struct tap *t = w->tap;

    if (!t) return;
    w->tap = NULL;
    list_del(&w->of_taps);
    pthread_mutex_lock(&t->lock);
    list_del(&w->of_tap);
    pthread_mutex_unlock(&t->lock);
    if (--t->n_watches == 0) open_instances(t, false);
    free_when_unused(t);
}

/* --- items --- */

struct readers {
    struct tap_texts *v[TAP_TEXTS_MAX];
    size_t n;
};

/* Counts for those who want rates; finds those who want the text of this item. */
static void count_and_ask(struct tap *t, const struct tap_item *item, const struct tap_targets *to,
                          struct readers *ret)
{
    pthread_mutex_lock(&t->lock);
    list_each (&t->watches, node) {
        struct tap_watch *w = list_item(node, struct tap_watch, of_tap);
        if (w->counts)
            counts_add(w->counts, item, to);
        else if (texts_want(w->texts))
            ret->v[ret->n++] = w->texts;
    }
    pthread_mutex_unlock(&t->lock);
}

/* What was written before the limit stays, and that it is not all is said. */
static void add_note(struct buf *text, const char *note)
{
    text->err = 0;
    text->max = text->n + NOTE_MAX;
    buf_printf(text, "\n(%s)", note);
}

static void render_text(const struct tap_item *item, struct buf *text)
{
    int err = item->render(item->what, text);

    if (buf_err(text) == -E2BIG)
        add_note(text, "the rest is left out: the text is longer than 4 MiB");
    else if (buf_err(text) || err < 0)
        add_note(text, "the rest is left out: it cannot be shown");
}

/* NULL: there is no room for it. */
static struct blob *render(const struct tap *t, const struct tap_item *item)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    struct blob *b = NULL;

    render_text(item, &text);
    if (!t->taps->budget || budget_has(t->taps->budget, (i64)text.n))
        b = blob_take_buf(&text, t->taps->budget);
    buf_done(&text);
    return b;
}

void tap_publish(struct tap *t, const struct tap_item *item, const struct tap_targets *to)
{
    struct readers readers = {.n = 0};

    count_and_ask(t, item, to, &readers);
    if (readers.n == 0) return;
    struct blob *text = render(t, item);
    for (size_t i = 0; i < readers.n; i++)
        texts_put(readers.v[i], text);
    blob_unref(text);
}

void comp_tap(struct comp *c, const struct tap_item *item)
{
    struct tap *t = atomic_load_explicit(&c->tap, memory_order_acquire);

    if (t) tap_publish(t, item, &(struct tap_targets){0});
}
