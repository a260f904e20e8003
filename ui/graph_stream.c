/* GET <prefix>/api/v0/web/graph[/<module id>]?window=s: how much flows out of each component of a
 * module, at the end of every window. Works without the livedebugging block. Spec: runtime.md 14.
 */
#include "base/num.h"
#include "base/vec.h"
#include "runtime/tap/tap.h"
#include "ui/live_stream.h"

#define WINDOW_DEFAULT 5
#define WINDOW_MAX     60 /* seconds */

struct graph_stream {
    struct live_stream live;
    struct tap_rates *rates;
    i64 window; /* seconds */
};

static struct graph_stream *of(struct live_stream *s)
{
    return container_of(s, struct graph_stream, live);
}

/* ---- writing ---- */

struct writer {
    struct json_out j;
    i64 window;
};

static void write_targets(struct json_out *j, const struct tap_rate *rate)
{
    if (!rate->targets) {
        json_null(j);
        return;
    }
    json_arr(j);
    for (size_t i = 0; i < rate->n_targets; i++)
        json_str(j, str_of(rate->targets[i]));
    json_arr_end(j);
}

static void write_rate(void *arg, const struct tap_rate *rate)
{
    struct writer *w = arg;
    json_obj(&w->j);
    json_key(&w->j, STR("componentID"));
    json_str(&w->j, str_of(rate->id));
    json_key(&w->j, STR("targetComponentIDs"));
    write_targets(&w->j, rate);
    json_key(&w->j, STR("type"));
    json_str(&w->j, str_of(tap_type_name(rate->type)));
    json_key(&w->j, STR("rate"));
    json_f64(&w->j, (f64)rate->count / (f64)w->window);
    json_obj_end(&w->j);
}

/* The window of a client that is behind is left out: the next one is as good. */
static void tick(struct live_stream *s)
{
    struct graph_stream *g = of(s);
    struct buf body = BUF_INIT(UI_BODY_MAX);
    struct writer w = {.j = {.b = &body, .html = true}, .window = g->window};
    json_arr(&w.j);
    tap_rates_take(g->rates, write_rate, &w);
    json_arr_end(&w.j);
    if (buf_err(&body) == 0) (void)live_stream_write(s, buf_view(&body));
    buf_done(&body);
}

static i64 every(const struct live_stream *s)
{
    return container_of(s, const struct graph_stream, live)->window * NS_PER_SEC;
}

static void graph_free(struct live_stream *s)
{
    struct graph_stream *g = of(s);
    tap_rates_free(g->rates);
    free(g);
}

static const struct live_kind kind = {.every = every, .tick = tick, .free = graph_free};

/* ---- the request ---- */

/* The components that the module has now. */
static struct tap_rates *watch_module(struct taps *taps, const struct module *m)
{
    VEC(struct comp *) comps = {0};
    for (u32 i = 0; i < m->tmpl->n; i++)
        if (m->tmpl->nodes[i].kind == NODE_COMPONENT && m->states[i]->instance)
            vec_push(&comps, instance_comp(m->states[i]->instance));
    struct tap_rates *rates = tap_rates_new(taps, comps.v, comps.n);
    vec_done(&comps);
    return rates;
}

/* False when it is given and no window; *ret is the default then. */
static bool read_window(struct http_req *r, i64 *ret)
{
    struct str text;
    i64 n;
    *ret = WINDOW_DEFAULT;
    if (query_values(r, "window", &text, 1) == 0 || text.n == 0) return true;
    if (num_parse_i64(text, &n) < 0 || n < 1 || n > WINDOW_MAX) return false;
    *ret = n;
    return true;
}

void graph_stream(struct ui *u, struct http_req *r, struct str module_id)
{
    const struct module *m = controller_find_module(u->controller, module_id);
    if (!m) {
        reply_error(r, 500, "module not found");
        return;
    }
    struct tap_rates *rates = watch_module(u->conf.host->taps, m);
    if (!rates) {
        reply_error(r, 503, "too many graph streams are open");
        return;
    }
    struct graph_stream *g = xnew(struct graph_stream);
    g->rates = rates;
    bool valid = read_window(r, &g->window);
    live_stream_begin(&g->live, u, r, &kind,
                      valid ? NULL : "Invalid window: must be an integer between 1 and 60");
}
