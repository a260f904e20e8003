/* stage.windowsevent: sections of a Windows event's message become extracted values: the first is
 * its description, the others hold `Key: value` lines, maybe under a title that becomes a prefix.
 */
#include "base/utf8.h"
#include "components/loki/process/event_fields.h"

const struct schema windowsevent_stage_schema = SCHEMA(struct event_args, event_rows);

/* Without the characters of `drop`. */
static struct str without(struct str s, const char *drop, struct arena *a)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        if (!s.p[i] || !strchr(drop, s.p[i])) out[n++] = s.p[i];
    return str_n(out, n);
}

static void put(struct entry *e, const struct event_args *args, struct str key, struct str value)
{
    key = without(key, "\t\r\n ", e->scratch);
    value = event_trim(without(value, "\t\r\n", e->scratch));
    event_put(e, args, key, key.n > 0 && utf8_valid(key), value);
}

/* The lines of a section that are still to come. */
struct section {
    struct str rest;
    bool more;
    struct str prefix;
    struct arena *a;
};

/* Lines that follow and are no field belong to the value, joined by commas. */
static struct str whole_value(struct section *s, struct str value)
{
    struct buf b = BUF_INIT(value.n + s->rest.n + 2);

    buf_str(&b, value);
    while (s->more) {
        struct str after = s->rest, line;
        bool more;

        line = event_cut(&after, STR("\r\n"), &more);
        if (line.n == 0 || str_chr(line, ':') >= 0) break;
        buf_ch(&b, ',');
        buf_str(&b, line);
        s->rest = after;
        s->more = more;
    }
    if (b.n > value.n) value = arena_str(s->a, buf_view(&b));
    buf_done(&b);
    return value;
}

static struct str prefixed(struct section *s, struct str key)
{
    if (s->prefix.n == 0) return key;
    return str_of(arena_printf(s->a, STR_FMT "_" STR_FMT, STR_ARG(s->prefix), STR_ARG(key)));
}

static void read_section(struct entry *e, const struct event_args *args, struct str text)
{
    struct section s = {.rest = text, .more = true, .a = e->scratch};

    for (bool first = true, field; s.more; first = false) {
        struct str value = event_cut(&s.rest, STR("\r\n"), &s.more),
                   key = event_cut(&value, STR(":"), &field);

        if (field && value.n == 0 && first) s.prefix = key;
        if (!field || value.n == 0) continue;
        value = whole_value(&s, value);
        put(e, args, prefixed(&s, key), value);
    }
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct event_args *args = r->plan;
    struct str message;
    enum stage_result result = event_message(e, args, &message);
    bool more;

    if (!message.p) return result;
    put(e, args, STR("Description"), event_cut(&message, STR("\r\n\r\n"), &more));
    while (more)
        read_section(e, args, event_cut(&message, STR("\r\n\r\n"), &more));
    return result;
}

const struct stage_ops windowsevent_stage = {.run = run};
