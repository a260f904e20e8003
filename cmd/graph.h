/* `weir graph`. Returns the exit code. */
#ifndef CMD_GRAPH_H
#define CMD_GRAPH_H

int cmd_graph(int argc, char **argv);

#endif
