/* Arguments of loki.source.syslog, and what is made of them: one counted, immutable struct
 * syslog_conf for each listener, which connections may outlive their plan with. */
#ifndef COMPONENTS_LOKI_SYSLOG_CONF_H
#define COMPONENTS_LOKI_SYSLOG_CONF_H

#include "base/refcount.h"
#include "components/common/relabel.h"
#include "components/common/tls_config.h"
#include "components/loki/syslog/framing.h"
#include "components/loki/syslog/message.h"

struct syslog_cisco_args {
    bool enable_all, message_counter, sequence_number, hostname, second_fractions;
};
struct syslog_raw_args {
    bool use_null_terminator_delimiter;
};
struct syslog_listener_args {
    struct str address, protocol, syslog_format;
    struct dur idle_timeout;
    bool label_structured_data, rfc3164_default_to_current_year, rfc5424_allow_empty_msg,
        use_incoming_timestamp, use_rfc5424_message;
    struct str_map labels;
    i64 max_message_length, udp_host_cache_size, udp_queue_size;
    struct http_tls_args tls_config;
    struct syslog_raw_args *raw_format_options;
    struct syslog_cisco_args *rfc3164_cisco_components;
};
struct syslog_args {
    struct capsule_list forward_to;
    struct capsule_ref relabel_rules;
    struct {
        struct syslog_listener_args *v;
        size_t n;
    } listener;
};
extern const struct schema syslog_args_schema;

enum syslog_format { SYSLOG_RFC5424, SYSLOG_RFC3164, SYSLOG_RAW };
struct syslog_conf {
    struct refs refs;
    struct arena arena;
    struct str address;
    bool udp, tls;
    enum syslog_format format;
    struct syslog_framing framing;
    struct syslog_3164 dialect; /* `now` is set for each message */
    i64 idle_timeout;
    bool label_structured_data, allow_empty, use_incoming_timestamp, whole_message;
    size_t max, queue, host_cache;
    const struct label *labels;
    size_t n_labels;
    struct relabel *relabel; /* NULL: no rules */
};
struct syslog_conf *syslog_conf_ref(struct syslog_conf *c);
void syslog_conf_unref(struct syslog_conf *c); /* takes NULL */

struct syslog_plan {
    const struct syslog_args *args;
    struct syslog_conf **conf; /* of each listener; released with the plan */
};
int syslog_prepare(struct prepare *p, const void *args, void *plan);

#endif
