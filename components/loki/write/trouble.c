/* What is said of endpoints that do not take entries: health, which tells it at all times, and the
 * log, which tells when it begins and ends. An endpoint that fails now and then is told of once a
 * minute at most; a trouble that lasts, every ten minutes. */
#include "components/loki/write/write.h"

#include "base/xalloc.h"

#define SAY_NEXT  (60 * NS_PER_SEC)
#define SAY_AGAIN (600 * NS_PER_SEC)

/* Where the lines are meanwhile. */
static const char *kept_in(const struct write *w)
{
    const struct write_shared *s = w->shard->comp->shared;

    return s->dir && !w->log_failure ? s->dir : "memory only";
}

static void say(struct endpoint *e, i64 now)
{
    e->said = true;
    e->said_at = now;
    log_warn(write_log(e->write),
             "an endpoint does not take entries: they are kept, and sending goes on being tried",
             F_CSTR("endpoint", e->conf->shown), F_CSTR("err", e->failure),
             F_DUR("since", now - e->failing_since), F_CSTR("kept_in", kept_in(e->write)));
}

static bool is_due(const struct endpoint *e, i64 now)
{
    return !e->said_at || now - e->said_at >= (e->said ? SAY_AGAIN : SAY_NEXT);
}

void endpoint_failing(struct endpoint *e, const char *text, bool said)
{
    struct write *w = e->write;
    i64 now = MAX(write_now(w), 1);
    bool news = !e->failing || strcmp(e->failure, text) != 0;

    if (!e->failing) {
        e->failing_since = now;
        e->failing_real = clock_real(w->shard->comp->host->clock);
    }
    e->failing = true;
    if (news) {
        free(e->failure);
        e->failure = xstrdup(text);
        endpoint_health(w);
    }
    if (said)
        e->said = true;
    else if (is_due(e, now))
        say(e, now);
}

void endpoint_well(struct endpoint *e)
{
    if (!e->failing) return;
    e->failing = false;
    endpoint_health(e->write);
    if (e->said)
        log_info(write_log(e->write), "an endpoint takes entries again",
                 F_CSTR("endpoint", e->conf->shown),
                 F_DUR("after", write_now(e->write) - e->failing_since));
    e->said = false;
}

void endpoint_health(struct write *w)
{
    struct buf text = BUF_INIT(4096);

    list_each (&w->endpoints, at) {
        const struct endpoint *e = list_item(at, struct endpoint, link);
        if (!e->failing) continue;
        if (text.n) buf_cstr(&text, "; ");
        buf_printf(&text, "%s refuses since ", e->conf->shown);
        time_rfc3339(&text, e->failing_real / NS_PER_SEC * NS_PER_SEC, false);
        buf_printf(&text, ": %s", e->failure);
    }
    if (w->log_failure) {
        if (text.n) buf_cstr(&text, "; ");
        buf_printf(&text, "the log on disk cannot be used: %s", w->log_failure);
    }
    if (text.n)
        comp_health(w->shard->comp, HEALTH_UNHEALTHY, "%s", text.p);
    else
        comp_health(w->shard->comp, HEALTH_HEALTHY, "entries are delivered");
    buf_done(&text);
}
