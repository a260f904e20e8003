/* The log stream of a container, as the Engine API sends it with timestamps=1, taken apart into
 * lines: frames of stdout and stderr (or, with a TTY, plain bytes), lines that the engine cut into
 * pieces of 16 KiB put together again, timestamps read. Source: spec pipelines A.6.
 *
 * Pure; bytes may come in pieces of any size. A line is kept in memory up to DOCKER_LINE_MAX, and
 * what a stream that is quiet kept is given back. */
#ifndef COMPONENTS_COMMON_DOCKER_FRAMES_H
#define COMPONENTS_COMMON_DOCKER_FRAMES_H

#include "base/buf.h"

#define DOCKER_LINE_MAX ((size_t)1024 * 1024)

enum docker_stream { DOCKER_STDOUT, DOCKER_STDERR, DOCKER_STREAMS };
enum docker_line_fault {
    DOCKER_LINE_TOO_LONG, /* skipped to its end */
    DOCKER_LINE_NO_TIME,  /* no timestamp in front: skipped */
    DOCKER_LINE_NO_MEMORY /* skipped to its end */
};

struct docker_frames_conf {
    bool tty;
    /* A line, without its time and its end, never empty; text is valid during the call. False: no
     * more for now, docker_frames_feed returns. */
    bool (*line)(void *arg, enum docker_stream from, i64 time, struct str text);
    /* text: the beginning of what was skipped. */
    void (*fault)(void *arg, enum docker_line_fault fault, struct str text);
    void *arg;
};

struct docker_frames_line {
    struct buf text;
    bool skip; /* to its end */
    bool join; /* the line goes on in the next frame, behind another timestamp */
};
struct docker_frames {
    struct docker_frames_conf conf;
    struct docker_frames_line lines[DOCKER_STREAMS];
    u8 head[8];
    u32 n_head;
    u32 left, length;   /* of the frame's payload */
    u8 type;            /* of the frame */
    bool at_stamp;      /* of a joined frame: its timestamp is still being taken off */
    char last;          /* byte of the payload so far */
    struct buf message; /* of the engine, that ends the stream */
    char error[512];    /* empty: none */
};

void docker_frames_init(struct docker_frames *f, const struct docker_frames_conf *conf);
void docker_frames_done(struct docker_frames *f);
/* Takes bytes; returns how many: fewer than n when `line` said so, or when the stream is broken
 * (f->error says why; nothing more is taken then). */
size_t docker_frames_feed(struct docker_frames *f, const char *p, size_t n);

#endif
