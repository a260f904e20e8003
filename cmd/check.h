/* `weir check` and `weir validate`. Return the exit code. */
#ifndef CMD_CHECK_H
#define CMD_CHECK_H

int cmd_check(int argc, char **argv);
int cmd_validate(int argc, char **argv);

#endif
