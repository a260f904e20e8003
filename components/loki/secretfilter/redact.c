/* Every place of a secret in the line is replaced, also those that no rule saw. Places that overlap
 * are replaced one after the other, so that no part of a secret stays. */
#include <math.h>
#include <stdlib.h>
#include "base/digest.h"
#include "components/loki/secretfilter/rules.h"

/* Secrets that are looked for elsewhere in the line. A line with more of them is no log line any
 * more; of those, the places that were found. */
#define MOST_SOUGHT 64

typedef VEC(struct finding) places;

static void add_place(places *p, const struct finding *f, size_t from)
{
    vec_push(p, ((struct finding){f->rule, from, from + (f->to - f->from)}));
}

static void find_places(struct str line, const struct finding *f, places *p)
{
    struct str secret = str_sub(line, f->from, f->to);
    ssize_t at;

    for (size_t from = 0; from < line.n; from = (size_t)at + secret.n) {
        at = str_find(str_sub(line, from, line.n), secret);
        if (at < 0) return;
        at += (ssize_t)from;
        if ((size_t)at != f->from) add_place(p, f, (size_t)at);
    }
}

/* The first that begins at a place wins it, and of those the longest. */
static int by_place(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;

    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    if (x->to != y->to) return x->to > y->to ? -1 : 1;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static void put_hash(struct buf *b, struct str secret)
{
    u8 sum[20];

    sha1(secret.p, secret.n, sum);
    hex_encode(b, sum, sizeof(sum));
}

static void put_template(struct buf *b, struct str with, struct str name, struct str secret)
{
    static const struct str name_mark = {"$SECRET_NAME", 12}, hash_mark = {"$SECRET_HASH", 12};

    while (with.n) {
        if (str_starts(with, name_mark))
            buf_str(b, name);
        else if (str_starts(with, hash_mark))
            put_hash(b, secret);
        else
            buf_ch(b, with.p[0]);
        bool mark = str_starts(with, name_mark) || str_starts(with, hash_mark);
        with = str_sub(with, mark ? name_mark.n : 1, with.n);
    }
}

/* The beginning stays, and dots for the rest. */
static void put_percent(struct buf *b, i64 percent, struct str secret)
{
    if (percent >= 100) {
        buf_cstr(b, "REDACTED");
        return;
    }
    buf_str(b, str_sub(secret, 0, (size_t)rint((f64)secret.n * (f64)(100 - percent) / 100)));
    buf_cstr(b, "...");
}

static void put_replacement(const struct redaction *how, const struct detector *d,
                            struct str secret, u32 rule, struct buf *b)
{
    if (how->with.n)
        put_template(b, how->with, detector_rule_id(d, rule), secret);
    else
        put_percent(b, how->percent, secret);
}

void redact(const struct redaction *how, const struct detector *d, struct str line,
            const struct search_state *st, struct buf *out)
{
    places p = {0};
    size_t done = 0;

    for (size_t i = 0; i < st->found.n; i++) {
        add_place(&p, &st->found.v[i], st->found.v[i].from);
        if (i < MOST_SOUGHT) find_places(line, &st->found.v[i], &p);
    }
    if (p.n) qsort(p.v, p.n, sizeof(*p.v), by_place);
    vec_each (&p, f) {
        if (f->to <= done) continue;
        bool overlaps = f->from < done;
        if (!overlaps) buf_str(out, str_sub(line, done, f->from));
        /* what is left of one that overlaps shows nothing of itself */
        if (overlaps)
            buf_cstr(out, "...");
        else
            put_replacement(how, d, str_sub(line, f->from, f->to), f->rule, out);
        done = f->to;
    }
    buf_str(out, str_sub(line, done, line.n));
    vec_done(&p);
}
