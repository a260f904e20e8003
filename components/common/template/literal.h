/* Constants as Go writes them. */
#ifndef COMPONENTS_COMMON_TEMPLATE_LITERAL_H
#define COMPONENTS_COMMON_TEMPLATE_LITERAL_H

#include "components/common/template/ast.h"

/* "..." with its quotes; false when an escape is none. */
bool literal_string(struct str quoted, struct arena *a, struct str *ret);
/* `...` without carriage returns. */
struct str literal_raw(struct str quoted, struct arena *a);
/* A number, or a 'c'. False and an owned *ret_why. */
bool literal_number(struct str text, bool is_char, struct number *ret, char **ret_why);
/* strconv.ParseInt(s, 0, 64): 0x, 0o, 0b, 0, and _ between digits. 0, -EINVAL, -ERANGE. */
int literal_int(struct str s, i64 *ret);

#endif
