/* Syslog messages: RFC 5424, RFC 3164 as it is spoken (Cisco's additions too), and raw lines. Pure;
 * all texts are views into the message that was read. Source: spec A.8, the RFCs, and what rsyslog,
 * util-linux' logger, nginx and Cisco IOS send.
 *
 * Parsing goes as far as it can: with a priority (and a version) a message is always one, and what
 * could not be understood is its text, so that no line is lost over a header. */
#ifndef COMPONENTS_LOKI_SYSLOG_MESSAGE_H
#define COMPONENTS_LOKI_SYSLOG_MESSAGE_H

#include "base/str.h"

struct syslog_message {
    int pri;       /* -1: none */
    bool has_time; /* else `time` is not set */
    bool no_year;  /* time is in the year that was guessed */
    i64 time;      /* ns since 1970 */
    /* Without a value: .p is NULL (absent, or "-"). */
    struct str hostname, app_name, proc_id, msg_id, counter, sequence;
    struct str structured; /* the elements, still written as they came */
    struct str text;       /* .p NULL: there is none */
    /* What is wrong with it, in a few words, and where (bytes from its start); NULL: nothing. */
    const char *fault;
    size_t fault_at;
};

/* False: no message at all (see fault). */
bool syslog_parse_5424(struct str line, struct syslog_message *ret);

struct syslog_3164 {
    bool counter, sequence, hostname, fractions; /* Cisco's components that are expected */
    i64 now; /* ns since 1970: the year of a time without one is that, or one before or after */
};
bool syslog_parse_3164(struct str line, const struct syslog_3164 *conf, struct syslog_message *ret);
/* Any text, with or without a priority before it. */
void syslog_parse_raw(struct str line, struct syslog_message *ret);

/* "<13>" at the start of *line, which moves behind it: the number; -1: there is none up to max. */
int syslog_pri(struct str *line, int max);
/* NULL: it has no name. */
const char *syslog_severity_name(int pri);
const char *syslog_facility_name(int pri);

/* The parameters of structured data, one after another: zero but for `rest`, the elements. */
struct syslog_params {
    struct str rest, id;
};
/* False: no more, or what follows is malformed. `value` still has its escapes. */
bool syslog_params_next(struct syslog_params *p, struct str *ret_name, struct str *ret_value);
/* Writes value without its escapes to `to` (value.n bytes of room); the bytes written. */
size_t syslog_unescape(struct str value, char *to);

#endif
