/* A client's TLS settings, used the other way round. */
#include "components/common/tls_config.h"

bool tls_config_given(const struct http_tls_args *a)
{
    return a->ca_file.n || a->ca_pem.n || a->cert_file.n || a->cert_pem.n || a->key_file.n ||
           a->key_pem.s.n;
}

struct tls_conf tls_config_server_conf(const struct http_tls_args *a)
{
    struct tls_conf conf = http_tls_conf(a);

    conf.client_ca_pem = a->ca_pem;
    conf.client_ca_file = a->ca_file;
    conf.ca_pem = conf.ca_file = conf.server_name = (struct str){0};
    conf.skip_verify = false;
    return conf;
}
