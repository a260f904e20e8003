/* YAML as values of the configuration language, for tables: what a plain scalar means is what its
 * row wants, as in Go, where `yes` is a text for a text. Pure. */
#ifndef COMPONENTS_PROMETHEUS_BLACKBOX_YAML_VALUE_H
#define COMPONENTS_PROMETHEUS_BLACKBOX_YAML_VALUE_H

#include "base/yaml.h"
#include "value/schema.h"

/* The map `n` as an object for a struct of that table; owned. Keys without a row, and whatever does
 * not fit its row, are left to decoding, which names them. `aliases`: pairs of the file's name and
 * the table's, NULL at the end. */
struct value yaml_object(const struct yaml_node *n, const struct schema *s,
                         const char *const (*aliases)[2]);
/* Empty, ~ or null. */
bool yaml_is_null(const struct yaml_node *n);

#endif
