/* stage.multiline: lines that belong together become one entry, for each stream by itself. A block
 * begins with a line that matches and ends with the next such line, at max_lines, or when nothing
 * came for max_wait_time; the stream is then forgotten. */
#include <errno.h>
#include "base/list.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "components/loki/process/stage.h"

struct args {
    struct str firstline;
    i64 max_lines;
    struct dur max_wait_time;
    bool trim_newlines;
};
struct plan {
    const struct args *args;
    struct regex *first;
};

static const struct row rows[] = {
    ATTR(struct args, firstline, .doc = "RE2 expression for the first line of a block.",
         .required = true),
    ATTR(struct args, max_lines, .doc = "Most lines of a block.", .def = "128"),
    ATTR(struct args, max_wait_time, .doc = "How long a block waits for its next line.",
         .def = "\"3s\""),
    ATTR(struct args, trim_newlines, .doc = "Remove line ends from the ends of lines.",
         .def = "true"),
};
const struct schema multiline_stage_schema = SCHEMA(struct args, rows);

struct block {
    struct list node; /* by time of the last line */
    struct labels *stream;
    struct held_entry *held;
    i64 lines; /* 0: those before were sent, the next continues them */
    i64 last;
};
struct state {
    struct map blocks; /* address of the stream -> struct block */
    struct list by_time;
    struct timer *timer;
};

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;
    char *err = NULL;

    out->args = a;
    if (a->firstline.n == 0)
        return stage_fault(p, stage_at(p, span, "firstline"),
                           "multiline stage config must define `firstline` regular expression");
    if (a->max_wait_time.ns <= 0)
        return stage_fault(p, stage_at(p, span, "max_wait_time"),
                           "max_wait_time must be greater than 0");
    out->first = regex_compile(a->firstline, &err);
    if (out->first) {
        arena_cleanup(p->arena, (void (*)(void *))regex_free, out->first);
        return 0;
    }
    stage_fault(p, stage_at(p, span, "firstline"),
                "multiline stage first line regex compilation error: %s", err);
    free(err);
    return -EINVAL;
}

static struct str key_of(struct labels *const *l)
{
    return str_n((const char *)l, sizeof(*l));
}

static struct held_entry *forget(struct state *s, struct block *b)
{
    struct held_entry *h = b->held;

    map_del(&s->blocks, key_of(&b->stream));
    list_del(&b->node);
    labels_unref(b->stream);
    free(b);
    return h;
}

/* Ends the block and its stream. */
static void end(struct stage_run *r, struct block *b)
{
    bool any = b->lines > 0;
    struct held_entry *h = forget(r->state, b);

    if (any)
        stage_release(r, h);
    else
        held_drop(h);
}

/* --- time --- */

static void watch(struct stage_run *r)
{
    const struct plan *plan = r->plan;
    struct state *s = r->state;

    if (list_empty(&s->by_time) || timer_active(s->timer)) return;
    struct block *oldest = list_item(s->by_time.next, struct block, node);
    i64 due = oldest->last + plan->args->max_wait_time.ns - clock_mono(r->clock);
    timer_start(s->timer, MAX(due, NS_PER_MS));
}

static void on_timer(void *arg)
{
    struct stage_run *r = arg;
    const struct plan *plan = r->plan;
    struct state *s = r->state;
    i64 until = clock_mono(r->clock) - plan->args->max_wait_time.ns;

    while (!list_empty(&s->by_time)) {
        struct block *b = list_item(s->by_time.next, struct block, node);
        if (b->last > until) break;
        end(r, b);
    }
    watch(r);
}

static void touch(struct stage_run *r, struct block *b)
{
    struct state *s = r->state;

    b->last = clock_mono(r->clock);
    list_del(&b->node);
    list_add_tail(&s->by_time, &b->node);
    watch(r);
}

/* --- lines --- */

static void trim(struct entry *e)
{
    while (e->line.n && (e->line.p[e->line.n - 1] == '\n' || e->line.p[e->line.n - 1] == '\r'))
        e->line.n--;
}

static enum stage_result begin(struct stage_run *r, struct entry *e, struct labels *stream)
{
    struct state *s = r->state;
    struct held_entry *h = stage_hold(r, e);

    if (!h) return STAGE_PASS; /* memory is out: lines go on by themselves */
    struct block *b = xnew(struct block);
    list_init(&b->node);
    b->stream = labels_ref(stream);
    b->held = h;
    b->lines = 1;
    map_put(&s->blocks, key_of(&b->stream), b);
    touch(r, b);
    return STAGE_HELD;
}

/* The block is full: its lines go out, what follows has the same first line's metadata. */
static void send_full(struct stage_run *r, struct block *b)
{
    struct held_entry *full = b->held, *next = held_again(r, full);

    if (!next) {
        end(r, b);
        return;
    }
    held_clear_line(next);
    b->held = next;
    b->lines = 0;
    stage_release(r, full);
}

static bool append(struct block *b, struct str line)
{
    size_t had = held_view(b->held)->line.n;

    if (had == 0) return held_append(b->held, line) == 0; /* also behind empty lines */
    if (held_append(b->held, STR("\n"))) return false;
    if (held_append(b->held, line) == 0) return true;
    held_view(b->held)->line.n = had;
    return false;
}

static enum stage_result add(struct stage_run *r, struct entry *e, struct block *b)
{
    const struct plan *plan = r->plan;

    if (!append(b, e->line)) { /* memory is out: in order, but apart */
        end(r, b);
        return STAGE_PASS;
    }
    held_join(r, e, b->held);
    b->lines++;
    touch(r, b);
    if (b->lines >= plan->args->max_lines) send_full(r, b);
    return STAGE_HELD;
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    struct state *s = r->state;
    struct str line = e->line;
    struct labels *stream = entry_stream(e);

    if (!stream) return STAGE_PASS;
    struct block *b = map_get(&s->blocks, key_of(&stream));
    bool first = stage_match(r, plan->first, line, NULL, 0);
    if (!first && !b) return STAGE_PASS;
    if (plan->args->trim_newlines) trim(e);
    if (!first) return add(r, e, b);
    if (b) end(r, b);
    enum stage_result result = begin(r, e, stream);
    if (result == STAGE_HELD && plan->args->max_lines <= 1)
        send_full(r, map_get(&s->blocks, key_of(&stream)));
    return result;
}

/* --- life --- */

static void open_stage(struct stage_run *r)
{
    struct state *s = r->state;

    list_init(&s->by_time);
    s->timer = timer_new(r->loop, on_timer, r);
}

static void flush(struct stage_run *r)
{
    struct state *s = r->state;

    while (!list_empty(&s->by_time))
        end(r, list_item(s->by_time.next, struct block, node));
}

static void close_stage(struct stage_run *r)
{
    struct state *s = r->state;

    list_each (&s->by_time, node) {
        struct block *b = list_item(node, struct block, node);
        labels_unref(b->stream);
        free(b);
    }
    map_done(&s->blocks, NULL);
    timer_free(s->timer);
}

const struct stage_ops multiline_stage = {
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .prepare = prepare,
    .open = open_stage,
    .run = run,
    .flush = flush,
    .close = close_stage,
};
