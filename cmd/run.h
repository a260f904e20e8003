/* `weir run`. Returns the exit code. */
#ifndef CMD_RUN_H
#define CMD_RUN_H

#include <stdbool.h>

/* as_alloy: the program was called by that name and takes its defaults. */
int cmd_run(int argc, char **argv, bool as_alloy);

#endif
