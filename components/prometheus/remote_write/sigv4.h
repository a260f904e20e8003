/* Signing requests for AWS: Signature Version 4, and where its keys are found. */
#ifndef COMPONENTS_PROMETHEUS_REMOTE_WRITE_SIGV4_H
#define COMPONENTS_PROMETHEUS_REMOTE_WRITE_SIGV4_H

#include "components/prometheus/remote_write/args.h"

struct aws_keys {
    char *id, *key, *token, *region; /* owned; token may be NULL; id NULL: none of them */
};
/* From the settings, else the environment (AWS_ACCESS_KEY_ID ...), else the shared files
 * (~/.aws/credentials, ~/.aws/config, or where AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE
 * point). 0; -1 with an owned *ret_err. Blocking: for the control loop. */
int aws_keys_find(const struct sigv4_args *a, struct aws_keys *ret, char **ret_err);
void aws_keys_copy(struct aws_keys *to, const struct aws_keys *from);
void aws_keys_done(struct aws_keys *k);

struct sigv4_request {
    struct str method, url, service, body;
    i64 time; /* seconds since 1970 */
    /* Signed together with Host: in any order, names in any case, X-Amz-Date among them. */
    const struct http_header *headers;
    size_t n_headers;
};
#define SIGV4_DATE 17 /* 20150830T123600Z and an end */
void sigv4_date(i64 time, char ret[SIGV4_DATE]);
/* The Authorization header, owned. Pure. */
char *sigv4_sign(const struct sigv4_request *r, const struct aws_keys *k);

#endif
