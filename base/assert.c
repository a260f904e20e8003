/* The end of the road for our own bugs: says where, then aborts so that a core and a stack remain.
 */
#include "base/assert.h"

#include <stdlib.h>

void assert_fail(const char *expr, const char *file, int line, const char *func)
{
    fprintf(stderr, "weir: assertion failed: %s (%s:%d, %s)\n", expr, file, line, func);
    abort();
}
