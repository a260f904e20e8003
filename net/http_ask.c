/* A curl handle for the time of one call. */
#include "net/http_ask.h"

#include <errno.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/xalloc.h"
#include "net/curl_lib.h"

struct texts {
    char *url, *socket, *type;
    struct curl_slist *headers;
    char why[CURL_ERROR_SIZE];
};

static size_t take(char *p, size_t size, size_t n, void *arg)
{
    struct buf *to = arg;

    buf_add(to, p, size * n);
    return buf_err(to) ? 0 : size * n;
}

static void set_body(CURL *easy, const struct http_ask *ask, struct texts *t)
{
    t->type = xprintf("Content-Type: " STR_FMT, STR_ARG(ask->content_type));
    t->headers = curl_slist_append(NULL, t->type);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.n);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, ask->body.p);
}

static void set_up(CURL *easy, const struct http_ask *ask, struct texts *t, struct buf *to)
{
    t->url = str_dup(ask->url);
    curl_easy_setopt(easy, CURLOPT_URL, t->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a lookup that hangs does not hold us */
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(ask->timeout / NS_PER_MS));
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->why);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, to);
    if (ask->user_agent) curl_easy_setopt(easy, CURLOPT_USERAGENT, ask->user_agent);
    if (ask->unix_socket.n > 0) {
        t->socket = str_dup(ask->unix_socket);
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, t->socket);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    if (ask->body.n > 0) set_body(easy, ask, t);
}

static int failed(CURLcode code, const struct texts *t, const struct buf *to, char **ret_err)
{
    if (buf_err(to)) {
        *ret_err = xprintf("the answer has more than %zu bytes", to->max);
        return -E2BIG;
    }
    *ret_err = xstrdup(t->why[0] ? t->why : curl_easy_strerror(code));
    return code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO;
}

static int perform(const struct http_ask *ask, int *ret_status, struct buf *to, char **ret_err)
{
    struct texts t = {0};
    CURL *easy = curl_easy_init();
    long status = 0;

    if (!easy) {
        *ret_err = xstrdup("no memory for a request");
        return -ENOMEM;
    }
    set_up(easy, ask, &t, to);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    *ret_status = (int)status;
    int r = code == CURLE_OK ? 0 : failed(code, &t, to, ret_err);
    curl_easy_cleanup(easy);
    curl_slist_free_all(t.headers);
    free(t.url);
    free(t.socket);
    free(t.type);
    return r;
}

int http_ask(const struct http_ask *ask, int *ret_status, struct buf *ret_body, char **ret_err)
{
    const char *lacks = curl_lib_load();

    if (lacks || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        *ret_err = xstrdup(lacks ? lacks : "libcurl cannot be set up");
        return -ENOSYS;
    }
    int r = perform(ask, ret_status, ret_body, ret_err);
    curl_global_cleanup();
    return r;
}
