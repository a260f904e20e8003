/* GET <prefix>/api/v0/web/debug/<global id>?sampleProb=p: what flows out of a component, as text,
 * for as long as the client listens. Spec: runtime.md 14. */
#include "base/num.h"
#include "base/xalloc.h"
#include "runtime/tap/tap.h"
#include "ui/live_stream.h"

#define FLUSH_EVERY NS_PER_SEC
#define BYTES_A_SECOND                                                                             \
    ((i64)8 << 20) /* writing texts costs the pipeline: no more than can be read */
#define REMOTECFG_PREFIX STR("remotecfg/")

struct debug_stream {
    struct live_stream live;
    struct tap_texts *texts;
    struct blob *held; /* taken, but the client is behind */
    i64 left;          /* bytes that may still be shown in this second */
    struct logger *log;
    bool warned;
};

static struct debug_stream *of(struct live_stream *s)
{
    return container_of(s, struct debug_stream, live);
}

/* ---- writing ---- */

static void warn_lost(struct debug_stream *d)
{
    if (d->warned || tap_texts_lost(d->texts) == 0) return;
    d->warned = true;
    log_warn(d->log, "live debugging: the reader is too slow, items are left out");
}

static void flush(struct debug_stream *d)
{
    while (d->left > 0 && (d->held || (d->held = tap_texts_next(d->texts)))) {
        if (!live_stream_write(&d->live, blob_view(d->held))) break;
        d->left -= (i64)d->held->n;
        blob_unref(d->held);
        d->held = NULL;
    }
    warn_lost(d);
}

static void tick(struct live_stream *s)
{
    struct debug_stream *d = of(s);
    d->left = BYTES_A_SECOND;
    flush(d);
}

/* More than a second's worth of small items: they need not wait for the second. */
static void on_filling(void *arg)
{
    flush(arg);
}

static i64 every(const struct live_stream *s)
{
    return FLUSH_EVERY;
}

static void debug_free(struct live_stream *s)
{
    struct debug_stream *d = of(s);
    tap_texts_free(d->texts);
    blob_unref(d->held);
    log_unref(d->log);
    free(d);
}

static const struct live_kind kind = {.every = every, .tick = tick, .free = debug_free};

/* ---- the request ---- */

/* The checks in the order in which Alloy makes them. NULL: answered. */
static struct comp *watchable(struct ui *u, struct http_req *r, struct str id)
{
    const struct taps *taps = u->conf.host->taps;
    const struct node_state *s = controller_find(u->controller, id);
    if (!taps_enabled(taps))
        reply_error(r, 500,
                    "the live debugging service is disabled. Check the documentation to "
                    "find out how to enable it");
    else if (!controller_ready(u->controller))
        reply_error(r, 500, "the live debugging service is not ready yet");
    else if (str_starts(id, REMOTECFG_PREFIX))
        reply_error(r, 500, "remote config service startup in progress");
    else if (!s || !node_state_is_component(s))
        reply_error(r, 500, "component not found");
    else if (!s->instance || !component_is_live(s->def))
        reply_error(r, 500, "the component \"%s\" does not support live debugging", s->name);
    else
        return instance_comp(s->instance);
    return NULL;
}

/* False when it is given and no probability; *ret is 1 then. */
static bool read_probability(struct http_req *r, f64 *ret)
{
    struct str text;
    f64 p;
    *ret = 1;
    if (query_values(r, "sampleProb", &text, 1) == 0 || text.n == 0) return true;
    if (num_parse_f64(text, &p) < 0 || !(p >= 0 && p <= 1)) return false;
    *ret = p;
    return true;
}

void live_debug(struct ui *u, struct http_req *r, struct str id)
{
    f64 probability;
    struct comp *c = watchable(u, r, id);
    if (!c) return;
    struct debug_stream *d = xnew(struct debug_stream);
    bool valid = read_probability(r, &probability);
    d->left = BYTES_A_SECOND;
    d->texts = tap_texts_new(
        u->conf.host->taps, c,
        &(struct tap_texts_conf){.probability = probability, .filling = on_filling, .arg = d});
    if (!d->texts) {
        free(d);
        reply_error(r, 503, "too many live debugging streams are open");
        return;
    }
    d->log = log_ref(c->log);
    live_stream_begin(&d->live, u, r, &kind, valid ? NULL : "Invalid sample probability");
}
