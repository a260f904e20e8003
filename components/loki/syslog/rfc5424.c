/* RFC 5424: <PRI>VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG]. */
#include "base/common.h"
#include "base/rfc3339.h"
#include "components/loki/syslog/message.h"

#define PRI_MAX 191

/* Reading: what is left of the line, and whose. */
struct reading {
    struct str line, rest;
    struct syslog_message *m;
};

/* What is left is the text. */
static bool fault(struct reading *r, const char *what)
{
    r->m->fault = what;
    r->m->fault_at = (size_t)(r->rest.p - r->line.p);
    r->m->text = r->rest;
    return false;
}

static bool skip_space(struct reading *r)
{
    if (r->rest.n == 0 || r->rest.p[0] != ' ') return false;
    r->rest = str_sub(r->rest, 1, r->rest.n);
    return true;
}

static bool read_version(struct reading *r)
{
    size_t n = 0;

    while (n < r->rest.n && n < 4 && r->rest.p[n] >= '0' && r->rest.p[n] <= '9')
        n++;
    if (n == 0 || n > 3 || r->rest.p[0] == '0') return false;
    r->rest = str_sub(r->rest, n, r->rest.n);
    return true;
}

/* The next word behind its blank; "-" is none. *ret stays without a value then. */
static bool read_word(struct reading *r, struct str *ret, const char *missing)
{
    struct str before = r->rest;

    if (!skip_space(r)) return fault(r, missing);
    ssize_t n = str_chr(r->rest, ' ');
    struct str word = n < 0 ? r->rest : str_sub(r->rest, 0, (size_t)n);
    if (word.n == 0) {
        r->rest = before;
        return fault(r, missing);
    }
    if (!str_is(word, "-")) *ret = word;
    r->rest = str_sub(r->rest, word.n, r->rest.n);
    return true;
}

static bool read_time(struct reading *r)
{
    struct reading at = *r;
    struct str word = {0};

    if (!read_word(r, &word, "no timestamp")) return false;
    if (!word.p) return true;
    if (rfc3339_parse(word, &r->m->time) == 0) {
        r->m->has_time = true;
        return true;
    }
    skip_space(&at);
    r->rest = at.rest;
    return fault(r, "the timestamp is none of RFC 3339");
}

/* Bytes of well-formed elements at the start of s; 0: there are none. */
static size_t elements(struct str s)
{
    struct syslog_params p = {.rest = s};
    struct str name, value;
    size_t end = 0;

    while (end < s.n && s.p[end] == '[') {
        p = (struct syslog_params){.rest = str_sub(s, end, s.n)};
        ssize_t close = str_chr(p.rest, ']');
        if (close < 2) return 0;
        /* An id alone, or parameters up to the bracket behind the last. */
        if (memchr(p.rest.p, ' ', (size_t)close)) {
            do {
                if (!syslog_params_next(&p, &name, &value)) return 0;
            } while (p.rest.n && p.rest.p[0] == ' ');
            if (p.rest.n == 0 || p.rest.p[0] != ']') return 0;
            end = (size_t)(p.rest.p - s.p) + 1;
        } else {
            end += (size_t)close + 1;
        }
    }
    return end;
}

static bool read_structured(struct reading *r)
{
    struct reading at = *r;

    if (!skip_space(r)) return fault(r, "no structured data");
    if (r->rest.n && r->rest.p[0] == '-' && (r->rest.n == 1 || r->rest.p[1] == ' ')) {
        r->rest = str_sub(r->rest, 1, r->rest.n);
        return true;
    }
    size_t n = elements(r->rest);
    if (n == 0 || (n < r->rest.n && r->rest.p[n] != ' ')) {
        skip_space(&at);
        r->rest = at.rest;
        return fault(r, "the structured data is malformed");
    }
    r->m->structured = str_sub(r->rest, 0, n);
    r->rest = str_sub(r->rest, n, r->rest.n);
    return true;
}

static void read_text(struct reading *r)
{
    if (!skip_space(r)) return;
    if (str_starts(r->rest, STR("\xef\xbb\xbf"))) r->rest = str_sub(r->rest, 3, r->rest.n);
    if (r->rest.n) r->m->text = r->rest;
}

bool syslog_parse_5424(struct str line, struct syslog_message *m)
{
    struct reading r = {.line = line, .rest = line, .m = m};

    *m = (struct syslog_message){.pri = syslog_pri(&r.rest, PRI_MAX)};
    if (m->pri < 0) return fault(&r, "no priority between 0 and 191 in angle brackets");
    if (!read_version(&r))
        return fault(&r, "no version after the priority (is the sender's format RFC 3164?)");
    if (read_time(&r) && read_word(&r, &m->hostname, "no host name") &&
        read_word(&r, &m->app_name, "no application name") &&
        read_word(&r, &m->proc_id, "no process id") && read_word(&r, &m->msg_id, "no message id") &&
        read_structured(&r))
        read_text(&r);
    if (m->text.n == 0) m->text = (struct str){0};
    return true;
}
