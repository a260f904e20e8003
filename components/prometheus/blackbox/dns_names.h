/* Types, classes and response codes of DNS, by name. Pure. */
#ifndef COMPONENTS_PROMETHEUS_BLACKBOX_DNS_NAMES_H
#define COMPONENTS_PROMETHEUS_BLACKBOX_DNS_NAMES_H

#include "base/str.h"

enum dns_names { DNS_TYPES, DNS_CLASSES, DNS_RCODES };
/* False: there is none of that name. */
bool dns_number(enum dns_names of, struct str name, u16 *ret);
/* NULL: it has none. */
const char *dns_name(enum dns_names of, u16 number);

#endif
