/* Cross-origin requests. Source: spec D.2, the Fetch standard. */
#include "components/common/cors.h"

#include "base/buf.h"

static const struct row rows[] = {
    ATTR(struct cors_args, allowed_headers,
         .doc = "Request headers that other origins may send; * for all.",
         .def = "[\"X-Requested-With\"]"),
    ATTR(struct cors_args, allowed_origins,
         .doc = "Origins that may call from a browser; one * in each stands for anything."),
    ATTR(struct cors_args, exposed_headers, .doc = "Response headers that other origins may read."),
    ATTR(struct cors_args, max_age,
         .doc = "Seconds that a browser may keep the answer to its question; 0 leaves it to the "
                "browser.",
         .def = "0"),
};
const struct schema cors_schema = SCHEMA(struct cors_args, rows);

static bool wildcard_match(struct str pattern, struct str s)
{
    ssize_t star = str_chr(pattern, '*');
    if (star < 0) return str_ieq(pattern, s);
    struct str head = str_sub(pattern, 0, (size_t)star),
               tail = str_sub(pattern, (size_t)star + 1, pattern.n);
    return s.n >= head.n + tail.n && str_ieq(str_sub(s, 0, head.n), head) &&
           str_ieq(str_sub(s, s.n - tail.n, s.n), tail);
}

static bool any_origin(const struct cors_args *c)
{
    for (size_t i = 0; i < c->allowed_origins.n; i++)
        if (str_is(c->allowed_origins.v[i], "*")) return true;
    return false;
}

bool cors_origin_allowed(const struct cors_args *c, struct str origin)
{
    for (size_t i = 0; i < c->allowed_origins.n; i++)
        if (wildcard_match(c->allowed_origins.v[i], origin)) return true;
    return false;
}

bool cors_is_preflight(struct str method, const struct http_header *h, size_t n)
{
    return str_is(method, "OPTIONS") &&
           http_header_get(h, n, STR("access-control-request-method")).n > 0;
}

static bool method_allowed(struct str method)
{
    return str_is(method, "GET") || str_is(method, "POST") || str_is(method, "HEAD");
}

static bool header_allowed(const struct cors_args *c, struct str name)
{
    static const char *const always[] = {"Accept", "Accept-Language", "Content-Type",
                                         "Content-Language", "Origin"};
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        if (str_ieq(name, str_of(always[i]))) return true;
    for (size_t i = 0; i < c->allowed_headers.n; i++)
        if (str_is(c->allowed_headers.v[i], "*") || str_ieq(name, c->allowed_headers.v[i]))
            return true;
    return false;
}

static bool headers_allowed(const struct cors_args *c, struct str list)
{
    while (list.n > 0) {
        struct str name = str_trim(str_cut(&list, ','));
        if (name.n > 0 && !header_allowed(c, name)) return false;
    }
    return true;
}

static size_t allow_origin(const struct cors_args *c, struct str origin, struct http_header *out)
{
    out[0] =
        (struct http_header){STR("Access-Control-Allow-Origin"), any_origin(c) ? STR("*") : origin};
    out[1] = (struct http_header){STR("Access-Control-Allow-Credentials"), STR("true")};
    return 2;
}

static struct str max_age_text(const struct cors_args *c, struct arena *a)
{
    return str_of(arena_printf(a, "%lld", (long long)MAX(c->max_age, 0)));
}

size_t cors_preflight_headers(const struct cors_args *c, const struct http_header *h, size_t n,
                              struct arena *a, struct http_header out[CORS_HEADERS_MAX])
{
    struct str origin = http_header_get(h, n, STR("origin")),
               method = http_header_get(h, n, STR("access-control-request-method"));
    struct str headers = http_header_get(h, n, STR("access-control-request-headers"));
    size_t k = 0;
    out[k++] = (struct http_header){
        STR("Vary"), STR("Origin, Access-Control-Request-Method, Access-Control-Request-Headers")};
    if (origin.n == 0 || !cors_origin_allowed(c, origin) || !method_allowed(method) ||
        !headers_allowed(c, headers))
        return k;
    k += allow_origin(c, origin, out + k);
    out[k++] = (struct http_header){STR("Access-Control-Allow-Methods"), method};
    if (headers.n > 0)
        out[k++] = (struct http_header){STR("Access-Control-Allow-Headers"), headers};
    if (c->max_age != 0)
        out[k++] = (struct http_header){STR("Access-Control-Max-Age"), max_age_text(c, a)};
    return k;
}

static struct str joined(const struct str_list *l, struct arena *a)
{
    struct buf b = BUF_INIT(64 << 10);
    for (size_t i = 0; i < l->n; i++) {
        buf_cstr(&b, i > 0 ? ", " : "");
        buf_str(&b, l->v[i]);
    }
    struct str s = arena_str(a, buf_view(&b));
    buf_done(&b);
    return s;
}

size_t cors_actual_headers(const struct cors_args *c, const struct http_header *h, size_t n,
                           struct arena *a, struct http_header out[CORS_HEADERS_MAX])
{
    struct str origin = http_header_get(h, n, STR("origin"));
    size_t k = 0;
    out[k++] = (struct http_header){STR("Vary"), STR("Origin")};
    if (origin.n == 0 || !cors_origin_allowed(c, origin)) return k;
    k += allow_origin(c, origin, out + k);
    if (c->exposed_headers.n > 0)
        out[k++] = (struct http_header){STR("Access-Control-Expose-Headers"),
                                        joined(&c->exposed_headers, a)};
    return k;
}
