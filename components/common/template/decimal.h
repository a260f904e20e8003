/* Decimal arithmetic for addf and its kin: 0.1 + 0.2 is 0.3. */
#ifndef COMPONENTS_COMMON_TEMPLATE_DECIMAL_H
#define COMPONENTS_COMMON_TEMPLATE_DECIMAL_H

#include "base/common.h"

/* digits * 10^exp, or (when that has become too long to be exact) `approx`. */
struct decimal {
    __int128 digits;
    int exp;
    bool inexact;
    long double approx;
};
struct decimal decimal_of(f64 f); /* finite */
f64 decimal_value(struct decimal d);
struct decimal decimal_add(struct decimal a, struct decimal b);
struct decimal decimal_sub(struct decimal a, struct decimal b);
struct decimal decimal_mul(struct decimal a, struct decimal b);
/* To 16 digits behind the point, rounded half away from zero; b is not 0. */
struct decimal decimal_div(struct decimal a, struct decimal b);
bool decimal_is_zero(struct decimal d);

#endif
