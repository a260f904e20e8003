/* otelcol.auth.basic: user name and password. Client side from settings or files, server side
 * against htpasswd users. Lives on the control loop; a changed file makes a new handler. */
#include <errno.h>

#include "base/digest.h"
#include "components/common/auth.h"
#include "components/common/follow_files.h"
#include "components/common/htpasswd.h"
#include "components/common/otel_output.h"
#include "components/common/read_file.h"
#include "components/common/settings.h"

#define POLL (60 * NS_PER_SEC)

struct client_args {
    struct secret password;
    struct str password_file, username, username_file;
};
struct htpasswd_args {
    struct str file, inline_;
};
struct args {
    struct secret password; /* deprecated: client_auth */
    struct str username;
    struct client_args *client_auth;
    struct htpasswd_args *htpasswd;
    struct otel_debug_metrics debug_metrics;
};
struct plan {
    const struct args *args;
};

static const struct row client_rows[] = {
    ATTR(struct client_args, password, .doc = "Password to send.", .def = "\"\""),
    ATTR(struct client_args, password_file, .doc = "File with the password; wins over password.",
         .def = "\"\""),
    ATTR(struct client_args, username, .doc = "User name to send.", .def = "\"\""),
    ATTR(struct client_args, username_file, .doc = "File with the user name; wins over username.",
         .def = "\"\""),
};
static const struct schema client_schema = SCHEMA(struct client_args, client_rows);

static const struct row htpasswd_rows[] = {
    ATTR(struct htpasswd_args, file, .doc = "File in htpasswd format.", .def = "\"\""),
    ATTR_AS(struct htpasswd_args, inline_, "inline",
            .doc = "Lines in htpasswd format; they win over those of the file.", .def = "\"\""),
};
static const struct schema htpasswd_schema = SCHEMA(struct htpasswd_args, htpasswd_rows);

static const struct row arg_rows[] = {
    ATTR(struct args, password, .doc = "Password; use client_auth and htpasswd instead.",
         .def = "\"\"", .deprecated = true),
    ATTR(struct args, username, .doc = "User name; use client_auth and htpasswd instead.",
         .def = "\"\"", .deprecated = true),
    BLOCK_PTR(struct args, client_auth, &client_schema,
              .doc = "Credentials of this agent as a client."),
    BLOCK(struct args, debug_metrics, &otel_debug_metrics_schema,
          .doc = "The component's own metrics."),
    BLOCK_PTR(struct args, htpasswd, &htpasswd_schema,
              .doc = "Users that may call this agent's servers."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

/* --- the handler --- */

struct basic {
    struct auth_handler handler;
    char *authorization; /* client side: the header's value */
    struct htpasswd *users;
};

static void sign(const struct auth_handler *h, const struct client_info *from,
                 struct auth_headers *out)
{
    (void)from;
    const struct basic *b = container_of(h, const struct basic, handler);
    auth_headers_set(out, STR("Authorization"), str_of(b->authorization));
}

static const char *check_credentials(const struct basic *b, struct str credentials, struct str raw,
                                     struct client_info *into)
{
    ssize_t colon = str_chr(credentials, ':');
    if (colon < 0) return "invalid authorization format";
    struct str user = str_sub(credentials, 0, (size_t)colon),
               password = str_sub(credentials, (size_t)colon + 1, credentials.n);
    if (!htpasswd_check(b->users, user, password)) return "invalid credentials";
    client_info_add_auth(into, STR("username"), user);
    client_info_add_auth(into, STR("raw"), raw);
    return NULL;
}

static const char *check(const struct auth_handler *h, const struct http_header *headers, size_t n,
                         struct client_info *into)
{
    const struct basic *b = container_of(h, const struct basic, handler);
    struct str given = http_header_get(headers, n, STR("authorization")), scheme = STR("Basic ");
    if (given.n == 0) return "no basic auth provided";
    if (given.n < scheme.n || !str_ieq(str_sub(given, 0, scheme.n), scheme))
        return "invalid authorization scheme prefix";
    struct buf clear = BUF_INIT(8192);
    struct str raw = str_sub(given, scheme.n, given.n);
    const char *why = base64_decode(&clear, BASE64_STD, raw, NULL) < 0
                          ? "invalid authorization format"
                          : check_credentials(b, buf_view(&clear), raw, into);
    buf_done(&clear);
    return why;
}

static void basic_free(struct auth_handler *h)
{
    struct basic *b = container_of(h, struct basic, handler);
    free(b->authorization);
    htpasswd_free(b->users);
    free(b);
}

/* --- making it --- */

/* The file's contents without white space around them when there is one, else the value. 0, or
 * -errno with *ret_err. */
static int value_or_file(struct str value, struct str file, struct buf *out, char **ret_err)
{
    if (file.n == 0) {
        buf_str(out, value);
        return buf_err(out);
    }
    struct buf content = BUF_INIT(READ_FILE_MAX);
    int r = read_file(file.p, &content, ret_err);
    if (r == 0) buf_str(out, str_trim(buf_view(&content)));
    buf_done(&content);
    return r;
}

static int read_credentials(const struct args *a, struct buf *out, char **ret_err)
{
    const struct client_args *c = a->client_auth;
    int r =
        value_or_file(c ? c->username : a->username, c ? c->username_file : STR(""), out, ret_err);
    buf_ch(out, ':');
    return r < 0 ? r
                 : value_or_file(c ? c->password.s : a->password.s, c ? c->password_file : STR(""),
                                 out, ret_err);
}

static int make_client(struct basic *b, const struct args *a, char **ret_err)
{
    struct buf clear = BUF_INIT(1 << 20), header = BUF_INIT(2 << 20);
    int r = read_credentials(a, &clear, ret_err);
    if (r == 0) {
        buf_cstr(&header, "Basic ");
        base64_encode(&header, BASE64_STD, clear.p, clear.n);
        b->authorization = buf_take(&header, NULL);
        b->handler.sign = sign;
    }
    buf_done(&clear);
    buf_done(&header);
    return r;
}

static int add_users(struct basic *b, struct str text, char **ret_err)
{
    struct str bad;
    if (htpasswd_add(b->users, text, &bad)) return 0;
    *ret_err =
        xprintf("htpasswd: a line is not of the form name:hash"); /* the line may hold a password */
    return -EINVAL;
}

static int add_users_file(struct basic *b, struct str file, char **ret_err)
{
    struct buf text = BUF_INIT(READ_FILE_MAX);
    int r = read_file(file.p, &text, ret_err);
    if (r == 0) r = add_users(b, buf_view(&text), ret_err);
    buf_done(&text);
    return r;
}

/* The deprecated pair is a user of the server side as well. */
static int make_server(struct basic *b, const struct args *a, char **ret_err)
{
    int r = 0;
    b->users = htpasswd_new();
    b->handler.check = check;
    if (a->username.n > 0) {
        char *line = xprintf(STR_FMT ":" STR_FMT, STR_ARG(a->username), STR_ARG(a->password.s));
        r = add_users(b, str_of(line), ret_err);
        free(line);
    }
    if (r == 0 && a->htpasswd && a->htpasswd->file.n > 0)
        r = add_users_file(b, a->htpasswd->file, ret_err);
    return r == 0 && a->htpasswd ? add_users(b, a->htpasswd->inline_, ret_err) : r;
}

static int make(const struct args *a, struct auth_handler **ret, char **ret_err)
{
    struct basic *b = xnew(struct basic);
    int r = 0;
    b->handler.free = basic_free;
    if (a->client_auth || a->username.n > 0) r = make_client(b, a, ret_err);
    if (r == 0 && (a->htpasswd || a->username.n > 0)) r = make_server(b, a, ret_err);
    if (r < 0)
        basic_free(&b->handler);
    else
        *ret = &b->handler;
    return r;
}

static int publish(struct comp *c, struct shard *s, const void *plan, char **ret_err)
{
    struct auth_handler *h;
    int r = make(((const struct plan *)plan)->args, &h, ret_err);
    if (r == 0) auth_export(c, s, h);
    return r;
}

/* --- life --- */

static int prepare_client(struct prepare *p, const struct client_args *c)
{
    if (c->username.n == 0 && c->username_file.n == 0)
        return setting_fault(p, "client_auth", "no username provided");
    if (c->password.s.n == 0 && c->password_file.n == 0)
        return setting_fault(p, "client_auth", "no password provided");
    return 0;
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    const struct args *a = plan->args = args;
    if (!a->client_auth && !a->htpasswd && a->username.n == 0 && a->password.s.n == 0)
        return setting_fault(p, "", "no credential source provided");
    if (a->username.n > 0 && a->password.s.n == 0)
        return setting_fault(p, "username", "no password provided");
    if (a->username.n == 0 && a->password.s.n > 0)
        return setting_fault(p, "password", "no username provided");
    return a->client_auth ? prepare_client(p, a->client_auth) : 0;
}

static int create(struct comp *c, char **ret_err)
{
    return publish(c, NULL, c->plan, ret_err);
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    return old_plan ? create(c, ret_err) : 0;
}

static void follow_conf(const void *plan, struct follow_conf *ret)
{
    const struct args *a = ((const struct plan *)plan)->args;
    *ret = (struct follow_conf){.files = {a->client_auth ? a->client_auth->username_file : STR(""),
                                          a->client_auth ? a->client_auth->password_file : STR(""),
                                          a->htpasswd ? a->htpasswd->file : STR("")},
                                .every = POLL};
}

static const struct follow_rules rules = {.conf = follow_conf,
                                          .publish = publish,
                                          .well = "credentials read",
                                          .failed = "failed to read credentials"};

static int run(struct shard *s)
{
    return follow_run(s, &rules);
}

DEFINE_COMPONENT(otelcol_auth_basic) = {
    .name = "otelcol.auth.basic",
    .summary = "Signs and checks OTLP requests with user name and password.",
    .example = "otelcol.auth.basic \"default\" {\n"
               "  client_auth {\n"
               "    username = \"demo\"\n"
               "    password = \"secret\"\n"
               "  }\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &auth_exports_schema,
    .placement = PLACE_CONTROL,
    .plan_size = sizeof(struct plan),
    .self_size = sizeof(struct follow),
    .prepare = prepare,
    .create = create,
    .configure = configure,
    .run = run,
    .apply = follow_apply,
    .stop = follow_stop,
    .shard_done = follow_shard_done,
};
