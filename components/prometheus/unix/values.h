/* Collectors that are a table: files with one number each, below a folder of /sys. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_VALUES_H
#define COMPONENTS_PROMETHEUS_UNIX_VALUES_H

#include "components/prometheus/unix/collector.h"

struct unix_value {
    const char *file, *name, *help;
    enum expo_type type;
    f64 factor; /* the file's unit in ours; 0: 1; -6: divided by a million, which rounds otherwise
                   than times 1e-6 */
};
/* A sample for each file that is there and can be read; drivers leave out what they do not know. 0,
 * or collect_fail of a file whose text is no number. */
int unix_values(struct collect *c, const struct unix_value *table, size_t n, const char *folder,
                const struct expo_label *labels, size_t n_labels);
/* Decimal, or hexadecimal with 0x. 0 or -EINVAL. */
int unix_any_number(struct str text, f64 *ret);
/* The label of a file's text; empty when it cannot be read. */
struct expo_label unix_text_label(struct collect *c, const char *name, const char *folder,
                                  const char *file);
/* Names of a folder of /sys: 0; COLLECT_NO_DATA when there is none; else collect_fail. */
int unix_class(struct collect *c, struct unix_names *ret, const char *folder);

#endif
