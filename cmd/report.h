/* What every command tells on standard error. */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "parser/diag.h"

/* "Error: ..."; returns 1, the exit code. Called by the name `alloy` the program says it again as
 * that one does, dated. */
int fail(const char *fmt, ...) PRINTF(1, 2);
/* Faults with their places in the text, coloured for a terminal unless NO_COLOR or TERM=dumb say
 * otherwise. */
void report_diags(const struct diags *d);

#endif
