/* The system's clocks, a clock that tests move by hand, and the kernel's randomness. */
#include "base/clock.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include "base/assert.h"

static i64 read_clock(clockid_t id)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);

    ASSERT(rc == 0);
    return (i64)ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static i64 system_mono(const struct clock *c)
{
    (void)c;
    return read_clock(CLOCK_MONOTONIC);
}

static i64 system_real(const struct clock *c)
{
    (void)c;
    return read_clock(CLOCK_REALTIME);
}

const struct clock clock_system = {system_mono, system_real};

static i64 fake_mono(const struct clock *c)
{
    return container_of(c, const struct clock_fake, clock)->mono;
}

static i64 fake_real(const struct clock *c)
{
    return container_of(c, const struct clock_fake, clock)->real;
}

void clock_fake_init(struct clock_fake *f, i64 real)
{
    *f = (struct clock_fake){.clock = {fake_mono, fake_real}, .mono = NS_PER_SEC, .real = real};
}

void clock_fake_advance(struct clock_fake *f, i64 ns)
{
    f->mono += ns;
    f->real += ns;
}

/* Lines of the log begin with a time: no printf. */
static void add_digits(struct buf *b, int n, int width)
{
    char digits[16];

    for (int i = width; i-- > 0; n /= 10)
        digits[i] = (char)('0' + n % 10);
    buf_add(b, digits, (size_t)width);
}

static void add_fraction(struct buf *b, int ns)
{
    int width = 9;

    if (ns == 0) return;
    for (; ns % 10 == 0; ns /= 10)
        width--;
    buf_ch(b, '.');
    add_digits(b, ns, width);
}

static void add_zone(struct buf *b, long offset)
{
    long minutes = (offset < 0 ? -offset : offset) / 60;

    if (offset == 0)
        buf_ch(b, 'Z');
    else
        buf_printf(b, "%c%02ld:%02ld", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

void time_rfc3339(struct buf *b, i64 real_ns, bool local)
{
    time_t sec = real_ns / NS_PER_SEC;
    int ns = (int)(real_ns % NS_PER_SEC);
    struct tm tm;

    if (ns < 0) {
        ns += (int)NS_PER_SEC;
        sec--;
    }
    struct tm *ok = local ? localtime_r(&sec, &tm) : gmtime_r(&sec, &tm);
    ASSERT(ok); /* an i64 of nanoseconds stays within the years 1677 to 2262 */
    const struct {
        int n, width;
        char before;
    } parts[] = {{tm.tm_year + 1900, 4, 0}, {tm.tm_mon + 1, 2, '-'}, {tm.tm_mday, 2, '-'},
                 {tm.tm_hour, 2, 'T'},      {tm.tm_min, 2, ':'},     {tm.tm_sec, 2, ':'}};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].before) buf_ch(b, parts[i].before);
        add_digits(b, parts[i].n, parts[i].width);
    }
    add_fraction(b, ns);
    add_zone(b, tm.tm_gmtoff);
}

void random_bytes(void *p, size_t n)
{
    char *at = p;

    while (n) {
        ssize_t got = getrandom(at, n, 0);

        ASSERT(got > 0 || errno == EINTR);
        if (got <= 0) continue;
        at += got;
        n -= (size_t)got;
    }
}

u64 random_u64(void)
{
    u64 v;

    random_bytes(&v, sizeof(v));
    return v;
}

f64 random_unit(void)
{
    return (f64)(random_u64() >> 11) * 0x1p-53;
}
