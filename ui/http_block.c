/* The http block: who may ask, and TLS. Spec: runtime.md 12. */
#include "ui/ui_impl.h"

#include <errno.h>
#include <stdlib.h>
#include "base/digest.h"

/* ---- arguments ---- */

struct basic_args {
    struct str username;
    struct secret password;
};
struct filter_args {
    struct str_list paths;
    bool authenticate_matching_paths;
};
struct auth_args {
    struct basic_args *basic;
    struct filter_args *filter;
};
struct windows_server_args {
    struct str store, system_store, template_id;
    struct str_list issuer_common_names;
    struct dur refresh_interval;
};
struct windows_client_args {
    struct str_list issuer_common_names;
    struct str subject_regex, template_id;
};
struct windows_args {
    struct windows_server_args server;
    struct windows_client_args client;
};
struct tls_args {
    struct str cert_pem, cert_file, key_file, client_ca_pem, client_ca_file, client_auth_type;
    struct secret key_pem;
    struct str_list cipher_suites, curve_preferences;
    struct opt_str min_version, max_version;
    struct windows_args *windows_certificate_filter;
};
struct http_args {
    struct auth_args *auth;
    struct tls_args *tls;
    struct span span;
};

static const struct row basic_rows[] = {
    ATTR(struct basic_args, username, .doc = "Name a client must give.", .required = true),
    ATTR(struct basic_args, password, .doc = "Password a client must give.", .required = true),
};
static const struct schema basic_schema = SCHEMA(struct basic_args, basic_rows);

static const struct row filter_rows[] = {
    ATTR(struct filter_args, paths, .doc = "Prefixes of URL paths.", .def = "[]"),
    ATTR(struct filter_args, authenticate_matching_paths,
         .doc = "Protect exactly these paths; false: all except these.", .def = "true"),
};
static const struct schema filter_schema = SCHEMA(struct filter_args, filter_rows);

static const struct row auth_rows[] = {
    BLOCK_PTR(struct auth_args, basic, &basic_schema, .doc = "HTTP basic authentication."),
    BLOCK_PTR(struct auth_args, filter, &filter_schema,
              .doc = "Which paths are protected; without it, all are."),
};
static const struct schema auth_schema = SCHEMA(struct auth_args, auth_rows);

static const struct row windows_server_rows[] = {
    ATTR(struct windows_server_args, store, .doc = "Certificate store.", .def = "\"\""),
    ATTR(struct windows_server_args, system_store, .doc = "System store.", .def = "\"\""),
    ATTR(struct windows_server_args, issuer_common_names, .doc = "Issuers looked for."),
    ATTR(struct windows_server_args, refresh_interval, .doc = "How often the store is read.",
         .def = "\"5m\""),
    ATTR(struct windows_server_args, template_id, .doc = "Certificate template.", .def = "\"\""),
};
static const struct schema windows_server_schema =
    SCHEMA(struct windows_server_args, windows_server_rows);

static const struct row windows_client_rows[] = {
    ATTR(struct windows_client_args, issuer_common_names, .doc = "Issuers accepted."),
    ATTR(struct windows_client_args, subject_regex, .doc = "Subjects accepted.", .def = "\"\""),
    ATTR(struct windows_client_args, template_id, .doc = "Certificate template.", .def = "\"\""),
};
static const struct schema windows_client_schema =
    SCHEMA(struct windows_client_args, windows_client_rows);

static const struct row windows_rows[] = {
    BLOCK(struct windows_args, server, &windows_server_schema, .doc = "The server's certificate.",
          .required = true),
    BLOCK(struct windows_args, client, &windows_client_schema, .doc = "Clients' certificates.",
          .required = true),
};
static const struct schema windows_schema = SCHEMA(struct windows_args, windows_rows);

static const struct row tls_rows[] = {
    ATTR(struct tls_args, cert_pem, .doc = "The certificate itself, PEM.", .def = "\"\""),
    ATTR(struct tls_args, cert_file, .doc = "File of the certificate.", .def = "\"\""),
    ATTR(struct tls_args, key_pem, .doc = "The private key itself, PEM.", .def = "\"\""),
    ATTR(struct tls_args, key_file, .doc = "File of the private key.", .def = "\"\""),
    ATTR(struct tls_args, client_ca_pem,
         .doc = "Authorities that client certificates must come from, PEM.", .def = "\"\""),
    ATTR(struct tls_args, client_ca_file, .doc = "File of those authorities.", .def = "\"\""),
    ATTR(struct tls_args, client_auth_type, .doc = "Whether clients must show a certificate.",
         .def = "\"NoClientCert\"",
         .one_of = ONE_OF_TEXT("NoClientCert", "RequestClientCert", "RequireAnyClientCert",
                               "VerifyClientCertIfGiven", "RequireAndVerifyClientCert")),
    ATTR(struct tls_args, cipher_suites,
         .doc = "Cipher suites offered; empty: the library's choice.", .def = "[]",
         .one_of = ONE_OF_TEXT(
             "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA",
             "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384",
             "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
             "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
             "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
             "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
             "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
             "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
             "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256")),
    ATTR(struct tls_args, curve_preferences,
         .doc = "Curves offered, best first; empty: the library's choice.", .def = "[]",
         .one_of = ONE_OF_TEXT("CurveP256", "CurveP384", "CurveP521", "X25519")),
    ATTR(struct tls_args, min_version, .doc = "Oldest version spoken.",
         .one_of = ONE_OF_TEXT("TLS10", "TLS11", "TLS12", "TLS13")),
    ATTR(struct tls_args, max_version, .doc = "Newest version spoken.",
         .one_of = ONE_OF_TEXT("TLS10", "TLS11", "TLS12", "TLS13")),
    BLOCK_PTR(struct tls_args, windows_certificate_filter, &windows_schema,
              .doc = "Certificates from the store of Windows."),
};
static const struct schema tls_schema = SCHEMA(struct tls_args, tls_rows);

static const struct row http_rows[] = {
    BLOCK_PTR(struct http_args, auth, &auth_schema, .doc = "Who may use the HTTP server."),
    BLOCK_PTR(struct http_args, tls, &tls_schema, .doc = "Serve HTTPS."),
};
static const struct schema http_schema = {.rows = http_rows,
                                          .n_rows = ARRAY_LEN(http_rows),
                                          .size = sizeof(struct http_args),
                                          .span_off = offsetof(struct http_args, span),
                                          .present_off = -1};

/* ---- prepare ---- */

struct http_plan {
    const struct auth_args *auth; /* NULL: open to all */
    struct tls_server *tls;       /* NULL: cleartext; goes with the plan's arena */
};

static bool both(struct str a, struct str b)
{
    return a.n > 0 && b.n > 0;
}

static bool neither(struct str a, struct str b)
{
    return a.n == 0 && b.n == 0;
}

struct fault {
    bool is;
    const char *text;
};

/* First fault of a tls block; NULL: none. */
static const char *tls_fault(const struct tls_args *a)
{
    bool no_client = str_is(a->client_auth_type, "NoClientCert");
    const struct fault faults[] = {
        {a->windows_certificate_filter != NULL, "windows_certificate_filter works on Windows only"},
        {both(a->cert_pem, a->cert_file), "cannot specify both cert_pem and cert_file"},
        {both(a->key_pem.s, a->key_file), "cannot specify both key_pem and key_file"},
        {both(a->client_ca_pem, a->client_ca_file),
         "cannot specify both client_ca_pem and client_ca_file"},
        {neither(a->cert_pem, a->cert_file), "must specify either cert_pem or cert_file"},
        {neither(a->key_pem.s, a->key_file), "must specify either key_pem or key_file"},
        {!neither(a->client_ca_pem, a->client_ca_file) && no_client,
         "cannot specify client_ca_pem or client_ca_file when client_auth_type is NoClientCert"},
    };
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        if (faults[i].is) return faults[i].text;
    return NULL;
}

static enum tls_version version_of(const struct opt_str *s)
{
    static const char *const names[] = {
        [TLS_1_0] = "TLS10", [TLS_1_1] = "TLS11", [TLS_1_2] = "TLS12", [TLS_1_3] = "TLS13"};
    for (size_t i = TLS_1_0; s->set && i < ARRAY_LEN(names); i++)
        if (str_is(s->s, names[i])) return (enum tls_version)i;
    return TLS_VERSION_UNSET;
}

static enum tls_client_auth client_auth_of(struct str type)
{
    static const char *const names[] = {[TLS_CLIENT_NONE] = "NoClientCert",
                                        [TLS_CLIENT_REQUEST] = "RequestClientCert",
                                        [TLS_CLIENT_REQUIRE_ANY] = "RequireAnyClientCert",
                                        [TLS_CLIENT_VERIFY_GIVEN] = "VerifyClientCertIfGiven",
                                        [TLS_CLIENT_REQUIRE_VERIFIED] =
                                            "RequireAndVerifyClientCert"};
    enum tls_client_auth auth = TLS_CLIENT_NONE;
    while (auth < TLS_CLIENT_REQUIRE_VERIFIED && !str_is(type, names[auth]))
        auth++;
    return auth;
}

/* "CurveP256" to "P256": what net/ calls them. */
static const struct str *curves_of(const struct str_list *list, struct arena *a)
{
    struct str *curves = arena_array(a, struct str, list->n + 1);
    for (size_t i = 0; i < list->n; i++) {
        bool prefixed = str_starts(list->v[i], STR("Curve"));
        curves[i] = str_sub(list->v[i], prefixed ? strlen("Curve") : 0, list->v[i].n);
    }
    return curves;
}

static struct tls_conf tls_of(const struct tls_args *a, struct arena *arena)
{
    return (struct tls_conf){.cert_pem = a->cert_pem,
                             .cert_file = a->cert_file,
                             .key_pem = a->key_pem.s,
                             .key_file = a->key_file,
                             .client_ca_pem = a->client_ca_pem,
                             .client_ca_file = a->client_ca_file,
                             .client_auth = client_auth_of(a->client_auth_type),
                             .min = version_of(&a->min_version),
                             .max = version_of(&a->max_version),
                             .cipher_suites = a->cipher_suites.v,
                             .n_cipher_suites = a->cipher_suites.n,
                             .curves = curves_of(&a->curve_preferences, arena),
                             .n_curves = a->curve_preferences.n};
}

static int refuse(struct prepare *p, const struct http_args *a, const char *text)
{
    diag_error(p->diags, DIAG_BODY_RULE, a->span,
               "Failed to evaluate service: updating service: %s", text);
    return -EINVAL;
}

static void release_tls(void *arg)
{
    tls_server_unref(arg);
}

/* A server that was told to speak TLS never speaks cleartext instead: what cannot be read fails the
 * load. The checker may run on another machine, without the files. */
static int prepare_tls(struct prepare *p, const struct http_args *a, struct http_plan *out)
{
    const char *rule = tls_fault(a->tls);
    if (rule) return refuse(p, a, rule);
    if (!p->host) return 0;
    struct tls_conf conf = tls_of(a->tls, p->arena);
    char *err = NULL;
    out->tls = tls_server_new(&conf, true, &err);
    if (out->tls) arena_cleanup(p->arena, release_tls, out->tls);
    int failed = out->tls ? 0 : refuse(p, a, err ? err : "the TLS settings cannot work");
    free(err);
    return failed;
}

static int http_prepare(struct prepare *p, const void *args, void *plan)
{
    const struct http_args *a = args;
    struct http_plan *out = plan;
    out->auth = a->auth && a->auth->basic ? a->auth : NULL;
    return a->tls ? prepare_tls(p, a, out) : 0;
}

/* ---- apply ---- */

static int http_apply(void *self, const void *args, const void *plan, char **ret_err)
{
    struct ui *u = self;
    const struct http_plan *p = plan;
    u->http = p;
    tls_server_unref(u->tls);
    u->tls = p->tls ? tls_server_ref(p->tls) : NULL;
    log_info(u->log, u->tls ? "applying TLS config to HTTP server"
                            : "applying non-TLS config to HTTP server");
    if (u->listener) http_listener_update(u->listener, &(struct http_conf){.tls = u->tls});
    return 0;
}

const struct config_def http_block_def = {
    .def = {.name = "http",
            .summary = "Authentication and TLS of the agent's HTTP server.",
            .example = "http {\n  auth {\n    basic {\n      username = \"admin\"\n      password "
                       "= \"secret\"\n    }\n  }\n}\n",
            .args = &http_schema,
            .plan_size = sizeof(struct http_plan),
            .prepare = http_prepare},
    .service = true,
    .apply = http_apply,
};

/* ---- authentication ---- */

static bool path_is_protected(const struct auth_args *a, struct str path)
{
    if (!a->filter) return true;
    bool matches = false;
    for (size_t i = 0; i < a->filter->paths.n && !matches; i++)
        matches = str_starts(path, a->filter->paths.v[i]);
    return matches == a->filter->authenticate_matching_paths;
}

static bool credentials_fit(const struct basic_args *b, struct str header)
{
    if (header.n < 6 || !str_ieq(str_sub(header, 0, 6), STR("Basic "))) return false;
    struct buf given = BUF_INIT(8192), wanted = BUF_INIT(64 * 1024);
    buf_printf(&wanted, STR_FMT ":" STR_FMT, STR_ARG(b->username), STR_ARG(b->password.s));
    bool fits =
        base64_decode(&given, BASE64_STD, str_trim(str_sub(header, 6, header.n)), NULL) == 0 &&
        !buf_err(&wanted) && secret_eq(buf_view(&given), buf_view(&wanted));
    buf_done(&given);
    buf_done(&wanted);
    return fits;
}

bool ui_authorized(struct ui *u, struct http_req *r)
{
    const struct auth_args *auth = u->http ? u->http->auth : NULL;
    if (!auth || !path_is_protected(auth, r->path) ||
        credentials_fit(auth->basic, http_req_header(r, STR("authorization"))))
        return true;
    static const struct http_header challenge = {STR("WWW-Authenticate"),
                                                 STR("Basic realm=\"Restricted\"")};
    log_info(u->log, "failed to authenticate request", F_STR("path", r->path),
             F_CSTR("err", "unauthorized"));
    http_respond(r, &(struct http_answer){.status = 401, .headers = &challenge, .n_headers = 1});
    return false;
}
