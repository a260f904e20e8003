/* What a bundle holds. File names are those that Alloy's users and their helpers know. */
#include "ui/support_entries.h"

#include <stdlib.h>
#include <time.h>
#include "base/zip.h"
#include "parser/printer.h"
#include "runtime/redact.h"
#include "ui/find.h"

#define ROOT "alloy-support-bundle/"

/* ---- entries ---- */

/* Empties text. What failed to fit spoils the archive. */
static void add(struct zip *z, const char *name, struct buf *text)
{
    if (buf_err(text) && !z->out->err) z->out->err = buf_err(text);
    zip_add(z, name, buf_view(text));
    buf_reset(text);
}

static void metadata(const struct ui *u, struct buf *b)
{
    struct timespec up = {0};
    clock_gettime(CLOCK_BOOTTIME, &up);
    buf_printf(b, "build_version: %s\nos: linux\narchitecture: %s\nuptime: %.2f\n", u->conf.version,
               u->conf.arch, (f64)up.tv_sec + (f64)up.tv_nsec / 1e9);
}

void support_metrics(struct ui *u, struct buf *out)
{
    controller_metrics_refresh(u->controller);
    metrics_write(u->conf.host->metrics, out, NULL, 0);
}

/* A URL may name a user and a password. */
void support_env_value(struct buf *b, struct str value)
{
    ssize_t scheme = str_find(value, STR("://"));
    size_t from = scheme < 0 ? 0 : (size_t)scheme + 3;
    ssize_t slash = str_chr(str_sub(value, from, value.n), '/');
    size_t end = slash < 0 ? value.n : from + (size_t)slash;
    ssize_t at = str_rchr(str_sub(value, from, end), '@');
    buf_str(b, str_sub(value, 0, from));
    if (at >= 0) buf_cstr(b, "(secret)");
    buf_str(b, str_sub(value, at < 0 ? from : from + (size_t)at, value.n));
}

static const char *const variables[] = {
    "AUTOMEMLIMIT",
    "GODEBUG",
    "GOGC",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "HOSTNAME",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "PPROF_BLOCK_PROFILING_RATE",
    "PPROF_MUTEX_PROFILING_PERCENT",
};

static void environment(struct buf *b)
{
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        buf_printf(b, "%s%s=", i ? "\n" : "", variables[i]);
        support_env_value(b, str_of(getenv(variables[i])));
    }
}

/* Left out when nothing was logged. */
static void logs(struct ui *u, struct zip *z, struct buf *b)
{
    u64 missed = log_root_recorded(u->conf.host->log, b);
    if (missed > 0) buf_printf(b, "(%llu more lines were logged)\n", (unsigned long long)missed);
    if (b->n > 0) add(z, ROOT "alloy-logs.txt", b);
}

/* ---- sources ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void add_source(struct zip *z, const struct tree *t, struct buf *b)
{
    char *name = xprintf(ROOT "sources/%s", base_name(t->source->name));
    print_tree(t, b);
    add(z, name, b);
    free(name);
}

/* Parsed anew: what failed to load is shown too, and the running trees stay as they are. */
static void sources(const struct ui *u, struct zip *z, struct buf *b)
{
    const struct source_set *files = reloader_sources(u->reloader);
    struct tree_set trees = {0};
    struct diags ignored;
    diags_init(&ignored);
    if (files && source_set_parse(files, &trees, &ignored) == 0) {
        redact_trees(&trees, controller_compile_opts(u->controller));
        vec_each (&trees.trees, t)
            add_source(z, *t, b);
        tree_set_done(&trees);
    }
    diags_done(&ignored);
}

/* ---- the archive ---- */

void support_write(struct ui *u, struct str metrics, struct buf *zip)
{
    struct zip z;
    struct buf b = BUF_INIT(UI_BODY_MAX);
    zip_init(&z, zip, clock_real(u->conf.host->clock));
    metadata(u, &b);
    add(&z, ROOT "alloy-metadata.yaml", &b);
    component_list_json(controller_module(u->controller),
                        &(struct json_out){.b = &b, .html = true});
    add(&z, ROOT "alloy-components.json", &b);
    peers_json(u, &(struct json_out){.b = &b, .html = true});
    add(&z, ROOT "alloy-peers.json", &b);
    zip_add(&z, ROOT "alloy-metrics-sample-start.txt", metrics);
    support_metrics(u, &b);
    add(&z, ROOT "alloy-metrics-sample-end.txt", &b);
    buf_cstr(&b, u->conf.flags ? u->conf.flags : "");
    add(&z, ROOT "alloy-runtime-flags.txt", &b);
    environment(&b);
    add(&z, ROOT "alloy-environment.txt", &b);
    logs(u, &z, &b);
    sources(u, &z, &b);
    zip_finish(&z);
    buf_done(&b);
}
