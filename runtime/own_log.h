/* The agent's own log lines on their way to the receivers of logging's write_to.
 *
 * Lines come from any thread and never wait: they are copied into a page of fixed size, and the
 * control loop sends what has gathered as one batch. Each receiver has a short queue of its own;
 * what does not fit into the page or a queue is dropped and counted. Batches are marked
 * (batch->own), and what is logged while one is handled is written but not sent: no line follows
 * from itself.
 *
 * What a batch of lines is made of is not this floor's business: cmd/ gives the maker.
 * Control loop, except for the tap on the log. */
#ifndef RUNTIME_OWN_LOG_H
#define RUNTIME_OWN_LOG_H

#include "runtime/dataplane/instance.h"

struct own_line {
    i64 time;        /* ns since 1970 */
    struct str text; /* with the LF */
};
struct own_log_conf {
    const struct host *host;
    struct workers *workers;
    struct loop *loop; /* control loop */
    /* A sealed batch of n lines, which are copied; NULL when memory is out. */
    struct batch *(*make)(void *arg, const struct own_line *lines, size_t n);
    void *arg;
};

struct own_log;
struct own_log *own_log_new(const struct own_log_conf *conf);
/* From now on lines go to these sinks (references are taken; placeholders are left out). */
void own_log_set(struct own_log *o, const struct capsule_list *to);
/* Sends what has gathered and lets go of all sinks: before components stop. */
void own_log_close(struct own_log *o);
/* After every other thread has ended and the loop turns no more; takes NULL. */
void own_log_free(struct own_log *o);

#endif
