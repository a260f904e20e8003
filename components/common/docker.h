/* The Docker Engine API: where the engine is, which version it speaks, and requests to it. Source:
 * spec pipelines A.6.
 *
 * A client belongs to a shard and is used on its worker. The version is negotiated before the first
 * request and again after the engine was not reached: it may have been replaced. */
#ifndef COMPONENTS_COMMON_DOCKER_H
#define COMPONENTS_COMMON_DOCKER_H

#include "components/common/http_endpoint.h"

struct docker_host {
    struct str shown;       /* as configured */
    struct str base;        /* "http://host:port/path", without a slash at its end */
    struct str unix_socket; /* empty: TCP */
    bool takes_settings;    /* http and https: the settings of the HTTP client are for it */
};
/* unix:///path, tcp://host:port, http(s)://host:port. 0, or -EINVAL with an owned *ret_err. Texts
 * in the arena. Pure. */
int docker_host_parse(struct str host, struct arena *a, struct docker_host *ret, char **ret_err);
/* The argument `host`, and the settings beside it that an engine on a socket has no use for (they
 * are warned of, at `path`). 0 or -EINVAL, said to p->diags. */
int docker_host_prepare(struct prepare *p, struct str host, const char *path,
                        const struct http_client_args *client, struct docker_host *ret);
/* Requests to h; client: the settings, used when h takes any. NULL with an owned *ret_err. */
struct http_endpoint *docker_endpoint(const struct comp *c, const struct docker_host *h,
                                      const struct http_client_args *client, char **ret_err);

struct docker;
/* host is copied, a reference on the endpoint is taken. timeout: ns, of requests; where the answer
 * goes on, until it has begun; 0: 30 s. */
struct docker *docker_new(struct shard *s, const struct docker_host *host,
                          struct http_endpoint *endpoint, i64 timeout);
/* Cancels what is under way. Not from within a `done`. Takes NULL. */
void docker_free(struct docker *d);

struct docker_result {
    const char *error; /* NULL: success; a whole sentence, valid during the call */
    int status;        /* 0: the engine did not answer */
    bool mute;         /* it was reached, but an answer that goes on did not begin */
    struct str body;
};
struct docker_request {
    const char *path;    /* "/containers/json?all=1", copied; see docker_escape */
    size_t max_response; /* bytes */
    /* Once, later, unless cancelled. */
    void (*done)(void *arg, const struct docker_result *r);
    /* For an answer that goes on, as in struct http_call. */
    size_t (*data)(void *arg, const char *p, size_t n);
    void (*opened)(void *arg); /* with data, optional: the engine agreed, data may follow */
    void *arg;
};
struct docker_call;
struct docker_call *docker_start(struct docker *d, const struct docker_request *r);
void docker_cancel(struct docker_call *c); /* not after done */
void docker_resume(struct docker_call *c);

/* Appends text as a part of a path or query. */
void docker_escape(struct buf *b, struct str text);
/* The highest version of the API that both sides speak, "1.47", given what the engine says of
 * itself. Pure. */
void docker_version(struct str engines, char ret[8]);

#endif
