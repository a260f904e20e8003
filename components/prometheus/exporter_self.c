/* prometheus.exporter.self: the agent's own metrics as a target, scraped in memory. */
#include "components/common/exporter_target.h"

#define METRICS_MAX ((size_t)256 << 20)

static const struct schema args_schema = SCHEMA_EMPTY;

static int prepare(struct prepare *p, const void *args, void *plan)
{
    return 0;
}

static int create(struct comp *c, char **ret_err)
{
    exporter_target_export(c, "self", STR(""));
    return 0;
}

static int run(struct shard *s)
{
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    return 0;
}

static void stop(struct shard *s)
{
    shard_stopped(s);
}

static void http(struct comp *c, struct http_req *r, struct str rest)
{
    const struct http_header type = {STR("Content-Type"),
                                     STR("text/plain; version=0.0.4; charset=utf-8")};
    struct buf text = BUF_INIT(METRICS_MAX);

    if (str_is(rest, "/metrics")) metrics_write(c->host->metrics, &text, NULL, 0);
    if (!str_is(rest, "/metrics"))
        http_respond_text(r, 404, STR("404 page not found\n"));
    else if (buf_err(&text))
        http_respond_text(r, 500, STR("no memory for the metrics\n"));
    else
        http_respond(r,
                     &(struct http_answer){
                         .status = 200, .headers = &type, .n_headers = 1, .body = buf_view(&text)});
    buf_done(&text);
}

DEFINE_COMPONENT(prometheus_exporter_self) = {
    .name = "prometheus.exporter.self",
    .summary = "Exposes the agent's own metrics.",
    .example = "prometheus.exporter.self \"default\" { }\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &target_exports_schema,
    .placement = PLACE_CONTROL,
    .plan_size = 1,
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = apply,
    .stop = stop,
    .http = http,
};
