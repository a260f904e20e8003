/* The registry: components/registry.def expanded twice, once to declare and once to list. Const
 * data, any thread. */
#include "runtime/component.h"

#define COMPONENT(sym) extern const struct component_def sym;
#include "components/registry.def"
#undef COMPONENT

const struct component_def *const registry_all[] = {
#define COMPONENT(sym) &sym,
#include "components/registry.def"
#undef COMPONENT
    NULL,
};
const size_t registry_count = ARRAY_LEN(registry_all) - 1;

const struct component_def *registry_find(struct str name)
{
    size_t lo = 0, hi = registry_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = str_cmp(name, str_of(registry_all[mid]->name));
        if (order == 0) return registry_all[mid];
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}
