/* What compiling, parsing and formatting of layouts share. */
#ifndef BASE_TIME_LAYOUT_INT_H
#define BASE_TIME_LAYOUT_INT_H

#include "base/time_layout.h"

enum elem_kind {
    EL_TEXT,
    EL_LONG_YEAR,
    EL_YEAR,
    EL_LONG_MONTH,
    EL_MONTH,
    EL_NUM_MONTH,
    EL_ZERO_MONTH,
    EL_LONG_WEEKDAY,
    EL_WEEKDAY,
    EL_DAY,
    EL_UNDER_DAY,
    EL_ZERO_DAY,
    EL_UNDER_YDAY,
    EL_ZERO_YDAY,
    EL_HOUR,
    EL_HOUR12,
    EL_ZERO_HOUR12,
    EL_MINUTE,
    EL_ZERO_MINUTE,
    EL_SECOND,
    EL_ZERO_SECOND,
    EL_UPPER_PM,
    EL_LOWER_PM,
    EL_ABBR,
    EL_OFFSET,      /* -0700 and its kin */
    EL_ISO_OFFSET,  /* Z0700 and its kin */
    EL_FRACTION,    /* .000 */
    EL_OPT_FRACTION /* .999 */
};
struct elem {
    enum elem_kind kind;
    struct str text;   /* of the layout */
    size_t digits;     /* of fractions */
    bool own_fraction; /* a seconds element whose next element is a fraction */
};
struct time_layout {
    char *text;
    struct elem *elems;
    size_t n;
};

extern const char *const month_names[12];
extern const char *const weekday_names[7];

#endif
