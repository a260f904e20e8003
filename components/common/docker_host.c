/* Hosts of Docker engines, and the settings for reaching them. */
#include <errno.h>

#include "base/xalloc.h"
#include "components/common/docker.h"
#include "components/common/settings.h"

/* Each followed log keeps one connection with a buffer of its own: a quiet container should not
 * cost the usual 64 KiB. */
#define READ_BUFFER ((size_t)16 * 1024)

#define UNIX_PREFIX "unix://"

static int parse_socket(struct str path, struct arena *a, struct docker_host *ret, char **ret_err)
{
    if (path.n == 0 || path.p[0] != '/') {
        *ret_err = xprintf("\"" STR_FMT "\" should name the engine's socket by its whole path, as "
                           "in \"unix:///var/run/docker.sock\"",
                           STR_ARG(ret->shown));
        return -EINVAL;
    }
    ret->unix_socket = arena_str(a, path);
    ret->base = STR("http://docker");
    return 0;
}

static int parse_url(struct str url, struct arena *a, struct docker_host *ret, char **ret_err)
{
    struct url u;

    if (url_parse(url, &u, ret_err) != 0) return -EINVAL;
    if (u.query.n || u.userinfo.n) {
        *ret_err = xprintf("the URL of a Docker engine has neither a query nor a user name");
        return -EINVAL;
    }
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    ret->base = arena_str(a, url);
    return 0;
}

int docker_host_parse(struct str host, struct arena *a, struct docker_host *ret, char **ret_err)
{
    struct docker_host h = {.shown = arena_str(a, host)};
    int r;

    if (host.n == 0) {
        *ret_err = xstrdup("host attribute must not be empty");
        return -EINVAL;
    }
    if (str_starts(host, STR(UNIX_PREFIX))) {
        r = parse_socket(str_sub(host, sizeof(UNIX_PREFIX) - 1, host.n), a, &h, ret_err);
    } else if (str_starts(host, STR("tcp://"))) {
        struct str url = str_of(arena_printf(a, "http" STR_FMT, STR_ARG(str_sub(host, 3, host.n))));
        r = parse_url(url, a, &h, ret_err);
    } else if (str_starts(host, STR("http://")) || str_starts(host, STR("https://"))) {
        h.takes_settings = true;
        r = parse_url(host, a, &h, ret_err);
    } else {
        *ret_err = xprintf("\"" STR_FMT "\" is no address of a Docker engine: it begins with "
                           "unix://, tcp://, http:// or https://",
                           STR_ARG(host));
        r = -EINVAL;
    }
    if (r == 0) *ret = h;
    return r;
}

static const char *useless_setting(const struct http_client_args *c)
{
    const struct {
        const char *name;
        bool set;
    } settings[] = {
        {"authorization", c->authorization},
        {"basic_auth", c->basic_auth},
        {"oauth2", c->oauth2},
        {"bearer_token", c->bearer_token.s.n},
        {"bearer_token_file", c->bearer_token_file.n},
        {"http_headers", c->http_headers.type != V_NULL},
        {"proxy_url", c->proxy.url.n},
        {"proxy_from_environment", c->proxy.from_environment},
    };

    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        if (settings[i].set) return settings[i].name;
    return NULL;
}

int docker_host_prepare(struct prepare *p, struct str host, const char *path,
                        const struct http_client_args *client, struct docker_host *ret)
{
    char *err = NULL, where[64];
    const char *useless = useless_setting(client);

    if (docker_host_parse(host, p->arena, ret, &err) != 0) {
        int r = setting_fault(p, "host", "%s", err);
        free(err);
        return r;
    }
    if (ret->takes_settings || !useless) return 0;
    (void)snprintf(where, sizeof(where), "%s%s%s", path, *path ? "/" : "", useless);
    setting_no_effect(p, where,
                      "settings of the HTTP client are used for http:// and https:// only");
    return 0;
}

struct http_endpoint *docker_endpoint(const struct comp *c, const struct docker_host *h,
                                      const struct http_client_args *client, char **ret_err)
{
    return http_endpoint_new(&(struct http_endpoint_conf){.args = h->takes_settings ? client : NULL,
                                                          .unix_socket = h->unix_socket,
                                                          .read_buffer = READ_BUFFER,
                                                          .user_agent = c->host->user_agent},
                             ret_err);
}
