/* Authorization: the secret, then for OAuth 2 the token, then the header's value. */
#include "net/http_auth.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "base/digest.h"
#include "base/json.h"
#include "base/num.h"
#include "base/xalloc.h"

#define SECRET_MAX ((size_t)64 * 1024)
#define ANSWER_MAX ((size_t)1 << 20)

struct http_auth {
    struct http_client *client;
    struct loop *loop;
    struct http_auth_conf conf;
    i64 timeout;
    http_auth_fn fn; /* NULL: cancelled */
    void *arg;
    struct job job; /* reads secret_file */
    char *path;
    struct buf secret, form, value;
    char *err;
    bool in_form; /* second try: id and secret as parameters */
    struct http_call_handle *call;
    struct iovec body;
};

static void auth_free(struct http_auth *a)
{
    if (a->secret.p) explicit_bzero(a->secret.p, a->secret.n);
    buf_done(&a->secret);
    buf_done(&a->form);
    buf_done(&a->value);
    http_token_unref(a->conf.token);
    free(a->path);
    free(a->err);
    free(a);
}

static void finish(struct http_auth *a)
{
    if (a->fn) a->fn(a->arg, a->err ? (struct str){0} : buf_view(&a->value), a->err);
    auth_free(a);
}

static void fail(struct http_auth *a, char *err)
{
    a->err = err;
    finish(a);
}

/* --- OAuth 2 --- */

static void add_form(struct buf *b, struct str s)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] && strchr(plain, s.p[i]))
            buf_ch(b, s.p[i]);
        else if (s.p[i] == ' ')
            buf_ch(b, '+');
        else
            buf_printf(b, "%%%02X", (u8)s.p[i]);
}

static void add_param(struct buf *b, struct str name, struct str value)
{
    if (b->n) buf_ch(b, '&');
    add_form(b, name);
    buf_ch(b, '=');
    add_form(b, value);
}

static void make_form(struct http_auth *a)
{
    const struct http_auth_conf *c = &a->conf;

    buf_reset(&a->form);
    add_param(&a->form, STR("grant_type"), STR("client_credentials"));
    if (c->scope.n) add_param(&a->form, STR("scope"), c->scope);
    for (size_t i = 0; i < c->n_params; i++)
        add_param(&a->form, c->params[i].name, c->params[i].value);
    if (!a->in_form) return;
    add_param(&a->form, STR("client_id"), c->name);
    add_param(&a->form, STR("client_secret"), buf_view(&a->secret));
}

static void add_basic(struct buf *out, struct str name, struct str password, bool as_form)
{
    struct buf pair = BUF_INIT(SIZE_MAX / 2);

    if (as_form)
        add_form(&pair, name);
    else
        buf_str(&pair, name);
    buf_ch(&pair, ':');
    if (as_form)
        add_form(&pair, password);
    else
        buf_str(&pair, password);
    buf_cstr(out, "Basic ");
    base64_encode(out, BASE64_STD, pair.p, pair.n);
    explicit_bzero(pair.p, pair.n);
    buf_done(&pair);
}

/* False when the answer is not what RFC 6749 5.1 says. */
static bool read_answer(struct str body, struct arena *a, struct str *ret_token,
                        struct str *ret_type, struct str *ret_seconds)
{
    struct json_in j;
    struct str key;
    bool first = true;

    json_in_init(&j, body, a);
    if (json_value(&j) != JSON_OBJ) return false;
    while (json_next_key(&j, &key, &first)) {
        struct str *to = str_is(key, "access_token") ? ret_token
                         : str_is(key, "token_type") ? ret_type
                                                     : NULL;
        if (str_is(key, "expires_in")) { /* a number; some servers quote it */
            enum json_type kind = json_value(&j);
            if (kind != JSON_NUMBER && kind != JSON_STRING && kind != JSON_NULL) return false;
            if (kind != JSON_NULL) *ret_seconds = j.raw;
            continue;
        }
        if (to && json_value(&j) != JSON_STRING) return false;
        if (to)
            *to = j.raw;
        else
            (void)json_skip(&j); /* a fault is j.err */
    }
    return !j.err;
}

static void keep_token(struct http_auth *a, struct str seconds)
{
    f64 n = 0;

    if (!a->conf.token) return;
    if (seconds.n && (num_parse_f64(seconds, &n) < 0 || !(n > 0))) return;
    http_token_keep(a->conf.token, buf_view(&a->value), n, loop_now(a->loop));
}

static void use_token(struct http_auth *a, struct str body)
{
    struct arena arena;
    struct str token = {0}, type = {0}, seconds = {0};

    arena_init(&arena, 0);
    bool ok = read_answer(body, &arena, &token, &type, &seconds) && token.n;
    if (ok && type.n && !str_ieq(type, STR("bearer")))
        buf_printf(&a->value, STR_FMT " " STR_FMT, STR_ARG(type), STR_ARG(token));
    else if (ok)
        buf_printf(&a->value, "Bearer " STR_FMT, STR_ARG(token));
    if (ok) keep_token(a, seconds);
    arena_done(&arena);
    if (ok)
        finish(a);
    else
        fail(a, xstrdup("oauth2: the token's server answered without an access_token"));
}

static void ask_for_token(struct http_auth *a);

/* Some servers take id and secret as parameters only; which, they do not say. */
static void token_done(void *arg, const struct http_result *r)
{
    struct http_auth *a = arg;

    a->call = NULL;
    if (r->fail != HTTP_OK) {
        fail(a, xprintf("oauth2: %s", r->error));
    } else if (r->status / 100 == 2) {
        use_token(a, r->body);
    } else if (!a->in_form) {
        a->in_form = true;
        ask_for_token(a);
    } else {
        fail(a, xprintf("oauth2: cannot fetch token: status code %d", r->status));
    }
}

static void ask_for_token(struct http_auth *a)
{
    struct buf basic = BUF_INIT(SIZE_MAX / 2);

    make_form(a);
    add_basic(&basic, a->conf.name, buf_view(&a->secret), true);
    const struct http_header headers[] = {
        {STR("Content-Type"), STR("application/x-www-form-urlencoded")},
        {STR("Accept"), STR("application/json")},
        {STR("Authorization"), buf_view(&basic)},
    };
    a->body = (struct iovec){a->form.p, a->form.n};
    struct http_call call = {.target = a->conf.target,
                             .method = STR("POST"),
                             .url = a->conf.token_url,
                             .headers = headers,
                             .n_headers = ARRAY_LEN(headers) - (a->in_form ? 1 : 0),
                             .body = &a->body,
                             .n_body = 1,
                             .body_len = a->form.n,
                             .timeout = a->timeout,
                             .max_response = ANSWER_MAX,
                             .done = token_done,
                             .arg = a};
    a->call = http_client_start(a->client, &call);
    explicit_bzero(basic.p, basic.n);
    buf_done(&basic);
}

/* --- the secret --- */

static void read_secret(struct job *j)
{
    struct http_auth *a = container_of(j, struct http_auth, job);
    int fd = open(a->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = -1;

    while (fd >= 0 && (n = read(fd, buf_reserve(&a->secret, 4096), 4096)) > 0) {
        buf_commit(&a->secret, (size_t)n);
        if (a->secret.n + 4096 > SECRET_MAX) break;
    }
    if (n != 0)
        a->err = xprintf("unable to read file %s: %s", a->path,
                         n > 0 ? "it is too large" : strerror(errno));
    if (fd >= 0) close(fd);
}

static void cut_white_space(struct buf *b)
{
    struct str s = str_trim(buf_view(b));

    if (s.n && s.p > b->p) buf_consume(b, (size_t)(s.p - b->p));
    buf_truncate(b, s.n);
}

static void use_secret(struct http_auth *a)
{
    switch (a->conf.kind) {
    case HTTP_AUTH_NONE: break;
    case HTTP_AUTH_BASIC: add_basic(&a->value, a->conf.name, buf_view(&a->secret), false); break;
    case HTTP_AUTH_TOKEN:
        buf_printf(&a->value, STR_FMT " ", STR_ARG(a->conf.name));
        buf_str(&a->value, buf_view(&a->secret));
        break;
    case HTTP_AUTH_OAUTH2: ask_for_token(a); return;
    }
    finish(a);
}

static void secret_read(struct job *j)
{
    struct http_auth *a = container_of(j, struct http_auth, job);

    if (a->err || !a->fn) {
        finish(a);
        return;
    }
    cut_white_space(&a->secret);
    use_secret(a);
}

struct http_auth *http_auth_start(struct http_client *c, struct loop *l, struct offload *pool,
                                  const struct http_auth_conf *conf, i64 timeout, http_auth_fn fn,
                                  void *arg)
{
    struct str kept = http_token_get(conf->token, loop_now(l));
    if (kept.n) {
        fn(arg, kept, NULL);
        return NULL;
    }
    struct http_auth *a = xnew(struct http_auth);

    *a = (struct http_auth){
        .client = c, .loop = l, .conf = *conf, .timeout = timeout, .fn = fn, .arg = arg};
    (void)http_token_ref(a->conf.token);
    buf_init(&a->secret, SECRET_MAX + conf->secret.n);
    buf_init(&a->form, SIZE_MAX / 2); /* what goes in is limited by where it comes from */
    buf_init(&a->value, SIZE_MAX / 2);
    if (conf->secret_file.n) {
        a->path = str_dup(conf->secret_file);
        a->job = (struct job){.reply_to = l, .work = read_secret, .done = secret_read};
        offload_run(pool, &a->job);
        return a;
    }
    buf_str(&a->secret, conf->secret);
    bool asks = conf->kind == HTTP_AUTH_OAUTH2;
    use_secret(a);
    return asks ? a : NULL;
}

/* A job cannot be called back: it frees the rest when it is done. */
void http_auth_cancel(struct http_auth *a)
{
    a->fn = NULL;
    if (!a->call) return;
    http_client_cancel(a->call);
    auth_free(a);
}
