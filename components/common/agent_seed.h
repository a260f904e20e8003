/* The agent's own id: drawn once, kept in <storage>/alloy_seed.json as Alloy does (which looks in
 * /tmp as well), sent to servers in X-Agent-Id and X-Alloy-Id. Control loop. */
#ifndef COMPONENTS_COMMON_AGENT_SEED_H
#define COMPONENTS_COMMON_AGENT_SEED_H

#include "runtime/component.h"

/* Owned text, a UUID. When it cannot be kept this is said once in the log, and the id lasts as long
 * as the process. */
char *agent_seed(const struct host *host, struct logger *log);

#endif
