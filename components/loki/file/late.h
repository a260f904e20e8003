/* Lines that are written to a file after its successor has its first byte: of several writers, some
 * go over later than others, and logrotate tells them some time after it renamed the file. What a
 * tailer has left stays open until it was quiet for some seconds; lines that come are read between
 * two pieces of the file that is being read then. The number of files kept is bounded, for a tailer
 * and for all of them. How far they were delivered stands in the note beside the position of the
 * path, so that an agent that was killed goes on with them, too. One worker. */
#ifndef COMPONENTS_LOKI_FILE_LATE_H
#define COMPONENTS_LOKI_FILE_LATE_H

#include "components/loki/file/note.h"
#include "components/loki/file/tailer.h"

/* t goes on to the next file; h, the one it leaves, is read up to here by its own handle. */
void late_keep(struct tailer *t, struct handle *h);
/* Puts those with new lines into the queue of t, and lets go of those that were quiet. */
void late_look(struct tailer *t);
/* Of a note: the file is looked for beside the path. True: it was found. */
bool late_resume(struct tailer *t, const struct late_note *l, u64 ino_now);
/* The file of that number is one of them. */
bool late_has(const struct tailer *t, u64 ino);
/* Adds them to a note of what was delivered: done is a mark, at the handle it lies in. */
void late_note(const struct tailer *t, const struct handle *at, u64 done, struct file_note *n);
/* The end of t. */
void late_close(struct tailer *t);

#endif
