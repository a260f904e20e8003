/* Scrapes on pool threads, and those who wait for them. */
#include "components/common/exporter_page.h"

#include <stdlib.h>
#include "base/xalloc.h"

#define PATIENCE (30 * NS_PER_SEC)

/* First: see who answers requests late in ui/. */
struct asker {
    struct http_req *r; /* NULL: the client went away */
    struct list node;
};

struct page_scrape {
    struct job job;
    struct exporter_page *owner; /* NULL: the instance is gone. Control loop */
    const struct exporter_page_rules *rules;
    struct logger *log;
    void *work;
    struct expo *out;
    struct buf page;
};

/* --- who waits --- */

static void answer(struct asker *a, const struct http_answer *with)
{
    if (a->r) {
        a->r->user = NULL;
        http_respond(a->r, with);
    }
    list_del(&a->node);
    free(a);
}

static void answer_all(struct exporter_page *p, int status, struct str body)
{
    const struct http_header type = {
        STR("Content-Type"),
        str_of(status == 200 ? expo_content_type(EXPO_TEXT) : "text/plain; charset=utf-8")};
    const struct http_answer with = {
        .status = status, .headers = &type, .n_headers = 1, .body = body};

    while (!list_empty(&p->waiting)) {
        *(status == 200 ? &p->served : &p->failed) += 1;
        answer(list_item(p->waiting.next, struct asker, node), &with);
    }
}

/* --- a scrape --- */

static void tell_faults(const struct page_scrape *sc)
{
    struct str rest = expo_faults(sc->out);

    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        log_warn(sc->log, "part of the metrics is left out", F_STR("reason", line));
    }
}

static void work(struct job *j)
{
    struct page_scrape *sc = container_of(j, struct page_scrape, job);

    sc->rules->collect(sc->work, sc->out);
    expo_write(sc->out, EXPO_TEXT, &sc->page);
    tell_faults(sc);
}

static void scrape_free(struct page_scrape *sc)
{
    sc->rules->release(sc->work);
    log_unref(sc->log);
    expo_free(sc->out);
    buf_done(&sc->page);
    free(sc);
}

static void tell_health(const struct page_scrape *sc)
{
    char *why = sc->rules->trouble ? sc->rules->trouble(sc->work) : NULL;

    if (why)
        comp_health(sc->owner->comp, HEALTH_UNHEALTHY, "%s", why);
    else
        comp_health(sc->owner->comp, HEALTH_HEALTHY, "%s", sc->rules->what);
    free(why);
}

static void done(struct job *j)
{
    struct page_scrape *sc = container_of(j, struct page_scrape, job);
    struct exporter_page *p = sc->owner;

    if (p) {
        p->running = NULL;
        timer_stop(p->patience);
        tell_health(sc);
        if (buf_err(&sc->page))
            answer_all(p, 500, STR("the metrics take more than 64 MiB of text\n"));
        else
            answer_all(p, 200, buf_view(&sc->page));
    }
    scrape_free(sc);
}

void exporter_page_look(struct exporter_page *p)
{
    const struct host *h = p->comp->host;

    if (p->running) return;
    struct page_scrape *sc = xnew(struct page_scrape);
    sc->owner = p;
    sc->rules = p->rules;
    sc->log = log_ref(p->comp->log);
    sc->work = p->rules->begin(p->comp);
    sc->out = expo_new(EXPORTER_PAGE_MAX);
    buf_init(&sc->page, EXPORTER_PAGE_MAX);
    sc->job = (struct job){.reply_to = listeners_loop(h->listeners), .work = work, .done = done};
    p->running = sc;
    timer_start(p->patience, PATIENCE);
    offload_run(h->offload, &sc->job);
}

static void out_of_patience(void *arg)
{
    struct exporter_page *p = arg;
    char *at = p->rules->at ? p->rules->at(p->running->work) : xstrdup("it goes on");
    char *text = xprintf("a scrape has taken more than 30 seconds: %s\n", at);

    comp_health(p->comp, HEALTH_UNHEALTHY, "%.*s", (int)strlen(text) - 1, text);
    answer_all(p, 503, str_of(text));
    timer_start(p->patience, PATIENCE);
    free(text);
    free(at);
}

/* --- the instance --- */

void exporter_page_http(struct exporter_page *p, struct http_req *r, struct str rest)
{
    if (!str_is(rest, "/metrics")) {
        http_respond_text(r, 404, STR("the metrics are at /metrics\n"));
        return;
    }
    struct asker *a = xnew(struct asker);
    a->r = r;
    r->user = a;
    list_add_tail(&p->waiting, &a->node);
    exporter_page_look(p);
}

void exporter_page_init(struct exporter_page *p, struct comp *c,
                        const struct exporter_page_rules *rules)
{
    p->comp = c;
    p->rules = rules;
    list_init(&p->waiting);
    p->patience = timer_new(listeners_loop(c->host->listeners), out_of_patience, p);
}

void exporter_page_done(struct exporter_page *p)
{
    if (!p->comp) return;
    if (p->running) p->running->owner = NULL;
    answer_all(p, 503, STR("the exporter is going away\n"));
    timer_free(p->patience);
}
