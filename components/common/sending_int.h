/* Between the files of the sending machinery: sending.c (life), sending_queue.c (lanes),
 * sending_retry.c (outcomes). */
#ifndef COMPONENTS_COMMON_SENDING_INT_H
#define COMPONENTS_COMMON_SENDING_INT_H

#include "components/common/sending.h"

i64 send_size(enum sizer sizer, const struct batch *b);

/* Starts what may be started on all lanes, and arms the timers for what may not. */
void lanes_pump(struct sending *s);
bool lanes_empty(const struct sending *s);
/* Off its list: units, bytes and permit go back, the batch's reference is dropped, who waits for
 * room is woken. Frees r. */
void req_finish(struct send_req *r);
void req_start(struct send_req *r);
/* Fails r's acks as abandoned, counted, and finishes it. */
void req_abandon(struct send_req *r);
/* All requests of a lane, whatever they wait for: fn may finish them. */
void lane_each(struct sending_lane *l, void (*fn)(struct send_req *r));

#endif
