/* `weir explain`. Returns the exit code. */
#ifndef CMD_EXPLAIN_H
#define CMD_EXPLAIN_H

int cmd_explain(int argc, char **argv);

#endif
