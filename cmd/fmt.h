/* `weir fmt`: canonical form of a configuration. */
#ifndef CMD_FMT_H
#define CMD_FMT_H

/* argv[0] is "fmt". Returns the exit code. */
int cmd_fmt(int argc, char **argv);

#endif
