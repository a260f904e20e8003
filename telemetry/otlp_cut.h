/* Cuts a batch into pieces of a wished number of items, front to back, in time linear in its bytes:
 * the place reached is kept between pieces.
 *
 * Whole ResourceX stay slices of the batch's roots; one that is cut is copied, piece by piece, with
 * its resource and scope wrappers in every piece. Owner: whoever called otlp_cut_new; holds a
 * reference on the batch. One thread at a time. */
#ifndef TELEMETRY_OTLP_CUT_H
#define TELEMETRY_OTLP_CUT_H

#include "telemetry/batch.h"

struct otlp_cut;

/* Takes over the caller's reference on b, which is sealed. */
struct otlp_cut *otlp_cut_new(struct batch *b);
void otlp_cut_free(struct otlp_cut *c); /* takes NULL */
u32 otlp_cut_left(const struct otlp_cut *c);
/* The next `items` items, or all that is left, as a sealed batch that carries all acks of the
 * whole. Copied bytes are charged to budget (may be NULL). Short of memory it may be fewer; -ENOMEM
 * when it would be none. */
int otlp_cut_take(struct otlp_cut *c, u32 items, struct budget *budget, struct batch **ret);

#endif
