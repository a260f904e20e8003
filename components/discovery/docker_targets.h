/* Targets made of the containers and networks of an engine. Source: spec pipelines B.4. Pure. */
#ifndef COMPONENTS_DISCOVERY_DOCKER_TARGETS_H
#define COMPONENTS_DISCOVERY_DOCKER_TARGETS_H

#include "components/common/docker_json.h"
#include "components/common/targets.h"

struct docker_targets_conf {
    i64 port;                        /* of containers that have no TCP port */
    struct str host_networking_host; /* address of those that use the host's network */
    bool match_first_network;
};
/* Adds them to `into`. -ENOMEM: not all of them. */
int docker_targets(const struct docker_containers *containers,
                   const struct docker_networks *networks, const struct docker_targets_conf *conf,
                   struct target_list *into);

#endif
