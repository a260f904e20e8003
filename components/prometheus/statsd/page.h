/* Asking a shard for its page: requests wait on the control loop, one question at a time is on its
 * way to the worker, and all who wait get its answer. */
#ifndef COMPONENTS_PROMETHEUS_STATSD_PAGE_H
#define COMPONENTS_PROMETHEUS_STATSD_PAGE_H

#include "runtime/component.h"

/* Counted: a question may outlive the instance. */
struct statsd_page;
struct statsd_page *statsd_page_new(struct comp *c, size_t max); /* control loop */
/* The instance is gone: who waits is told. Control loop. Takes NULL. */
void statsd_page_close(struct statsd_page *p);
/* Control loop; answers r. */
void statsd_page_ask(struct statsd_page *p, struct http_req *r);
/* The shard's worker: who writes the page from now on (NULL: nobody). */
void statsd_page_serve(struct statsd_page *p, struct loop *loop,
                       void (*write)(void *arg, struct buf *out), void *arg);

#endif
