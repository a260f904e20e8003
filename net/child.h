/* Child processes watched from a loop: started with an explicit environment in a process group of
 * their own, output collected with a bound, the whole group killed at the deadline. Everything on
 * the loop's thread; nothing waits. Linux: the end is seen through a pidfd, or by looking every 20
 * ms where there is none. */
#ifndef NET_CHILD_H
#define NET_CHILD_H

#include "base/str.h"
#include "net/loop.h"

struct child_conf {          /* borrowed for the call */
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in our PATH */
    const char *const *env;  /* the whole environment, "NAME=value", NULL-terminated */
    const char *cwd;         /* NULL: ours */
    size_t max_output;       /* bytes kept of standard output (its head) and of standard error
                                (its tail), each */
    i64 timeout;             /* ns, > 0 */
};

struct child_result { /* texts: valid during the callback */
    int status;       /* exit status; -1: ended by a signal */
    int signal;       /* which; 0: none */
    bool timed_out;   /* ... because its time was over */
    struct str out, err;
    bool out_cut; /* out is not all of it */
};

struct child;
/* Its standard input is empty. 0; or -errno when it cannot be started (-ENOENT: no such program),
 * then done is not called. Otherwise done is called later, once, unless cancelled; the child is
 * invalid from then on. */
int child_start(struct loop *l, const struct child_conf *conf,
                void (*done)(void *arg, const struct child_result *r), void *arg,
                struct child **ret);
/* Kills the group; no callback will come. */
void child_cancel(struct child *c);

#endif
