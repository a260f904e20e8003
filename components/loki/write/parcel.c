/* Closed batches: one body for all endpoints, and the acks of what is in it. */
#include "components/loki/write/write.h"

#include "base/xalloc.h"

struct parcel *parcel_new(struct tenant *t, struct blob *body)
{
    struct parcel *p = xnew(struct parcel);

    *p = (struct parcel){.refs = 1, .tenant = t, .body = body, .lanes = 1};
    return p;
}

struct parcel *parcel_ref(struct parcel *p)
{
    p->refs++;
    return p;
}

void parcel_unref(struct parcel *p)
{
    if (!p || --p->refs > 0) return;
    vec_each (&p->acks, a)
        ack_unref(*a);
    vec_done(&p->acks);
    vec_done(&p->ages);
    blob_unref(p->body);
    free(p->named);
    free(p);
}

void parcel_fail(struct parcel *p, enum ack_outcome outcome, const char *text)
{
    const struct ack_failure f = {.text = text};

    vec_each (&p->acks, a)
        ack_fail(*a, outcome, outcome == ACK_FAILED ? &f : NULL);
}
