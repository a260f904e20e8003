/* A token that was fetched once (OAuth 2), kept for the requests after it until shortly before it
 * expires. One loop's; counted, and the last reference may be another thread's. */
#ifndef NET_HTTP_TOKEN_H
#define NET_HTTP_TOKEN_H

#include "base/str.h"

struct http_token;
struct http_token *http_token_new(void);
struct http_token *http_token_ref(struct http_token *t); /* takes NULL */
void http_token_unref(struct http_token *t);             /* takes NULL */

/* value: of the Authorization header, copied. seconds: how long it holds from now on; 0: nobody
 * said, so until it is refused. */
void http_token_keep(struct http_token *t, struct str value, f64 seconds, i64 now);
/* Borrowed until the next call; .p NULL: there is none that holds. Takes NULL. */
struct str http_token_get(const struct http_token *t, i64 now);
/* A server refused it. */
void http_token_forget(struct http_token *t);

#endif
