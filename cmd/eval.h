/* `weir eval`. argv[0] is "eval". Returns the exit code. */
#ifndef CMD_EVAL_H
#define CMD_EVAL_H

int cmd_eval(int argc, char **argv);

#endif
