/* Time and randomness, passed down from cmd/ so that tests run under virtual time. All values in
 * nanoseconds. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/buf.h"

struct clock {
    i64 (*mono)(const struct clock *c); /* monotonic, arbitrary origin */
    i64 (*real)(const struct clock *c); /* since 1970-01-01T00:00:00Z */
};

extern const struct clock clock_system;

struct clock_fake {
    struct clock clock;
    i64 mono, real;
};
void clock_fake_init(struct clock_fake *f, i64 real);
void clock_fake_advance(struct clock_fake *f, i64 ns);

static inline i64 clock_mono(const struct clock *c)
{
    return c->mono(c);
}
static inline i64 clock_real(const struct clock *c)
{
    return c->real(c);
}

/* RFC 3339 with nanoseconds, trailing zeros trimmed; UTC with "Z", or local time with its offset.
 */
void time_rfc3339(struct buf *b, i64 real_ns, bool local);
/* Cryptographic randomness; aborts when the kernel refuses. */
void random_bytes(void *p, size_t n);
u64 random_u64(void);
/* Uniform in [0, 1). */
f64 random_unit(void);

#endif
