/* Any bytes as an exposition; the first one chooses the format. What is read must be the same when
 * every series is expected already, and what a hash stands for must be the same labels. */
#include "base/assert.h"
#include "telemetry/exposition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_exemplars(struct exposition *e, enum exposition_event event, struct label_set *set)
{
    struct exposition_exemplar x;

    if (e->exemplar.labels.p) (void)!exposition_exemplar_labels(e, e->exemplar.labels, set);
    while (event == EXPOSITION_HISTOGRAM && exposition_histogram_exemplar(e, &x))
        (void)!exposition_exemplar_labels(e, x.labels, set);
}

/* The second parser expects what the first one found. */
static bool step(struct exposition *a, struct exposition *b, struct label_set *set)
{
    enum exposition_event event = exposition_next(a, 0, 0);
    bool sample = event == EXPOSITION_SAMPLE || event == EXPOSITION_HISTOGRAM;
    u32 n = sample ? (u32)a->series.n : 0;

    ASSERT(exposition_next(b, a->hash, n) == event);
    if (!sample) return event != EXPOSITION_END && event != EXPOSITION_ERROR;
    ASSERT(b->hash == a->hash && str_eq(a->series, b->series) && a->bits == b->bits);
    ASSERT(a->has_time == b->has_time && (!a->has_time || a->time == b->time));
    ASSERT(!a->exemplar.labels.p == !b->exemplar.labels.p);
    if (exposition_labels(a, set) != 0) return false;
    read_exemplars(a, event, set);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct label_set set;
    struct exposition a, b;

    if (size == 0) return 0;
    struct exposition_conf conf = {.format = (enum exposition_format)(data[0] % 3),
                                   .body = str_n((const char *)data + 1, size - 1),
                                   .native_histograms = data[0] & 4,
                                   .classic_too = data[0] & 8};
    label_set_init(&set);
    exposition_init(&a, &conf);
    exposition_init(&b, &conf);
    while (step(&a, &b, &set))
        ;
    exposition_done(&a);
    exposition_done(&b);
    label_set_done(&set);
    return 0;
}
