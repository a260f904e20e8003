/* The family <program>_build_info that exporters have: which program answers. */
#ifndef COMPONENTS_COMMON_BUILD_INFO_H
#define COMPONENTS_COMMON_BUILD_INFO_H

#include "components/common/expo.h"

/* program: "node_exporter"; the one that this agent stands for. */
void build_info_add(struct expo *e, const char *program);

#endif
