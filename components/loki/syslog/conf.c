/* Arguments of loki.source.syslog. */
#include "components/loki/syslog/conf.h"

#include "components/common/settings.h"
#include "net/http.h"

#define MAX_MESSAGE ((i64)16 << 20)

#define C struct syslog_cisco_args
static const struct row cisco_rows[] = {
    ATTR(C, enable_all, .doc = "Expect all of them.", .def = "false"),
    ATTR(C, hostname, .doc = "Expect the device's name before the timestamp.", .def = "false"),
    ATTR(C, message_counter, .doc = "Expect the message counter after the priority.",
         .def = "false"),
    ATTR(C, second_fractions, .doc = "Expect fractions of a second in the timestamp.",
         .def = "false"),
    ATTR(C, sequence_number, .doc = "Expect a sequence number before the timestamp.",
         .def = "false"),
};
static const struct schema cisco_schema = SCHEMA(C, cisco_rows);
#undef C

static const struct row raw_rows[] = {
    ATTR(struct syslog_raw_args, use_null_terminator_delimiter,
         .doc = "Messages end with a NUL byte instead of a line end.", .def = "false"),
};
static const struct schema raw_schema = SCHEMA(struct syslog_raw_args, raw_rows);

#define L struct syslog_listener_args
static const struct row listener_rows[] = {
    ATTR(L, address, .doc = "Address to listen on.", .required = true),
    ATTR(L, idle_timeout, .doc = "Time without a byte after which a connection is closed.",
         .def = "\"2m\""),
    ATTR(L, label_structured_data, .def = "false",
         .doc = "Make the structured data of RFC 5424 messages labels for relabel_rules."),
    ATTR(L, labels, .doc = "Labels of every entry of this listener.", .def = "{}"),
    ATTR(L, max_message_length, .doc = "Longest message in bytes; more of it is cut off.",
         .def = "8192"),
    ATTR(L, protocol, .doc = "tcp or udp.", .def = "\"tcp\"", .one_of = ONE_OF_TEXT("tcp", "udp"),
         .one_of_error = "syslog listener protocol should be either 'tcp' or 'udp', got %s"),
    ATTR(L, rfc3164_default_to_current_year, .def = "false",
         .doc = "Give RFC 3164 timestamps, which have no year, the current one."),
    ATTR(L, rfc5424_allow_empty_msg, .doc = "Send on RFC 5424 messages without a text.",
         .def = "false"),
    ATTR(L, syslog_format, .doc = "What the messages are written in.", .def = "\"rfc5424\"",
         .one_of = ONE_OF_TEXT("rfc5424", "rfc3164", "raw")),
    ATTR(L, udp_host_cache_size, .doc = "Senders whose host names are remembered.", .def = "128"),
    ATTR(L, udp_queue_size, .def = "10",
         .doc = "Datagrams that wait at a time for the name of their sender's host."),
    ATTR(L, use_incoming_timestamp, .doc = "Keep the time that a message tells.", .def = "false"),
    ATTR(L, use_rfc5424_message, .doc = "The line is the whole message, header included.",
         .def = "false"),
    BLOCK_PTR(L, raw_format_options, &raw_schema, .doc = "Settings of the raw format."),
    BLOCK_PTR(L, rfc3164_cisco_components, &cisco_schema,
              .doc = "What Cisco devices add to RFC 3164 messages."),
    BLOCK(L, tls_config, &http_tls_schema,
          .doc = "TLS, once a certificate and its key are given; a CA makes clients need one."),
};
static const struct schema listener_schema = SCHEMA(L, listener_rows);
#undef L

static const struct row arg_rows[] = {
    ATTR(struct syslog_args, forward_to, .doc = "Where the entries go.", .required = true,
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    RELABEL_RULES_ATTR(struct syslog_args, relabel_rules),
    BLOCKS(struct syslog_args, listener, &listener_schema, .required = true,
           .doc = "An address to listen on."),
};
const struct schema syslog_args_schema = SCHEMA(struct syslog_args, arg_rows);

/* --- prepare --- */

/* In the checks p->block is the listener's. */

static void no_effect(struct prepare *p, const char *path, const char *why)
{
    if (span_written(p->block, path)) setting_no_effect(p, path, why);
}

static int check_address(struct prepare *p, const struct syslog_listener_args *a)
{
    struct str host;
    int port;
    char *err;

    if (hostport_parse(a->address, -1, &host, &port, &err) == 0) return 0;
    int r = setting_fault(p, "address", "invalid address \"" STR_FMT "\": %s", STR_ARG(a->address),
                          err);
    free(err);
    return r;
}

static bool any_component(const struct syslog_cisco_args *c)
{
    return c->enable_all || c->message_counter || c->sequence_number || c->hostname ||
           c->second_fractions;
}

/* Settings that belong to another format: Alloy's words. */
static int check_format(struct prepare *p, const struct syslog_listener_args *a)
{
    bool raw = str_is(a->syslog_format, "raw");
    const struct {
        const char *name;
        bool wrong;
    } only[] = {
        {"rfc5424_allow_empty_msg",
         a->rfc5424_allow_empty_msg && !str_is(a->syslog_format, "rfc5424")},
        {"use_rfc5424_message", raw && a->use_rfc5424_message},
        {"rfc3164_default_to_current_year", raw && a->rfc3164_default_to_current_year},
        {"use_incoming_timestamp", raw && a->use_incoming_timestamp},
    };
    int r = 0;

    for (size_t k = 0; k < ARRAY_LEN(only); k++)
        if (only[k].wrong)
            r = setting_fault(p, only[k].name,
                              "\"%s\" has no effect when syslog format is set to \"" STR_FMT "\"",
                              only[k].name, STR_ARG(a->syslog_format));
    if (a->raw_format_options && !raw)
        r = setting_fault(p, "raw_format_options",
                          "raw_format_options has no effect when syslog format is not \"raw\"");
    if (!a->rfc3164_cisco_components) return r;
    if (!str_is(a->syslog_format, "rfc3164"))
        r = setting_fault(
            p, "rfc3164_cisco_components",
            "rfc3164_cisco_components has no effect when syslog format is not \"rfc3164\"");
    else if (!any_component(a->rfc3164_cisco_components))
        r = setting_fault(p, "rfc3164_cisco_components",
                          "at least one option in rfc3164_cisco_components has to be enabled");
    return r;
}

static int check_sizes(struct prepare *p, const struct syslog_listener_args *a)
{
    const struct {
        const char *name;
        i64 v, max;
    } sizes[] = {
        {"max_message_length", a->max_message_length, MAX_MESSAGE},
        {"udp_queue_size", a->udp_queue_size, 1 << 20},
        {"udp_host_cache_size", a->udp_host_cache_size, 1 << 20},
    };
    int r = 0;

    for (size_t k = 0; k < ARRAY_LEN(sizes); k++)
        if (sizes[k].v < 0 || sizes[k].v > sizes[k].max)
            r = setting_fault(p, sizes[k].name, "must be between 0 (the default) and %lld",
                              (long long)sizes[k].max);
    return r;
}

static int check_tls(struct prepare *p, const struct syslog_listener_args *a)
{
    const struct http_tls_args *t = &a->tls_config;

    if (!tls_config_given(t)) return 0;
    if (str_is(a->protocol, "udp")) {
        no_effect(p, "tls_config", "there is no TLS over udp");
        return 0;
    }
    if (t->insecure_skip_verify)
        no_effect(p, "tls_config/insecure_skip_verify", "a listener verifies no server");
    if (t->server_name.n) no_effect(p, "tls_config/server_name", "a listener verifies no server");
    if (!(t->cert_file.n || t->cert_pem.n) || !(t->key_file.n || t->key_pem.s.n))
        return setting_fault(p, "tls_config", "certificate and key must be configured");
    return 0;
}

static void check_effects(struct prepare *p, const struct syslog_listener_args *a)
{
    bool udp = str_is(a->protocol, "udp");

    if (udp) no_effect(p, "idle_timeout", "a udp listener has no connections");
    if (!udp) no_effect(p, "udp_queue_size", "the protocol is tcp");
    if (!udp) no_effect(p, "udp_host_cache_size", "the protocol is tcp");
    if (a->rfc3164_default_to_current_year && !str_is(a->syslog_format, "rfc3164"))
        no_effect(p, "rfc3164_default_to_current_year", "the messages' format is not rfc3164");
    if (a->label_structured_data && !str_is(a->syslog_format, "rfc5424"))
        no_effect(p, "label_structured_data", "only rfc5424 messages have structured data");
    if (a->use_rfc5424_message && str_is(a->syslog_format, "rfc3164"))
        no_effect(p, "use_rfc5424_message", "the messages' format is not rfc5424");
}

/* --- what is made of it --- */

static size_t or_default(i64 v, size_t dflt)
{
    return v ? (size_t)v : dflt;
}

static enum syslog_format format_of(struct str name)
{
    return str_is(name, "rfc3164") ? SYSLOG_RFC3164
           : str_is(name, "raw")   ? SYSLOG_RAW
                                   : SYSLOG_RFC5424;
}

static void copy_labels(struct syslog_conf *c, const struct str_map *m)
{
    struct label *v = arena_array(&c->arena, struct label, m->n + 1);

    for (size_t i = 0; i < m->n; i++)
        v[i] =
            (struct label){arena_str(&c->arena, m->v[i].key), arena_str(&c->arena, m->v[i].value)};
    c->labels = v;
    c->n_labels = m->n;
}

static struct syslog_conf *conf_new(const struct syslog_listener_args *a, struct relabel *relabel)
{
    struct syslog_conf *c = xnew(struct syslog_conf);
    const struct syslog_raw_args *raw = a->raw_format_options;
    const struct syslog_cisco_args none = {0}, *k = a->rfc3164_cisco_components;

    if (!k) k = &none;
    refs_init(&c->refs);
    arena_init(&c->arena, 0);
    c->address = arena_str(&c->arena, a->address);
    c->udp = str_is(a->protocol, "udp");
    c->tls = !c->udp && tls_config_given(&a->tls_config);
    c->format = format_of(a->syslog_format);
    c->idle_timeout = a->idle_timeout.ns > 0 ? a->idle_timeout.ns : 120 * NS_PER_SEC;
    c->label_structured_data = a->label_structured_data;
    c->allow_empty = a->rfc5424_allow_empty_msg;
    c->use_incoming_timestamp = a->use_incoming_timestamp;
    c->whole_message = a->use_rfc5424_message && c->format == SYSLOG_RFC5424;
    c->max = or_default(a->max_message_length, 8192);
    c->queue = or_default(a->udp_queue_size, 10);
    c->host_cache = or_default(a->udp_host_cache_size, 128);
    c->framing = (struct syslog_framing){
        .delimiter = raw && raw->use_null_terminator_delimiter ? '\0' : '\n',
        .raw = c->format == SYSLOG_RAW,
        .datagram = c->udp,
        .max = c->max};
    c->dialect = (struct syslog_3164){.counter = k->enable_all || k->message_counter,
                                      .sequence = k->enable_all || k->sequence_number,
                                      .hostname = k->enable_all || k->hostname,
                                      .fractions = k->enable_all || k->second_fractions};
    copy_labels(c, &a->labels);
    if (!relabel_empty(relabel)) c->relabel = relabel_ref(relabel);
    return c;
}

struct syslog_conf *syslog_conf_ref(struct syslog_conf *c)
{
    refs_get(&c->refs);
    return c;
}

void syslog_conf_unref(struct syslog_conf *c)
{
    if (!c || !refs_put(&c->refs)) return;
    relabel_unref(c->relabel);
    arena_done(&c->arena);
    free(c);
}

static void drop(void *c)
{
    syslog_conf_unref(c);
}

static int check(struct prepare *p, size_t i, const struct syslog_listener_args *a)
{
    const struct block *own = block_in(p->block, "listener", i);
    struct prepare q = *p;

    if (own) q.block = own;
    const int results[] = {check_address(&q, a), check_format(&q, a), check_sizes(&q, a),
                           check_tls(&q, a)};
    check_effects(&q, a);
    for (size_t k = 0; k < ARRAY_LEN(results); k++)
        if (results[k] < 0) return results[k];
    return 0;
}

int syslog_prepare(struct prepare *p, const void *args, void *plan_)
{
    struct syslog_plan *plan = plan_;
    const struct syslog_args *a = plan->args = args;
    int r = 0;

    plan->conf = arena_array(p->arena, struct syslog_conf *, a->listener.n + 1);
    for (size_t i = 0; i < a->listener.n; i++) {
        int checked = check(p, i, &a->listener.v[i]);
        r = checked < 0 ? checked : r;
        plan->conf[i] = conf_new(&a->listener.v[i], relabel_of(a->relabel_rules.c));
        arena_cleanup(p->arena, drop, plan->conf[i]);
    }
    return r;
}
