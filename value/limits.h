/* How large a computed value may become. A configuration is trusted to be sensible but not to be
 * right: functions multiply their input, and one wrong argument must not take the machine's memory.
 * Reaching a limit is an error, never a cut. */
#ifndef VALUE_LIMITS_H
#define VALUE_LIMITS_H

#define VALUE_TEXT_MAX ((size_t)64 << 20) /* bytes of one string */
#define VALUE_ARRAY_MAX                                                                            \
    ((size_t)1 << 20)        /* elements of one array, nodes of one decoded document               \
                              */
#define VALUE_DEPTH_MAX 1000 /* nesting of decoded documents */
#define EVAL_DEPTH_MAX                                                                             \
    5000 /* nesting of one evaluation: chains of operators and accesses count too */

#endif
