/* See family_record.h. */
#include "components/prometheus/remote_write/family_record.h"

#include <errno.h>
#include "base/hash.h"
#include "telemetry/pb.h"

#define HEAD 8u

/* --- writing --- */

static void put32(char *to, u32 v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (char)(v >> (8 * i));
}

static void add_text(struct buf *b, struct str s)
{
    pb_add_varint(b, s.n);
    buf_str(b, s);
}

void family_record_add(struct buf *out, const struct metric_meta *m)
{
    size_t at = out->n;

    buf_add(out, "\0\0\0\0\0\0\0", HEAD);
    pb_add_varint(out, m->type);
    add_text(out, m->family);
    add_text(out, m->help);
    add_text(out, m->unit);
    if (buf_err(out)) return;
    put32(out->p + at, (u32)(out->n - at - HEAD));
    put32(out->p + at + 4, crc32c(0, out->p + at + HEAD, out->n - at - HEAD));
}

/* --- reading --- */

static u32 get32(const char *p)
{
    u32 v = 0;

    for (int i = 0; i < 4; i++)
        v |= (u32)(u8)p[i] << (8 * i);
    return v;
}

static const char *get_text(const char *p, const char *end, struct str *ret)
{
    size_t n = 0;

    if (!p || !(p = pb_len(p, end, &n))) return NULL;
    *ret = str_n(p, n);
    return p + n;
}

static bool parse(struct str body, struct metric_meta *ret)
{
    const char *end = body.p + body.n;
    u64 type = 0;
    const char *p = pb_varint(body.p, end, &type);

    p = get_text(p, end, &ret->family);
    p = get_text(p, end, &ret->help);
    p = get_text(p, end, &ret->unit);
    ret->type = (enum metric_type)type;
    return p == end && type <= TYPE_STATESET && ret->family.n;
}

int family_record_next(struct str *text, struct metric_meta *ret)
{
    struct str all = *text;
    size_t left = all.n < HEAD ? 0 : all.n - HEAD;
    u32 n = all.n < HEAD ? UINT32_MAX : get32(all.p);

    if (!all.n) return 0;
    if (n > left) {
        *text = STR("");
        return -EBADMSG;
    }
    struct str body = str_n(all.p + HEAD, n);
    *text = str_sub(all, HEAD + n, all.n);
    return crc32c(0, body.p, body.n) == get32(all.p + 4) && parse(body, ret) ? 1 : -EBADMSG;
}

/* --- which series --- */

#define T(t) (1u << TYPE_##t)
static const struct {
    const char *end;
    u32 types;
} ends[] = {
    {"_bucket", T(HISTOGRAM) | T(GAUGEHISTOGRAM)},
    {"_count", T(HISTOGRAM) | T(GAUGEHISTOGRAM) | T(SUMMARY)},
    {"_sum", T(HISTOGRAM) | T(GAUGEHISTOGRAM) | T(SUMMARY)},
    {"_gcount", T(GAUGEHISTOGRAM)},
    {"_gsum", T(GAUGEHISTOGRAM)},
    {"_total", T(COUNTER)},
    {"_created", T(COUNTER) | T(HISTOGRAM) | T(SUMMARY)},
    {"_info", T(INFO)},
};
#undef T

bool family_has(const struct metric_meta *m, struct str series)
{
    size_t n = m->family.n;

    if (!str_starts(series, m->family)) return false;
    if (series.n == n) return true;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (ends[i].types >> m->type & 1 && str_is(str_sub(series, n, series.n), ends[i].end))
            return true;
    return false;
}
