/* The life of a bundle: waiting, collecting, the answer. What goes into it is support_entries.c. */
#include "ui/support.h"

#include "base/num.h"
#include "base/xalloc.h"
#include "ui/support_entries.h"

#define DURATION_DEFAULT 30 /* seconds */
#define DURATION_MAX     30 /* Alloy's server writes no longer than this */
#define EARLY            (200 * NS_PER_MS)
#define BUNDLE_MAX       ((size_t)256 << 20)

struct bundle {
    struct http_req *r; /* NULL: the client went away; first, see on_gone in ui.c */
    struct ui *u;
    struct list node; /* in u->bundles; the first one is collecting */
    i64 duration;
    struct timer *timer; /* NULL: waits */
    struct buf metrics;  /* of the start */
};

static void begin(struct bundle *b);

static void discard(struct bundle *b)
{
    struct buf dropped = BUF_INIT(SUPPORT_LOG_MAX);
    if (b->timer) log_root_recorded(b->u->conf.host->log, &dropped);
    if (b->r) b->r->user = NULL;
    list_del(&b->node);
    timer_free(b->timer);
    buf_done(&b->metrics);
    buf_done(&dropped);
    free(b);
}

static void begin_next(struct ui *u)
{
    if (!list_empty(&u->bundles)) begin(list_item(u->bundles.next, struct bundle, node));
}

/* ---- collecting ---- */

static void answer(struct bundle *b, const struct buf *zip)
{
    static const struct http_header headers[] = {
        {STR("Content-Type"), STR("application/zip")},
        {STR("Content-Disposition"), STR("attachment; filename=\"alloy-support-bundle.zip\"")},
    };
    struct http_req *r = b->r;
    b->r = NULL;
    r->user = NULL;
    if (buf_err(zip))
        reply_error(r, 500, "the support bundle is too large");
    else
        http_respond(r, &(struct http_answer){.status = 200,
                                              .headers = headers,
                                              .n_headers = ARRAY_LEN(headers),
                                              .body = buf_view(zip)});
}

static void collected(void *arg)
{
    struct bundle *b = arg;
    struct ui *u = b->u;
    struct buf zip = BUF_INIT(BUNDLE_MAX);
    if (b->r) {
        support_write(u, buf_view(&b->metrics), &zip);
        answer(b, &zip);
    }
    buf_done(&zip);
    discard(b);
    begin_next(u);
}

static void begin(struct bundle *b)
{
    b->timer = timer_new(b->u->conf.loop, collected, b);
    timer_start(b->timer, b->r ? b->duration * NS_PER_SEC - EARLY : 0);
    log_root_record(b->u->conf.host->log, SUPPORT_LOG_MAX);
    support_metrics(b->u, &b->metrics);
}

void support_end_all(struct ui *u)
{
    list_each (&u->bundles, node)
        discard(list_item(node, struct bundle, node));
}

/* ---- the request ---- */

/* False: answered. */
static bool parse_duration(struct http_req *r, i64 *ret)
{
    struct str text;
    *ret = DURATION_DEFAULT;
    if (query_values(r, "duration", &text, 1) == 0 || text.n == 0) return true;
    if (num_parse_i64(text, ret) < 0)
        reply_error(r, 400,
                    "duration value (in seconds) should be a positive integer: strconv.Atoi: "
                    "parsing \"" STR_FMT "\": invalid syntax",
                    STR_ARG(text));
    else if (*ret < 1)
        reply_error(r, 400, "duration value (in seconds) should be larger than 1");
    else if (*ret > DURATION_MAX)
        reply_error(r, 400, "duration value exceeds the server's write timeout");
    else
        return true;
    return false;
}

void support_request(struct ui *u, struct http_req *r, struct str rest)
{
    i64 duration;
    if (u->conf.no_support_bundle) {
        reply_text(r, 403, NULL,
                   STR("support bundle generation is disabled; it can be re-enabled by removing "
                       "the --server.http.disable-support-bundle flag"));
        return;
    }
    if (!parse_duration(r, &duration)) return;
    struct bundle *b = xnew(struct bundle);
    *b = (struct bundle){.r = r, .u = u, .duration = duration, .metrics = BUF_INIT(UI_BODY_MAX)};
    r->user = b;
    bool first = list_empty(&u->bundles);
    list_add_tail(&u->bundles, &b->node);
    if (first) begin(b);
}
