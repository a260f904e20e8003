/* Reading Loki's push request from JSON: {"streams": [{"stream": {...}, "values": [["<ns>", "line",
 * {...}]]}]}. The place of a stream's values is noted and read once its labels are known, whatever
 * their order. */
#include "telemetry/loki_push.h"

#include <errno.h>
#include <stdlib.h>
#include "base/json.h"
#include "base/num.h"
#include "base/xalloc.h"

struct pairs {
    struct label *v;
    u32 n, cap;
};
struct reading {
    const struct loki_push_reader *r;
    struct pairs labels, meta;
    int err;      /* what ends the reading */
    char *broken; /* with -EBADMSG */
    char *refused;
};

static int broken(struct reading *d, const struct json_in *j, const char *what)
{
    if (d->err) return d->err;
    d->err = -EBADMSG;
    d->broken = xprintf("the push request is broken at byte %zu: %s", json_offset(j),
                        j->err ? j->err : what);
    return d->err;
}

static int pair_add(struct reading *d, const struct json_in *j, struct pairs *to, struct label pair)
{
    if (to->n == LOKI_PUSH_MAX_META) return broken(d, j, "more than 4096 names in one object");
    if (to->n == to->cap) {
        to->cap = to->cap ? to->cap * 2 : 8;
        to->v = xrealloc(to->v, to->cap * sizeof(*to->v));
    }
    to->v[to->n++] = pair;
    return 0;
}

/* A member's name with its escapes resolved: it stands between two quotes. */
static struct str name_of(const struct json_in *j, struct str raw)
{
    struct json_in name;

    json_in_init(&name, str_n(raw.p - 1, raw.n + 2), j->scratch);
    return json_value(&name) == JSON_STRING ? name.raw : raw;
}

/* {"name": "value", ...}; `lax`: numbers and booleans are taken as they are written, as Loki does
 * for labels. */
static int read_pairs(struct reading *d, struct json_in *j, struct pairs *to, bool lax)
{
    bool first = true;
    struct str key;

    to->n = 0;
    if (json_value(j) != JSON_OBJ) return broken(d, j, "an object of names and texts is expected");
    while (!d->err && json_next_key(j, &key, &first)) {
        enum json_type type = json_value(j);
        if (type != JSON_STRING && !(lax && (type == JSON_NUMBER || type == JSON_BOOL)))
            return broken(d, j, "a text in quotes is expected");
        pair_add(d, j, to, (struct label){name_of(j, key), j->raw});
    }
    return j->err ? broken(d, j, j->err) : d->err;
}

static int read_text(struct reading *d, struct json_in *j, bool *first, struct str *ret)
{
    if (!json_next_elem(j, first) || json_value(j) != JSON_STRING)
        return broken(d, j, "an entry is [\"<nanoseconds>\", \"<line>\"], both in quotes");
    *ret = j->raw;
    return 0;
}

/* ["<ns>", "line", {metadata}]; what follows is passed over. */
static int read_value(struct reading *d, struct json_in *j, void *stream)
{
    bool first = true;
    struct log_entry e = {0};
    struct str time;

    d->meta.n = 0;
    if (json_value(j) != JSON_ARR) return broken(d, j, "an entry is a list");
    if (read_text(d, j, &first, &time) || read_text(d, j, &first, &e.line)) return d->err;
    if (num_parse_i64(time, &e.time)) return broken(d, j, "the time is no number of nanoseconds");
    for (int i = 0; !j->err && json_next_elem(j, &first); i++)
        if (i > 0)
            json_skip(j);
        else if (read_pairs(d, j, &d->meta, false))
            return d->err;
    if (j->err) return broken(d, j, j->err);
    e.meta = d->meta.v;
    e.n_meta = d->meta.n;
    return stream ? d->r->entry(d->r->arg, stream, &e) : 0;
}

/* j stands at the list of a stream's values. */
static int read_values(struct reading *d, struct json_in *j, void *stream)
{
    bool first = true;

    if (json_value(j) != JSON_ARR) return broken(d, j, "values is a list of entries");
    while (!d->err && json_next_elem(j, &first)) {
        int err = read_value(d, j, stream);
        if (!d->err) d->err = err;
    }
    return j->err ? broken(d, j, j->err) : d->err;
}

static void *open_stream(struct reading *d)
{
    char *why = NULL;
    void *stream = d->r->stream_of(d->r->arg, d->labels.v, d->labels.n, &why);

    if (stream) return stream;
    free(d->refused);
    d->refused = why ? why : xstrdup("a stream was refused");
    return NULL;
}

/* Notes where the values are, and reads the labels. */
static int find_parts(struct reading *d, struct json_in *j, struct json_in *ret_values)
{
    bool first = true;
    struct str key;

    if (json_value(j) != JSON_OBJ) return broken(d, j, "a stream is an object");
    while (!d->err && json_next_key(j, &key, &first)) {
        if (str_is(key, "stream")) {
            read_pairs(d, j, &d->labels, true);
            continue;
        }
        if (str_is(key, "values")) *ret_values = *j;
        json_skip(j);
    }
    return j->err ? broken(d, j, j->err) : d->err;
}

static int read_stream(struct reading *d, struct json_in *j)
{
    struct json_in values = {0};

    d->labels.n = 0;
    if (find_parts(d, j, &values)) return d->err;
    void *stream = open_stream(d);
    return values.p ? read_values(d, &values, stream) : 0;
}

static int read_streams(struct reading *d, struct json_in *j)
{
    bool first = true;

    if (json_value(j) != JSON_ARR) return broken(d, j, "streams is a list");
    while (!d->err && json_next_elem(j, &first))
        read_stream(d, j);
    return j->err ? broken(d, j, j->err) : d->err;
}

static int read_body(struct reading *d, struct json_in *j)
{
    bool first = true;
    struct str key;

    if (json_value(j) != JSON_OBJ) return broken(d, j, "an object with streams is expected");
    while (!d->err && json_next_key(j, &key, &first)) {
        if (str_is(key, "streams"))
            read_streams(d, j);
        else
            json_skip(j);
    }
    if (j->err) return broken(d, j, j->err);
    if (d->err) return d->err;
    return json_value(j) == JSON_END ? 0 : broken(d, j, "something follows the request");
}

int loki_push_read_json(struct str body, struct arena *scratch, const struct loki_push_reader *r,
                        char **ret_err)
{
    struct reading d = {.r = r};
    struct json_in j;

    json_in_init(&j, body, scratch);
    int err = read_body(&d, &j);
    if (!err && d.refused) {
        err = -EINVAL;
        *ret_err = d.refused;
        d.refused = NULL;
    }
    if (d.broken) *ret_err = d.broken;
    free(d.refused);
    free(d.labels.v);
    free(d.meta.v);
    return err;
}
