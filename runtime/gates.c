/* Stability levels by name. */
#include "runtime/gates.h"

static const char *const names[] = {
    [STABILITY_GA] = "generally-available",
    [STABILITY_PUBLIC_PREVIEW] = "public-preview",
    [STABILITY_EXPERIMENTAL] = "experimental",
};

const char *stability_name(enum stability s)
{
    return names[s];
}

bool stability_parse(struct str s, enum stability *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_is(s, names[i])) {
            *ret = (enum stability)i;
            return true;
        }
    return false;
}
