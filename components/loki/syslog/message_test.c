/* Messages of the senders that there are, and of those that there should not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/common.h"
#include "components/loki/syslog/framing.h"
#include "components/loki/syslog/message.h"

#define NOW ((i64)1796072400 * NS_PER_SEC) /* 2026-11-30T21:00:00Z */

static void field(char **at, const char *end, struct str s)
{
    *at += snprintf(*at, (size_t)(end - *at), "|%.*s", s.p ? (int)s.n : 1, s.p ? s.p : "-");
}

/* pri|host|app|pid|msgid|sd|counter|sequence|seconds|text */
static const char *show(const struct syslog_message *m)
{
    static char out[1024];
    char *at = out, *end = out + sizeof(out);

    at += snprintf(at, (size_t)(end - at), "%d", m->pri);
    field(&at, end, m->hostname);
    field(&at, end, m->app_name);
    field(&at, end, m->proc_id);
    field(&at, end, m->msg_id);
    field(&at, end, m->structured);
    field(&at, end, m->counter);
    field(&at, end, m->sequence);
    at += snprintf(at, (size_t)(end - at), "|%lld",
                   m->has_time ? (long long)(m->time / NS_PER_MS) : 0LL);
    field(&at, end, m->text);
    return out;
}

static const struct {
    const char *line, *want;
    const char *fault; /* a part of it */
} in_5424[] = {
    {"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
     "[exampleSDID@32473 iut=\"3\" eventSource=\"Application\"][x@1 a=\"b\"] "
     "\xef\xbb\xbf"
     "An event",
     "165|mymachine.example.com|evntslog|-|ID47|[exampleSDID@32473 iut=\"3\" "
     "eventSource=\"Application\"][x@1 a=\"b\"]|-|-|1065910455003|An event",
     NULL},
    {"<34>1 2003-10-11T22:14:15.003Z m su 77 ID47 - 'su root' failed",
     "34|m|su|77|ID47|-|-|-|1065910455003|'su root' failed", NULL},
    {"<13>1 2026-11-30T21:00:00.5+01:00 h a - - - text - with - dashes ",
     "13|h|a|-|-|-|-|-|1796068800500|text - with - dashes ", NULL},
    {"<0>1 - - - - - -", "0|-|-|-|-|-|-|-|0|-", NULL},
    {"<0>1 - - - - - - ", "0|-|-|-|-|-|-|-|0|-", NULL},
    {"<13>1 - h a p m [timeQuality tzKnown=\"1\" isSynced=\"0\"] from logger",
     "13|h|a|p|m|[timeQuality tzKnown=\"1\" isSynced=\"0\"]|-|-|0|from logger", NULL},
    {"<13>1 - h a p m [id] only an id", "13|h|a|p|m|[id]|-|-|0|only an id", NULL},
    {"<13>1 - h a p m [id x=\"\"] empty", "13|h|a|p|m|[id x=\"\"]|-|-|0|empty", NULL},
    {"<13>1 - h a p m [id x=\"a\\]b\\\"c\\\\\"] escaped",
     "13|h|a|p|m|[id x=\"a\\]b\\\"c\\\\\"]|-|-|0|escaped", NULL},
    /* What is wrong becomes the text. */
    {"<13>1 yesterday h a p m - x", "13|-|-|-|-|-|-|-|0|yesterday h a p m - x", "timestamp"},
    {"<13>1 - h a p m no data", "13|h|a|p|m|-|-|-|0|no data", "structured data"},
    {"<13>1 - h a p m [id x=\"open text", "13|h|a|p|m|-|-|-|0|[id x=\"open text",
     "structured data"},
    {"<13>1 - h a", "13|h|a|-|-|-|-|-|0|-", "no process id"},
    {"<13>1 -  a p m - x", "13|-|-|-|-|-|-|-|0|  a p m - x", "no host name"},
    {"<13>1", "13|-|-|-|-|-|-|-|0|-", "no timestamp"},
    /* No messages. */
    {"<13>Nov 30 21:00:00 h a: x", NULL, "RFC 3164"},
    {"<192>1 - - - - - -", NULL, "no priority"},
    {"<>1 - - - - - -", NULL, "no priority"},
    {"<13", NULL, "no priority"},
    {"13>1", NULL, "no priority"},
    {"<13>0 - - - - - -", NULL, "no version"},
    {"<13>1000 - - - - - -", NULL, "no version"},
    {"", NULL, "no priority"},
};

static void check(bool got, const struct syslog_message *m, const char *line, const char *want,
                  const char *fault)
{
    if (got != (want != NULL)) fail_msg("%s: %s", line, got ? "is a message" : m->fault);
    if (want && strcmp(show(m), want) != 0) fail_msg("%s\n is %s\n not %s", line, show(m), want);
    if (!fault != !m->fault || (fault && !strstr(m->fault, fault)))
        fail_msg("%s: %s", line, m->fault ? m->fault : "no fault");
}

static void rfc5424(void **state)
{
    struct syslog_message m;

    for (size_t i = 0; i < ARRAY_LEN(in_5424); i++)
        check(syslog_parse_5424(str_of(in_5424[i].line), &m), &m, in_5424[i].line, in_5424[i].want,
              in_5424[i].fault);
}

static const struct {
    const char *line, *want, *fault;
    const char *cisco; /* letters: counter, sequence, hostname, fractions */
} in_3164[] = {
    {"<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
     "34|mymachine|su|-|-|-|-|-|1791756855000|'su root' failed", NULL, ""},
    {"<13>Nov  8 19:46:03 host sshd[4711]: Accepted",
     "13|host|sshd|4711|-|-|-|-|1794167163000|Accepted", NULL, ""},
    {"<13>Nov 8 19:46:03 host sshd[4711]: Accepted",
     "13|host|sshd|4711|-|-|-|-|1794167163000|Accepted", NULL, ""},
    /* logger without a host name, nginx with nohostname. */
    {"<13>Nov 30 21:00:00 root: hello world", "13|-|root|-|-|-|-|-|1796072400000|hello world", NULL,
     ""},
    {"<190>Nov 30 21:00:00 web1 nginx: 127.0.0.1 - - \"GET / HTTP/1.1\" 200",
     "190|web1|nginx|-|-|-|-|-|1796072400000|127.0.0.1 - - \"GET / HTTP/1.1\" 200", NULL, ""},
    {"<13>Nov 30 21:00:00 host some text: with a colon",
     "13|host|-|-|-|-|-|-|1796072400000|some text: with a colon", NULL, ""},
    {"<13>Jan  1 00:00:00 h a: next year", "13|h|a|-|-|-|-|-|1767225600000|next year", NULL, ""},
    {"<13>Feb 29 00:00:00 h a: x", "13|h|a|-|-|-|-|-|1772323200000|x", NULL, ""},
    /* rsyslog's RSYSLOG_ForwardFormat. */
    {"<13>2026-11-30T22:00:00.25+01:00 h app[1]: x", "13|h|app|1|-|-|-|-|1796072400250|x", NULL,
     ""},
    /* Python's SysLogHandler, Docker: nothing but a priority. */
    {"<14>no header at all", "14|-|-|-|-|-|-|-|0|no header at all", "no timestamp", ""},
    {"<14>Nov 31 21:00:00 h a: x", "14|-|-|-|-|-|-|-|0|Nov 31 21:00:00 h a: x", "no timestamp", ""},
    {"<14>Nov 30 24:00:00 h a: x", "14|-|-|-|-|-|-|-|0|Nov 30 24:00:00 h a: x", "no timestamp", ""},
    {"<14>Nov 30 21:00:0", "14|-|-|-|-|-|-|-|0|Nov 30 21:00:0", "no timestamp", ""},
    {"<14>Nov 30 21:00:00", "14|-|-|-|-|-|-|-|1796072400000|-", NULL, ""},
    {"<14>Nov 30 21:00:00 h", "14|-|-|-|-|-|-|-|1796072400000|h", NULL, ""},
    {"<14>Nov 30 21:00:00 h app:", "14|h|app|-|-|-|-|-|1796072400000|-", NULL, ""},
    {"no priority", NULL, "no priority", ""},
    /* Cisco. */
    {"<189>237: *Jan  8 19:46:03.295: %SYS-5-CONFIG_I: Configured from console",
     "189|-|%SYS-5-CONFIG_I|-|-|-|237|-|1767901563295|Configured from console", NULL, "cf"},
    {"<189>237: 000485: *Nov  8 19:46:03.295 UTC: %LINK-3-UPDOWN: Interface up",
     "189|-|%LINK-3-UPDOWN|-|-|-|237|000485|1794167163295|Interface up", NULL, "csf"},
    {"<189>269614: hostname1: Nov  8 19:46:03: %LINK-3-UPDOWN: down",
     "189|hostname1|%LINK-3-UPDOWN|-|-|-|269614|-|1794167163000|down", NULL, "cshf"},
    {"<189>29: edge: 000031: .Nov  8 19:46:03.1 CEST: %A-1-B: x",
     "189|edge|%A-1-B|-|-|-|29|000031|1794167163100|x", NULL, "cshf"},
    {"<189>237: *Jan  8 19:46:03.295: %SYS-5-CONFIG_I: x",
     "189|-|-|-|-|-|-|-|0|237: *Jan  8 19:46:03.295: %SYS-5-CONFIG_I: x", "no timestamp", ""},
};

static void rfc3164(void **state)
{
    struct syslog_message m;

    for (size_t i = 0; i < ARRAY_LEN(in_3164); i++) {
        const char *c = in_3164[i].cisco;
        struct syslog_3164 conf = {.now = NOW,
                                   .counter = strchr(c, 'c'),
                                   .sequence = strchr(c, 's'),
                                   .hostname = strchr(c, 'h'),
                                   .fractions = strchr(c, 'f')};
        check(syslog_parse_3164(str_of(in_3164[i].line), &conf, &m), &m, in_3164[i].line,
              in_3164[i].want, in_3164[i].fault);
    }
}

static void years_turn(void **state)
{
    struct syslog_message m;
    const i64 first = (i64)1767229200 * NS_PER_SEC; /* 2026-01-01T01:00:00Z */
    const i64 last = (i64)1798678800 * NS_PER_SEC;  /* 2026-12-31T01:00:00Z */

    assert_true(syslog_parse_3164(STR("<1>Dec 31 23:59:59 h a: x"),
                                  &(struct syslog_3164){.now = first}, &m));
    assert_int_equal(m.time / NS_PER_SEC, 1767225599);
    assert_true(m.no_year);
    assert_true(syslog_parse_3164(STR("<1>Jan  1 00:00:00 h a: x"),
                                  &(struct syslog_3164){.now = last}, &m));
    assert_int_equal(m.time / NS_PER_SEC, 1798761600);
}

static void raw_lines(void **state)
{
    struct syslog_message m;

    syslog_parse_raw(STR("<255> CEF:0|x \n"), &m);
    assert_string_equal(show(&m), "255|-|-|-|-|-|-|-|0|CEF:0|x");
    assert_null(syslog_facility_name(m.pri));
    syslog_parse_raw(STR("<256>x"), &m);
    assert_string_equal(show(&m), "-1|-|-|-|-|-|-|-|0|<256>x");
    syslog_parse_raw(STR(" no priority "), &m);
    assert_string_equal(show(&m), "-1|-|-|-|-|-|-|-|0|no priority");
    assert_string_equal(syslog_severity_name(13), "notice");
    assert_string_equal(syslog_facility_name(13), "user");
    assert_string_equal(syslog_facility_name(191), "local7");
    assert_string_equal(syslog_facility_name(9 << 3), "clock daemon");
}

static void parameters(void **state)
{
    struct syslog_params p = {.rest = STR("[a@1 x=\"1\" y=\"\\\"\\]\\n\\\\\"][empty][b z=\"\"]")};
    struct str name, value;
    char out[256] = "", plain[64];

    while (syslog_params_next(&p, &name, &value)) {
        size_t n = syslog_unescape(value, plain);
        (void)snprintf(out + strlen(out), sizeof(out) - strlen(out), "%.*s.%.*s=%.*s;",
                       STR_ARG(p.id), STR_ARG(name), (int)n, plain);
    }
    assert_string_equal(out, "a@1.x=1;a@1.y=\"]\\n\\;b.z=;");
}

/* --- framing --- */

static const char *const answers[] = {"more", "", "cut ", "short ", "broken"};

/* Gives the text in two parts, cut at `at`, as a connection would. */
static const char *frames(struct syslog_framing f, struct str text, size_t at)
{
    static char out[1024];
    const char *why;
    struct str in = str_sub(text, 0, at), msg;
    bool last = at == text.n;

    out[0] = '\0';
    for (;;) {
        enum syslog_frame got = syslog_frame_next(&f, &in, last, &msg, &why);
        if (got == FRAME_MORE && last) break;
        if (got == FRAME_MORE) {
            assert_true(in.n < f.max + 16);
            in = str_sub(text, (size_t)(in.p - text.p), text.n);
            last = true;
            continue;
        }
        (void)snprintf(out + strlen(out), sizeof(out) - strlen(out), "(%s%.*s)", answers[got],
                       STR_ARG(msg));
        if (got == FRAME_BROKEN) break;
    }
    return out;
}

static const struct {
    const char *text, *want;
    bool raw, datagram;
} framed[] = {
    {"<1>a\n<2>b\r\n\n<3>c", "(<1>a)(<2>b)(<3>c)", false, false},
    {"4 <1>a5 <2>bc\n4 <3>d", "(<1>a)(<2>bc)(<3>d)", false, false},
    {"5 <1>a\n4 <2>b", "(<1>a)(<2>b)", false, false},
    {"4 <1>a9 <2>b", "(<1>a)(short <2>b)", false, false},
    {"4 <1>ax", "(<1>a)(broken)", false, false},
    {"0 ", "(broken)", false, false},
    {"12345678901 x", "(broken)", false, false},
    {"hello", "(broken)", false, false},
    {"\x16\x03\x01", "(broken)", false, false},
    {"<1>0123456789012345678\n<2>b", "(cut <1>0123456789012)(<2>b)", false, false},
    {"20 <1>012345678901234564 <2>b", "(cut <1>0123456789012)(<2>b)", false, false},
    {"<1>a\n  at b\n<2>c\n", "(<1>a)(  at b)(<2>c)", false, false},
    {"<1>a\n  at b\n<2>c\n", "(<1>a\n  at b)(<2>c)", false, true},
    {"<1>a\n<b\n<2>c", "(<1>a\n<b)(<2>c)", false, true},
    {"some text\n2026-01-01\n4 abcd", "(some text)(2026-01-01)(abcd)", true, false},
    {"12", "(12)", true, false},
};

static void framing(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(framed); i++) {
        struct str text = str_of(framed[i].text);
        struct syslog_framing f = {
            .delimiter = '\n', .max = 16, .raw = framed[i].raw, .datagram = framed[i].datagram};
        for (size_t at = framed[i].datagram ? text.n : 0; at <= text.n; at++)
            if (strcmp(frames(f, text, at), framed[i].want) != 0)
                fail_msg("%s at %zu: %s, not %s", text.p, at, frames(f, text, at), framed[i].want);
    }
    struct syslog_framing nul = {.delimiter = '\0', .max = 16, .raw = true};
    assert_string_equal(frames(nul, str_n("a\nb\0c\n\0", 7), 7), "(a\nb)(c)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc5424),   cmocka_unit_test(rfc3164),    cmocka_unit_test(years_turn),
        cmocka_unit_test(raw_lines), cmocka_unit_test(parameters), cmocka_unit_test(framing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
