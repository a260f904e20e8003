/* A container's log stream: first byte: with or without a TTY, and how many bytes come at a time.
 * The lines that come must not depend on that. */
#include "base/assert.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "components/common/docker_frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct seen {
    u64 sum;
    bool stop; /* after each line */
};

static bool on_line(void *arg, enum docker_stream from, i64 time, struct str text)
{
    struct seen *s = arg;

    ASSERT(text.n > 0 && text.n <= DOCKER_LINE_MAX);
    s->sum = s->sum * 31 + hash_bytes(text.p, text.n, 0) + (u64)time + (u64)from;
    return !s->stop;
}

static void on_fault(void *arg, enum docker_line_fault fault, struct str text)
{
    struct seen *s = arg;

    s->sum = s->sum * 31 + (u64)fault + 1;
}

static u64 feed(const uint8_t *data, size_t n, bool tty, size_t step)
{
    struct seen s = {.stop = step == 1};
    struct docker_frames f;

    docker_frames_init(&f, &(struct docker_frames_conf){
                               .tty = tty, .line = on_line, .fault = on_fault, .arg = &s});
    for (size_t at = 0, took; at < n && !f.error[0]; at += took) {
        size_t give = MIN(step, n - at);
        char *copy = xmemdup(data + at, give);
        took = docker_frames_feed(&f, copy, give);
        free(copy);
        ASSERT(took <= give && (took > 0 || f.error[0]));
    }
    docker_frames_done(&f);
    return s.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1) return 0;
    bool tty = data[0] & 1;
    u64 whole = feed(data + 1, n - 1, tty, SIZE_MAX);
    ASSERT(feed(data + 1, n - 1, tty, (size_t)(data[0] >> 1) + 1) == whole);
    return 0;
}
