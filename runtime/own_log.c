/* Own log lines to receivers: two pages (one fills while the other is sent), one queue per
 * receiver.
 */
#include "runtime/own_log.h"

#include "base/spin.h"
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"

#define PAGE_BYTES  ((size_t)256 << 10)
#define PAGE_LINES  2048
#define QUEUE_BYTES ((size_t)512 << 10) /* per receiver */
#define WARN_EVERY  (10 * NS_PER_SEC)

struct page {
    char *bytes;
    struct own_line *lines;
    size_t n_bytes, n_lines;
};
struct receiver {
    struct outlet outlet;
    struct own_log *own;
    VEC(struct batch *) queue;
    size_t bytes;
    bool waiting; /* told FULL; the outlet calls back */
};
struct own_log {
    struct own_log_conf conf;
    struct worker *worker; /* of the control loop */
    struct spin lock;      /* of the three below */
    struct page *filling;  /* NULL: nobody wants lines */
    bool posted;
    u64 missed; /* lines that found no room in the page; not counted yet */
    struct page pages[2];
    struct msg msg;
    VEC(struct receiver *) to;
    struct metric *sent, *dropped;
    u64 untold; /* dropped lines not said yet */
    i64 warned;
};

static const struct metric_desc sent_desc = {
    .name = "weir_log_forwarded_lines_total",
    .help = "Lines of the agent's own log taken for the receivers in write_to.",
    .kind = METRIC_COUNTER,
};
static const struct metric_desc dropped_desc = {
    .name = "weir_log_forward_dropped_lines_total",
    .help = "Lines of the agent's own log that a receiver in write_to did not get.",
    .kind = METRIC_COUNTER,
};

/* --- any thread --- */

static bool page_add(struct page *p, i64 time, struct str line)
{
    if (p->n_lines >= PAGE_LINES || PAGE_BYTES - p->n_bytes < line.n) return false;
    char *at = p->bytes + p->n_bytes;

    memcpy(at, line.p, line.n);
    p->n_bytes += line.n;
    p->lines[p->n_lines++] = (struct own_line){time, str_n(at, line.n)};
    return true;
}

/* The control loop is woken once for all lines until it comes, and for the first that is missed. */
static void on_line(void *arg, enum log_level level, struct str line)
{
    struct own_log *o = arg;
    i64 now = clock_real(o->conf.host->clock);
    bool post = false;

    spin_lock(&o->lock);
    if (o->filling) {
        if (!page_add(o->filling, now, line)) o->missed++;
        post = !o->posted;
        o->posted = true;
    }
    spin_unlock(&o->lock);
    if (post) loop_post(o->conf.loop, &o->msg);
}

/* --- receivers --- */

/* Said by the control loop itself, as an echo: this line is not sent to who lost the others. */
static void count_dropped(struct own_log *o, u64 lines)
{
    i64 now = loop_now(o->conf.loop);

    if (lines == 0) return;
    metric_add(o->dropped, (f64)lines);
    o->untold += lines;
    if (o->warned && now - o->warned < WARN_EVERY) return;
    o->warned = now;
    bool was = log_echo(true);
    log_warn(o->conf.host->log, "log lines were not sent: a receiver in write_to is too slow",
             F_UINT("lines", o->untold));
    log_echo(was);
    o->untold = 0;
}

static void drain(struct receiver *r)
{
    while (r->queue.n > 0 && !r->waiting) {
        struct batch *b = r->queue.v[0];
        size_t bytes = b->bytes;

        r->waiting = outlet_push(&r->outlet, b) == PUSH_FULL;
        if (r->waiting) return;
        r->bytes -= bytes;
        vec_remove(&r->queue, 0);
    }
}

static bool on_room(struct waiter *w)
{
    struct receiver *r = container_of(w, struct receiver, outlet.waiter);

    r->waiting = false;
    drain(r);
    return r->waiting;
}

static void offer(struct receiver *r, struct batch *b)
{
    if (r->bytes + b->bytes > QUEUE_BYTES) {
        count_dropped(r->own, b->items);
        return;
    }
    vec_push(&r->queue, batch_ref(b));
    r->bytes += b->bytes;
    drain(r);
}

static struct receiver *receiver_new(struct own_log *o, struct capsule *sink)
{
    struct receiver *r = xnew(struct receiver);

    r->own = o;
    outlet_init(&r->outlet, sink, o->worker, o->conf.host->log, on_room);
    return r;
}

static void receiver_free(struct receiver *r)
{
    u64 lost = 0;

    vec_each (&r->queue, b) {
        lost += (*b)->items;
        batch_fail(*b, ACK_DROPPED, NULL);
        batch_unref(*b);
    }
    vec_done(&r->queue);
    count_dropped(r->own, lost);
    outlet_done(&r->outlet);
    free(r);
}

/* --- sending --- */

/* The page that was filling, and how many lines it had no room for; the other fills from now on. */
static struct page *take_page(struct own_log *o, u64 *ret_missed)
{
    spin_lock(&o->lock);
    struct page *full = o->filling;
    *ret_missed = o->missed;
    o->missed = 0;
    o->posted = false;
    if (full) o->filling = full == &o->pages[0] ? &o->pages[1] : &o->pages[0];
    spin_unlock(&o->lock);
    return full;
}

static void send_page(struct own_log *o, struct page *p)
{
    if (p->n_lines == 0) return;
    struct batch *b = o->conf.make(o->conf.arg, p->lines, p->n_lines);

    if (b) {
        metric_add(o->sent, (f64)p->n_lines);
        vec_each (&o->to, r)
            offer(*r, b);
        batch_unref(b);
    } else {
        count_dropped(o, p->n_lines);
    }
    p->n_lines = p->n_bytes = 0;
}

static void flush(struct own_log *o)
{
    u64 missed;
    struct page *p = take_page(o, &missed);

    if (p) send_page(o, p);
    count_dropped(o, missed);
}

static void on_lines(struct msg *m)
{
    flush(container_of(m, struct own_log, msg));
}

/* --- life --- */

static struct metric *own_metric(const struct host *host, const struct metric_desc *desc)
{
    return host->metrics ? metric_new(host->metrics, desc, NULL, 0) : NULL;
}

struct own_log *own_log_new(const struct own_log_conf *conf)
{
    struct own_log *o = xnew(struct own_log);

    o->conf = *conf;
    o->worker = &conf->workers->all[0].pub;
    o->msg.fn = on_lines;
    o->sent = own_metric(conf->host, &sent_desc);
    o->dropped = own_metric(conf->host, &dropped_desc);
    return o;
}

static void pages_make(struct own_log *o)
{
    for (size_t i = 0; i < ARRAY_LEN(o->pages); i++) {
        if (o->pages[i].bytes) continue;
        o->pages[i].bytes = xmalloc(PAGE_BYTES);
        o->pages[i].lines = xcalloc(PAGE_LINES, sizeof(struct own_line));
    }
}

/* Pages stay once they were needed: a line of another thread may be on its way into one. */
static void listen(struct own_log *o, bool on)
{
    if (on) pages_make(o);
    spin_lock(&o->lock);
    bool was = o->filling;
    if (on != was) o->filling = on ? &o->pages[0] : NULL;
    spin_unlock(&o->lock);
    if (on != was) log_root_tee(o->conf.host->log, on ? on_line : NULL, o);
}

static struct receiver *keep_or_make(struct own_log *o, struct capsule *sink)
{
    for (size_t i = 0; i < o->to.n; i++) {
        struct receiver *r = o->to.v[i];

        if (r->outlet.sink != sink) continue;
        vec_remove(&o->to, i);
        return r;
    }
    return receiver_new(o, sink);
}

void own_log_set(struct own_log *o, const struct capsule_list *to)
{
    VEC(struct receiver *) now = {0};

    flush(o); /* to whom it was meant for */
    for (size_t i = 0; i < to->n; i++)
        if (sink_of(to->v[i])) vec_push(&now, keep_or_make(o, to->v[i]));
    vec_each (&o->to, r)
        receiver_free(*r);
    vec_done(&o->to);
    o->to.v = now.v;
    o->to.n = now.n;
    o->to.cap = now.cap;
    listen(o, now.n > 0);
}

void own_log_close(struct own_log *o)
{
    own_log_set(o, &(struct capsule_list){0});
}

void own_log_free(struct own_log *o)
{
    if (!o) return;
    ASSERT(o->to.n == 0);
    metric_free(o->conf.host->metrics, o->sent);
    metric_free(o->conf.host->metrics, o->dropped);
    for (size_t i = 0; i < ARRAY_LEN(o->pages); i++) {
        free(o->pages[i].bytes);
        free(o->pages[i].lines);
    }
    free(o);
}
