/* What of a stream (a file, a journal, a container's log) may be called read: the ranges of it that
 * are on their way, in order, and the place up to which every one of them has been delivered.
 *
 * A source opens a range for each batch that it sends and lets go of its reference; the window moves
 * when the ranges at its front are complete. OK, DROPPED and permanent failures complete a range
 * (whoever gave the lines up has counted and named them). A retryable failure or ABANDONED breaks
 * the window: it does not pass that range any more, and `broken` tells the source, once, to read
 * again from ack_window_done(). Marks are the source's own numbers, growing: byte offsets, times,
 * sequence numbers.
 * Acks hold the window's memory, never the source: after ack_window_free nothing is called back.
 * Worker of the source. */
#ifndef COMPONENTS_COMMON_ACK_WINDOW_H
#define COMPONENTS_COMMON_ACK_WINDOW_H

#include "telemetry/ack.h"

struct ack_window;
struct ack_window_conf {
    struct loop *loop;
    u64 start; /* read up to here already */
    /* The window moved: ack_window_done() says where. */
    void (*advanced)(void *arg);
    /* A range was not delivered; f as for acks. */
    void (*broken)(void *arg, enum ack_outcome outcome, const struct ack_failure *f);
    void *arg;
};
struct ack_window *ack_window_new(const struct ack_window_conf *conf);
/* Ranges on their way are forgotten. Takes NULL. */
void ack_window_free(struct ack_window *w);
/* A range that ends at `end`, waiting for DELIVERED; the caller's reference. */
struct ack *ack_window_open(struct ack_window *w, u64 end) WARN_UNUSED;
/* Moves the end of the last range (or, with none on its way, the place itself, which `advanced` is
 * told of at once): for bytes that make no entry. */
void ack_window_skip(struct ack_window *w, u64 end);
u64 ack_window_done(const struct ack_window *w);
/* Ranges that the window has not passed yet. */
u32 ack_window_open_ranges(const struct ack_window *w);
/* `broken` was told, and the window has not been restarted since. */
bool ack_window_is_broken(const struct ack_window *w);
/* Forgets what is on its way and goes on from `start`: after `broken`, or when the stream began
 * anew. */
void ack_window_restart(struct ack_window *w, u64 start);

#endif
