/* stage.sampling: each entry passes with the given probability. */
#include "components/loki/process/stage.h"

struct args {
    f64 rate;
    struct str drop_counter_reason;
};

static const struct row rows[] = {
    ATTR(struct args, rate, .doc = "Share of the entries that pass, from 0 to 1.",
         .required = true),
    ATTR(struct args, drop_counter_reason, .doc = "Reason under which dropped entries are counted.",
         .def = "\"sampling_stage\""),
};
const struct schema sampling_stage_schema = SCHEMA(struct args, rows);

struct plan {
    const struct args *args;
    u64 threshold; /* of 53 random bits: below it the entry passes */
};
struct state {
    u64 random; /* of a generator that is good enough for taking samples */
};

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;

    if (!(a->rate >= 0 && a->rate <= 1))
        return stage_fault(p, stage_at(p, span, "rate"),
                           "sampling stage failed to parse rate,Sampling Rate must be between "
                           "0.0 and 1.0, received %f",
                           a->rate);
    *(struct plan *)plan = (struct plan){a, (u64)(a->rate * (f64)(UINT64_C(1) << 53))};
    return 0;
}

static void open_stage(struct stage_run *r)
{
    struct state *s = r->state;

    s->random = random_u64() | 1;
}

/* xorshift64* */
static u64 next(struct state *s)
{
    s->random ^= s->random >> 12;
    s->random ^= s->random << 25;
    s->random ^= s->random >> 27;
    return s->random * UINT64_C(0x2545F4914F6CDD1D) >> 11;
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;

    if (next(r->state) < plan->threshold) return STAGE_PASS;
    stage_dropped(r, plan->args->drop_counter_reason);
    return STAGE_DROP;
}

const struct stage_ops sampling_stage = {
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .prepare = prepare,
    .open = open_stage,
    .run = run,
};
