/* Modules of prometheus.exporter.blackbox: what a probe does, read from the exporter's own YAML.
 * Counted, immutable once opened; probes that run keep those they began with. */
#ifndef COMPONENTS_PROMETHEUS_BLACKBOX_MODULE_H
#define COMPONENTS_PROMETHEUS_BLACKBOX_MODULE_H

#include "base/map.h"
#include "base/refcount.h"
#include "base/regex.h"
#include "components/common/http_endpoint.h"

/* --- settings, as they are written --- */

struct ip_args {
    struct str preferred, source;
    bool fallback;
};
struct header_match_args {
    struct str header, regexp;
    bool allow_missing;
};
struct header_matches {
    struct header_match_args *v;
    size_t n;
};
struct http_probe_args {
    struct ip_args ip;
    struct str_list valid_status_codes, valid_http_versions;
    struct str method, body, body_file, compression;
    struct opt_bool no_follow_redirects;
    bool fail_if_ssl, fail_if_not_ssl, skip_resolve_phase_with_proxy;
    struct str_map headers;
    struct str_list fail_if_body_matches, fail_if_body_not_matches;
    struct header_matches fail_if_header_matches, fail_if_header_not_matches;
    struct bytesize body_size_limit;
    struct http_client_args client;
};
struct query_label_args {
    struct str name, value;
};
struct query_args {
    struct str expect, send;
    bool starttls;
    struct {
        struct query_label_args *v;
        size_t n;
    } labels;
};
struct tcp_probe_args {
    struct ip_args ip;
    struct {
        struct query_args *v;
        size_t n;
    } query_response;
    bool tls;
    struct http_tls_args tls_config;
};
enum rr_rule { RR_MATCHES, RR_ALL_MATCH, RR_NOT_MATCHES, RR_NONE_MATCHES, RR_RULES };
struct rr_args {
    struct str_list rules[RR_RULES];
};
enum rr_section { RR_ANSWER, RR_AUTHORITY, RR_ADDITIONAL, RR_SECTIONS };
struct dns_probe_args {
    struct ip_args ip;
    bool dns_over_tls, recursion_desired;
    struct str transport_protocol, query_name, query_type, query_class;
    struct str_list valid_rcodes;
    struct rr_args validate[RR_SECTIONS];
    struct http_tls_args tls_config;
};
struct icmp_probe_args {
    struct ip_args ip;
    i64 payload_size, ttl;
    bool dont_fragment;
};
struct module_args {
    struct str prober;
    struct dur timeout;
    struct http_probe_args http;
    struct tcp_probe_args tcp;
    struct dns_probe_args dns;
    struct icmp_probe_args icmp;
};
extern const struct schema module_schema;

/* --- made of them --- */

struct regex_list {
    struct regex **v;
    size_t n;
};
struct header_match {
    struct str header;
    struct regex *re;
    bool allow_missing;
};
struct header_match_list {
    struct header_match *v;
    size_t n;
};
struct query_label {
    const char *name;
    struct str value;
};
struct query {
    struct regex *expect; /* NULL: nothing */
    struct str send;
    bool starttls;
    struct query_label *labels;
    size_t n_labels;
};
enum prober { PROBER_HTTP, PROBER_TCP, PROBER_DNS, PROBER_ICMP, PROBERS };

#define BODY_MAX ((i64)64 << 20) /* of an answer, when the module sets no limit */

struct probe_module {
    struct str name;
    enum prober prober;
    const struct module_args *args;
    const struct ip_args *ip; /* of the prober */
    /* http */
    struct http_endpoint *endpoint, *elsewhere; /* elsewhere: hosts of redirects */
    i64 *status_codes;
    size_t n_status_codes;
    struct regex_list body_matches, body_not_matches;
    struct header_match_list header_matches, header_not_matches;
    i64 body_limit;
    struct str body; /* of the request; a file's is read when the module is opened */
    /* tcp */
    struct query *queries;
    size_t n_queries;
    /* dns */
    u16 query_type, query_class;
    u8 *rcodes;
    size_t n_rcodes;
    struct regex_list rr[RR_SECTIONS][RR_RULES];
    /* tcp, dns */
    struct tls_client *tls;
};

struct modules;
/* Reads the text. NULL with faults added to diags, each at `at`. Pure. */
struct modules *modules_new(struct str yaml, struct span at, struct diags *diags);
struct modules *modules_ref(struct modules *m);
void modules_unref(struct modules *m); /* takes NULL */
/* Reads certificates and the like, once. 0, or -errno with an owned *ret_err. Control loop. */
int modules_open(struct modules *m, const struct host *h, char **ret_err);
/* NULL: there is none of that name. */
const struct probe_module *modules_find(const struct modules *m, struct str name);

#endif
