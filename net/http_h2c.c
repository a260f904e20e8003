/* Openers and sharers of cleartext HTTP/2 connections. */
#include "net/http_h2c.h"

static curl_socket_t refuse_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
    struct h2c_call *call = arg;

    call->refused = true;
    return CURL_SOCKET_BAD;
}

static void prepare_opener(struct h2c_pool *pool, struct h2c_call *call, CURL *easy)
{
    pool->opened = true;
    pool->generation++;
    call->opener = true;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, NULL);
}

static void prepare_sharer(struct h2c_call *call, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, refuse_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
}

void h2c_prepare(struct h2c_pool *pool, struct h2c_call *call, CURL *easy)
{
    *call = (struct h2c_call){0};
    if (pool->opened)
        prepare_sharer(call, easy);
    else
        prepare_opener(pool, call, easy);
    call->generation = pool->generation;
}

bool h2c_again(struct h2c_pool *pool, struct h2c_call *call)
{
    if (!call->refused) return false;
    if (call->generation == pool->generation) pool->opened = false;
    return true;
}
