/* What the dialects share: priorities and their names, structured data, raw lines. */
#include "components/loki/syslog/message.h"

#include "base/common.h"

static const char *const severities[] = {"emergency", "alert",  "critical",      "error",
                                         "warning",   "notice", "informational", "debug"};
static const char *const facilities[] = {
    "kern",          "user",      "mail",      "daemon",       "auth",     "syslog",
    "lpr",           "news",      "uucp",      "clock daemon", "authpriv", "ftp",
    "NTP subsystem", "log audit", "log alert", "cron",         "local0",   "local1",
    "local2",        "local3",    "local4",    "local5",       "local6",   "local7"};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int syslog_pri(struct str *line, int max)
{
    int pri = 0;
    size_t i = 1;

    if (line->n < 3 || line->p[0] != '<') return -1;
    for (; i < line->n && i < 5 && is_digit(line->p[i]); i++)
        pri = pri * 10 + line->p[i] - '0';
    if (i == 1 || i == line->n || line->p[i] != '>' || pri > max) return -1;
    *line = str_sub(*line, i + 1, line->n);
    return pri;
}

const char *syslog_severity_name(int pri)
{
    return pri < 0 ? NULL : severities[pri & 7];
}

const char *syslog_facility_name(int pri)
{
    return pri < 0 || (size_t)pri >> 3 >= ARRAY_LEN(facilities) ? NULL : facilities[pri >> 3];
}

void syslog_parse_raw(struct str line, struct syslog_message *ret)
{
    *ret = (struct syslog_message){.pri = syslog_pri(&line, 255)};
    ret->text = str_trim(line);
}

/* --- structured data --- */

static struct str cut_name(struct str *s, const char *stops)
{
    size_t n = 0;

    while (n < s->n && !strchr(stops, s->p[n]))
        n++;
    struct str name = str_sub(*s, 0, n);
    *s = str_sub(*s, n, s->n);
    return name;
}

static bool skip(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c) return false;
    *s = str_sub(*s, 1, s->n);
    return true;
}

static bool cut_value(struct str *s, struct str *ret)
{
    size_t n = 0;

    while (n < s->n && s->p[n] != '"')
        n += s->p[n] == '\\' ? 2 : 1;
    if (n >= s->n) return false;
    *ret = str_sub(*s, 0, n);
    *s = str_sub(*s, n + 1, s->n);
    return true;
}

bool syslog_params_next(struct syslog_params *p, struct str *ret_name, struct str *ret_value)
{
    for (;;) {
        if (skip(&p->rest, ' ')) continue;
        if (skip(&p->rest, ']')) continue;
        if (!skip(&p->rest, '[')) break;
        p->id = cut_name(&p->rest, " ]=\"");
        if (p->id.n == 0) return false;
    }
    *ret_name = cut_name(&p->rest, " ]=\"");
    return p->id.n && ret_name->n && skip(&p->rest, '=') && skip(&p->rest, '"') &&
           cut_value(&p->rest, ret_value);
}

size_t syslog_unescape(struct str value, char *to)
{
    size_t n = 0;

    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\\' && i + 1 < value.n && strchr("\"\\]", value.p[i + 1])) i++;
        to[n++] = value.p[i];
    }
    return n;
}
