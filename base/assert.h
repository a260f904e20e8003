/* ASSERT: our own bugs. Stays on in release; prints the place and aborts. Never for user or network
 * input. */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

#include "base/common.h"

NORETURN void assert_fail(const char *expr, const char *file, int line, const char *func);

#define ASSERT(x)     (LIKELY(x) ? (void)0 : assert_fail(#x, __FILE__, __LINE__, __func__))
#define UNREACHABLE() assert_fail("unreachable", __FILE__, __LINE__, __func__)

#endif
