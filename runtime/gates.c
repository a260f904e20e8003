/* Stability levels by name; did-you-mean. */
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

/* A third of the letters may be wrong; more is another word. */
void nearest_see(struct nearest *n, struct str name)
{
    int limit = n->best.p ? n->distance - 1 : MAX(2, (int)(n->want.n / 3));
    if (limit < 0)
        return;
    int d = str_distance(n->want, name, limit);
    if (d > limit)
        return;
    n->best = name;
    n->distance = d;
}
