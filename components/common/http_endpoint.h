/* Requests to a server with the client settings of Prometheus' manner (value/http_client_args.h):
 * authorization is made first (secrets in files are read, tokens fetched), then the request goes
 * out with it, the configured headers and our User-Agent.
 *
 * An endpoint is immutable and counted, made where its files may be read (configure), used by any
 * number of loops. A call belongs to the loop of its client.
 *
 * A token of OAuth 2 is fetched once by each loop and kept until shortly before it expires, or until
 * the server answers 401: then a new one is fetched and the request goes out once more, before
 * anybody hears of the first answer. */
#ifndef COMPONENTS_COMMON_HTTP_ENDPOINT_H
#define COMPONENTS_COMMON_HTTP_ENDPOINT_H

#include "runtime/component.h"
#include "value/http_client_args.h"

struct http_endpoint;
struct http_endpoint_conf {
    const struct http_client_args *args; /* copied; NULL: none of them */
    struct str unix_socket;              /* as in http_target_conf */
    size_t read_buffer, max_idle_conns; /* as in http_target_conf */
    const char *user_agent; /* borrowed for ever; NULL: none is sent */
};
/* NULL with an owned *ret_err: certificates cannot be read, a proxy's URL is wrong ... */
struct http_endpoint *http_endpoint_new(const struct http_endpoint_conf *conf, char **ret_err);
struct http_endpoint *http_endpoint_ref(struct http_endpoint *e);
void http_endpoint_unref(struct http_endpoint *e); /* takes NULL */

struct http_request;
/* Like http_client_start; call->target is the endpoint's, call->headers come before the configured
 * ones and win over them. The body must live until done. When authorization cannot be made, done
 * gets HTTP_BROKEN with the reason. Never calls back from within. */
struct http_request *http_request_start(struct http_endpoint *e, struct worker *w,
                                        struct offload *pool, const struct http_call *call);
/* No callback will come. Not after done was called. */
void http_request_cancel(struct http_request *r);
/* Of answers in pieces; as for calls. */
void http_request_resume(struct http_request *r);

#endif
