/* Endpoints of gRPC clients: "host:port", optionally with http://, https:// or dns:///. Pure. */
#ifndef COMPONENTS_COMMON_GRPC_ENDPOINT_H
#define COMPONENTS_COMMON_GRPC_ENDPOINT_H

#include "base/str.h"

struct grpc_endpoint {
    struct str host; /* view, without brackets */
    int port;
    bool https;      /* the scheme asks for TLS */
    bool dns_server; /* dns://SERVER/... names a DNS server, which is not used */
};

/* 0, or -EINVAL with an owned *ret_err. The port is 443 when none is given; a path is refused. */
int grpc_endpoint_parse(struct str s, struct grpc_endpoint *ret, char **ret_err);
/* Owned: "https://host:port" with brackets around IPv6 addresses. */
char *grpc_endpoint_base(const struct grpc_endpoint *e, bool tls);

#endif
