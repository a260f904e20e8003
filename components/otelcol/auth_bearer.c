/* otelcol.auth.bearer: a token in a header, on both sides of a connection. */
#include "base/digest.h"
#include "components/common/auth.h"
#include "components/common/otel_output.h"
#include "components/common/settings.h"

struct args {
    struct secret token;
    struct str header, scheme;
    struct otel_debug_metrics debug_metrics;
};
struct plan {
    const struct args *args;
};

static const struct row arg_rows[] = {
    ATTR(struct args, header, .doc = "Header that carries the token.", .def = "\"Authorization\""),
    ATTR(struct args, scheme, .doc = "Word in front of the token; empty for none.",
         .def = "\"Bearer\""),
    ATTR(struct args, token, .doc = "The token.", .required = true),
    BLOCK(struct args, debug_metrics, &otel_debug_metrics_schema,
          .doc = "The component's own metrics."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

struct bearer {
    struct auth_handler handler;
    char *header, *value,
        *missing; /* value: scheme and token; missing: the text when there is no header */
};

static void sign(const struct auth_handler *h, const struct client_info *from,
                 struct auth_headers *out)
{
    (void)from;
    const struct bearer *b = container_of(h, const struct bearer, handler);
    auth_headers_set(out, str_of(b->header), str_of(b->value));
}

static const char *check(const struct auth_handler *h, const struct http_header *headers, size_t n,
                         struct client_info *into)
{
    (void)into;
    const struct bearer *b = container_of(h, const struct bearer, handler);
    struct str given = http_header_get(headers, n, str_of(b->header));
    if (given.n == 0) return b->missing;
    return secret_eq(given, str_of(b->value))
               ? NULL
               : "provided authorization does not match expected scheme or token";
}

static void bearer_free(struct auth_handler *h)
{
    struct bearer *b = container_of(h, struct bearer, handler);
    free(b->header);
    free(b->value);
    free(b->missing);
    free(b);
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    plan->args = args;
    return plan->args->header.n > 0 ? 0 : setting_fault(p, "header", "header must not be empty");
}

static void export_handler(struct comp *c)
{
    const struct args *a = ((const struct plan *)c->plan)->args;
    struct bearer *b = xnew(struct bearer);
    b->handler = (struct auth_handler){.sign = sign, .check = check, .free = bearer_free};
    b->header = str_dup(a->header);
    b->value = xprintf(STR_FMT "%s" STR_FMT, STR_ARG(a->scheme), a->scheme.n > 0 ? " " : "",
                       STR_ARG(a->token.s));
    b->missing = xprintf("missing or empty authorization header: " STR_FMT, STR_ARG(a->header));
    auth_export(c, NULL, &b->handler);
}

static int create(struct comp *c, char **ret_err)
{
    (void)ret_err;
    export_handler(c);
    return 0;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    (void)ret_err;
    if (old_plan) /* create has exported the first */
        export_handler(c);
    return 0;
}

DEFINE_COMPONENT(otelcol_auth_bearer) = {
    .name = "otelcol.auth.bearer",
    .summary = "Signs and checks OTLP requests with a bearer token.",
    .example = "otelcol.auth.bearer \"default\" {\n"
               "  token = \"secret\"\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &auth_exports_schema,
    .placement = PLACE_CONTROL,
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .create = create,
    .configure = configure,
};
