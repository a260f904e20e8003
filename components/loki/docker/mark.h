/* A place in a container's log. The engine can be asked for lines from a second on, so the lines of
 * that second come again: what tells those that were read from those that were not is, for each of
 * the two streams, the time of the last line and how many lines of just that time were read (within
 * a stream times do not go back; between the two they may, by a little). Pure. */
#ifndef COMPONENTS_LOKI_DOCKER_MARK_H
#define COMPONENTS_LOKI_DOCKER_MARK_H

#include "components/common/docker_frames.h"

struct docker_mark {
    struct {
        i64 time;  /* ns since 1970; 0: nothing was read */
        u32 count; /* lines of that time */
    } of[DOCKER_STREAMS];
};

/* A line of this time was read. */
void docker_mark_pass(struct docker_mark *m, enum docker_stream from, i64 time);
/* The second of the latest line: what the positions file holds. */
i64 docker_mark_second(const struct docker_mark *m);
/* The second to ask for: a little earlier, because of the other stream. */
i64 docker_mark_since(const struct docker_mark *m);

/* As text, next to the second in the positions file, and back: false when it is none. */
void docker_mark_text(const struct docker_mark *m, struct buf *out);
bool docker_mark_parse(struct str text, struct docker_mark *ret);

/* Lines that were read before, told at the begin of what is read again. */
struct docker_catch_up {
    struct docker_mark read; /* up to here */
    u32 seen[DOCKER_STREAMS];
    bool over[DOCKER_STREAMS];
};
void docker_catch_up_init(struct docker_catch_up *c, const struct docker_mark *read);
/* Whether this line, the next of its stream, was read before. */
bool docker_catch_up_knows(struct docker_catch_up *c, enum docker_stream from, i64 time);

#endif
