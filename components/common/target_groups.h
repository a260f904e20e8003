/* Target groups as Prometheus' file and HTTP discoveries write them: a list of
 * {"targets": ["host:port", ...], "labels": {"name": "value", ...}}, in JSON or YAML. Pure; texts
 * are hostile. */
#ifndef COMPONENTS_COMMON_TARGET_GROUPS_H
#define COMPONENTS_COMMON_TARGET_GROUPS_H

#include "base/arena.h"
#include "components/common/targets.h"

#define TARGET_GROUPS_MAX 1000000u /* targets of one text */

struct target_groups_conf {
    struct str label, value; /* one that every target gets: where it comes from */
};
/* Appends the targets of all groups. 0; -EBADMSG: *ret_err says what is wrong (in the arena);
 * -ENOMEM. After a failure `into` holds some of them. */
int target_groups_json(struct str text, const struct target_groups_conf *conf, struct arena *a,
                       struct target_list *into, const char **ret_err);
int target_groups_yaml(struct str text, const struct target_groups_conf *conf, struct arena *a,
                       struct target_list *into, const char **ret_err);

#endif
