/* Answers: content types, compression, error texts; and query parameters. */
#include "ui/ui_impl.h"

#include "base/digest.h"
#include "base/codec.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"

static bool accepts(const struct http_req *r, const char *coding)
{
    struct str rest = http_req_header(r, STR("accept-encoding"));
    while (rest.p && rest.n > 0) {
        struct str item = str_cut(&rest, ',');
        struct str name = str_trim(str_cut(&item, ';'));
        bool refused = str_is(str_trim(item), "q=0");
        if (str_ieq(name, str_of(coding)) && !refused) return true;
    }
    return false;
}

struct reply {
    int status;
    const char *type;
    bool type_when_compressed;
    bool gzip, deflate; /* codings offered */
    bool nosniff;
    const struct http_header *more;
    size_t n_more;
};

/* Nothing from elsewhere, no script but ours, in nobody's frame. */
static const struct http_header page_headers[] = {
    {STR("Content-Security-Policy"),
     STR("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src "
         "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")},
    {STR("Referrer-Policy"), STR("no-referrer")},
    {STR("Cache-Control"), STR("no-cache")},
};
#define HEADERS_MAX (3 + ARRAY_LEN(page_headers))

static void send_reply(struct http_req *r, const struct reply *how, struct str body)
{
    struct http_header headers[HEADERS_MAX];
    size_t n = 0;
    struct buf packed = BUF_INIT(UI_BODY_MAX);
    const char *coding = how->gzip && accepts(r, "gzip")         ? "gzip"
                         : how->deflate && accepts(r, "deflate") ? "deflate"
                                                                 : NULL;
    if (coding && codec_compress(*coding == 'g' ? CODEC_GZIP : CODEC_ZLIB, CODEC_LEVEL_DEFAULT,
                                 body, &packed) < 0)
        coding = NULL; /* the plain body is as good */
    if (coding) headers[n++] = (struct http_header){STR("Content-Encoding"), str_of(coding)};
    if (!coding || how->type_when_compressed)
        headers[n++] = (struct http_header){STR("Content-Type"), str_of(how->type)};
    if (how->nosniff)
        headers[n++] = (struct http_header){STR("X-Content-Type-Options"), STR("nosniff")};
    for (size_t i = 0; i < how->n_more; i++)
        headers[n++] = how->more[i];
    http_respond(r, &(struct http_answer){.status = how->status,
                                          .headers = headers,
                                          .n_headers = n,
                                          .body = coding ? buf_view(&packed) : body});
    buf_done(&packed);
}

void reply_text(struct http_req *r, int status, const char *type, struct str body)
{
    send_reply(r, &(struct reply){.status = status, .type = type ? type : TEXT_PLAIN}, body);
}

void reply_error(struct http_req *r, int status, const char *fmt, ...)
{
    struct buf text = BUF_INIT(1 << 20);
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    buf_ch(&text, '\n');
    send_reply(r, &(struct reply){.status = status, .type = TEXT_PLAIN, .nosniff = true},
               buf_view(&text));
    buf_done(&text);
}

void reply_web(struct http_req *r, struct buf *body)
{
    if (buf_err(body))
        reply_error(r, 500, "the answer is too large");
    else
        send_reply(
            r, &(struct reply){.status = 200, .type = TEXT_PLAIN, .gzip = true, .deflate = true},
            buf_view(body));
}

void reply_asset(struct http_req *r, const char *type, struct str body)
{
    send_reply(r,
               &(struct reply){.status = 200,
                               .type = type,
                               .type_when_compressed = true,
                               .gzip = true,
                               .nosniff = true,
                               .more = page_headers,
                               .n_more = ARRAY_LEN(page_headers)},
               body);
}

void reply_page(struct http_req *r, struct buf *html)
{
    if (buf_err(html))
        reply_error(r, 500, "the page is too large");
    else
        reply_asset(r, "text/html; charset=utf-8", buf_view(html));
}

void reply_metrics(struct http_req *r, struct str body)
{
    send_reply(
        r,
        &(struct reply){.status = 200,
                        .type = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
                        .type_when_compressed = true,
                        .gzip = true},
        body);
}

/* ---- query ---- */

static struct str unescape(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool escape = s.p[i] == '%' && i + 2 < s.n && hex_digit(s.p[i + 1]) >= 0 &&
                      hex_digit(s.p[i + 2]) >= 0;
        if (escape) {
            out[n++] = (char)(hex_digit(s.p[i + 1]) << 4 | hex_digit(s.p[i + 2]));
            i += 2;
        } else {
            out[n++] = s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    return str_n(out, n);
}

size_t query_values(struct http_req *r, const char *name, struct str *out, size_t cap)
{
    size_t n = 0;
    struct str rest = r->query;
    while (rest.p && n < cap) {
        struct str value = str_cut(&rest, '&');
        struct str key = str_cut(&value, '=');
        if (str_is(unescape(r->arena, key), name))
            out[n++] = unescape(r->arena, value.p ? value : STR(""));
    }
    return n;
}
