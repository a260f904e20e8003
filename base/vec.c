/* Growth of typed arrays. */
#include "base/vec.h"

#include "base/assert.h"

void vec_grow_(void **v, size_t *cap, size_t want, size_t size)
{
    size_t n = MAX(MAX(*cap * 2, want), 8);

    ASSERT(n <= PTRDIFF_MAX / size);
    *v = xrealloc(*v, n * size);
    *cap = n;
}
