/* Reading modules: YAML to tables, tables to what probes use. */
#include "components/prometheus/blackbox/module.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/num.h"
#include "base/xalloc.h"
#include "components/prometheus/blackbox/dns_names.h"
#include "components/prometheus/blackbox/yaml_value.h"
#include "value/decode.h"

#define REQUEST_BODY_MAX ((size_t)16 << 20)

struct modules {
    struct refs refs;
    struct arena arena;
    struct probe_module *v;
    size_t n;
    bool opened;
};
struct reading {
    struct modules *all;
    struct probe_module *m;
    struct span at;
    struct diags *diags;
};

static const char *const prober_names[PROBERS] = {"http", "tcp", "dns", "icmp"};
/* What Prometheus' common settings call otherwise than Alloy does. */
static const char *const aliases[][2] = {
    {"ca", "ca_pem"}, {"cert", "cert_pem"}, {"key", "key_pem"}, {NULL, NULL}};

static void fault(struct reading *r, const char *fmt, ...) PRINTF(2, 3);
static void fault(struct reading *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *text = xvprintf(fmt, ap);
    va_end(ap);
    diag_error(r->diags, DIAG_VALUE_INVALID, r->at, "module \"" STR_FMT "\": %s",
               STR_ARG(r->m->name), text);
    free(text);
}

/* --- expressions --- */

static struct regex *compile(struct reading *r, const char *what, struct str pattern)
{
    char *err = NULL;
    struct regex *re = regex_compile(pattern, &err);

    if (!re) fault(r, "%s: \"" STR_FMT "\": %s", what, STR_ARG(pattern), err);
    free(err);
    return re;
}

static struct regex_list compile_all(struct reading *r, const char *what, struct str_list l)
{
    struct regex_list to = {arena_array(&r->all->arena, struct regex *, l.n + 1), 0};

    for (size_t i = 0; i < l.n; i++) {
        struct regex *re = compile(r, what, l.v[i]);
        if (re) to.v[to.n++] = re;
    }
    return to;
}

static struct header_match_list compile_headers(struct reading *r, const char *what,
                                                struct header_matches l)
{
    struct header_match_list to = {arena_array(&r->all->arena, struct header_match, l.n + 1), 0};

    for (size_t i = 0; i < l.n; i++) {
        struct regex *re = compile(r, what, l.v[i].regexp);
        if (re) to.v[to.n++] = (struct header_match){l.v[i].header, re, l.v[i].allow_missing};
    }
    return to;
}

/* --- http --- */

static void read_status_codes(struct reading *r, struct str_list l)
{
    struct probe_module *m = r->m;

    m->status_codes = arena_array(&r->all->arena, i64, l.n + 1);
    for (size_t i = 0; i < l.n; i++) {
        if (num_parse_i64(l.v[i], &m->status_codes[m->n_status_codes]) == 0)
            m->n_status_codes++;
        else
            fault(r, "http.valid_status_codes: \"" STR_FMT "\" is no number", STR_ARG(l.v[i]));
    }
}

/* The codec must be one that the request's Accept-Encoding takes, when it has one. */
static bool accepted(struct str compression, struct str accept)
{
    while (accept.n > 0) {
        struct str rest = str_cut(&accept, ','), name = str_trim(str_cut(&rest, ';'));
        struct str q = str_trim(rest);
        bool refused = str_is(q, "q=0") || str_starts(q, STR("q=0.0"));
        if (str_eq(name, compression) || str_is(name, "*")) return !refused;
    }
    return false;
}

static void check_compression(struct reading *r, const struct http_probe_args *a)
{
    static const char *const known[] = {"gzip", "deflate", "identity"};
    bool good = a->compression.n == 0;

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        good = good || str_ieq(a->compression, str_of(known[i]));
    if (!good)
        fault(r,
              "http.compression: \"" STR_FMT "\" cannot be read by this build (gzip, deflate "
              "and identity can)",
              STR_ARG(a->compression));
    for (size_t i = 0; i < a->headers.n; i++)
        if (a->compression.n > 0 && str_ieq(a->headers.v[i].key, STR("Accept-Encoding")) &&
            a->headers.v[i].value.n > 0 && !accepted(a->compression, a->headers.v[i].value))
            fault(r,
                  "http.compression: \"" STR_FMT "\" is not among what the header "
                  "Accept-Encoding takes",
                  STR_ARG(a->compression));
}

static void read_http(struct reading *r, struct module_args *args)
{
    struct http_probe_args *a = &args->http;
    struct probe_module *m = r->m;

    read_status_codes(r, a->valid_status_codes);
    check_compression(r, a);
    m->body_matches = compile_all(r, "http.fail_if_body_matches_regexp", a->fail_if_body_matches);
    m->body_not_matches =
        compile_all(r, "http.fail_if_body_not_matches_regexp", a->fail_if_body_not_matches);
    m->header_matches =
        compile_headers(r, "http.fail_if_header_matches", a->fail_if_header_matches);
    m->header_not_matches =
        compile_headers(r, "http.fail_if_header_not_matches", a->fail_if_header_not_matches);
    m->body_limit = a->body_size_limit.n > 0 ? MIN(a->body_size_limit.n, (i64)1 << 30) : BODY_MAX;
    if (a->no_follow_redirects.set) a->client.follow_redirects = !a->no_follow_redirects.v;
    m->ip = &a->ip;
}

/* --- tcp --- */

static void read_query(struct reading *r, const struct query_args *a, struct query *to)
{
    *to = (struct query){.send = a->send, .starttls = a->starttls, .n_labels = a->labels.n};
    if (a->expect.n > 0) to->expect = compile(r, "tcp.query_response.expect", a->expect);
    to->labels = arena_array(&r->all->arena, struct query_label, a->labels.n + 1);
    for (size_t i = 0; i < a->labels.n; i++)
        to->labels[i] = (struct query_label){arena_strdup(&r->all->arena, a->labels.v[i].name),
                                             a->labels.v[i].value};
}

static void read_tcp(struct reading *r, struct module_args *args)
{
    struct tcp_probe_args *a = &args->tcp;

    r->m->queries = arena_array(&r->all->arena, struct query, a->query_response.n + 1);
    r->m->n_queries = a->query_response.n;
    for (size_t i = 0; i < a->query_response.n; i++)
        read_query(r, &a->query_response.v[i], &r->m->queries[i]);
    r->m->ip = &a->ip;
}

/* --- dns --- */

static void read_rcodes(struct reading *r, const struct dns_probe_args *a)
{
    u16 code;

    r->m->rcodes = arena_array(&r->all->arena, u8, a->valid_rcodes.n + 1);
    if (a->valid_rcodes.n == 0) r->m->n_rcodes = 1; /* NOERROR */
    for (size_t i = 0; i < a->valid_rcodes.n; i++) {
        if (dns_number(DNS_RCODES, a->valid_rcodes.v[i], &code))
            r->m->rcodes[r->m->n_rcodes++] = (u8)code;
        else
            fault(r, "dns.valid_rcodes: \"" STR_FMT "\" is no response code",
                  STR_ARG(a->valid_rcodes.v[i]));
    }
}

static void read_rules(struct reading *r, const struct dns_probe_args *a)
{
    static const char *const sections[RR_SECTIONS] = {
        "dns.validate_answer_rrs", "dns.validate_authority_rrs", "dns.validate_additional_rrs"};

    for (size_t s = 0; s < RR_SECTIONS; s++)
        for (size_t k = 0; k < RR_RULES; k++)
            r->m->rr[s][k] = compile_all(r, sections[s], a->validate[s].rules[k]);
}

static void read_dns(struct reading *r, struct module_args *args)
{
    struct dns_probe_args *a = &args->dns;

    if (a->query_type.n == 0) a->query_type = STR("ANY");
    if (a->query_class.n == 0) a->query_class = STR("IN");
    if (a->query_name.n == 0) fault(r, "dns.query_name must be set");
    if (!dns_number(DNS_TYPES, a->query_type, &r->m->query_type))
        fault(r, "dns.query_type \"" STR_FMT "\" is not valid", STR_ARG(a->query_type));
    if (!dns_number(DNS_CLASSES, a->query_class, &r->m->query_class))
        fault(r, "dns.query_class \"" STR_FMT "\" is not valid", STR_ARG(a->query_class));
    if (a->dns_over_tls && !str_is(a->transport_protocol, "tcp"))
        fault(r, "dns.dns_over_tls needs transport_protocol: tcp");
    read_rcodes(r, a);
    read_rules(r, a);
    r->m->ip = &a->ip;
}

static void read_icmp(struct reading *r, struct module_args *args)
{
    r->m->ip = &args->icmp.ip;
}

/* --- modules --- */

static bool find_prober(struct reading *r, struct str name)
{
    static const char *const later[] = {"grpc", "unix", "websocket"};

    for (size_t i = 0; i < PROBERS; i++) {
        if (!str_is(name, prober_names[i])) continue;
        r->m->prober = (enum prober)i;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(later); i++)
        if (str_is(name, later[i])) {
            fault(r, "the prober \"%s\" is not part of this build (http, tcp, dns and icmp are)",
                  later[i]);
            return false;
        }
    fault(r, "prober \"" STR_FMT "\" is not valid", STR_ARG(name));
    return false;
}

/* Faults of the table name their place within the module: said here whose module it is. */
static bool decode(struct reading *r, const struct yaml_node *n, struct module_args *to)
{
    struct diags own;
    struct value v = yaml_object(n, &module_schema, aliases);

    diags_init(&own);
    int err = decode_object(&module_schema, v, NO_SPAN, &r->all->arena, to, &own);
    for (size_t i = 0; i < own.list.n; i++)
        if (own.list.v[i].severity == SEV_ERROR) fault(r, "%s", own.list.v[i].message);
    diags_done(&own);
    value_unref(v);
    return err == 0;
}

static void read_module(struct reading *r, const struct yaml_node *n)
{
    static void (*const readers[PROBERS])(struct reading *, struct module_args *) = {
        read_http, read_tcp, read_dns, read_icmp};
    struct module_args *args = arena_new(&r->all->arena, struct module_args);

    if (n->kind != YAML_MAP) {
        fault(r, "it is no map of settings");
        return;
    }
    if (!decode(r, n, args) || !find_prober(r, args->prober)) return;
    r->m->args = args;
    readers[r->m->prober](r, args);
}

/* NULL: there are none, or it is no such file. */
static const struct yaml_node *find_modules(const struct yaml_node *root, struct span at,
                                            struct diags *diags)
{
    if (!root || yaml_is_null(root)) return NULL;
    for (size_t i = 0; root->kind == YAML_MAP && i + 1 < root->n; i += 2) {
        if (str_is(root->items[i]->text, "modules")) continue;
        diag_error(diags, DIAG_VALUE_INVALID, at,
                   "line %u of the blackbox configuration: unknown setting \"" STR_FMT
                   "\" (only modules may stand here)",
                   root->items[i]->line, STR_ARG(root->items[i]->text));
    }
    const struct yaml_node *list = root->kind == YAML_MAP ? yaml_get(root, STR("modules")) : NULL;
    if (root->kind == YAML_MAP && (!list || yaml_is_null(list))) return NULL;
    if (list && list->kind == YAML_MAP) return list;
    diag_error(diags, DIAG_VALUE_INVALID, at,
               "line %u of the blackbox configuration: expected a map of modules",
               list ? list->line : root->line);
    return NULL;
}

static void read_all(struct modules *all, const struct yaml_node *list, struct span at,
                     struct diags *diags)
{
    all->v = arena_array(&all->arena, struct probe_module, list->n / 2 + 1);
    for (size_t i = 0; i + 1 < list->n; i += 2) {
        struct probe_module *m = &all->v[all->n++];
        m->name = arena_str(&all->arena, list->items[i]->text);
        read_module(&(struct reading){.all = all, .m = m, .at = at, .diags = diags},
                    list->items[i + 1]);
    }
}

struct modules *modules_new(struct str yaml, struct span at, struct diags *diags)
{
    struct modules *m = xnew(struct modules);
    struct yaml_node *root = NULL;
    const char *err = NULL;
    size_t before = diags->n_errors;

    refs_init(&m->refs);
    arena_init(&m->arena, 0);
    yaml = str_of(arena_strdup(&m->arena, yaml));
    if (yaml_parse(yaml, &m->arena, &root, &err) != 0) {
        diag_error(diags, DIAG_VALUE_INVALID, at, "invalid blackbox configuration: %s", err);
    } else {
        const struct yaml_node *list = find_modules(root, at, diags);
        if (list) read_all(m, list, at, diags);
    }
    if (diags->n_errors == before) return m;
    modules_unref(m);
    return NULL;
}

struct modules *modules_ref(struct modules *m)
{
    refs_get(&m->refs);
    return m;
}

static void free_list(struct regex_list l)
{
    for (size_t i = 0; i < l.n; i++)
        regex_free(l.v[i]);
}

static void free_headers(struct header_match_list l)
{
    for (size_t i = 0; i < l.n; i++)
        regex_free(l.v[i].re);
}

static void module_done(struct probe_module *m)
{
    free_list(m->body_matches);
    free_list(m->body_not_matches);
    free_headers(m->header_matches);
    free_headers(m->header_not_matches);
    for (size_t i = 0; i < m->n_queries; i++)
        regex_free(m->queries[i].expect);
    for (size_t s = 0; s < RR_SECTIONS; s++)
        for (size_t k = 0; k < RR_RULES; k++)
            free_list(m->rr[s][k]);
    http_endpoint_unref(m->endpoint);
    http_endpoint_unref(m->elsewhere);
    tls_client_unref(m->tls);
}

void modules_unref(struct modules *m)
{
    if (!m || !refs_put(&m->refs)) return;
    for (size_t i = 0; i < m->n; i++)
        module_done(&m->v[i]);
    arena_done(&m->arena);
    free(m);
}

const struct probe_module *modules_find(const struct modules *m, struct str name)
{
    for (size_t i = 0; i < m->n; i++)
        if (str_eq(m->v[i].name, name)) return &m->v[i];
    return NULL;
}

/* --- opening --- */

static char *read_body(struct probe_module *m, struct arena *a)
{
    struct buf text = BUF_INIT(REQUEST_BODY_MAX);
    int fd = open(m->args->http.body_file.p, O_RDONLY | O_CLOEXEC);
    int err = fd < 0 ? -errno : fd_read_all(fd, &text);

    if (fd >= 0) close(fd);
    if (!err) m->body = str_n(arena_memdup(a, text.p ? text.p : "", text.n + 1), text.n);
    buf_done(&text);
    return err ? xprintf("body_file " STR_FMT ": %s", STR_ARG(m->args->http.body_file),
                         err == -E2BIG ? "it has more than 16 MiB" : strerror(-err))
               : NULL;
}

/* A Host header names the certificate's owner, too, unless server_name does. Other hosts, which
 * redirects lead to, have names of their own. */
static char *open_http(struct probe_module *m, const struct host *h, struct arena *a)
{
    struct http_client_args args = m->args->http.client;
    struct http_endpoint_conf conf = {.args = &args, .user_agent = h->user_agent};
    char *err = NULL;

    args.follow_redirects = false; /* the prober follows, and measures each step */
    for (size_t i = 0; i < m->args->http.headers.n; i++)
        if (args.tls_config.server_name.n == 0 &&
            str_ieq(m->args->http.headers.v[i].key, STR("Host")))
            args.tls_config.server_name = m->args->http.headers.v[i].value;
    http_endpoint_unref(m->endpoint);
    m->body = m->args->http.body;
    if (m->args->http.body_file.n > 0) err = read_body(m, a);
    if (!err) m->endpoint = http_endpoint_new(&conf, &err);
    args.tls_config.server_name = STR("");
    args.authorization = NULL;
    args.basic_auth = NULL;
    args.oauth2 = NULL;
    args.bearer_token = (struct secret){0};
    args.bearer_token_file = STR("");
    if (!err) m->elsewhere = http_endpoint_new(&conf, &err);
    return err;
}

static bool needs_tls(const struct probe_module *m)
{
    if (m->prober == PROBER_DNS) return m->args->dns.dns_over_tls;
    if (m->prober != PROBER_TCP || m->args->tcp.tls) return m->prober == PROBER_TCP;
    for (size_t i = 0; i < m->n_queries; i++)
        if (m->queries[i].starttls) return true;
    return false;
}

static char *open_module(struct probe_module *m, const struct host *h, struct arena *a)
{
    char *err = NULL;

    if (m->elsewhere || m->tls) return NULL; /* by an earlier try */
    if (m->prober == PROBER_HTTP) return open_http(m, h, a);
    if (!needs_tls(m)) return NULL;
    const struct tls_conf conf = http_tls_conf(m->prober == PROBER_TCP ? &m->args->tcp.tls_config
                                                                       : &m->args->dns.tls_config);
    m->tls = tls_client_new(&conf, &err);
    return err;
}

int modules_open(struct modules *m, const struct host *h, char **ret_err)
{
    for (size_t i = 0; !m->opened && i < m->n; i++) {
        char *err = open_module(&m->v[i], h, &m->arena);
        if (!err) continue;
        *ret_err = xprintf("module \"" STR_FMT "\": %s", STR_ARG(m->v[i].name), err);
        free(err);
        return -EINVAL;
    }
    m->opened = true;
    return 0;
}
