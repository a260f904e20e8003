/* Lines that are written to a file after its successor has its first byte: of several writers, some
 * go over later than others, and logrotate tells them some time after it renamed the file. What a
 * tailer has left stays open until it was quiet for some seconds; lines that come are read between
 * two pieces of the file that is being read then. The number of files kept is bounded, for a tailer
 * and for all of them. Their lines have no position: one that was not delivered when the agent is
 * killed is not read again. One worker. */
#ifndef COMPONENTS_LOKI_FILE_LATE_H
#define COMPONENTS_LOKI_FILE_LATE_H

#include "components/loki/file/tailer.h"

/* t goes on to the next file; h, the one it leaves, is read up to here by its own handle. */
void late_keep(struct tailer *t, struct handle *h);
/* Puts those with new lines into the queue of t, and lets go of those that were quiet. */
void late_look(struct tailer *t);
/* The end of t. */
void late_close(struct tailer *t);

#endif
