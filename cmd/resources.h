/* What the machine, or the container, grants this process: CPUs and memory. Reads /proc and /sys
 * below `root` ("" in production). */
#ifndef CMD_RESOURCES_H
#define CMD_RESOURCES_H

#include "base/common.h"

/* Bytes: the lowest limit of the cgroup (v2 or v1) and of its parents, at most the machine's
 * memory. */
i64 resources_memory(const char *root);
/* CPUs of the affinity mask, at most what the cgroup's quota grants; at least 1. */
int resources_cpus(const char *root);
/* Raises the limit of open files to what this process may have: a followed file holds one. Returns
 * the limit. */
i64 resources_files(void);

#endif
