/* What functions share: bounded results, and type errors of arguments they look at themselves. */
#include "stdlib/tables.h"

int result_text(struct buf *text, struct value *ret, struct func_error *err)
{
    int rc = buf_err(text);
    if (!rc) *ret = value_str(buf_view(text));
    buf_done(text);
    return rc ? func_error_set(err, -1, "would give a string of more than %zu MiB",
                               VALUE_TEXT_MAX >> 20)
              : 0;
}

int result_too_long(struct func_error *err)
{
    return func_error_set(err, -1, "would give more than %zu elements", VALUE_ARRAY_MAX);
}

int want_type(const struct value *args, size_t i, enum vtype type, struct func_error *err)
{
    if (args[i].type == type) return 0;
    return func_error_set(err, (int)i, "should be %s, got %s", vtype_name(type),
                          vtype_name(args[i].type));
}
