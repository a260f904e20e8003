/* discovery.dns: targets made of the records of names, looked up every refresh_interval by the
 * system's resolver (servers and search domains of /etc/resolv.conf). A name that cannot be looked
 * up keeps its targets; one that does not exist has none. One worker. */
#include "components/common/pool_refresh.h"

#include <netdb.h>
#include <resolv.h>

#include "base/xalloc.h"
#include "components/discovery/dns_message.h"

#define ANSWER_MAX 65536
#define LOOK_MAX   (30 * NS_PER_SEC) /* a pool thread is not lent for longer */

/* --- arguments --- */

struct args {
    struct str_list names;
    i64 port;
    struct dur refresh_interval;
    struct str type;
};

static const struct row arg_rows[] = {
    ATTR(struct args, names, .required = true, .doc = "Names to look up."),
    ATTR(struct args, port, .def = "0",
         .doc = "Port of the targets; SRV records have their own, all others need it."),
    ATTR(struct args, refresh_interval, .def = "\"30s\"", .doc = "How often to look them up."),
    ATTR(struct args, type, .def = "\"SRV\"", .doc = "Type of the records.",
         .one_of = ONE_OF_TEXT("SRV", "A", "AAAA", "MX", "NS"), .fold_case = true),
};
static void validate(const void *args, const struct span *at, struct diags *diags);
static const struct schema args_schema = SCHEMA(struct args, arg_rows, .validate = validate);

static const struct {
    const char *name;
    enum dns_type type;
} types[] = {{"SRV", DNS_SRV}, {"A", DNS_A}, {"AAAA", DNS_AAAA}, {"MX", DNS_MX}, {"NS", DNS_NS}};

static enum dns_type type_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_ieq(name, str_of(types[i].name))) return types[i].type;
    return DNS_SRV;
}

static void validate(const void *args, const struct span *at, struct diags *diags)
{
    const struct args *a = args;

    if (a->refresh_interval.ns <= 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&args_schema, at, "refresh_interval"),
                   "refresh_interval must be greater than 0");
    if (type_of(a->type) != DNS_SRV && a->port == 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&args_schema, at, "type"),
                   "a port is required in DNS-SD configs for all record types except SRV");
    if (a->port < 0 || a->port > 65535)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&args_schema, at, "port"),
                   "port must be from 0 to 65535");
}

struct plan {
    const struct args *args;
};
struct shared {
    struct metric *lookups, *failures;
};
struct self {
    struct pool_refresh refresh; /* first */
    char *told;                  /* the last fault, so that it is told once */
};

static int prepare(struct prepare *p, const void *args, void *plan)
{
    ((struct plan *)plan)->args = args;
    return 0;
}

/* --- the look --- */

struct found {
    struct str name;
    struct value targets;
    const char *error; /* NULL: targets is what there is */
};
struct look {
    enum dns_type type;
    unsigned port;
    const struct clock *clock;
    struct found *v;
    size_t n;
    struct target_list list; /* of the name at hand */
    struct label_set set;
    struct buf text;
    struct str name;
};

static i64 interval(const void *plan)
{
    return ((const struct plan *)plan)->args->refresh_interval.ns;
}

static void look_prepare(struct pool_refresh *r, struct pool_look *l)
{
    const struct args *a = ((const struct plan *)r->plan)->args;
    struct look *d = l->state;

    d->type = type_of(a->type);
    d->port = (unsigned)a->port;
    d->clock = r->shard->comp->host->clock;
    d->n = a->names.n;
    d->v = arena_array(&l->arena, struct found, d->n + 1);
    for (size_t i = 0; i < d->n; i++)
        d->v[i] = (struct found){.name = arena_str(&l->arena, a->names.v[i])};
}

static void put(struct look *d, const char *label, struct str value)
{
    label_set_put_view(&d->set, str_of(label), value);
}

static void put_address(struct look *d, struct str host, unsigned port)
{
    bool v6 = str_chr(host, ':') >= 0;

    buf_reset(&d->text);
    buf_printf(&d->text, v6 ? "[" STR_FMT "]:%u" : STR_FMT ":%u", STR_ARG(host), port);
    label_set_put(&d->set, STR("__address__"), buf_view(&d->text));
}

static struct str name_of(const struct dns_record *r, enum dns_type type)
{
    return r->type == type ? str_of(r->text) : STR("");
}

/* Every target has all the labels, most of them empty: a rule can name any of them. */
static void add_record(void *arg, const struct dns_record *r)
{
    struct look *d = arg;
    struct str host = str_of(r->text);
    char port[16] = "";

    if (r->type != d->type) return;
    if (r->type == DNS_SRV) snprintf(port, sizeof(port), "%u", r->port);
    while (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    label_set_reset(&d->set);
    put_address(d, host, r->type == DNS_SRV ? r->port : d->port);
    put(d, "__meta_dns_name", d->name);
    put(d, "__meta_dns_srv_record_target", name_of(r, DNS_SRV));
    put(d, "__meta_dns_srv_record_port", str_of(port));
    put(d, "__meta_dns_mx_record_target", name_of(r, DNS_MX));
    put(d, "__meta_dns_ns_record_target", name_of(r, DNS_NS));
    target_list_add(&d->list, &d->set);
}

static const char *ask(struct look *d, struct __res_state *resolver, unsigned char *answer)
{
    int n = res_nsearch(resolver, d->name.p, ns_c_in, (int)d->type, answer, ANSWER_MAX);

    if (n < 0 && (resolver->res_h_errno == HOST_NOT_FOUND || resolver->res_h_errno == NO_DATA))
        return NULL;
    if (n < 0) return "no server answered for it or for one of its search domains";
    if (dns_answers(str_n((const char *)answer, (size_t)MIN(n, ANSWER_MAX)), add_record, d) != 0)
        return "the answer is broken";
    return NULL;
}

static void look_up(struct look *d, struct found *f, struct __res_state *resolver,
                    unsigned char *answer)
{
    d->name = f->name;
    f->error = ask(d, resolver, answer);
    f->targets = target_list_value(&d->list);
}

/* What /etc/resolv.conf says of times is for programs that wait. */
static bool resolver_init(struct __res_state *resolver)
{
    if (res_ninit(resolver) != 0) return false;
    resolver->retrans = MIN(resolver->retrans, 5);
    resolver->retry = MIN(resolver->retry, 2);
    return true;
}

static void look_work(struct pool_look *l)
{
    struct look *d = l->state;
    unsigned char *answer = arena_alloc(&l->arena, ANSWER_MAX);
    struct __res_state resolver = {0};
    bool usable = resolver_init(&resolver);
    i64 until = clock_mono(d->clock) + LOOK_MAX;

    label_set_init(&d->set);
    buf_init(&d->text, 4096);
    for (size_t i = 0; i < d->n; i++) {
        if (atomic_load_explicit(&l->given_up, memory_order_relaxed)) break;
        if (!usable)
            d->v[i].error = "the system's resolver cannot be set up; look at /etc/resolv.conf";
        else if (clock_mono(d->clock) >= until)
            d->v[i].error = "there was no time left after the names before it";
        else
            look_up(d, &d->v[i], &resolver, answer);
    }
    if (usable) res_nclose(&resolver);
    label_set_done(&d->set);
    buf_done(&d->text);
}

static void look_release(struct pool_look *l)
{
    struct look *d = l->state;

    for (size_t i = 0; i < d->n; i++)
        value_unref(d->v[i].targets);
}

/* --- after it --- */

static void tell(struct self *s, const struct found *fault)
{
    struct comp *c = s->refresh.shard->comp;
    char *why =
        fault ? xprintf("cannot look up \"" STR_FMT "\": %s", STR_ARG(fault->name), fault->error)
              : NULL;

    if (why && (!s->told || strcmp(s->told, why) != 0))
        log_error(c->log, "the targets of a name stay as they are, it cannot be looked up",
                  F_STR("name", fault->name), F_CSTR("err", fault->error));
    if (!why && s->told) log_info(c->log, "all names can be looked up again");
    if (why)
        comp_health(c, HEALTH_UNHEALTHY, "%s", why);
    else
        comp_health(c, HEALTH_HEALTHY, "looked up the names");
    free(s->told);
    s->told = why;
}

static void look_found(struct pool_refresh *r, struct pool_look *l)
{
    const struct shared *sh = r->shard->comp->shared;
    const struct look *d = l->state;
    const struct found *fault = NULL;

    for (size_t i = 0; i < d->n; i++) {
        metric_inc(sh->lookups);
        if (d->v[i].error) {
            metric_inc(sh->failures);
            if (!fault) fault = &d->v[i];
        } else {
            target_export_set(&r->out, d->v[i].name, value_ref(d->v[i].targets));
        }
    }
    tell((struct self *)r, fault);
}

static const struct pool_refresh_rules rules = {.look_size = sizeof(struct look),
                                                .interval = interval,
                                                .prepare = look_prepare,
                                                .work = look_work,
                                                .done = look_found,
                                                .release = look_release};

/* --- life --- */

static const struct metric_desc lookups_desc = {.name = "prometheus_sd_dns_lookups_total",
                                                .help = "The number of DNS-SD lookups.",
                                                .kind = METRIC_COUNTER};
static const struct metric_desc failures_desc = {.name = "prometheus_sd_dns_lookup_failures_total",
                                                 .help = "The number of DNS-SD lookup failures.",
                                                 .kind = METRIC_COUNTER};

static int create(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;

    sh->lookups = comp_metric(c, &lookups_desc, NULL, 0);
    sh->failures = comp_metric(c, &failures_desc, NULL, 0);
    target_export_none(c);
    return 0;
}

static int run(struct shard *s)
{
    return pool_refresh_run(s, &rules);
}

static void shard_done(struct shard *s)
{
    pool_refresh_shard_done(s);
    free(((struct self *)s->self)->told);
}

DEFINE_COMPONENT(discovery_dns) = {
    .name = "discovery.dns",
    .summary = "Discovers targets from DNS records.",
    .example = "discovery.dns \"default\" {\n"
               "\tnames = [\"_http._tcp.example.com\"]\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &target_exports_schema,
    .placement = PLACE_ONE,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct shared),
    .self_size = sizeof(struct self),
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = pool_refresh_apply,
    .stop = pool_refresh_stop,
    .shard_done = shard_done,
    .taps_itself = true,
};
