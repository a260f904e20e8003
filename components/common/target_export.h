/* Exporting the targets that a discovery finds: groups that come and go one by one, published
 * together and not more often than every few seconds, so that a busy cluster does not re-evaluate
 * the whole graph with each change. Source: spec pipelines B.1.
 *
 * Embedded in the shard's self, used on its worker. */
#ifndef COMPONENTS_COMMON_TARGET_EXPORT_H
#define COMPONENTS_COMMON_TARGET_EXPORT_H

#include "base/map.h"
#include "components/common/targets.h"

/* The `targets` export that all of discovery.* have. */
struct target_exports {
    struct value targets;
};
extern const struct schema target_exports_schema;
/* No targets yet: in create, so that those who refer to them can be evaluated. */
void target_export_none(struct comp *c);

struct target_group;
struct target_export {
    struct shard *shard;
    struct timer *tick;
    struct map groups; /* by source */
    bool changed, published;
    i64 last; /* when it was published */
};
/* In run. */
void target_export_init(struct target_export *e, struct shard *s);
/* The targets of one source, in place of its earlier ones; takes `targets`, an array; an empty one
 * removes the group. What comes first is published at once, later changes within five seconds. */
void target_export_set(struct target_export *e, struct str source, struct value targets);
/* Removes all groups; what is exported stays until something else is set. For another discovery
 * with other arguments. */
void target_export_restart(struct target_export *e);
/* Publishes what is there, if it was not yet. In stop. */
void target_export_flush(struct target_export *e);
/* In shard_done. Takes what was never begun. */
void target_export_done(struct target_export *e);

#endif
