/* RFC 3164 as it is spoken: <PRI>TIMESTAMP [HOST] [TAG[PID]:] text. Before and in the timestamp
 * Cisco IOS has components of its own; rsyslog also writes times of RFC 3339. */
#include "base/clock.h"
#include "base/common.h"
#include "base/rfc3339.h"
#include "base/time_rule.h"
#include "components/loki/syslog/message.h"

#define PRI_MAX 191
#define TAG_MAX 48

struct reading {
    struct str line, rest;
    const struct syslog_3164 *conf;
    struct syslog_message *m;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void advance(struct reading *r, size_t n)
{
    r->rest = str_sub(r->rest, n, r->rest.n);
}

static void skip_blanks(struct reading *r)
{
    size_t n = 0;

    while (n < r->rest.n && r->rest.p[n] == ' ')
        n++;
    advance(r, n);
}

static struct str word_at(struct str s)
{
    ssize_t n = str_chr(s, ' ');

    return n < 0 ? s : str_sub(s, 0, (size_t)n);
}

/* --- time --- */

static int month_of(struct str s)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12; i++)
        if (s.n >= 3 && memcmp(s.p, names + (size_t)i * 3, 3) == 0) return i + 1;
    return 0;
}

/* Two digits, the first of which may be a blank; -1: they are not. */
static int two(const char *p, bool blank)
{
    if (!is_digit(p[1]) || !(is_digit(p[0]) || (blank && p[0] == ' '))) return -1;
    return (p[0] == ' ' ? 0 : (p[0] - '0') * 10) + p[1] - '0';
}

/* December seen in January was last year, January seen in December is next year. */
static i64 year_for(int month, i64 now)
{
    struct civil today = civil_of_days(now / NS_PER_SEC / 86400);

    if (month == 12 && today.month == 1) return today.year - 1;
    if (month == 1 && today.month == 12) return today.year + 1;
    return today.year;
}

/* ".295" and the like; the bytes of it. */
static size_t fraction(struct str s, i64 *ret_ns)
{
    i64 unit = NS_PER_SEC, ns = 0;
    size_t n = 1;

    if (s.n < 2 || s.p[0] != '.' || !is_digit(s.p[1])) return 0;
    for (; n < s.n && is_digit(s.p[n]) && unit > 1; n++) {
        unit /= 10;
        ns += (s.p[n] - '0') * unit;
    }
    *ret_ns = ns;
    return n;
}

/* "Nov  8 19:46:03" (also "Nov 8", as some write it), with a fraction where Cisco's is expected. */
static bool read_stamp(struct reading *r)
{
    struct str s = r->rest;
    int month = month_of(s);
    size_t at = 4;
    i64 ns = 0;

    if (!month || s.n < 14 || s.p[3] != ' ') return false;
    bool short_day = is_digit(s.p[4]) && s.p[5] == ' ';
    int day = short_day ? s.p[4] - '0' : two(s.p + 4, true);
    at += short_day ? 1 : 2;
    if (s.n < at + 9 || s.p[at] != ' ' || s.p[at + 3] != ':' || s.p[at + 6] != ':') return false;
    int h = two(s.p + at + 1, false), m = two(s.p + at + 4, false), sec = two(s.p + at + 7, false);
    i64 year = year_for(month, r->conf->now);
    if (day < 1 || day > civil_month_days(2000, month) || h < 0 || h > 23 || m < 0 || m > 59 ||
        sec < 0 || sec > 60)
        return false;
    at += 9;
    if (r->conf->fractions) at += fraction(str_sub(s, at, s.n), &ns);
    r->m->time = (civil_days(year, month, day) * 86400 + h * 3600 + m * 60 + sec) * NS_PER_SEC + ns;
    r->m->has_time = r->m->no_year = true;
    advance(r, at);
    return true;
}

static bool read_rfc3339(struct reading *r)
{
    struct str word = word_at(r->rest);

    if (rfc3339_parse(word, &r->m->time) != 0) return false;
    r->m->has_time = true;
    advance(r, word.n);
    return true;
}

/* --- Cisco --- */

static bool cisco(const struct reading *r)
{
    return r->conf->counter || r->conf->sequence || r->conf->hostname || r->conf->fractions;
}

/* "WORD: ": the word. */
static bool read_component(struct reading *r, bool digits, struct str *ret)
{
    struct str word = word_at(r->rest);

    if (word.n < 2 || word.p[word.n - 1] != ':') return false;
    word.n--;
    for (size_t i = 0; digits && i < word.n; i++)
        if (!is_digit(word.p[i])) return false;
    if (!digits && word.p[0] == '%') return false;
    *ret = word;
    advance(r, word.n + 1);
    skip_blanks(r);
    return true;
}

/* "237: edge1: 000485: *", each as expected. */
static void read_components(struct reading *r)
{
    if (r->conf->counter) (void)read_component(r, true, &r->m->counter);
    if (r->conf->hostname && !is_digit(r->rest.n ? r->rest.p[0] : '0'))
        (void)read_component(r, false, &r->m->hostname);
    if (r->conf->sequence) (void)read_component(r, true, &r->m->sequence);
    if (r->conf->hostname && !r->m->hostname.p) (void)read_component(r, false, &r->m->hostname);
    /* The clock is not synchronised, or was not lately. */
    if (r->rest.n && (r->rest.p[0] == '*' || r->rest.p[0] == '.')) advance(r, 1);
}

/* " UTC:" and the like behind the time. */
static void skip_zone(struct reading *r)
{
    struct reading at = *r;

    skip_blanks(&at);
    struct str word = word_at(at.rest);
    if (word.n && word.p[word.n - 1] == ':' && word.p[0] != '%' && word.n <= 6) {
        *r = at;
        advance(r, word.n);
    }
}

/* --- host and tag --- */

static bool tag_ends(char c)
{
    return c == ':' || c == '[' || c == ' ' || c == ']';
}

/* "TAG[PID]: " or "TAG: " at s: the bytes of it; 0: there is none. */
static size_t tag(struct str s, struct str *ret_tag, struct str *ret_pid)
{
    size_t n = 0, end;
    struct str pid = {0};

    while (n < s.n && n <= TAG_MAX && (u8)s.p[n] > ' ' && (u8)s.p[n] < 0x7f && !tag_ends(s.p[n]))
        n++;
    if (n == 0 || n > TAG_MAX || n == s.n) return 0;
    end = n;
    if (s.p[n] == '[') {
        ssize_t close = str_chr(str_sub(s, n, s.n), ']');
        if (close < 0 || str_chr(str_sub(s, n, n + (size_t)close), ' ') >= 0) return 0;
        pid = str_sub(s, n + 1, n + (size_t)close);
        end = n + (size_t)close + 1;
    }
    if (end >= s.n || s.p[end] != ':' || (end + 1 < s.n && s.p[end + 1] != ' ')) return 0;
    *ret_tag = str_sub(s, 0, n);
    if (pid.n) *ret_pid = pid;
    return MIN(end + 2, s.n);
}

static void read_tag(struct reading *r)
{
    advance(r, tag(r->rest, &r->m->app_name, &r->m->proc_id));
}

/* A word that is a tag is no host: logger, nginx with nohostname and others leave the host out. */
static void read_host(struct reading *r)
{
    struct str t, pid, word = word_at(r->rest);

    if (r->m->hostname.p || word.n == 0 || word.n == r->rest.n || tag(r->rest, &t, &pid)) return;
    if (word.p[word.n - 1] == ':') return;
    if (!str_is(word, "-")) r->m->hostname = word;
    advance(r, word.n);
    skip_blanks(r);
}

static bool fault(struct reading *r, const char *what)
{
    r->m->fault = what;
    r->m->fault_at = (size_t)(r->rest.p - r->line.p);
    r->m->text = r->rest;
    return false;
}

bool syslog_parse_3164(struct str line, const struct syslog_3164 *conf, struct syslog_message *m)
{
    struct reading r = {.line = line, .rest = line, .conf = conf, .m = m};

    *m = (struct syslog_message){.pri = syslog_pri(&r.rest, PRI_MAX)};
    if (m->pri < 0) return fault(&r, "no priority between 0 and 191 in angle brackets");
    skip_blanks(&r);
    if (cisco(&r)) read_components(&r);
    if (!read_stamp(&r) && !read_rfc3339(&r)) {
        fault(&r, "no timestamp like \"Nov  8 19:46:03\" after the priority");
    } else {
        if (cisco(&r)) skip_zone(&r);
        if (r.rest.n && r.rest.p[0] == ':') advance(&r, 1); /* Cisco's */
        skip_blanks(&r);
        read_host(&r);
        read_tag(&r);
        m->text = r.rest;
    }
    if (m->text.n == 0) m->text = (struct str){0};
    return true;
}
