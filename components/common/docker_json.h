/* What the Engine API says of containers and networks, as far as discovery and log reading need it.
 * Texts point into the answer or the arena. Pure; answers are hostile. */
#ifndef COMPONENTS_COMMON_DOCKER_JSON_H
#define COMPONENTS_COMMON_DOCKER_JSON_H

#include "base/json.h"
#include "base/vec.h"

/* GET /containers/ID/json */
struct docker_state {
    bool tty, running;
    i64 finished_at; /* ns since 1970; 0: never */
};
/* 0, or -EBADMSG with a static text that says what is wrong. */
int docker_read_state(struct str body, struct arena *a, struct docker_state *ret,
                      const char **ret_err);

struct docker_label {
    struct str name, value;
};
struct docker_labels {
    struct docker_label *v;
    size_t n;
};
struct docker_port {
    struct str ip, type;
    i64 private_port, public_port;
};
struct docker_ports {
    struct docker_port *v;
    size_t n;
};
struct docker_attachment { /* of a container to a network */
    struct str name, network_id, ip;
};
struct docker_attachments {
    struct docker_attachment *v;
    size_t n;
};
/* GET /containers/json */
struct docker_container {
    struct str id, network_mode;
    struct str name; /* the first, with its slash; empty: none */
    struct docker_labels labels;
    struct docker_ports ports;
    struct docker_attachments networks;
};
struct docker_containers {
    struct docker_container *v;
    size_t n;
};
int docker_read_containers(struct str body, struct arena *a, struct docker_containers *ret,
                           const char **ret_err);

/* GET /networks */
struct docker_network {
    struct str id, name, scope;
    bool internal, ingress;
    struct docker_labels labels;
};
struct docker_networks {
    struct docker_network *v;
    size_t n;
};
int docker_read_networks(struct str body, struct arena *a, struct docker_networks *ret,
                         const char **ret_err);

#endif
