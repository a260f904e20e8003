/* Processes as targets: what /proc says of each, and how they are joined with the targets of
 * containers. Pure but for reading the folder given; texts of /proc are hostile. */
#ifndef COMPONENTS_DISCOVERY_PROCESS_PROC_H
#define COMPONENTS_DISCOVERY_PROCESS_PROC_H

#include <stdatomic.h>
#include "base/arena.h"
#include "components/common/targets.h"

struct process_flags {
    bool exe, cwd, commandline, uid, username, cgroup_path, container_id;
};

#define PROCESSES_MAX 200000

/* Adds the processes below `proc` ("/proc"), those of this PID namespace that may be read; kernel
 * threads are left out where their program is asked for. 0 or -errno: the folder cannot be read. */
int process_targets(const char *proc, const struct process_flags *flags,
                    const atomic_bool *given_up, struct target_list *into);

/* The container of a cgroup file's text: 64 hexadecimal digits; empty: none. */
struct str process_container(struct str cgroup);
/* The container that a target names; empty: none. */
struct str process_target_container(const struct label_set *target);

/* `join` (targets) first as far as they name no container, then processes, those of a container
 * with the labels of its target added, then the targets of containers. Owned; takes `processes`. */
struct value process_join(struct value processes, struct value join);

#endif
