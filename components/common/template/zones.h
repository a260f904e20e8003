/* Time zones of a run: the host's and constant names are loaded with the template. */
#ifndef COMPONENTS_COMMON_TEMPLATE_ZONES_H
#define COMPONENTS_COMMON_TEMPLATE_ZONES_H

#include "base/time_zone.h"
#include "components/common/template/ast.h"

const struct time_zone *zone_local(struct run *r);
/* By name; UTC when there is none such, as in Sprig. */
const struct time_zone *zone_named(struct run *r, struct str name);

/* At compile time: constant names of a command, and the host's zone when it asks for dates. Freed
 * with the template. */
void zones_of_command(struct template *t, const struct command *c);

#endif
