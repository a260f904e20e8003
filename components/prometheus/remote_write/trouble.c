/* What is said of endpoints that do not take samples: health, which tells it at all times, and the
 * log, which tells when it begins and ends, and once a minute in between. */
#include "base/xalloc.h"
#include "components/prometheus/remote_write/write.h"

#define SAY_AGAIN (60 * NS_PER_SEC)

void remote_failing(struct endpoint *e, const char *text)
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
        remote_health(w);
    }
    if (e->said_at && now - e->said_at < SAY_AGAIN) return;
    e->said = true;
    e->said_at = now;
    log_warn(write_log(w), "Failed to send batch, retrying", F_CSTR("remote_name", e->conf->remote),
             F_CSTR("url", e->conf->url), F_CSTR("err", e->failure),
             F_DUR("since", now - e->failing_since));
}

void remote_well(struct endpoint *e)
{
    if (!e->failing) return;
    e->failing = false;
    remote_health(e->write);
    if (e->said)
        log_info(write_log(e->write), "an endpoint takes samples again",
                 F_CSTR("remote_name", e->conf->remote), F_CSTR("url", e->conf->url),
                 F_DUR("after", write_now(e->write) - e->failing_since));
    e->said = false;
}

void remote_health(struct write *w)
{
    struct buf text = BUF_INIT(4096);

    list_each (&w->endpoints, at) {
        const struct endpoint *e = list_item(at, struct endpoint, link);
        if (!e->failing) continue;
        if (text.n) buf_cstr(&text, "; ");
        buf_printf(&text, "%s (%s) takes nothing since ", e->conf->remote, e->conf->url);
        time_rfc3339(&text, e->failing_real / NS_PER_SEC * NS_PER_SEC, false);
        buf_printf(&text, ": %s", e->failure);
    }
    if (w->journal.failure) {
        if (text.n) buf_cstr(&text, "; ");
        buf_printf(&text, "the log on disk does not take samples: %s", w->journal.failure);
    }
    if (text.n)
        comp_health(w->shard->comp, HEALTH_UNHEALTHY, "%s", text.p);
    else
        comp_health(w->shard->comp, HEALTH_HEALTHY, "samples are delivered");
    buf_done(&text);
}
