/* The tables of a module's settings: names and defaults are blackbox_exporter's. */
#include "components/prometheus/blackbox/module.h"

#define IP_ROWS(T)                                                                                 \
    ATTR_AS(T, ip.preferred, "preferred_ip_protocol", .doc = "ip4 or ip6; ip6 without."),          \
        ATTR_AS(T, ip.fallback, "ip_protocol_fallback", .def = "true",                             \
                .doc = "Take the other protocol when the host has no address of the preferred.")
#define SOURCE_ROW(T) ATTR_AS(T, ip.source, "source_ip_address", .doc = "Local address.")

static const struct row header_match_rows[] = {
    ATTR(struct header_match_args, header, .required = true, .doc = "Name of the header."),
    ATTR(struct header_match_args, regexp, .required = true, .doc = "Expression for its values."),
    ATTR(struct header_match_args, allow_missing, .def = "false",
         .doc = "Whether the header may be missing."),
};
static const struct schema header_match_schema =
    SCHEMA(struct header_match_args, header_match_rows);

#define HTTP struct http_probe_args
static const struct row http_rows[] = {
    IP_ROWS(HTTP),
    ATTR(HTTP, valid_status_codes, .doc = "Status codes of success; 2xx without."),
    ATTR(HTTP, valid_http_versions, .doc = "HTTP versions of success: HTTP/1.1, HTTP/2.0."),
    ATTR(HTTP, method, .def = "\"GET\"", .doc = "Method of the request."),
    ATTR(HTTP, body, .doc = "Body of the request."),
    ATTR(HTTP, body_file, .doc = "File with the body of the request."),
    ATTR(HTTP, compression, .doc = "What the answer is compressed with: gzip, deflate, identity."),
    ATTR(HTTP, no_follow_redirects, .doc = "The opposite of follow_redirects.", .deprecated = true),
    ATTR(HTTP, fail_if_ssl, .def = "false", .doc = "Fail when TLS was used."),
    ATTR(HTTP, fail_if_not_ssl, .def = "false", .doc = "Fail when TLS was not used."),
    ATTR(HTTP, skip_resolve_phase_with_proxy, .def = "false",
         .doc = "Leave names to the proxy when there is one."),
    ATTR(HTTP, headers, .doc = "Headers of the request."),
    ATTR_AS(HTTP, fail_if_body_matches, "fail_if_body_matches_regexp",
            .doc = "Fail when the body matches one of them."),
    ATTR_AS(HTTP, fail_if_body_not_matches, "fail_if_body_not_matches_regexp",
            .doc = "Fail when the body does not match one of them."),
    BLOCKS(HTTP, fail_if_header_matches, &header_match_schema,
           .doc = "Fail when a header matches."),
    BLOCKS(HTTP, fail_if_header_not_matches, &header_match_schema,
           .doc = "Fail when a header does not match."),
    ATTR(HTTP, body_size_limit, .doc = "Most bytes of the body, uncompressed."),
    HTTP_CLIENT_ROWS(HTTP, client.),
};
static const struct rule http_rules[] = {HTTP_CLIENT_RULE,
                                         {.kind = RULE_AT_MOST_ONE,
                                          .names = {"body", "body_file"},
                                          .message = "setting body and body_file both are not "
                                                     "allowed"}};
static const struct schema http_schema =
    SCHEMA(HTTP, http_rows, .rules = http_rules, .n_rules = ARRAY_LEN(http_rules));

static const struct row label_rows[] = {
    ATTR(struct query_label_args, name, .required = true, .doc = "Name of the label."),
    ATTR(struct query_label_args, value, .doc = "Its value, with ${1} of what expect matched."),
};
static const struct schema label_schema = SCHEMA(struct query_label_args, label_rows);
static const struct row query_rows[] = {
    ATTR(struct query_args, expect, .doc = "Expression for a line that must come."),
    ATTR(struct query_args, send, .doc = "A line to send, with ${1} of what expect matched."),
    ATTR(struct query_args, starttls, .def = "false", .doc = "Go on with TLS."),
    BLOCKS(struct query_args, labels, &label_schema, .doc = "Labels of probe_expect_info."),
};
static const struct schema query_schema = SCHEMA(struct query_args, query_rows);

#define TCP struct tcp_probe_args
static const struct row tcp_rows[] = {
    IP_ROWS(TCP),
    SOURCE_ROW(TCP),
    BLOCKS(TCP, query_response, &query_schema, .doc = "What is said, step by step."),
    ATTR(TCP, tls, .def = "false", .doc = "Use TLS from the beginning."),
    BLOCK(TCP, tls_config, &http_tls_schema, .doc = "TLS settings."),
};
static const struct schema tcp_schema = SCHEMA(TCP, tcp_rows);

#define RR struct rr_args
static const struct row rr_rows[] = {
    ATTR_AS(RR, rules[RR_MATCHES], "fail_if_matches_regexp",
            .doc = "Fail when a record matches one of them."),
    ATTR_AS(RR, rules[RR_ALL_MATCH], "fail_if_all_match_regexp",
            .doc = "Fail when a record does not match one of them."),
    ATTR_AS(RR, rules[RR_NOT_MATCHES], "fail_if_not_matches_regexp",
            .doc = "Fail when a record does not match one of them."),
    ATTR_AS(RR, rules[RR_NONE_MATCHES], "fail_if_none_matches_regexp",
            .doc = "Fail when no record matches any of them."),
};
static const struct schema rr_schema = SCHEMA(RR, rr_rows);

#define DNS struct dns_probe_args
static const struct row dns_rows[] = {
    IP_ROWS(DNS),
    SOURCE_ROW(DNS),
    ATTR(DNS, transport_protocol, .def = "\"udp\"", .one_of = ONE_OF_TEXT("", "udp", "tcp"),
         .doc = "udp or tcp."),
    ATTR(DNS, dns_over_tls, .def = "false", .doc = "Use TLS; with tcp."),
    ATTR(DNS, query_name, .doc = "Name that is asked for."),
    ATTR(DNS, query_type, .def = "\"ANY\"", .doc = "Type that is asked for."),
    ATTR(DNS, query_class, .def = "\"IN\"", .doc = "Class that is asked for."),
    ATTR(DNS, recursion_desired, .def = "true", .doc = "Ask the server to ask others."),
    ATTR(DNS, valid_rcodes, .doc = "Response codes of success; NOERROR without."),
    BLOCK_AS(DNS, validate[RR_ANSWER], "validate_answer_rrs", &rr_schema,
             .doc = "What the records of the answer must be like."),
    BLOCK_AS(DNS, validate[RR_AUTHORITY], "validate_authority_rrs", &rr_schema,
             .doc = "What the records of the authority section must be like."),
    BLOCK_AS(DNS, validate[RR_ADDITIONAL], "validate_additional_rrs", &rr_schema,
             .doc = "What the additional records must be like."),
    BLOCK(DNS, tls_config, &http_tls_schema, .doc = "TLS settings."),
};
static const struct schema dns_schema = SCHEMA(DNS, dns_rows);

#define ICMP struct icmp_probe_args
static const struct row icmp_rows[] = {
    IP_ROWS(ICMP),
    SOURCE_ROW(ICMP),
    ATTR(ICMP, payload_size, .def = "0", .min = 0, .has_min = true, .max = 65000, .has_max = true,
         .doc = "Bytes that are sent; 0: a short text."),
    ATTR(ICMP, ttl, .def = "64", .min = 0, .has_min = true, .max = 255, .has_max = true,
         .doc = "Hops that a packet may take."),
    ATTR(ICMP, dont_fragment, .def = "false", .doc = "Forbid fragments; IPv4, needs raw sockets."),
};
static const struct schema icmp_schema = SCHEMA(ICMP, icmp_rows);

#define MODULE struct module_args
static const struct row module_rows[] = {
    ATTR(MODULE, prober, .required = true, .doc = "http, tcp, dns or icmp."),
    ATTR(MODULE, timeout, .def = "\"0s\"", .doc = "Longest time of a probe; 0s: the scrape's."),
    BLOCK(MODULE, http, &http_schema, .doc = "Settings of the HTTP prober."),
    BLOCK(MODULE, tcp, &tcp_schema, .doc = "Settings of the TCP prober."),
    BLOCK(MODULE, dns, &dns_schema, .doc = "Settings of the DNS prober."),
    BLOCK(MODULE, icmp, &icmp_schema, .doc = "Settings of the ICMP prober."),
};
const struct schema module_schema = SCHEMA(MODULE, module_rows);
