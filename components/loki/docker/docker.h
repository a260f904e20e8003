/* Inside of loki.source.docker: what the instance keeps on its worker, and the container whose log
 * is read. */
#ifndef COMPONENTS_LOKI_DOCKER_DOCKER_H
#define COMPONENTS_LOKI_DOCKER_DOCKER_H

#include "base/map.h"
#include "base/vec.h"
#include "components/common/ack_window.h"
#include "components/common/backoff.h"
#include "components/common/docker.h"
#include "components/common/docker_json.h"
#include "components/common/log_source.h"
#include "components/common/positions.h"
#include "components/common/relabel.h"
#include "components/common/target_status.h"
#include "components/loki/docker/mark.h"

struct docker_args {
    struct capsule_list forward_to;
    struct str host;
    struct str_map labels;
    struct value targets;
    struct dur refresh_interval;
    struct capsule_ref relabel_rules;
    struct http_client_args http_client_config;
};
struct docker_plan {
    const struct docker_args *args;
    struct docker_host host;
};
struct docker_shared {
    struct http_endpoint *endpoint; /* of the newest plan; the shard takes a reference */
    struct positions *positions;
    struct metric *entries, *faults;
    struct status_board board; /* of containers, for debug_info */
};

struct docker_source {
    struct shard *shard;
    struct docker_shared *shared;
    struct log_source out;
    struct docker *docker;
    struct map containers;  /* by container id */
    struct timer *stopping; /* looks whether all is delivered; NULL: not stopping */
    i64 stop_began;
    char *away;         /* why the engine is not reached; said so. NULL: it is */
    u32 troubled;       /* containers whose log cannot be read */
    struct forgetting { /* positions of containers that are no more */
        struct timer *timer;
        VEC(char *) paths; /* to be looked at */
        struct docker_call *call;
    } forgetting;
};

/* --- the log of one container (container.c) --- */

/* What of a batch's end has to be remembered until it is delivered. */
struct docker_sent {
    u64 number; /* of the batch */
    struct docker_mark mark;
};

struct container {
    struct docker_source *source;
    struct target_status *status; /* what others see of it */
    char *id, *path;    /* of the container; of its position */
    struct labels *key; /* all of the target's: of its position */
    struct labels *labels[DOCKER_STREAMS];
    struct docker_call *call;
    struct timer *timer;
    struct backoff backoff;
    /* reading */
    bool following;
    bool leaving; /* its target is gone: what is left in a container that has stopped is read */
    bool to_end;  /* the container had stopped when this reading began */
    i64 finished; /* it was then; with read_to_end: everything up to there is read */
    bool read_to_end;
    bool gone;    /* there is no such container; said so */
    bool through; /* nothing is left to read: freed when all is delivered */
    bool halted;
    bool no_memory; /* a line could not be kept: it has to be read again */
    i64 began;
    struct docker_frames frames;
    struct docker_catch_up catch_up;
    u32 added; /* entries in the source's builder */
    struct docker_mark sent, done;
    u64 number; /* of batches */
    struct ack_window *window;
    VEC(struct docker_sent) on_their_way;
    /* what was said */
    char *trouble; /* NULL: none; the engine's own is said for all containers at once */
    u64 faults;    /* lines skipped since the last time it was said */
    i64 faults_said;
};

/* Begins at the saved position. labels are taken over. */
struct container *container_new(struct docker_source *s, struct str id, struct labels *key,
                                struct labels *const labels[DOCKER_STREAMS]);
/* Stops at once; the position stays. Takes NULL. */
void container_free(struct container *c);
/* Its labels are others from now on; taken over. */
void container_relabel(struct container *c, struct labels *key,
                       struct labels *const labels[DOCKER_STREAMS]);
/* The target is gone, or there again. */
void container_leave(struct container *c);
void container_stay(struct container *c);
/* The way to the engine changed: reads on by the new one. */
void container_reconnect(struct container *c);
/* Reads no more, forgets nothing: for a stop. */
void container_halt(struct container *c);
/* There is room for entries again. */
void container_room(struct container *c);
/* What others see of it; a reference of the container's. */
struct target_status *container_status(struct container *c);
/* Everything that was sent was delivered. */
bool container_is_settled(const struct container *c);

/* --- positions of containers that are no more (forget.c) --- */

/* "cursor-ID" and back; the latter is empty for another path. */
char *docker_position_path(struct str id);
struct str docker_position_id(struct str path);
void forget_init(struct docker_source *s);
void forget_done(struct docker_source *s);
/* The way to the engine changed. */
void forget_again(struct docker_source *s);

/* --- labels (labels.c) --- */

/* The containers that the targets of a plan ask for: begins, relabels, and takes leave. */
void docker_targets_apply(struct docker_source *s, const struct docker_plan *plan);

/* --- the whole (source.c) --- */

/* A container is through: its target is gone, and all that was read is delivered. Frees it. */
void docker_source_drop(struct docker_source *s, struct container *c);
/* The engine was not reached, or was. Said once. */
void docker_source_unreachable(struct docker_source *s, const char *error);
void docker_source_reached(struct docker_source *s);
/* Health, after a container's trouble came or went; what: the newest. */
void docker_source_health(struct docker_source *s, const char *what);
/* Containers came or went, or a container's trouble did: debug_info shows it. */
void docker_source_show(struct docker_source *s);

#endif
