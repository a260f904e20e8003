/* Ids of the children of a foreach: foreach_<fingerprint>_<n>, n counting the items of one
 * fingerprint. Spec: runtime.md 8. */
#ifndef RUNTIME_FOREACH_ID_H
#define RUNTIME_FOREACH_ID_H

#include "base/map.h"
#include "runtime/compile/blocks.h"

struct foreach_ids {
    const struct foreach_args *args;
    struct logger *log;
    struct map seen; /* fingerprint -> how often */
};
void foreach_ids_init(struct foreach_ids *ids, const struct foreach_args *args, struct logger *log);
void foreach_ids_done(struct foreach_ids *ids);
char *foreach_id(struct foreach_ids *ids, struct value item); /* owned */
bool foreach_id_is_valid(const char *id);                     /* an identifier of the language */

#endif
