/* The environment git runs in. Names and passwords are given to git by a credential helper that
 * reads them from the environment, and only for the server they are meant for: git forgets nobody's
 * header after a redirect, but asks its helper by host. */
#include <errno.h>
#include "base/num.h"
#include "base/xalloc.h"
#include "runtime/import/git.h"

#define COMPLAINT_MAX 512

static void add(struct git_env *e, const char *fmt, ...) PRINTF(2, 3);
static void add(struct git_env *e, const char *fmt, ...)
{
    struct buf b = BUF_INIT(1 << 20);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    vec_push(&e->vars, buf_take(&b, NULL));
}

static void hide(struct git_env *e, struct str secret)
{
    if (secret.n) vec_push(&e->hidden, str_dup(secret));
}

/* --- what goes for every repository --- */

/* The way to the network and to known hosts is the machine's, all else is ours. */
static void inherit(struct git_env *e)
{
    static const char *const names[] = {
        "PATH",           "http_proxy",    "HTTP_PROXY",      "https_proxy",
        "HTTPS_PROXY",    "all_proxy",     "ALL_PROXY",       "no_proxy",
        "NO_PROXY",       "SSL_CERT_FILE", "SSL_CERT_DIR",    "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH", "SSH_AUTH_SOCK", "SSH_KNOWN_HOSTS", "LD_LIBRARY_PATH",
        "GIT_EXEC_PATH",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (getenv(names[i])) add(e, "%s=%s", names[i], getenv(names[i]));
}

struct setting {
    const char *key, *value;
};

static void set_config(struct git_env *e, const struct setting *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        add(e, "GIT_CONFIG_KEY_%zu=%s", i, s[i].key);
        add(e, "GIT_CONFIG_VALUE_%zu=%s", i, s[i].value);
    }
    add(e, "GIT_CONFIG_COUNT=%zu", n);
}

/* key: of the helper; NULL: there are no credentials. */
static void configure(struct git_env *e, const char *key)
{
    static const char helper[] =
        "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' "
        "\"$WEIR_GIT_USERNAME\" \"$WEIR_GIT_PASSWORD\"; }; f";
    const struct setting settings[] = {
        {"protocol.allow", "never"},
        {"protocol.http.allow", "always"},
        {"protocol.https.allow", "always"},
        {"protocol.ssh.allow", "always"},
        {"protocol.git.allow", "always"},
        {"protocol.file.allow", "always"},
        {"core.hooksPath", "/dev/null"},
        {"core.fsmonitor", "false"},
        {"gc.autoDetach", "false"},
        {"safe.directory", "*"}, /* a storage volume may belong to another user */
        {"http.lowSpeedLimit", "1"},
        {"http.lowSpeedTime", "30"},
        {"credential.helper", ""},
        {key, helper}, /* last: left out without a key */
    };

    set_config(e, settings, ARRAY_LEN(settings) - (key ? 0 : 1));
    add(e, "GIT_CONFIG_NOSYSTEM=1");
    add(e, "GIT_CONFIG_GLOBAL=/dev/null");
    add(e, "GIT_TERMINAL_PROMPT=0");
    add(e, "LC_ALL=C");
}

/* --- HTTP --- */

static char *percent_decode(struct str s)
{
    struct buf b = BUF_INIT(s.n + 1);

    for (size_t i = 0; i < s.n; i++) {
        u8 byte;
        size_t n;
        bool escaped =
            s.p[i] == '%' && i + 2 < s.n && hex_decode(str_sub(s, i + 1, i + 3), &byte, 1, &n) == 0;
        buf_ch(&b, escaped ? (char)byte : s.p[i]);
        if (escaped) i += 2;
    }
    return buf_take(&b, NULL);
}

/* "https://name:password@host/path" in its parts; views into url. */
struct address {
    struct str scheme, user, password, rest;
    bool has_user;
};

static struct address split(struct str url)
{
    ssize_t sep = str_find(url, STR("://"));
    struct address a = {.rest = url};

    if (sep < 0) return a;
    a.scheme = str_sub(url, 0, (size_t)sep);
    a.rest = str_sub(url, (size_t)sep + 3, url.n);
    ssize_t slash = str_chr(a.rest, '/');
    struct str host = slash < 0 ? a.rest : str_sub(a.rest, 0, (size_t)slash);
    ssize_t at = str_rchr(host, '@');
    if (at < 0) return a;
    a.has_user = true;
    a.password = str_sub(host, 0, (size_t)at);
    a.user = str_cut(&a.password, ':');
    a.rest = str_sub(a.rest, (size_t)at + 1, a.rest.n);
    return a;
}

static bool is_http(const struct address *a)
{
    return str_ieq(a->scheme, STR("http")) || str_ieq(a->scheme, STR("https"));
}

/* For HTTP without the user's part, which the helper gives; otherwise without a password. */
static char *clean_url(const struct address *a)
{
    if (!a->scheme.n) return str_dup(a->rest);
    bool keep = a->has_user && !is_http(a);
    return xprintf(STR_FMT "://" STR_FMT "%s" STR_FMT, STR_ARG(a->scheme),
                   keep ? (int)a->user.n : 0, keep ? a->user.p : "", keep ? "@" : "",
                   STR_ARG(a->rest));
}

/* True when there are any. */
static bool set_credentials(struct git_env *e, const struct git_basic_auth *b,
                            const struct address *a)
{
    if (!is_http(a) || (!b && !a->has_user)) return false;
    char *user = b ? str_dup(b->username) : percent_decode(a->user);
    char *password = b ? str_dup(b->password.s) : percent_decode(a->password);

    add(e, "WEIR_GIT_USERNAME=%s", user);
    add(e, "WEIR_GIT_PASSWORD=%s", password);
    hide(e, str_of(password));
    hide(e, a->password);
    explicit_bzero(password, strlen(password));
    free(user);
    free(password);
    return true;
}

static void set_http(struct git_env *e, const struct git_args *args, const struct address *a)
{
    struct str host = a->rest;

    host = str_cut(&host, '/');
    char *key = set_credentials(e, args->basic_auth, a)
                    ? xprintf("credential." STR_FMT "://" STR_FMT ".helper", STR_ARG(a->scheme),
                              STR_ARG(host))
                    : NULL;
    configure(e, key);
    free(key);
}

/* --- SSH --- */

/* Values reach ssh through variables that the shell puts in: nothing needs quoting. */
static void set_ssh(struct git_env *e, const struct git_ssh_key *k, const struct git_clone *c)
{
    bool asks = k && k->passphrase.s.n, key = k && (k->key.s.n || k->key_file.n);

    add(e,
        "GIT_SSH_COMMAND=ssh -F /dev/null -o StrictHostKeyChecking=yes -o ConnectTimeout=20 "
        "-o ServerAliveInterval=15 -o PasswordAuthentication=no "
        "-o KbdInteractiveAuthentication=no%s%s%s%s",
        getenv("SSH_KNOWN_HOSTS") ? " -o UserKnownHostsFile=\"$SSH_KNOWN_HOSTS\"" : "",
        asks ? "" : " -o BatchMode=yes",
        key ? " -i \"$WEIR_SSH_KEY\" -o IdentitiesOnly=yes -o IdentityAgent=none" : "",
        k ? " -l \"$WEIR_SSH_USER\"" : "");
    if (!k) return;
    add(e, "WEIR_SSH_USER=" STR_FMT, STR_ARG(k->username));
    if (k->key.s.n)
        add(e, "WEIR_SSH_KEY=%s/" GIT_KEY_FILE, c->dir);
    else if (key)
        add(e, "WEIR_SSH_KEY=" STR_FMT, STR_ARG(k->key_file));
    if (!asks) return;
    add(e, "SSH_ASKPASS=%s/" GIT_ASKPASS, c->dir);
    add(e, "SSH_ASKPASS_REQUIRE=force");
    add(e, "WEIR_SSH_PASSPHRASE=" STR_FMT, STR_ARG(k->passphrase.s));
    hide(e, k->passphrase.s);
}

/* --- both --- */

void git_env_init(struct git_env *e, const struct git_args *a, const struct git_clone *c)
{
    struct address address = split(a->repository);

    *e = (struct git_env){.url = clean_url(&address)};
    inherit(e);
    add(e, "HOME=%s", c->dir);
    set_http(e, a, &address);
    set_ssh(e, a->ssh_key, c);
    vec_push(&e->vars, NULL);
}

static void wipe(char *text)
{
    if (text) explicit_bzero(text, strlen(text));
    free(text);
}

void git_env_done(struct git_env *e)
{
    vec_each (&e->vars, v)
        wipe(*v);
    vec_each (&e->hidden, h)
        wipe(*h);
    vec_done(&e->vars);
    vec_done(&e->hidden);
    free(e->url);
    *e = (struct git_env){0};
}

/* --- complaints --- */

/* "fatal: ..." or "error: ..." before anything else; the last line otherwise. */
static struct str pick_line(struct str said)
{
    struct str best = {0}, last = {0};

    while (said.p) {
        struct str line = str_trim(str_cut(&said, '\n'));
        if (str_starts(line, STR("fatal: ")) || (!best.n && str_starts(line, STR("error: "))))
            best = line;
        if (line.n) last = line;
    }
    return best.n ? str_sub(best, 7, best.n) : last;
}

/* Length of the longest hidden text that stands at the beginning of text. */
static size_t hidden_at(const struct git_env *e, struct str text)
{
    size_t longest = 0;

    for (size_t i = 0; i < e->hidden.n; i++)
        if (str_starts(text, str_of(e->hidden.v[i])))
            longest = MAX(longest, strlen(e->hidden.v[i]));
    return longest;
}

static void add_shown(struct buf *out, struct str text, const struct git_env *e)
{
    while (text.n) {
        size_t skip = hidden_at(e, text);
        if (skip)
            buf_cstr(out, "(secret)");
        else
            buf_ch(out, (u8)*text.p < ' ' ? ' ' : *text.p);
        text = str_sub(text, MAX(skip, (size_t)1), text.n);
    }
}

char *git_env_complaint(const struct git_env *e, struct str said)
{
    struct buf b = BUF_INIT(1 << 20);
    struct str line = pick_line(said);

    add_shown(&b, line, e);
    buf_truncate(&b, MIN(b.n, (size_t)COMPLAINT_MAX));
    return buf_take(&b, NULL);
}
