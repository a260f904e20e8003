/* Lines of StatsD. Source: statsd_exporter's tests and README, DogStatsD's datagram format. */
#include "components/prometheus/statsd/line.h"

#include <math.h>
#include "base/num.h"
#include "base/utf8.h"

#define COMPONENTS_MAX 6

void statsd_parser_init(struct statsd_parser *p, struct statsd_stats *stats)
{
    p->stats = stats;
    arena_init(&p->scratch, 4096);
}

void statsd_parser_done(struct statsd_parser *p)
{
    arena_done(&p->scratch);
}

/* --- names --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

size_t statsd_escape(struct str name, char *to)
{
    bool dash = false;
    size_t n = 0;

    if (name.n > 0 && is_digit(name.p[0])) to[n++] = '_';
    for (size_t i = 0; i < name.n;) {
        u32 c;
        size_t width = utf8_decode(str_sub(name, i, name.n), &c, NULL);
        if (is_name_char(name.p[i]))
            to[n++] = name.p[i];
        else if (c != '-' || !dash)
            to[n++] = '_';
        dash = c == '-';
        i += width;
    }
    return n;
}

/* A copy that lives as long as the line is looked at. */
static struct str escaped(struct statsd_parser *p, struct str name)
{
    char *to = arena_alloc(&p->scratch, name.n + 1);

    return str_n(to, statsd_escape(name, to));
}

/* --- tags --- */

enum { TAGS_OK = 0, TAGS_TOO_MANY = -1 };

static int set_label(struct statsd_parser *p, struct str name, struct str value)
{
    struct statsd_labels *l = &p->labels;

    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->v[i].name, name)) {
            l->v[i].value = value;
            return TAGS_OK;
        }
    if (l->n == STATSD_TAGS_MAX) return TAGS_TOO_MANY;
    l->v[l->n++] = (struct statsd_label){name, value};
    return TAGS_OK;
}

static int add_tag(struct statsd_parser *p, struct str tag, char sep)
{
    ssize_t at = str_chr(tag, sep);

    if (at > 0 && (size_t)at + 1 < tag.n)
        return set_label(p, escaped(p, str_n(tag.p, (size_t)at)),
                         str_sub(tag, (size_t)at + 1, tag.n));
    p->stats->tag_errors++;
    return TAGS_OK;
}

/* "a=b,c=d"; a comma at the end ends the list, one anywhere else an empty tag. */
static int add_tags(struct statsd_parser *p, struct str list, char sep, bool hashes)
{
    while (list.n > 0) {
        struct str tag = str_cut(&list, ',');
        if (hashes && tag.n > 0 && tag.p[0] == '#') tag = str_sub(tag, 1, tag.n);
        if (add_tag(p, tag, sep) != TAGS_OK) return TAGS_TOO_MANY;
    }
    return TAGS_OK;
}

/* The name without the tags that are written in it. */
static int split_name(struct statsd_parser *p, struct str *name)
{
    ssize_t open = p->signalfx ? str_chr(*name, '[') : -1;
    ssize_t close = p->signalfx ? str_chr(*name, ']') : -1;

    if (open >= 0 && close > open) {
        struct str tags = str_sub(*name, (size_t)open + 1, (size_t)close), whole = *name;
        char *to = arena_alloc(&p->scratch, whole.n);
        memcpy(to, whole.p, (size_t)open);
        memcpy(to + open, whole.p + close + 1, whole.n - (size_t)close - 1);
        *name = str_n(to, whole.n - (size_t)(close - open) - 1);
        return add_tags(p, tags, '=', false);
    }
    if (open >= 0 || close >= 0) { /* half of a pair, or the wrong way round */
        p->stats->tag_errors++;
        return TAGS_OK;
    }
    for (size_t i = 0; i < name->n; i++)
        if ((name->p[i] == '#' && p->librato) || (name->p[i] == ',' && p->influxdb)) {
            struct str tags = str_sub(*name, i + 1, name->n);
            *name = str_n(name->p, i);
            return add_tags(p, tags, '=', false);
        }
    return TAGS_OK;
}

/* --- samples --- */

/* What stands behind a value: "|TYPE|@factor|#tags...". */
struct shape {
    struct str type;
    f64 factor;
    int fault; /* enum statsd_sample_fault; -1: none */
};

static bool is_observer(struct str type)
{
    return str_is(type, "ms") || str_is(type, "h") || str_is(type, "d");
}

static int read_factor(struct statsd_parser *p, struct shape *s, struct str text)
{
    f64 factor = 0;

    if (num_parse_f64(text, &factor) != 0) {
        p->stats->sample_errors[STATSD_INVALID_SAMPLE_FACTOR]++; /* and goes on without */
        factor = 0;
    }
    s->factor = factor == 0 ? 1 : factor;
    return -1;
}

static int read_container(struct statsd_parser *p, struct str part)
{
    if (part.n <= 2 || part.p[1] != ':') return STATSD_MALFORMED_CONTAINER_ID;
    return set_label(p, STR("container_id"), str_sub(part, 2, part.n)) == TAGS_OK
               ? -1
               : STATSD_TOO_MANY_TAGS;
}

/* -1, or what is wrong. */
static int read_part(struct statsd_parser *p, struct shape *s, struct str part)
{
    struct str rest = str_sub(part, 1, part.n);

    switch (part.p[0]) {
    case '@': return read_factor(p, s, rest);
    case '#':
        return p->dogstatsd && add_tags(p, rest, ':', true) != TAGS_OK ? STATSD_TOO_MANY_TAGS : -1;
    case 'c': return read_container(p, part);
    case 'T': return -1; /* a scraped sample has the time of its scrape */
    }
    p->stats->sample_errors[STATSD_INVALID_SAMPLE_FACTOR]++; /* the sample is taken all the same */
    return -1;
}

/* text is what follows the value's '|'. */
static void read_shape(struct statsd_parser *p, struct str text, struct shape *s)
{
    struct str parts[COMPONENTS_MAX + 1];
    size_t n = 0;

    *s = (struct shape){.factor = 1, .fault = -1};
    while (text.p && n < COMPONENTS_MAX)
        parts[n++] = str_cut(&text, '|');
    if (n == 0 || n == COMPONENTS_MAX) s->fault = STATSD_MALFORMED_COMPONENT;
    for (size_t i = 1; i < n && s->fault < 0; i++)
        if (parts[i].n == 0) s->fault = STATSD_MALFORMED_COMPONENT;
    if (n > 0) s->type = parts[0];
    for (size_t i = 1; i < n && s->fault < 0; i++)
        s->fault = read_part(p, s, parts[i]);
}

static int fault_of(struct statsd_parser *p, int fault)
{
    p->stats->sample_errors[fault]++;
    return -1;
}

static int set_type(struct statsd_parser *p, struct str type, struct statsd_event *e)
{
    if (str_is(type, "c"))
        e->type = STATSD_COUNTER;
    else if (str_is(type, "g"))
        e->type = STATSD_GAUGE;
    else if (is_observer(type))
        e->type = STATSD_OBSERVER;
    else
        return fault_of(p, STATSD_ILLEGAL_EVENT); /* sets ("s") are among them */
    return 0;
}

/* -1: it is nothing, or counted as a fault. */
static int read_sample(struct statsd_parser *p, struct str value, const struct shape *s,
                       struct statsd_event *e)
{
    p->stats->samples++;
    if (s->fault == STATSD_MALFORMED_COMPONENT) return fault_of(p, s->fault);
    e->relative = value.n > 0 && (value.p[0] == '+' || value.p[0] == '-');
    e->times = 1;
    if (num_parse_f64(value, &e->value) != 0) return fault_of(p, STATSD_MALFORMED_VALUE);
    if (s->fault >= 0) return fault_of(p, s->fault);
    if (p->labels.n > 0) p->stats->tags++;
    if (set_type(p, s->type, e) < 0) return -1;
    if (e->type == STATSD_COUNTER) e->value /= s->factor;
    if (str_is(s->type, "ms")) e->value /= 1000;
    if (e->type != STATSD_OBSERVER) return 0;
    f64 times = 1 / s->factor;
    e->times = times >= 1 && times < 1e15 ? (u64)times : 0; /* NaN, negative: none */
    return e->times > 0 ? 0 : -1;
}

/* --- lines --- */

struct reading {
    struct statsd_parser *p;
    struct str name;
    void (*event)(void *arg, const struct statsd_event *e);
    void *arg;
};

static void take(const struct reading *r, struct str value, const struct shape *s)
{
    struct statsd_event e = {.name = r->name, .labels = &r->p->labels};

    if (read_sample(r->p, value, s, &e) == 0) r->event(r->arg, &e);
}

/* "VALUE|TYPE|..." */
static void take_one(const struct reading *r, struct str text)
{
    struct str value = str_cut(&text, '|');
    struct shape s;

    read_shape(r->p, text, &s);
    take(r, value, &s);
}

/* DogStatsD packs values: "1:2:3|ms|#tags". Each is a sample with all that follows. */
static void take_packed(const struct reading *r, struct str values, struct str rest)
{
    struct shape s;

    read_shape(r->p, rest, &s);
    while (values.p)
        take(r, str_cut(&values, ':'), &s);
}

static void take_samples(const struct reading *r, struct str text)
{
    struct str rest = text, values = str_cut(&rest, '|'), after = rest, type = str_cut(&after, '|');

    if (!rest.p)
        (void)fault_of(r->p, STATSD_NOT_ENOUGH_PARTS);
    else if (str_chr(values, ':') >= 0 && !is_observer(type))
        (void)fault_of(r->p, STATSD_INVALID_AGGREGATE);
    else if (str_chr(values, ':') >= 0)
        take_packed(r, values, rest);
    else if (str_find(text, STR("|#")) >= 0)
        take_one(r, text);
    else
        while (text.p)
            take_one(r, str_cut(&text, ':'));
}

void statsd_line(struct statsd_parser *p, struct str line,
                 void (*event)(void *arg, const struct statsd_event *e), void *arg)
{
    struct str rest = line, name = str_cut(&rest, ':');

    if (line.n == 0) return;
    arena_rewind(&p->scratch);
    p->labels.n = 0;
    if (!rest.p || name.n == 0 || !utf8_valid(line))
        (void)fault_of(p, STATSD_MALFORMED_LINE);
    else if (split_name(p, &name) != TAGS_OK)
        (void)fault_of(p, STATSD_TOO_MANY_TAGS);
    else if (p->labels.n > 0 && str_find(rest, STR("|#")) >= 0)
        (void)fault_of(p, STATSD_MIXED_TAGGING_STYLES);
    else
        take_samples(&(struct reading){p, name, event, arg}, rest);
}
