/* Settings of HTTP clients: tables, rules, mapping. */
#include "value/http_client_args.h"

static void check_tls(const void *args, const struct span *at, struct diags *diags);
static void check_authorization(const void *args, const struct span *at, struct diags *diags);
static void check_oauth2(const void *args, const struct span *at, struct diags *diags);
static void check_client(const void *args, const struct span *at, struct diags *diags);

#define AT_MOST_ONE(a, b)                                                                          \
    {                                                                                              \
        .kind = RULE_AT_MOST_ONE, .names = {a, b},                                                 \
        .message = "at most one of " a " and " b " must be configured"                             \
    }

/* --- tls_config --- */

static const struct row tls_rows[] = {
    ATTR(struct http_tls_args, ca_file, .doc = "File with the CA certificates (PEM) to trust.",
         .def = "\"\""),
    ATTR(struct http_tls_args, ca_pem, .doc = "CA certificates (PEM) to trust.", .def = "\"\""),
    ATTR(struct http_tls_args, cert_file, .def = "\"\"",
         .doc = "File with the certificate (PEM) to show to the server."),
    ATTR(struct http_tls_args, cert_pem, .def = "\"\"",
         .doc = "Certificate (PEM) to show to the server."),
    ATTR(struct http_tls_args, insecure_skip_verify, .def = "false",
         .doc = "Do not verify the server's certificate."),
    ATTR(struct http_tls_args, key_file, .def = "\"\"",
         .doc = "File with the private key (PEM) of the certificate."),
    ATTR(struct http_tls_args, key_pem, .def = "\"\"",
         .doc = "Private key (PEM) of the certificate."),
    ATTR(struct http_tls_args, min_version, .doc = "Oldest TLS version to speak; unset: TLS12.",
         .one_of = ONE_OF_TEXT("TLS10", "TLS11", "TLS12", "TLS13")),
    ATTR(struct http_tls_args, server_name, .def = "\"\"",
         .doc = "Name to verify the server's certificate against and to ask it for."),
};
#define PAIR_MESSAGE "a client certificate needs its key, and a key its certificate"
#define NEEDS(what, a, b)                                                                          \
    {                                                                                              \
        .kind = RULE_REQUIRES, .names = {what, a, b}, .message = PAIR_MESSAGE                      \
    }
/* The pairs are rules, so that they are told together with the others; check_tls is for what only
 * shows in the values. */
static const struct rule tls_rules[] = {
    AT_MOST_ONE("ca_pem", "ca_file"),           AT_MOST_ONE("cert_pem", "cert_file"),
    AT_MOST_ONE("key_pem", "key_file"),         NEEDS("cert_pem", "key_pem", "key_file"),
    NEEDS("cert_file", "key_pem", "key_file"),  NEEDS("key_pem", "cert_pem", "cert_file"),
    NEEDS("key_file", "cert_pem", "cert_file"),
};
const struct schema http_tls_schema =
    SCHEMA(struct http_tls_args, tls_rows, .rules = tls_rules, .n_rules = ARRAY_LEN(tls_rules),
           .validate = check_tls);

static void check_tls(const void *args, const struct span *at, struct diags *diags)
{
    const struct http_tls_args *a = args;
    bool cert = a->cert_file.n || a->cert_pem.n, key = a->key_file.n || a->key_pem.s.n;

    if (cert != key) diag_error(diags, DIAG_VALUE_INVALID, at[0], PAIR_MESSAGE);
}

/* --- maps of lists of secrets --- */

static const struct row secret_row = {.name = "element", .kind = K_SECRET};
static const struct shape secrets_shape = {SHAPE_LIST, "list(secret)", &secret_row, 1};
static const struct row secrets_row = {.name = "element", .kind = K_ANY, .shape = &secrets_shape};
const struct shape http_header_lists_shape = {SHAPE_MAP, "map(list(secret))", &secrets_row, 1};

static bool is_text(struct value v, struct str *ret)
{
    bool secret;

    return value_secret_text(v, ret, &secret);
}

static bool is_clean(struct str s)
{
    return !s.n || (!memchr(s.p, '\r', s.n) && !memchr(s.p, '\n', s.n) && !memchr(s.p, 0, s.n));
}

static bool values_fit(struct value list)
{
    struct str text;

    if (list.type != V_ARRAY) return false;
    for (size_t i = 0; i < list.array->n; i++)
        if (!is_text(list.array->v[i], &text) || !is_clean(text)) return false;
    return true;
}

static bool name_fits(struct str name)
{
    return name.n && is_clean(name) && str_chr(name, ':') < 0;
}

static void check_headers(struct value map, struct span at, struct diags *diags)
{
    if (map.type == V_NULL) return;
    bool fits = map.type == V_OBJECT;
    for (size_t i = 0; fits && i < map.object->n; i++) {
        const struct vmember *m = &map.object->m[i];
        fits = name_fits(str_n(m->key->p, m->key->n)) && values_fit(m->value);
    }
    if (!fits)
        diag_error(diags, DIAG_VALUE_INVALID, at,
                   "should be a map of header names to lists of their values");
}

static size_t take_headers(struct value map, struct arena *arena, const struct http_header **ret)
{
    size_t n = 0, have = 0;

    if (map.type != V_OBJECT) return 0;
    for (size_t i = 0; i < map.object->n; i++)
        n += map.object->m[i].value.array->n;
    struct http_header *h = arena_array(arena, struct http_header, n);
    for (size_t i = 0; i < map.object->n; i++) {
        const struct vmember *m = &map.object->m[i];
        for (size_t k = 0; k < m->value.array->n; k++) {
            h[have].name = str_n(m->key->p, m->key->n);
            (void)is_text(m->value.array->v[k], &h[have++].value); /* checked by values_fit */
        }
    }
    *ret = h;
    return have;
}

/* --- proxies --- */

struct proxy_spans {
    struct span no_proxy, from_environment, connect_header;
};

static struct proxy_spans proxy_spans(const struct schema *s, const struct span *at)
{
    return (struct proxy_spans){schema_span(s, at, "no_proxy"),
                                schema_span(s, at, "proxy_from_environment"),
                                schema_span(s, at, "proxy_connect_header")};
}

static void check_proxy(const struct http_proxy_args *p, const struct proxy_spans *at,
                        struct diags *diags)
{
    bool headers = p->connect_header.type != V_NULL;

    if (p->no_proxy.n && !p->url.n && !p->from_environment)
        diag_error(diags, DIAG_VALUE_INVALID, at->no_proxy, "no_proxy needs proxy_url");
    if (p->from_environment && (p->url.n || p->no_proxy.n))
        diag_error(diags, DIAG_VALUE_INVALID, at->from_environment,
                   "proxy_from_environment excludes proxy_url and no_proxy");
    if (headers && !p->url.n && !p->from_environment)
        diag_error(diags, DIAG_VALUE_INVALID, at->connect_header,
                   "proxy_connect_header needs proxy_url or proxy_from_environment");
    check_headers(p->connect_header, at->connect_header, diags);
}

/* --- who asks --- */

static const struct row basic_auth_rows[] = {
    ATTR(struct http_basic_auth_args, password, .def = "\"\"", .doc = "Password."),
    ATTR(struct http_basic_auth_args, password_file, .def = "\"\"",
         .doc = "File with the password, read for each request."),
    ATTR(struct http_basic_auth_args, username, .def = "\"\"", .doc = "User name."),
};
static const struct rule basic_auth_rules[] = {AT_MOST_ONE("password", "password_file")};
const struct schema http_basic_auth_schema =
    SCHEMA(struct http_basic_auth_args, basic_auth_rows, .rules = basic_auth_rules,
           .n_rules = ARRAY_LEN(basic_auth_rules));

static const struct row authorization_rows[] = {
    ATTR(struct http_authorization_args, credentials, .def = "\"\"", .doc = "Credentials."),
    ATTR(struct http_authorization_args, credentials_file, .def = "\"\"",
         .doc = "File with the credentials, read for each request."),
    ATTR(struct http_authorization_args, type, .def = "\"Bearer\"",
         .doc = "Scheme of the Authorization header."),
};
static const struct rule authorization_rules[] = {AT_MOST_ONE("credentials", "credentials_file")};
const struct schema http_authorization_schema =
    SCHEMA(struct http_authorization_args, authorization_rows, .rules = authorization_rules,
           .n_rules = ARRAY_LEN(authorization_rules), .validate = check_authorization);

static void check_authorization(const void *args, const struct span *at, struct diags *diags)
{
    const struct http_authorization_args *a = args;

    if (str_ieq(a->type, STR("basic")))
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&http_authorization_schema, at, "type"),
                   "authorization type cannot be \"basic\": use a basic_auth block");
}

#define O struct http_oauth2_args
static const struct row oauth2_rows[] = {
    ATTR(O, client_id, .def = "\"\"", .doc = "Client id."),
    ATTR(O, client_secret, .def = "\"\"", .doc = "Client secret."),
    ATTR(O, client_secret_file, .def = "\"\"",
         .doc = "File with the client secret, read for each token."),
    ATTR(O, endpoint_params, .doc = "Further parameters of the request for a token."),
    HTTP_PROXY_ROWS_TO_NO_PROXY(O, ),
    HTTP_PROXY_ROWS_FROM_NO_PROXY(O, ),
    ATTR(O, scopes, .doc = "Scopes to ask for."),
    BLOCK_PTR(O, tls_config, &http_tls_schema, .doc = "TLS settings for the token's server."),
    ATTR(O, token_url, .def = "\"\"", .doc = "URL that gives tokens."),
};
#undef O
static const struct rule oauth2_rules[] = {
    {.kind = RULE_EXACTLY_ONE,
     .names = {"client_secret", "client_secret_file"},
     .message = "exactly one of client_secret and client_secret_file must be configured"},
};
const struct schema http_oauth2_schema =
    SCHEMA(struct http_oauth2_args, oauth2_rows, .rules = oauth2_rules,
           .n_rules = ARRAY_LEN(oauth2_rules), .validate = check_oauth2);

static void check_oauth2(const void *args, const struct span *at, struct diags *diags)
{
    const struct http_oauth2_args *a = args;
    struct proxy_spans spans = proxy_spans(&http_oauth2_schema, at);
    struct url url;
    char *why = NULL;

    if (!a->client_id.n)
        diag_error(diags, DIAG_VALUE_INVALID, at[0], "client_id must be configured");
    if (!a->token_url.n)
        diag_error(diags, DIAG_VALUE_INVALID, at[0], "token_url must be configured");
    else if (url_parse(a->token_url, &url, &why) != 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&http_oauth2_schema, at, "token_url"),
                   "%s", why);
    free(why);
    check_proxy(&a->proxy, &spans, diags);
}

/* --- the client --- */

static const struct row client_rows[] = {HTTP_CLIENT_ROWS(struct http_client_args, )};
static const struct rule client_rules[] = {HTTP_CLIENT_RULE};
const struct schema http_client_args_schema =
    SCHEMA(struct http_client_args, client_rows, .rules = client_rules,
           .n_rules = ARRAY_LEN(client_rules), .validate = check_client);

static void check_client(const void *args, const struct span *at, struct diags *diags)
{
    http_client_args_check(args, &http_client_args_schema, at, diags);
}

void http_client_args_check(const struct http_client_args *a, const struct schema *s,
                            const struct span *at, struct diags *diags)
{
    struct proxy_spans spans = proxy_spans(s, at);

    check_headers(a->http_headers, schema_span(s, at, "http_headers"), diags);
    check_proxy(&a->proxy, &spans, diags);
}

/* --- into net/ --- */

static enum tls_version tls_version(struct opt_str s)
{
    static const char *const names[] = {
        [TLS_1_0] = "TLS10", [TLS_1_1] = "TLS11", [TLS_1_2] = "TLS12", [TLS_1_3] = "TLS13"};

    for (size_t i = TLS_1_0; i < ARRAY_LEN(names); i++)
        if (s.set && str_is(s.s, names[i])) return (enum tls_version)i;
    return TLS_VERSION_UNSET;
}

struct tls_conf http_tls_conf(const struct http_tls_args *a)
{
    return (struct tls_conf){
        .ca_pem = a->ca_pem,
        .ca_file = a->ca_file,
        .cert_pem = a->cert_pem,
        .cert_file = a->cert_file,
        .key_pem = a->key_pem.s,
        .key_file = a->key_file,
        .server_name = a->server_name,
        .skip_verify = a->insecure_skip_verify,
        .min = tls_version(a->min_version),
    };
}

static void set_proxy(const struct http_proxy_args *p, struct arena *arena,
                      struct http_target_conf *ret)
{
    ret->proxy_url = p->url;
    ret->no_proxy = p->no_proxy;
    ret->proxy_from_env = p->from_environment;
    ret->n_proxy_headers = take_headers(p->connect_header, arena, &ret->proxy_headers);
}

void http_client_args_target(const struct http_client_args *a, struct arena *arena,
                             struct http_target_conf *ret)
{
    *ret = (struct http_target_conf){.tls = http_tls_conf(&a->tls_config),
                                     .http2 = a->enable_http2,
                                     .follow_redirects = a->follow_redirects};
    set_proxy(&a->proxy, arena, ret);
}

void http_client_args_token_target(const struct http_client_args *a, struct arena *arena,
                                   struct http_target_conf *ret)
{
    const struct http_oauth2_args *o = a->oauth2;

    *ret = (struct http_target_conf){.http2 = true, .follow_redirects = true};
    if (o->tls_config) ret->tls = http_tls_conf(o->tls_config);
    set_proxy(&o->proxy, arena, ret);
}

static struct str join(const struct str_list *l, struct arena *arena)
{
    struct buf b = BUF_INIT(1 << 20);

    for (size_t i = 0; i < l->n; i++) {
        if (i) buf_ch(&b, ' ');
        buf_str(&b, l->v[i]);
    }
    struct str joined = arena_str(arena, buf_view(&b));
    buf_done(&b);
    return joined;
}

static void oauth2_conf(const struct http_oauth2_args *o, struct arena *arena,
                        struct http_auth_conf *ret)
{
    struct http_header *params =
        arena_array(arena, struct http_header, MAX(o->endpoint_params.n, (size_t)1));

    for (size_t i = 0; i < o->endpoint_params.n; i++)
        params[i] =
            (struct http_header){o->endpoint_params.v[i].key, o->endpoint_params.v[i].value};
    *ret = (struct http_auth_conf){
        .kind = HTTP_AUTH_OAUTH2,
        .name = o->client_id,
        .secret = o->client_secret.s,
        .secret_file = o->client_secret_file,
        .token_url = o->token_url,
        .scope = join(&o->scopes, arena),
        .params = params,
        .n_params = o->endpoint_params.n,
    };
}

static struct http_auth_conf token_conf(struct str scheme, struct secret token, struct str file)
{
    return (struct http_auth_conf){
        .kind = HTTP_AUTH_TOKEN, .name = scheme, .secret = token.s, .secret_file = file};
}

void http_client_args_auth(const struct http_client_args *a, struct arena *arena,
                           struct http_auth_conf *ret)
{
    *ret = (struct http_auth_conf){.kind = HTTP_AUTH_NONE};
    if (a->basic_auth)
        *ret = (struct http_auth_conf){.kind = HTTP_AUTH_BASIC,
                                       .name = a->basic_auth->username,
                                       .secret = a->basic_auth->password.s,
                                       .secret_file = a->basic_auth->password_file};
    else if (a->authorization)
        *ret = token_conf(a->authorization->type, a->authorization->credentials,
                          a->authorization->credentials_file);
    else if (a->oauth2)
        oauth2_conf(a->oauth2, arena, ret);
    else if (a->bearer_token.s.n || a->bearer_token_file.n)
        *ret = token_conf(STR("Bearer"), a->bearer_token, a->bearer_token_file);
}

size_t http_client_args_headers(const struct http_client_args *a, struct arena *arena,
                                const struct http_header **ret)
{
    return take_headers(a->http_headers, arena, ret);
}
