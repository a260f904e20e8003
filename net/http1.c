/* http-parser's callbacks collect the head in one text and marks into it, so that a head cut into
 * any pieces costs no allocation per header. The parser is told to skip bodies with a length (they
 * are read straight into their blob) and paused at each end. */
#include "net/http1.h"

#define PARSER_LIMIT                                                                               \
    (8u * 1024 * 1024) /* above any max_header_bytes; http-parser counts chunk heads and trailers  \
                          with it too */
#define KEEP_TEXT   ((size_t)8 * 1024)
#define MAX_HEADERS 1000

static struct http1_head *head_of(http_parser *p)
{
    return p->data;
}

static void add_text(struct http1_head *h, struct http1_span *s, const char *p, size_t n)
{
    if (s->n == 0) s->at = h->text.n;
    buf_add(&h->text, p, n);
    s->n += n;
}

static int on_begin(http_parser *p)
{
    head_of(p)->started = true;
    return 0;
}

static int on_url(http_parser *p, const char *at, size_t n)
{
    add_text(head_of(p), &head_of(p)->target, at, n);
    return buf_err(&head_of(p)->text);
}

/* Fields after the head are trailers of a chunked body: read over, not kept. */
static int on_field(http_parser *p, const char *at, size_t n)
{
    struct http1_head *h = head_of(p);

    if (h->complete) return 0;
    if (h->marks.n == 0 || h->in_value) {
        if (h->marks.n == MAX_HEADERS) {
            h->bytes = SIZE_MAX / 2; /* told as too big */
            return 1;
        }
        vec_push(&h->marks, (struct http1_mark){0});
    }
    h->in_value = false;
    add_text(h, &vec_last(&h->marks).name, at, n);
    return buf_err(&h->text);
}

static int on_value(http_parser *p, const char *at, size_t n)
{
    struct http1_head *h = head_of(p);

    if (h->complete) return 0;
    h->in_value = true;
    add_text(h, &vec_last(&h->marks).value, at, n);
    return buf_err(&h->text);
}

static struct str view(const struct http1_head *h, struct http1_span s)
{
    return str_n(h->text.p + (s.n ? s.at : 0), s.n);
}

/* False on a name with blanks, which Debian's http-parser lets pass and others read as another
 * name. */
static bool make_headers(struct http1_head *h)
{
    bool ok = true;

    vec_each (&h->marks, m) {
        struct http_header header = {view(h, m->name), str_trim(view(h, m->value))};
        ok &= header.name.n > 0 && str_chr(header.name, ' ') < 0;
        vec_push(&h->headers, header);
    }
    return ok;
}

/* Returning 1 makes the parser skip the body and report the end of the message, where it is paused.
 */
static int on_head(http_parser *p)
{
    struct http1_head *h = head_of(p);

    h->complete = true;
    h->chunked = p->flags & F_CHUNKED;
    h->keep_alive = http_should_keep_alive(p);
    h->content_length = !h->chunked && p->flags & F_CONTENTLENGTH
                            ? (i64)MIN(p->content_length, (u64)INT64_MAX)
                            : -1;
    if (!make_headers(h)) return 3; /* anything above 2 is an error */
    if (p->uses_transfer_encoding && !h->chunked)
        return 3; /* where such a body ends nobody knows */
    if (!h->chunked) return 1;
    http_parser_pause(p, 1);
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
    struct http1_head *h = head_of(p);

    h->body(h->arg, at, n);
    return 0;
}

static int on_end(http_parser *p)
{
    head_of(p)->ended = true;
    http_parser_pause(p, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_begin,
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_end,
};

void http1_head_init(struct http1_head *h, size_t max,
                     void (*body)(void *arg, const char *p, size_t n), void *arg)
{
    *h = (struct http1_head){.max = max, .body = body, .arg = arg};
    buf_init(&h->text,
             max + KEEP_TEXT * 16); /* one read may overshoot the limit before it is seen */
    http1_head_reset(h);
}

void http1_head_done(struct http1_head *h)
{
    buf_done(&h->text);
    vec_done(&h->marks);
    vec_done(&h->headers);
}

void http1_head_reset(struct http1_head *h)
{
    http_parser_init(&h->parser, HTTP_REQUEST);
    h->parser.data = h;
    if (h->text.cap > KEEP_TEXT) buf_done(&h->text);
    buf_reset(&h->text);
    vec_clear(&h->marks);
    vec_clear(&h->headers);
    h->target = (struct http1_span){0};
    h->bytes = 0;
    h->started = h->complete = h->ended = h->in_value = h->chunked = h->keep_alive = false;
    h->content_length = -1;
}

/* After a pause the parser stands at the byte it would read next. */
static enum http1_result classify(struct http1_head *h, bool had_head)
{
    enum http_errno err = HTTP_PARSER_ERRNO(&h->parser);

    if (err == HPE_PAUSED) http_parser_pause(&h->parser, 0);
    if (h->bytes > h->max || err == HPE_HEADER_OVERFLOW) return HTTP1_TOO_BIG;
    if (err != HPE_OK && err != HPE_PAUSED) return HTTP1_BAD;
    if (h->complete && !had_head) return HTTP1_HEAD;
    return h->ended ? HTTP1_END : HTTP1_MORE;
}

enum http1_result http1_parse(struct http1_head *h, const char *p, size_t n, size_t *ret_took)
{
    bool had_head = h->complete;
    size_t took = http_parser_execute(&h->parser, &settings, p, n);

    if (!had_head) h->bytes = h->bytes > h->max ? h->bytes : h->bytes + took;
    *ret_took = took;
    return classify(h, had_head);
}

struct str http1_method(const struct http1_head *h)
{
    return str_of(http_method_str((enum http_method)h->parser.method));
}

struct str http1_target(const struct http1_head *h)
{
    return view(h, h->target);
}

int http1_version(const struct http1_head *h)
{
    return h->parser.http_major * 10 + h->parser.http_minor;
}

void http1_global_init(void)
{
    http_parser_set_max_header_size(PARSER_LIMIT);
}
