/* Places in a container's log. */
#include "components/loki/docker/mark.h"

#include "base/num.h"

#define SLACK 1 /* second: how far the two streams may be apart */

void docker_mark_pass(struct docker_mark *m, enum docker_stream from, i64 time)
{
    if (m->of[from].time == time)
        m->of[from].count++;
    else
        m->of[from] = (__typeof__(m->of[0])){.time = time, .count = 1};
}

i64 docker_mark_second(const struct docker_mark *m)
{
    i64 latest = MAX(m->of[DOCKER_STDOUT].time, m->of[DOCKER_STDERR].time);

    return MAX(latest, INT64_C(0)) / NS_PER_SEC;
}

i64 docker_mark_since(const struct docker_mark *m)
{
    return MAX(docker_mark_second(m) - SLACK, INT64_C(0));
}

void docker_mark_text(const struct docker_mark *m, struct buf *out)
{
    for (int i = 0; i < DOCKER_STREAMS; i++)
        buf_printf(out, "%s%lld:%u", i ? "," : "", (long long)m->of[i].time, m->of[i].count);
}

bool docker_mark_parse(struct str text, struct docker_mark *ret)
{
    struct docker_mark m = {0};
    i64 count;

    for (int i = 0; i < DOCKER_STREAMS; i++) {
        struct str of = str_cut(&text, ','), time = str_cut(&of, ':');
        if (num_parse_i64(time, &m.of[i].time) != 0 || num_parse_i64(of, &count) != 0) return false;
        if (count < 0 || count > UINT32_MAX) return false;
        m.of[i].count = (u32)count;
    }
    if (text.p) return false;
    *ret = m;
    return true;
}

void docker_catch_up_init(struct docker_catch_up *c, const struct docker_mark *read)
{
    *c = (struct docker_catch_up){.read = *read};
}

bool docker_catch_up_knows(struct docker_catch_up *c, enum docker_stream from, i64 time)
{
    if (c->over[from]) return false;
    if (time < c->read.of[from].time) return true;
    if (time == c->read.of[from].time && c->seen[from] < c->read.of[from].count) {
        c->seen[from]++;
        return true;
    }
    c->over[from] = true;
    return false;
}
