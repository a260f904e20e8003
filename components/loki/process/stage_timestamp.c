/* stage.timestamp: the entry's time out of an extracted value. */
#include <errno.h>
#include <stdlib.h>
#include "components/loki/process/last_times.h"
#include "components/loki/process/stage.h"
#include "components/loki/process/time_format.h"

struct args {
    struct str source, format;
    struct str_list fallback_formats;
    struct opt_str location;
    struct str action_on_failure, action_on_duplicate_timestamp;
};
struct plan {
    struct str source;
    struct time_format *formats;
    size_t n;
    struct time_zone *location, *local; /* location NULL: not set */
    bool fudge_failures, fudge_duplicates;
};
struct state {
    struct last_times last;
};

static const struct row rows[] = {
    ATTR(struct args, source, .doc = "Extracted value to read the time from.", .required = true),
    ATTR(struct args, format,
         .doc = "How the time is written: ANSIC, UnixDate, RubyDate, RFC822, RFC822Z, RFC850, "
                "RFC1123, RFC1123Z, RFC3339, "
                "RFC3339Nano, Unix, UnixMs, UnixUs, UnixNs, or a layout of the reference time "
                "(2006-01-02 15:04:05 -0700).",
         .required = true),
    ATTR(struct args, fallback_formats, .doc = "Formats to try when the first does not fit.",
         .def = "[]"),
    ATTR(struct args, location,
         .doc = "IANA time zone of texts without one, for layouts that are not predefined."),
    ATTR(struct args, action_on_failure,
         .doc = "When there is no time to read: one nanosecond more than the last entry of the "
                "stream had (fudge), or the time as it was (skip).",
         .def = "\"fudge\"", .one_of = ONE_OF_TEXT("skip", "fudge")),
    ATTR(struct args, action_on_duplicate_timestamp,
         .doc = "When a stream has the same time again: one nanosecond more (fudge), or the same "
                "(keep).",
         .def = "\"fudge\"", .one_of = ONE_OF_TEXT("keep", "fudge")),
};
const struct schema timestamp_stage_schema = SCHEMA(struct args, rows);

/* --- plan --- */

static void free_formats(void *arg)
{
    struct plan *plan = arg;
    for (size_t i = 0; i < plan->n; i++)
        time_format_done(&plan->formats[i]);
    time_zone_free(plan->location);
    time_zone_free(plan->local);
}

static void make_formats(struct plan *plan, const struct args *a, struct arena *arena)
{
    plan->n = 1 + a->fallback_formats.n;
    plan->formats = arena_array(arena, struct time_format, plan->n);
    plan->formats[0] = time_format_new(a->format);
    for (size_t i = 1; i < plan->n; i++)
        plan->formats[i] = time_format_new(a->fallback_formats.v[i - 1]);
}

static int prepare(struct prepare *p, const void *args, const struct span *span, void *out)
{
    const struct args *a = args;
    struct plan *plan = out;
    char *err = NULL;
    if (a->source.n == 0)
        return stage_fault(p, stage_at(p, span, "source"),
                           "timestamp source value is required if timestamp is specified");
    if (a->format.n == 0)
        return stage_fault(p, stage_at(p, span, "format"), "timestamp format is required");
    arena_cleanup(p->arena, free_formats, plan);
    plan->source = a->source;
    plan->local = time_zone_load(STR("Local"), NULL);
    if (a->location.set) plan->location = time_zone_load(a->location.s, &err);
    if (err) {
        stage_fault(p, stage_at(p, span, "location"), "invalid location specified: %s", err);
        free(err);
        return -EINVAL;
    }
    make_formats(plan, a, p->arena);
    plan->fudge_failures = str_is(a->action_on_failure, "fudge");
    plan->fudge_duplicates = str_is(a->action_on_duplicate_timestamp, "fudge");
    return 0;
}

/* --- running --- */

static bool read_time(struct stage_run *r, struct entry *e, i64 *ret_ns)
{
    const struct plan *plan = r->plan;
    const struct ex_value *v = ex_get(e->extracted, plan->source);
    struct str text;
    if (!v || !ex_string(v, e->scratch, &text)) return false;
    for (size_t i = 0; i < plan->n; i++)
        if (time_format_parse(&plan->formats[i], text, plan->location, plan->local,
                              clock_real(r->clock), ret_ns) == 0)
            return true;
    return false;
}

static void failed(struct state *s, struct entry *e)
{
    struct labels *l = entry_stream(e);
    struct last_time *last = l ? last_times_find(&s->last, l) : NULL;
    if (last) e->time = ++last->given;
}

static void parsed(const struct plan *plan, struct state *s, struct entry *e, i64 ns)
{
    struct labels *l = entry_stream(e);
    struct last_time *last = l ? last_times_find(&s->last, l) : NULL;
    bool again = last && plan->fudge_duplicates && last->parsed == ns;
    e->time = again ? last->given + 1 : ns;
    if (last)
        last->parsed = ns, last->given = e->time;
    else if (l)
        last_times_add(&s->last, l, ns, e->time);
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    i64 ns;
    if (!read_time(r, e, &ns)) {
        if (plan->fudge_failures) failed(r->state, e);
    } else if (plan->fudge_failures || plan->fudge_duplicates) {
        parsed(plan, r->state, e, ns);
    } else {
        e->time = ns;
    }
    return STAGE_PASS;
}

static void close_stage(struct stage_run *r)
{
    struct state *s = r->state;
    last_times_done(&s->last);
}

const struct stage_ops timestamp_stage = {
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .prepare = prepare,
    .run = run,
    .close = close_stage,
};
