/* All of Alloy's components as descriptions: names, types, defaults, allowed values, rules. For
 * those that this build has no code for they let `check`, `graph` and `explain` know them all the
 * same. Definitions have `foreign` set and tables without binding (value/schema.h).
 *
 * Owner: foreign_new, foreign_free. Definitions are built when they are first asked for and live as
 * long as their owner. One thread. */
#ifndef COMPONENTS_FOREIGN_H
#define COMPONENTS_FOREIGN_H

#include "runtime/component.h"

struct foreign;
struct foreign *foreign_new(void);
void foreign_free(struct foreign *f); /* takes NULL */
/* By name; NULL when Alloy has no such component (any more). f is a struct foreign *, as struct
 * registry wants it. Whether this build runs it, registry_find tells. */
const struct component_def *foreign_find(void *f, struct str name);
/* All of them in order of names, those that this build runs and removed ones too. */
size_t foreign_count(void);
const struct component_def *foreign_at(struct foreign *f, size_t i);
const char *foreign_name(size_t i); /* NULL behind the last */

#endif
