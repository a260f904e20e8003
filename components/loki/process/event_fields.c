/* Keys are made names as Prometheus' tools do it: what may not stand in one becomes _. */
#include "components/loki/process/event_fields.h"

#include "base/utf8.h"

const struct row event_rows[3] = {
    ATTR(struct event_args, source, .doc = "Extracted value that holds the message.",
         .def = "\"message\""),
    ATTR(struct event_args, drop_invalid_labels,
         .doc = "Leave out fields whose name cannot be a label's, instead of changing the name."),
    ATTR(struct event_args, overwrite_existing,
         .doc = "Replace extracted values of the same name, instead of appending _extracted."),
};

enum stage_result event_message(struct entry *e, const struct event_args *a, struct str *ret)
{
    const struct ex_value *v = ex_get(e->extracted, a->source);

    *ret = (struct str){0};
    if (!v) return STAGE_PASS;
    if (!ex_string(v, e->scratch, ret)) return STAGE_DROP;
    if (!ret->p) *ret = STR("");
    return STAGE_PASS;
}

static bool name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c >= '0' && c <= '9' && !first);
}

/* One _ for each character that is none of a name. */
static struct str make_name(struct str key, struct arena *a)
{
    char *out = arena_alloc(a, key.n + 2);
    size_t n = 0;
    u32 c;

    for (size_t at = 0; at < key.n;) {
        size_t width = utf8_decode(str_sub(key, at, key.n), &c, NULL);

        out[n++] = name_char(key.p[at], at == 0) ? key.p[at] : '_';
        at += width;
    }
    if (key.n == 0) out[n++] = '_';
    return str_n(out, n);
}

static struct str join(struct arena *a, struct str x, struct str y)
{
    char *out = arena_alloc(a, x.n + y.n + 1);

    memcpy(out, x.p, x.n);
    memcpy(out + x.n, y.p, y.n);
    return str_n(out, x.n + y.n);
}

void event_put(struct entry *e, const struct event_args *a, struct str key, bool valid,
               struct str value)
{
    if (!valid && a->drop_invalid_labels) return;
    if (!valid) key = make_name(key, e->scratch);
    if (!a->overwrite_existing && ex_get(e->extracted, key))
        key = join(e->scratch, key, STR("_extracted"));
    if (utf8_valid(value)) ex_put_str(e->extracted, key, value);
}

struct str event_cut(struct str *s, struct str sep, bool *more)
{
    ssize_t at = str_find(*s, sep);
    struct str head = at < 0 ? *s : str_sub(*s, 0, (size_t)at);

    *more = at >= 0;
    *s = at < 0 ? (struct str){0} : str_sub(*s, (size_t)at + sep.n, s->n);
    return head;
}

struct str event_trim(struct str s)
{
    u32 c;

    while (s.n) {
        size_t width = utf8_decode(s, &c, NULL);

        if (!utf8_is_space(c)) break;
        s = str_sub(s, width, s.n);
    }
    while (s.n) {
        size_t at = s.n - 1;

        while (at && ((u8)s.p[at] & 0xC0) == 0x80)
            at--;
        utf8_decode(str_sub(s, at, s.n), &c, NULL);
        if (!utf8_is_space(c)) break;
        s = str_sub(s, 0, at);
    }
    return s;
}
