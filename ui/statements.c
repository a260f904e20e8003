/* Arguments, exports and debug info for people: the API's JSON read back and laid out as tables, so
 * that what may be shown is decided in one place. The JSON is our own; it is read without trust all
 * the same. */
#include "base/json.h"
#include "ui/html.h"

#define ITEMS_MAX 100  /* of a list; the rest is counted. The JSON has them all */
#define TEXT_MAX  4096 /* bytes of one text */

struct reader {
    struct json_in in;
    struct buf *b;
};

static void value(struct reader *r);
static void body(struct reader *r);

/* ---- values: {"type":T,"value":X} ---- */

static void text(struct reader *r, struct str s)
{
    html_text(r->b, str_sub(s, 0, MIN(s.n, (size_t)TEXT_MAX)));
    if (s.n > TEXT_MAX) buf_printf(r->b, "<i>… %zu bytes more</i>", s.n - TEXT_MAX);
}

static void more(struct reader *r, size_t n)
{
    if (n > ITEMS_MAX) buf_printf(r->b, "<li><i>and %zu more</i></li>", n - ITEMS_MAX);
}

/* Goes through the rest of a list without showing it. */
static void skip_items(struct reader *r, size_t *n, bool *first)
{
    while (json_next_elem(&r->in, first) && json_skip(&r->in) == 0)
        ++*n;
}

static void list(struct reader *r)
{
    size_t n = 0;
    bool first = true;
    buf_cstr(r->b, "<ul>");
    while (n < ITEMS_MAX && json_next_elem(&r->in, &first)) {
        buf_cstr(r->b, "<li>");
        value(r);
        buf_cstr(r->b, "</li>");
        n++;
    }
    if (n == ITEMS_MAX) skip_items(r, &n, &first);
    more(r, n);
    buf_cstr(r->b, n ? "</ul>" : "<li><i>empty</i></li></ul>");
}

/* {"key":K,"value":V} */
static void member(struct reader *r)
{
    struct str key;
    bool first = true;
    if (json_value(&r->in) != JSON_OBJ) return;
    buf_cstr(r->b, "<tr>");
    while (json_next_key(&r->in, &key, &first))
        if (str_is(key, "key") && json_value(&r->in) == JSON_STRING) {
            buf_cstr(r->b, "<th scope=\"row\">");
            text(r, r->in.raw);
            buf_cstr(r->b, "</th><td>");
        } else if (str_is(key, "value")) {
            value(r);
        }
    buf_cstr(r->b, "</td></tr>");
}

static void object(struct reader *r)
{
    size_t n = 0;
    bool first = true;
    buf_cstr(r->b, "<table class=\"object\">");
    for (; json_next_elem(&r->in, &first); n++)
        member(r);
    buf_cstr(r->b, n ? "</table>" : "<tr><td><i>empty</i></td></tr></table>");
}

static void scalar(struct reader *r, enum json_type t, struct str type)
{
    bool quoted = str_is(type, "string");
    buf_cstr(r->b, quoted ? "<code class=\"string\">&quot;" : "<code>");
    if (t == JSON_NULL)
        buf_cstr(r->b, "null");
    else
        text(r, r->in.raw);
    buf_cstr(r->b, quoted ? "&quot;</code>" : "</code>");
}

static void value(struct reader *r)
{
    struct str key, type = {0};
    bool first = true;
    if (json_value(&r->in) != JSON_OBJ) return;
    while (json_next_key(&r->in, &key, &first)) {
        enum json_type t = json_value(&r->in);
        if (str_is(key, "type"))
            type = r->in.raw;
        else if (t == JSON_ARR && str_is(type, "object"))
            object(r);
        else if (t == JSON_ARR)
            list(r);
        else
            scalar(r, t, type);
    }
}

/* ---- statements ---- */

struct statement {
    struct str name, label;
    bool opened;
};

static void open_row(struct reader *r, struct statement *s, bool block)
{
    buf_cstr(r->b, "<tr><th scope=\"row\"><code>");
    text(r, s->name);
    if (s->label.n > 0) {
        buf_cstr(r->b, " &quot;");
        text(r, s->label);
        buf_cstr(r->b, "&quot;");
    }
    buf_cstr(r->b, block ? "</code></th><td class=\"block\">" : "</code></th><td>");
    s->opened = true;
}

static void statement(struct reader *r)
{
    struct statement s = {0};
    struct str key;
    bool first = true;
    if (json_value(&r->in) != JSON_OBJ) return;
    while (json_next_key(&r->in, &key, &first)) {
        bool is_body = str_is(key, "body");
        if (is_body || str_is(key, "value")) {
            open_row(r, &s, is_body);
            is_body ? body(r) : value(r);
        } else if (json_value(&r->in) == JSON_STRING) {
            if (str_is(key, "name")) s.name = r->in.raw;
            if (str_is(key, "label")) s.label = r->in.raw;
        }
    }
    if (s.opened) buf_cstr(r->b, "</td></tr>\n");
}

static void body(struct reader *r)
{
    size_t n = 0;
    bool first = true;
    if (json_value(&r->in) != JSON_ARR) return;
    size_t start = r->b->n;
    buf_cstr(r->b, "<table class=\"body\">");
    for (; json_next_elem(&r->in, &first); n++)
        statement(r);
    buf_cstr(r->b, "</table>");
    if (n > 0 || buf_err(r->b)) return;
    buf_truncate(r->b, start);
    buf_cstr(r->b, "<p class=\"none\">nothing</p>");
}

void html_statements(struct buf *b, struct str json)
{
    struct arena scratch;
    struct reader r = {.b = b};
    arena_init(&scratch, 0);
    json_in_init(&r.in, json, &scratch);
    body(&r);
    arena_done(&scratch);
}
