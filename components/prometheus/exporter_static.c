/* prometheus.exporter.static: metrics that are written in the configuration, as a target. The text
 * is judged when it is loaded, and served as it is written: families keep their names and their
 * order whoever asks. */
#include <errno.h>

#include "components/common/exporter_target.h"
#include "components/common/settings.h"
#include "telemetry/exposition.h"

struct args {
    struct str text;
};
static const struct row arg_rows[] = {
    ATTR(struct args, text, .required = true,
         .doc = "Metrics in Prometheus' text format, as a target would answer them."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

struct plan {
    struct str page; /* ends with a line break, unless it is empty */
};

/* --- the text is judged --- */

static struct pos place(struct str text, const char *p)
{
    struct pos at = {1, 1};

    for (const char *c = text.p; c < p; c++) {
        at.col++;
        if (*c == '\n') at = (struct pos){at.line + 1, 1};
    }
    return at;
}

static const struct expr *written_text(const struct block *b)
{
    for (size_t i = 0; b && i < b->body.n; i++)
        if (b->body.stmts[i].kind == STMT_ATTR) return b->body.stmts[i].attr->value;
    return NULL;
}

/* Where the fault stands in the file, when the text stands there letter by letter. */
static struct span span_of(const struct block *b, struct pos at)
{
    const struct expr *e = written_text(b);
    struct span s = span_at(b, "text");

    if (!e || e->kind != EXPR_STRING || e->raw.n == 0 || e->raw.p[0] != '`') return s;
    s.start.col = at.line == 1 ? s.start.col + at.col : at.col;
    s.start.line += at.line - 1;
    s.end = (struct pos){0};
    return s;
}

/* The parser's sentence begins with the line. */
static const char *sentence(const struct exposition *e)
{
    const char *text = strstr(e->error, ": ");

    return text ? text + 2 : e->error;
}

static int refuse(struct prepare *p, struct str text, const struct exposition *e)
{
    struct pos at = e->fault ? place(text, e->fault) : (struct pos){(u32)e->line, 1};

    diag_error(p->diags, DIAG_VALUE_INVALID, span_of(p->block, at),
               "line %u, column %u of the metrics: %s", at.line, at.col, sentence(e));
    return -EINVAL;
}

static int judge(struct prepare *p, struct str text)
{
    struct exposition e;
    struct label_set set;
    enum exposition_event event;
    int err = 0;

    label_set_init(&set);
    exposition_init(&e, &(struct exposition_conf){.format = EXPOSITION_TEXT, .body = text});
    while (!err && (event = exposition_next(&e, 0, 0)) != EXPOSITION_END)
        if (event == EXPOSITION_ERROR ||
            (event == EXPOSITION_SAMPLE && exposition_labels(&e, &set) != 0))
            err = refuse(p, text, &e);
    exposition_done(&e);
    label_set_done(&set);
    return err;
}

static int prepare(struct prepare *p, const void *args, void *plan)
{
    struct str text = ((const struct args *)args)->text;
    bool whole = text.n == 0 || text.p[text.n - 1] == '\n';

    ((struct plan *)plan)->page =
        whole ? text : str_of(arena_printf(p->arena, STR_FMT "\n", STR_ARG(text)));
    return judge(p, text);
}

/* --- life --- */

static int create(struct comp *c, char **ret_err)
{
    exporter_target_export(c, "static", STR(""));
    return 0;
}

static int run(struct shard *s)
{
    comp_health(s->comp, HEALTH_HEALTHY, "the metrics are served");
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
    const struct plan *plan = c->plan;

    if (!str_is(rest, "/metrics") || !plan)
        http_respond_text(r, 404, STR("the metrics are at /metrics\n"));
    else
        http_respond(r, &(struct http_answer){
                            .status = 200, .headers = &type, .n_headers = 1, .body = plan->page});
}

DEFINE_COMPONENT(prometheus_exporter_static) = {
    .name = "prometheus.exporter.static",
    .summary = "Exposes metrics that are written in the configuration.",
    .example = "prometheus.exporter.static \"example\" {\n"
               "  text = `\n"
               "# HELP build_info What runs here.\n"
               "# TYPE build_info gauge\n"
               "build_info{version=\"1.2\"} 1\n"
               "`\n"
               "}\n",
    .stability = STABILITY_EXPERIMENTAL,
    .args = &args_schema,
    .exports = &target_exports_schema,
    .placement = PLACE_CONTROL,
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = apply,
    .stop = stop,
    .http = http,
};
