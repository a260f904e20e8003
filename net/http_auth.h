/* The Authorization header of a client's requests: name and password, a token, or a token fetched
 * by OAuth 2 (client credentials, RFC 6749 4.4). Secrets that lie in files are read anew each time,
 * on the offload pool. Everything on the client's loop. */
#ifndef NET_HTTP_AUTH_H
#define NET_HTTP_AUTH_H

#include "net/http_client.h"
#include "net/http_token.h"

enum http_auth_kind { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_TOKEN, HTTP_AUTH_OAUTH2 };

struct http_auth_conf { /* borrowed until done */
    enum http_auth_kind kind;
    struct str name;                /* user name; scheme ("Bearer"); client id */
    struct str secret, secret_file; /* the file when it is set; white space around it is cut off */
    /* OAuth 2 */
    struct str token_url, scope; /* scope: separated by spaces */
    const struct http_header *params;
    size_t n_params;
    struct http_target *target; /* of the token's server */
    struct http_token *token;   /* where a fetched one is kept; NULL: it is fetched each time */
};

struct http_auth;
/* value: of the header, empty when there is none; err: NULL, or why it cannot be had. Valid during
 * the call. */
typedef void (*http_auth_fn)(void *arg, struct str value, const char *err);
/* fn is called once, maybe before this returns (NULL is returned then); timeout: of each request.
 */
struct http_auth *http_auth_start(struct http_client *c, struct loop *l, struct offload *pool,
                                  const struct http_auth_conf *conf, i64 timeout, http_auth_fn fn,
                                  void *arg);
void http_auth_cancel(struct http_auth *a); /* fn is not called any more; conf may go */

#endif
