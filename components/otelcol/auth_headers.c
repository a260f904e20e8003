/* otelcol.auth.headers: sets headers of outgoing requests from fixed values, or from what the
 * data's client sent. Client side only. */
#include <errno.h>

#include "components/common/auth.h"
#include "components/common/otel_output.h"
#include "components/common/settings.h"

struct header_args {
    struct str key, action;
    struct opt_str from_attribute, from_context;
    struct opt_secret_text value;
};
struct args {
    struct {
        struct header_args *v;
        size_t n;
    } header;
    struct otel_debug_metrics debug_metrics;
};
struct plan {
    const struct args *args;
};

static const struct row header_rows[] = {
    ATTR(struct header_args, action, .doc = "insert, update, upsert or delete.",
         .def = "\"upsert\"", .one_of = ONE_OF_TEXT("insert", "update", "upsert", "delete")),
    ATTR(struct header_args, from_attribute,
         .doc = "Attribute of the client's authentication to take the value from."),
    ATTR(struct header_args, from_context,
         .doc = "Header of the client's request to take the value from."),
    ATTR(struct header_args, key, .doc = "Name of the header.", .required = true),
    ATTR(struct header_args, value, .doc = "Fixed value of the header."),
};
static const struct schema header_schema = SCHEMA(struct header_args, header_rows);

static const struct row arg_rows[] = {
    BLOCK(struct args, debug_metrics, &otel_debug_metrics_schema,
          .doc = "The component's own metrics."),
    BLOCKS(struct args, header, &header_schema, .doc = "One header; applied in order."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

/* --- the handler --- */

enum action { INSERT, UPDATE, UPSERT, DELETE };
enum value_source { FIXED, FROM_CONTEXT, FROM_ATTRIBUTE };
static const char *const action_names[] = {"insert", "update", "upsert", "delete"};

struct header {
    char *key, *text; /* text: the value, or what to look up (context keys in lower case) */
    enum action action;
    enum value_source source;
};
struct setter {
    struct auth_handler handler;
    size_t n;
    struct header v[];
};

static struct str from_client(const struct header *h, const struct client_info *from)
{
    bool context = h->source == FROM_CONTEXT;
    size_t n = !from ? 0 : context ? from->n_metadata : from->n_auth;
    for (size_t i = 0; i < n; i++) {
        const char *key = context ? from->metadata[i].key : from->auth[i].key;
        if (strcmp(key, h->text) == 0)
            return str_of(context ? from->metadata[i].value : from->auth[i].value);
    }
    return STR("");
}

static void apply_header(const struct header *h, const struct client_info *from,
                         struct auth_headers *out)
{
    struct str key = str_of(h->key),
               value = h->source == FIXED ? str_of(h->text) : from_client(h, from);
    bool has = auth_headers_has(out, key);
    if (h->action == DELETE)
        auth_headers_remove(out, key);
    else if (value.n > 0 && (h->action == UPSERT || has == (h->action == UPDATE)))
        auth_headers_set(out, key, value);
}

static void sign(const struct auth_handler *handler, const struct client_info *from,
                 struct auth_headers *out)
{
    const struct setter *s = container_of(handler, const struct setter, handler);
    for (size_t i = 0; i < s->n; i++)
        apply_header(&s->v[i], from, out);
}

static void setter_free(struct auth_handler *handler)
{
    struct setter *s = container_of(handler, struct setter, handler);
    for (size_t i = 0; i < s->n; i++) {
        free(s->v[i].key);
        free(s->v[i].text);
    }
    free(s);
}

static char *lower(struct str s)
{
    char *copy = str_dup(s);
    for (char *p = copy; *p; p++)
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p - 'A' + 'a');
    return copy;
}

static struct header header_of(const struct header_args *a)
{
    struct header h = {.key = str_dup(a->key), .source = FIXED};
    while (!str_is(a->action, action_names[h.action]))
        h.action++;
    if (a->from_context.set) {
        h.source = FROM_CONTEXT;
        h.text = lower(a->from_context.s);
    } else if (a->from_attribute.set) {
        h.source = FROM_ATTRIBUTE;
        h.text = str_dup(a->from_attribute.s);
    } else {
        h.text = str_dup(a->value.s);
    }
    return h;
}

static void export_handler(struct comp *c)
{
    const struct args *a = ((const struct plan *)c->plan)->args;
    struct setter *s = xcalloc(1, sizeof(*s) + a->header.n * sizeof(s->v[0]));
    s->handler = (struct auth_handler){.sign = sign, .free = setter_free};
    for (s->n = 0; s->n < a->header.n; s->n++)
        s->v[s->n] = header_of(&a->header.v[s->n]);
    auth_export(c, NULL, &s->handler);
}

/* --- life --- */

static int header_fault(struct prepare *p, size_t i, const char *path, const char *text)
{
    diag_error(p->diags, DIAG_BODY_RULE, span_in(p->block, "header", i, path), "%s", text);
    return -EINVAL;
}

static int prepare_header(struct prepare *p, size_t i, const struct header_args *h)
{
    int sources = h->value.set + h->from_context.set + h->from_attribute.set;
    if (h->key.n > 0)
        setting_header(p, span_in(p->block, "header", i, ""), h->key,
                       h->value.set ? h->value.s : STR(""));
    if (h->key.n == 0) return header_fault(p, i, "key", "key must be set to a non-empty string");
    if (str_is(h->action, "delete"))
        return sources == 0
                   ? 0
                   : header_fault(
                         p, i, "action",
                         "the delete action takes no value, from_context or from_attribute");
    if (sources == 0)
        return header_fault(p, i, "", "either value, from_context or from_attribute must be set");
    return sources == 1
               ? 0
               : header_fault(p, i, "",
                              "only one of value, from_context and from_attribute may be set");
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    int r = 0;
    plan->args = args;
    for (size_t i = 0; i < plan->args->header.n; i++)
        if (prepare_header(p, i, &plan->args->header.v[i]) < 0) r = -EINVAL;
    return r;
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
    if (old_plan) export_handler(c);
    return 0;
}

DEFINE_COMPONENT(otelcol_auth_headers) = {
    .name = "otelcol.auth.headers",
    .summary = "Sets headers of outgoing OTLP requests.",
    .example = "otelcol.auth.headers \"tenant\" {\n"
               "  header {\n"
               "    key   = \"X-Scope-OrgID\"\n"
               "    value = \"team-a\"\n"
               "  }\n"
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
