/* The life of a component that exports what it reads from files: it reads them again when they
 * change, and its health says whether that worked. What was exported last stays when it did not.
 *
 * struct follow is the shard's self; run, apply, stop and shard_done below are the component's own.
 * Lives on the control loop (PLACE_CONTROL): the files are small. */
#ifndef COMPONENTS_COMMON_FOLLOW_FILES_H
#define COMPONENTS_COMMON_FOLLOW_FILES_H

#include "runtime/component.h"

#define FOLLOW_FILES_MAX 3

struct follow_conf {
    struct str files[FOLLOW_FILES_MAX]; /* the plan's; empty ones are passed over */
    bool by_timer;                      /* looked at every so often, instead of being watched */
    i64 every;                          /* then, and where changes cannot be watched */
};

struct follow_rules { /* one constant per component */
    void (*conf)(const void *plan, struct follow_conf *ret);
    /* Reads and exports. Also called by the component's create and configure, then with s NULL.
     * -errno and an owned text. */
    int (*publish)(struct comp *c, struct shard *s, const void *plan, char **ret_err);
    const char *well, *failed; /* as health and log say it: "read file", "failed to read file" */
};

struct follow {
    struct shard *shard;
    const void *plan;
    const struct follow_rules *rules;
    struct file_watch *watches[FOLLOW_FILES_MAX];
    struct timer *timer;
};

int follow_run(struct shard *s, const struct follow_rules *rules);
/* configure has published the new plan. */
int follow_apply(struct shard *s, const void *plan);
void follow_stop(struct shard *s);
void follow_shard_done(struct shard *s);

#endif
