/* A list of ranges in order. Each range belongs to its ack until that completes, and knows its
 * window only as long as the window wants to hear of it: so a window can be freed, or begin anew,
 * while batches are still on their way. */
#include "components/common/ack_window.h"

#include <stdlib.h>
#include "base/list.h"
#include "base/xalloc.h"

enum state { ON_ITS_WAY, COMPLETE, BROKEN };
struct range {
    struct list node;
    struct ack_window *window; /* NULL: forgotten */
    u64 end;
    enum state state;
};
struct ack_window {
    struct ack_window_conf conf;
    struct list ranges;
    u32 n;
    u64 done;
    bool told; /* that it broke */
};

struct ack_window *ack_window_new(const struct ack_window_conf *conf)
{
    struct ack_window *w = xnew(struct ack_window);

    w->conf = *conf;
    w->done = conf->start;
    list_init(&w->ranges);
    return w;
}

/* The ack of a range that is on its way frees it later. */
static void forget(struct range *r)
{
    list_del(&r->node);
    r->window = NULL;
    if (r->state != ON_ITS_WAY) free(r);
}

static void forget_all(struct ack_window *w)
{
    list_each (&w->ranges, node)
        forget(list_item(node, struct range, node));
    w->n = 0;
}

void ack_window_free(struct ack_window *w)
{
    if (!w) return;
    forget_all(w);
    free(w);
}

/* Passes what is complete at the front. */
static void move_on(struct ack_window *w)
{
    u64 was = w->done;

    list_each (&w->ranges, node) {
        struct range *r = list_item(node, struct range, node);
        if (r->state != COMPLETE) break;
        w->done = r->end;
        w->n--;
        forget(r);
    }
    if (w->done != was && w->conf.advanced) w->conf.advanced(w->conf.arg);
}

static bool is_delivered(enum ack_outcome outcome, const struct ack_failure *f)
{
    return outcome == ACK_OK || outcome == ACK_DROPPED || (outcome == ACK_FAILED && !f->retryable);
}

static void on_ack(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct range *r = arg;
    struct ack_window *w = r->window;
    bool ok = is_delivered(outcome, f);

    r->state = ok ? COMPLETE : BROKEN;
    if (!w) {
        free(r);
    } else if (ok) {
        move_on(w);
    } else if (!w->told) {
        w->told = true;
        if (w->conf.broken) w->conf.broken(w->conf.arg, outcome, f);
    }
}

struct ack *ack_window_open(struct ack_window *w, u64 end)
{
    struct range *r = xnew(struct range);

    r->window = w;
    r->end = end;
    list_add_tail(&w->ranges, &r->node);
    w->n++;
    return ack_new(ACK_DELIVERED, w->conf.loop, on_ack, r);
}

void ack_window_skip(struct ack_window *w, u64 end)
{
    if (!list_empty(&w->ranges)) {
        list_item(w->ranges.prev, struct range, node)->end = end;
        return;
    }
    w->done = end;
    if (w->conf.advanced) w->conf.advanced(w->conf.arg);
}

u64 ack_window_done(const struct ack_window *w)
{
    return w->done;
}

u32 ack_window_open_ranges(const struct ack_window *w)
{
    return w->n;
}

bool ack_window_is_broken(const struct ack_window *w)
{
    return w->told;
}

void ack_window_restart(struct ack_window *w, u64 start)
{
    forget_all(w);
    w->done = start;
    w->told = false;
}
