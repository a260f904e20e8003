/* Pages that a shard makes: requests wait on the control loop, one question at a time is on its way
 * to the worker, and all who wait get its answer. For exporters whose figures live on a worker. */
#ifndef COMPONENTS_COMMON_SHARD_PAGE_H
#define COMPONENTS_COMMON_SHARD_PAGE_H

#include "runtime/component.h"

/* Counted: a question may outlive the instance. */
struct shard_page;
struct shard_page *shard_page_new(struct comp *c, size_t max); /* bytes; control loop */
/* The instance is gone: who waits is told. Control loop. Takes NULL. */
void shard_page_close(struct shard_page *p);
/* Control loop; answers r. */
void shard_page_ask(struct shard_page *p, struct http_req *r);

/* On the worker: each question is given to `asked` (NULL: nobody answers from now on), which writes
 * its text 0.0.4 and answers, at once or later; there is no second question before. */
struct shard_question;
void shard_page_serve(struct shard_page *p, struct loop *loop,
                      void (*asked)(void *arg, struct shard_question *q), void *arg);
struct buf *shard_question_text(struct shard_question *q);
/* Once. written: false when there is no text, since the shard ends. */
void shard_question_answer(struct shard_question *q, bool written);

#endif
