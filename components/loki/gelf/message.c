/* GELF messages. */
#include "components/loki/gelf/message.h"

#include <errno.h>
#include <math.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/num.h"

/* What the description names, in the order in which Alloy writes it. */
enum field { VERSION, HOST, SHORT, FULL, TIME, LEVEL, FACILITY, FIELDS };
static const char *const names[FIELDS] = {"version",   "host",  "short_message", "full_message",
                                          "timestamp", "level", "facility"};

struct member {
    struct str raw; /* the value as it was written; .p NULL: absent */
    enum json_type type;
    struct str text;
};

const char *gelf_level_name(i64 level)
{
    static const char *const levels[] = {"emergency", "alert",  "critical",      "error",
                                         "warning",   "notice", "informational", "debug"};

    return level < 0 || level >= (i64)ARRAY_LEN(levels) ? "" : levels[level];
}

/* --- compression --- */

static enum codec codec_of(struct str s)
{
    const u8 *p = (const u8 *)s.p;

    if (s.n >= 2 && p[0] == 0x1f && p[1] == 0x8b) return CODEC_GZIP;
    if (s.n >= 2 && (p[0] & 15) == 8 && ((p[0] << 8) | p[1]) % 31 == 0) return CODEC_ZLIB;
    return CODEC_NONE;
}

int gelf_unpack(struct str payload, struct buf *plain, struct str *ret, const char **ret_why)
{
    enum codec codec = codec_of(payload);

    *ret = payload;
    if (codec == CODEC_NONE) return 0;
    buf_reset(plain);
    int r = codec_decompress(codec, payload, GELF_PLAIN_MAX, plain, ret_why);
    *ret = buf_view(plain);
    return r;
}

/* --- JSON --- */

static int fail(const char **ret_why, const char *why)
{
    *ret_why = why;
    return -EBADMSG;
}

static enum field field_of(struct str key)
{
    enum field f = 0;

    while (f < FIELDS && !str_is(key, names[f]))
        f++;
    return f;
}

/* The value that comes next, as it is written. */
static bool take_value(struct json_in *j, struct member *m)
{
    struct json_in at = *j;
    const char *start = j->p;

    while (start < j->end && strchr(" \t\r\n", *start) && *start)
        start++;
    m->type = json_value(&at);
    m->text = at.raw;
    if (m->type == JSON_ERROR || json_skip(j) < 0) return false;
    m->raw = str_n(start, (size_t)(j->p - start));
    return true;
}

static void add_member(struct buf *line, struct str raw_key, struct str raw)
{
    buf_cstr(line, line->n && line->p[line->n - 1] != '{' ? ",\"" : "\"");
    buf_str(line, raw_key);
    buf_cstr(line, "\":");
    buf_str(line, raw);
}

/* Level and time may be written as texts. */
static bool number_of(const struct member *m, f64 *ret)
{
    return m->raw.p && (m->type == JSON_NUMBER || m->type == JSON_STRING) &&
           num_parse_f64(m->text, ret) == 0;
}

static struct str text_of(const struct member *m)
{
    return m->raw.p && m->type == JSON_STRING ? m->text : STR("");
}

/* Seconds as they are written: a double has no room for nanoseconds. */
static bool time_of(const struct member *m, i64 *ret)
{
    struct str s = m->text, whole = str_cut(&s, '.');
    i64 seconds, ns = 0, unit = NS_PER_SEC;
    f64 v;

    if (!number_of(m, &v) || v <= 0 || v > 9e9) return false;
    if (num_parse_i64(whole, &seconds) != 0 || str_chr(s, 'e') >= 0 || str_chr(s, 'E') >= 0) {
        *ret = (i64)(v * NS_PER_SEC);
        return true;
    }
    for (size_t i = 0; i < s.n && unit > 1; i++) {
        unit /= 10;
        ns += (s.p[i] - '0') * unit;
    }
    *ret = seconds * NS_PER_SEC + ns;
    return true;
}

static int read_object(struct json_in *j, struct member *known, struct buf *others)
{
    struct str key;
    bool first = true;

    if (json_value(j) != JSON_OBJ) return -EBADMSG;
    while (json_next_key(j, &key, &first)) {
        struct member m = {0};
        enum field f = field_of(key);
        if (!take_value(j, &m)) return -EBADMSG;
        if (f < FIELDS)
            known[f] = m;
        else
            add_member(others, key, m.raw);
    }
    return j->err || json_value(j) != JSON_END ? -EBADMSG : 0;
}

int gelf_parse(struct str text, struct arena *scratch, struct gelf_message *ret, struct buf *line,
               const char **ret_why)
{
    struct member known[FIELDS] = {0};
    struct buf others = BUF_INIT(line->max);
    struct json_in j;
    f64 level = 0;

    json_in_init(&j, text, scratch);
    int r = read_object(&j, known, &others);
    buf_ch(line, '{');
    for (enum field f = 0; f < FIELDS; f++)
        if (known[f].raw.p) add_member(line, str_of(names[f]), known[f].raw);
    if (others.n) buf_ch(line, line->p && line->n > 1 ? ',' : ' ');
    buf_str(line, buf_view(&others));
    buf_ch(line, '}');
    buf_done(&others);
    if (r < 0) return fail(ret_why, j.err ? j.err : "the message is no JSON object");
    if (buf_err(line)) return fail(ret_why, "the message is too large");
    *ret = (struct gelf_message){.host = text_of(&known[HOST]),
                                 .version = text_of(&known[VERSION]),
                                 .facility = text_of(&known[FACILITY])};
    if (number_of(&known[LEVEL], &level)) ret->level = level >= 0 && level < 256 ? (i64)level : -1;
    ret->has_time = time_of(&known[TIME], &ret->time);
    return 0;
}
