/* Configurations that stand inside YAML, as they are deployed to Kubernetes:
 *
 * - the values of the Helm chart: `alloy.configMap.content` or `weir.configMap.content`, at the top
 *   or below the name of one sub-chart; each is a configuration;
 * - ConfigMap manifests, also in a List and in several documents: the values of `data` whose keys
 *   end in .alloy or .river, together one configuration, as the mounted directory is.
 *
 * What comes out are ordinary source sets; their sources know where they stand in the YAML
 * (parser/source.h), so faults are shown at the line and column of that file. */
#ifndef RUNTIME_EXTRACT_H
#define RUNTIME_EXTRACT_H

#include "runtime/load.h"

typedef VEC(struct source_set) source_sets;

/* Whether a file of this name is YAML. */
bool extract_by_name(const char *path);
/* Appends every configuration in it. 0, or -EINVAL with the faults in diags: broken YAML, or no
 * configuration in it. The sets have no digest and no module path of their own but that of `yaml`,
 * which must hold one file. */
int extract_yaml(const struct source_set *yaml, source_sets *ret, struct diags *diags);
void extract_done(source_sets *sets);

#endif
