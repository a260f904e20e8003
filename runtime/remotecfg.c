/* remotecfg { url, id, ... }: configuration from a server, which this build does not fetch. The
 * settings are read and checked; a block without a url is disabled and accepted. With one, the
 * agent does not start: who relies on remote configuration must not run without it unaware. Spec:
 * runtime.md 17. */
#include <errno.h>

#include "base/num.h"
#include "runtime/services.h"
#include "value/http_client_args.h"

#define POLL_MIN (10 * NS_PER_SEC)

struct remotecfg_args {
    struct str_map attributes;
    struct http_client_args client;
    struct str id, name, url;
    struct dur poll_frequency;
    struct span span;
};

static const struct row remotecfg_rows[] = {
    ATTR(struct remotecfg_args, attributes, .def = "{}",
         .doc = "What the server is told about this agent."),
    HTTP_CLIENT_ROWS(struct remotecfg_args, client.),
    ATTR(struct remotecfg_args, id, .def = "\"\"",
         .doc = "Name of this agent for the server; by default drawn once and kept."),
    ATTR(struct remotecfg_args, name, .def = "\"\"", .doc = "Name for people."),
    ATTR(struct remotecfg_args, poll_frequency, .def = "\"1m\"",
         .doc = "How often the server is asked."),
    ATTR(struct remotecfg_args, url, .def = "\"\"",
         .doc = "The server's address; empty: no remote configuration."),
};
static const struct rule remotecfg_rules[] = {HTTP_CLIENT_RULE};

static void check_attributes(const struct remotecfg_args *a, struct span at, struct diags *diags)
{
    for (size_t i = 0; i < a->attributes.n; i++) {
        if (!str_starts(a->attributes.v[i].key, STR("collector."))) continue;
        diag_error(diags, DIAG_BODY_RULE, at,
                   "\"collector\" is a reserved namespace for remotecfg attribute keys");
        return;
    }
}

static const struct schema remotecfg_schema;
static void remotecfg_validate(const void *args, const struct span *at, struct diags *diags)
{
    const struct remotecfg_args *a = args;
    struct buf got = BUF_INIT(64);

    dur_format(&got, a->poll_frequency.ns);
    if (a->poll_frequency.ns < POLL_MIN)
        diag_error(diags, DIAG_BODY_RULE, schema_span(&remotecfg_schema, at, "poll_frequency"),
                   "poll_frequency must be at least \"10s\", got \"" STR_FMT "\"",
                   STR_ARG(buf_view(&got)));
    buf_done(&got);
    check_attributes(a, schema_span(&remotecfg_schema, at, "attributes"), diags);
    http_client_args_check(&a->client, &remotecfg_schema, at, diags);
}

static const struct schema remotecfg_schema = SCHEMA(
    struct remotecfg_args, remotecfg_rows, .validate = remotecfg_validate, .rules = remotecfg_rules,
    .n_rules = ARRAY_LEN(remotecfg_rules), .span_off = offsetof(struct remotecfg_args, span));

/* `check` judges the block itself: there is no host. */
static int remotecfg_prepare(struct prepare *p, const void *args, void *plan)
{
    const struct remotecfg_args *a = args;

    if (!a->url.n || !p->host) return 0;
    struct diag *d = diag_error(
        p->diags, DIAG_NODE_UNSUPPORTED, a->span,
        "remotecfg: configuration from a server is not supported by this build of Weir yet");
    diag_hint(p->diags, d,
              "remove the block or its url: the agent does not start without the configuration it "
              "is meant to get");
    return -EINVAL;
}

const struct config_def remotecfg_def = {
    .def = {.name = "remotecfg",
            .summary = "Configuration from a server; this build accepts only a block without url.",
            .example = "remotecfg {\n  url = \"\"\n}\n",
            .args = &remotecfg_schema,
            .prepare = remotecfg_prepare},
    .service = true,
};
