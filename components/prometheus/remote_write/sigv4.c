/* See sigv4.h. Source: AWS' description of Signature Version 4. */
#include "components/prometheus/remote_write/sigv4.h"

#include <stdlib.h>
#include <time.h>
#include "base/digest.h"
#include "base/xalloc.h"
#include "components/common/read_file.h"

#define TEXT_MAX ((size_t)1 << 20)

/* --- keys --- */

void aws_keys_done(struct aws_keys *k)
{
    free(k->id);
    free(k->key);
    free(k->token);
    free(k->region);
    *k = (struct aws_keys){0};
}

static char *copy(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

void aws_keys_copy(struct aws_keys *to, const struct aws_keys *from)
{
    aws_keys_done(to);
    *to = (struct aws_keys){copy(from->id), copy(from->key), copy(from->token), copy(from->region)};
}

static const char *env(const char *name)
{
    const char *v = getenv(name);

    return v && *v ? v : NULL;
}

static char *shared_path(const char *variable, const char *name)
{
    if (env(variable)) return xstrdup(env(variable));
    return xprintf("%s/.aws/%s", env("HOME") ? env("HOME") : "", name);
}

/* The value of a key in a section ([name]) of a file; NULL: none. */
static char *find_value(struct str text, struct str section, struct str key)
{
    bool inside = false;

    while (text.n) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (!line.n || line.p[0] == '#' || line.p[0] == ';') continue;
        if (line.p[0] == '[') {
            inside = line.p[line.n - 1] == ']' &&
                     str_eq(str_trim(str_sub(line, 1, line.n - 1)), section);
            continue;
        }
        struct str name = str_trim(str_cut(&line, '='));
        if (inside && str_ieq(name, key)) return str_dup(str_trim(line));
    }
    return NULL;
}

static void take_value(char **to, struct str text, struct str section, const char *key)
{
    if (!*to) *to = find_value(text, section, str_of(key));
}

static void take_credentials(struct aws_keys *k, struct str text, struct str profile)
{
    take_value(&k->id, text, profile, "aws_access_key_id");
    take_value(&k->key, text, profile, "aws_secret_access_key");
    take_value(&k->token, text, profile, "aws_session_token");
    take_value(&k->region, text, profile, "region");
}

/* A file that cannot be read says nothing: that keys are missing is told, and why. */
static void from_file(struct aws_keys *k, char *path, struct str profile, bool config)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    char *err = NULL;
    char *section = config && !str_is(profile, "default")
                        ? xprintf("profile " STR_FMT, STR_ARG(profile))
                        : str_dup(profile);

    if (read_file(path, &text, &err) == 0) take_credentials(k, buf_view(&text), str_of(section));
    free(err);
    free(section);
    free(path);
    buf_done(&text);
}

static void from_files(struct aws_keys *k, const struct sigv4_args *a)
{
    const char *name = env("AWS_PROFILE");
    struct str profile = a->profile.n ? a->profile : name ? str_of(name) : STR("default");

    from_file(k, shared_path("AWS_SHARED_CREDENTIALS_FILE", "credentials"), profile, false);
    from_file(k, shared_path("AWS_CONFIG_FILE", "config"), profile, true);
}

static void from_settings(struct aws_keys *k, const struct sigv4_args *a)
{
    if (a->access_key.n) {
        k->id = str_dup(a->access_key);
        k->key = str_dup(a->secret_key.s);
    } else if (!a->profile.n && env("AWS_ACCESS_KEY_ID") && env("AWS_SECRET_ACCESS_KEY")) {
        k->id = xstrdup(env("AWS_ACCESS_KEY_ID"));
        k->key = xstrdup(env("AWS_SECRET_ACCESS_KEY"));
        k->token = copy(env("AWS_SESSION_TOKEN"));
    }
    if (a->region.n)
        k->region = str_dup(a->region);
    else
        k->region = copy(env("AWS_REGION") ? env("AWS_REGION") : env("AWS_DEFAULT_REGION"));
}

int aws_keys_find(const struct sigv4_args *a, struct aws_keys *ret, char **ret_err)
{
    struct aws_keys k = {0};

    from_settings(&k, a);
    bool whole = k.id != NULL; /* keys of one place are not mixed with the token of another */
    if (!whole || !k.region) {
        struct aws_keys files = {0};
        from_files(&files, a);
        if (!k.region) k.region = copy(files.region);
        if (!whole) {
            k.id = copy(files.id);
            k.key = copy(files.key);
            k.token = copy(files.token);
        }
        aws_keys_done(&files);
    }
    if (k.id && k.key && k.region) {
        *ret = k;
        return 0;
    }
    *ret_err = xprintf("sigv4: %s found: set %s, or the environment variable %s, or write it into "
                       "the shared files of the AWS tools",
                       k.region ? "no credentials are" : "no region is",
                       k.region ? "access_key and secret_key" : "region",
                       k.region ? "AWS_ACCESS_KEY_ID and its like" : "AWS_REGION");
    aws_keys_done(&k);
    return -1;
}

/* --- signing --- */

void sigv4_date(i64 seconds, char ret[SIGV4_DATE])
{
    time_t t = (time_t)seconds;
    struct tm tm;

    (void)gmtime_r(&t, &tm);
    (void)strftime(ret, SIGV4_DATE, "%Y%m%dT%H%M%SZ", &tm);
}

static void add_hash(struct buf *b, struct str s)
{
    u8 sum[SHA256_LEN];

    sha256(s.p, s.n, sum);
    hex_encode(b, sum, sizeof(sum));
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

/* Percent-encoded; what is so already stays, and, with `again`, its percent is encoded once more.
 */
static void add_encoded(struct buf *b, struct str s, const char *also, bool again)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (is_plain(c) || (c && strchr(also, c)) || (c == '%' && !again))
            buf_ch(b, c);
        else
            buf_printf(b, "%%%02X", (unsigned)(u8)c);
    }
}

struct headers {
    const struct http_header *v[16];
    size_t n;
};

static int by_name(const struct http_header *a, const struct http_header *b)
{
    size_t n = MIN(a->name.n, b->name.n);

    for (size_t i = 0; i < n; i++) {
        char x = (char)(a->name.p[i] | 0x20), y = (char)(b->name.p[i] | 0x20);
        if (x != y) return (u8)x < (u8)y ? -1 : 1;
    }
    return (a->name.n > b->name.n) - (a->name.n < b->name.n);
}

static void sort_in(struct headers *h, const struct http_header *one)
{
    size_t i = h->n++;

    for (; i > 0 && by_name(one, h->v[i - 1]) < 0; i--)
        h->v[i] = h->v[i - 1];
    h->v[i] = one;
}

static void add_lower(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_ch(b, (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 0x20 : s.p[i]));
}

static void add_names(struct buf *b, const struct headers *h)
{
    for (size_t i = 0; i < h->n; i++) {
        if (i) buf_ch(b, ';');
        add_lower(b, h->v[i]->name);
    }
}

/* Parameters in order of their names. */
static void add_query(struct buf *b, struct str query)
{
    struct str v[64];
    size_t n = 0;

    while (query.n && n < ARRAY_LEN(v)) {
        struct str one = str_cut(&query, '&');
        size_t i = n++;
        for (; i > 0 && str_cmp(one, v[i - 1]) < 0; i--)
            v[i] = v[i - 1];
        v[i] = one;
    }
    for (size_t i = 0; i < n; i++) {
        if (i) buf_ch(b, '&');
        add_encoded(b, v[i], "=", false);
        if (str_chr(v[i], '=') < 0) buf_ch(b, '=');
    }
}

static void add_canonical(struct buf *b, const struct sigv4_request *r, const struct headers *h,
                          const struct url *url)
{
    struct str rest = url->path, path = str_cut(&rest, '?');

    buf_str(b, r->method);
    buf_ch(b, '\n');
    add_encoded(b, path.n ? path : STR("/"), "/", true);
    buf_ch(b, '\n');
    add_query(b, url->query.n ? url->query : rest);
    buf_ch(b, '\n');
    for (size_t i = 0; i < h->n; i++) {
        add_lower(b, h->v[i]->name);
        buf_ch(b, ':');
        buf_str(b, str_trim(h->v[i]->value));
        buf_ch(b, '\n');
    }
    buf_ch(b, '\n');
    add_names(b, h);
    buf_ch(b, '\n');
    add_hash(b, r->body);
}

static void sign(const struct aws_keys *k, struct str service, const char *date, struct str text,
                 u8 ret[SHA256_LEN])
{
    struct str parts[] = {str_n(date, 8), str_of(k->region), service, STR("aws4_request"), text};
    char *first = xprintf("AWS4%s", k->key);
    u8 key[SHA256_LEN];

    hmac_sha256(str_of(first), parts[0], ret);
    for (size_t i = 1; i < ARRAY_LEN(parts); i++) {
        memcpy(key, ret, sizeof(key));
        hmac_sha256(str_n((char *)key, sizeof(key)), parts[i], ret);
    }
    free(first);
}

static char *host_of(const struct url *u)
{
    bool usual = !u->port || (u->port == 443 && str_is(u->scheme, "https")) ||
                 (u->port == 80 && str_is(u->scheme, "http"));

    return usual ? str_dup(u->host) : xprintf(STR_FMT ":%d", STR_ARG(u->host), u->port);
}

static char *authorization(const struct sigv4_request *r, const struct aws_keys *k,
                           const struct headers *h, const struct url *url)
{
    struct buf b = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);
    char date[SIGV4_DATE];
    u8 sum[SHA256_LEN];

    sigv4_date(r->time, date);
    char *scope = xprintf("%.8s/%s/" STR_FMT "/aws4_request", date, k->region, STR_ARG(r->service));
    add_canonical(&b, r, h, url);
    buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n", date, scope);
    add_hash(&text, buf_view(&b));
    sign(k, r->service, date, buf_view(&text), sum);
    buf_reset(&b);
    buf_printf(&b, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=", k->id, scope);
    add_names(&b, h);
    buf_cstr(&b, ", Signature=");
    hex_encode(&b, sum, sizeof(sum));
    free(scope);
    buf_done(&text);
    return buf_take(&b, NULL);
}

char *sigv4_sign(const struct sigv4_request *r, const struct aws_keys *k)
{
    struct headers h = {0};
    struct url url = {0};
    char *why = NULL;

    if (url_parse(r->url, &url, &why)) free(why); /* prepare has refused such a one */
    char *host = host_of(&url);
    struct http_header first = {STR("Host"), str_of(host)};
    sort_in(&h, &first);
    for (size_t i = 0; i < r->n_headers && i + 1 < ARRAY_LEN(h.v); i++)
        sort_in(&h, &r->headers[i]);
    char *ret = authorization(r, k, &h, &url);
    free(host);
    return ret;
}
