/* A pipeline in a test: the text of its stages, entries in, entries out, virtual time. It stands in
 * for the runtime, so each test program includes it once and pulls in no runtime.
 *
 *     process_case("stage.labels { values = { a = \"\" } }",   // inside loki.process
 *                  "{a=\"1\"} one\n" "two",                    // a line is an entry
 *                  "{a=\"1\"} one\n" "{} two\n");
 *
 * An entry in: LABELS? @NS? <K=V,K=V>? LINE, its time is 1000 s unless given; "!wait 3s" moves the
 * clock, "!flush" stops the pipeline orderly, "!batch" ends a batch (the next lines make another).
 * What came out: LABELS, @NS when the time is not 1000 s, <K=V> when there is metadata, LINE. In
 * lines both ways \n, \r, \t, \\ and \xHH stand for their bytes. */
#ifndef COMPONENTS_LOKI_PROCESS_TESTING_H
#define COMPONENTS_LOKI_PROCESS_TESTING_H

#include <stdlib.h>
#include "base/num.h"
#include "base/test.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "parser/parser.h"
#include "runtime/component.h"
#include "telemetry/log_batch.h"
#include "value/decode.h"

#define ENTRY_TIME (1000 * NS_PER_SEC)

struct fanout {
    void (*ready)(void *arg);
    void *arg;
    bool full, refused; /* that it is full is known once it refused a batch */
    VEC(struct batch *) got;
};

struct process {
    struct clock_fake clock;
    struct loop *loop;
    struct budget budget;
    struct host host;
    struct comp comp;
    struct worker worker;
    struct shard shard;
    struct arena arena; /* plans */
    struct diags diags;
    int ready, stopped;
    int acked, pending; /* acks of batches that were sent in */
    bool receiver;      /* what is sent in waits for being accepted only */
    enum ack_outcome worst;
};

extern const struct component_def loki_process;
static struct fanout *the_fanout;
static struct buf process_taps = BUF_INIT(1 << 24);

/* --- the runtime's functions --- */

const struct capsule_type capsule_logs_receiver = {.name = "loki.LogsReceiver"};

void comp_export(struct comp *c, const void *exports) {}
struct metric *comp_metric(struct comp *c, const struct metric_desc *d,
                           const struct metric_label *labels, size_t n)
{
    return metric_new(c->host->metrics, d, labels, n);
}
struct metric *shard_metric(struct shard *s, const struct metric_desc *d,
                            const struct metric_label *labels, size_t n)
{
    return metric_new(s->comp->host->metrics, d, labels, n);
}
void shard_metric_free(struct shard *s, struct metric *m)
{
    metric_free(s->comp->host->metrics, m);
}
struct capsule *comp_sink(struct comp *c, const struct capsule_type *type, u32 port, u32 signals)
{
    return NULL;
}
void capsule_unref(struct capsule *c) {}
void comp_tap(struct comp *c, const struct tap_item *item)
{
    assert_int_equal(item->type, TAP_LOKI_LOG);
    item->render(item->what, &process_taps);
    buf_ch(&process_taps, '\n');
}
u32 comp_shards(const struct comp *c)
{
    return 1;
}
void shard_ready(struct shard *s)
{
    container_of(s, struct process, shard)->ready++;
}
void shard_stopped(struct shard *s)
{
    container_of(s, struct process, shard)->stopped++;
}
struct fanout *fanout_new(struct shard *s, void (*ready)(void *arg), void *arg)
{
    struct fanout *f = xnew(struct fanout);
    f->ready = ready;
    f->arg = arg;
    return the_fanout = f;
}
void fanout_set(struct fanout *f, const struct capsule_list *sinks) {}
size_t fanout_branches(const struct fanout *f)
{
    return 1;
}
enum push fanout_push(struct fanout *f, struct batch *b)
{
    if (f->full) {
        f->refused = true;
        return PUSH_FULL;
    }
    vec_push(&f->got, b);
    return PUSH_TAKEN;
}
bool fanout_full(const struct fanout *f)
{
    return f->refused;
}
bool fanout_holds(const struct fanout *f)
{
    return false;
}
void fanout_free(struct fanout *f)
{
    vec_each (&f->got, b)
        batch_unref(*b);
    vec_done(&f->got);
    free(f);
}

/* --- life --- */

static inline void process_init(struct process *w)
{
    *w = (struct process){0};
    clock_fake_init(&w->clock, ENTRY_TIME);
    w->loop = loop_new("test", 1, &w->clock.clock);
    budget_init(&w->budget, 0);
    w->host = (struct host){.clock = &w->clock.clock,
                            .metrics = metrics_new(),
                            .labels = label_table_new(),
                            .data_budget = &w->budget};
    w->worker = (struct worker){.index = 1, .loop = w->loop};
    arena_init(&w->arena, 0);
    diags_init(&w->diags);
    metric_set_writer(1);
}

/* Decodes and prepares; NULL with diagnostics when it is refused. */
static inline void *process_plan(struct process *w, const char *stages)
{
    const struct component_def *def = &loki_process;
    char *text = xprintf("c \"c\" {\nforward_to = []\n%s\n}\n", stages);
    struct source *src = source_new("test", str_of(text));
    struct tree *tree = parse_file(src, &w->diags);
    void *args = arena_alloc(&w->arena, def->args->size),
         *plan = arena_alloc(&w->arena, def->plan_size);
    free(text);
    source_unref(src);
    if (!tree) return NULL;
    const struct block *block = tree->body.stmts[0].block;
    struct prepare p = {.host = &w->host, .block = block, .arena = &w->arena, .diags = &w->diags};
    int err = decode_body(def->args, block, &block->body, NULL, &w->arena, args, &w->diags);
    if (!err) err = def->prepare(&p, args, plan);
    arena_cleanup(&w->arena, (void (*)(void *))tree_free, tree);
    return err ? NULL : plan;
}

static inline void process_up(struct process *w, const char *stages)
{
    process_init(w);
    void *plan = process_plan(w, stages);
    if (!plan) fail_msg("%s\n%s", stages, w->diags.list.v[0].message);
    w->comp = (struct comp){.def = &loki_process,
                            .host = &w->host,
                            .id = "c",
                            .shared = arena_alloc(&w->arena, loki_process.shared_size),
                            .plan = plan};
    w->shard = (struct shard){.comp = &w->comp,
                              .worker = &w->worker,
                              .self = arena_alloc(&w->arena, loki_process.self_size),
                              .plan = plan};
    assert_int_equal(loki_process.create(&w->comp, NULL), 0);
    assert_int_equal(loki_process.run(&w->shard), 0);
}

static inline void process_apply(struct process *w, const char *stages)
{
    void *plan = process_plan(w, stages);
    assert_non_null(plan);
    assert_int_equal(loki_process.apply(&w->shard, plan), 0);
    w->shard.plan = plan;
}

/* What is left may be on its way; nothing of it may stay in memory. */
static inline void process_down(struct process *w)
{
    loki_process.shard_done(&w->shard);
    loop_turn(w->loop, 0);
    loop_turn(w->loop, 0);
    assert_int_equal(w->pending, 0);
    assert_int_equal(budget_used(&w->budget), 0);
    assert_int_equal(label_table_count(w->host.labels), 0);
    label_table_free(w->host.labels);
    loop_free(w->loop);
    diags_done(&w->diags);
    arena_done(&w->arena);
    metrics_free(w->host.metrics);
    buf_done(&process_taps);
    process_taps = (struct buf)BUF_INIT(1 << 24);
}

static inline void process_advance(struct process *w, i64 ns)
{
    clock_fake_advance(&w->clock, ns);
    loop_turn(w->loop, 0);
    loop_turn(w->loop, 0);
}

/* Room again behind the component. */
static inline void process_open(struct process *w)
{
    the_fanout->full = the_fanout->refused = false;
    the_fanout->ready(the_fanout->arg);
}

/* --- entries in --- */

static inline void process_acked(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct process *w = arg;

    w->acked++;
    w->pending--;
    w->worst = MAX(w->worst, outcome);
}

static inline int process_hex(char c)
{
    return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

static inline struct str process_unescape(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\\' || i + 1 == s.n) {
            out[n++] = s.p[i];
            continue;
        }
        char c = s.p[++i];
        if (c == 'x' && i + 2 < s.n) {
            out[n++] = (char)(process_hex(s.p[i + 1]) << 4 | process_hex(s.p[i + 2]));
            i += 2;
        } else {
            out[n++] = (char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
        }
    }
    return str_n(out, n);
}

/* K=V pairs up to `end`, values optionally quoted; s is left behind it. */
static inline u32 process_pairs(struct arena *a, struct str *s, char end, struct label *v)
{
    u32 n = 0;

    *s = str_sub(*s, 1, s->n);
    while (s->n && s->p[0] != end) {
        struct str name = str_trim(str_cut(s, '=')), value;
        if (s->n && s->p[0] == '"') {
            size_t to = 1;
            while (to < s->n && s->p[to] != '"')
                to += s->p[to] == '\\' ? 2 : 1;
            value = str_sub(*s, 1, to);
            *s = str_sub(*s, to + 1, s->n);
        } else {
            size_t to = 0;
            while (to < s->n && s->p[to] != ',' && s->p[to] != end)
                to++;
            value = str_sub(*s, 0, to);
            *s = str_sub(*s, to, s->n);
        }
        v[n++] = (struct label){name, process_unescape(a, value)};
        if (s->n && s->p[0] == ',') *s = str_sub(*s, 1, s->n);
    }
    *s = str_sub(*s, MIN(s->n, (size_t)1), s->n);
    if (s->n && s->p[0] == ' ') *s = str_sub(*s, 1, s->n);
    return n;
}

static inline void process_add(struct process *w, struct log_builder *b, struct str text)
{
    struct label labels[32], meta[32];
    struct log_entry e = {.time = ENTRY_TIME, .meta = meta};
    struct arena a;
    u32 n = 0;

    arena_init(&a, 0);
    if (text.n && text.p[0] == '{') n = process_pairs(&a, &text, '}', labels);
    if (text.n && text.p[0] == '@') {
        struct str number = str_cut(&text, ' ');
        assert_int_equal(num_parse_i64(str_sub(number, 1, number.n), &e.time), 0);
    }
    if (text.n && text.p[0] == '<') e.n_meta = process_pairs(&a, &text, '>', meta);
    e.line = process_unescape(&a, text);
    struct labels *l = labels_intern(w->host.labels, labels, n);
    assert_int_equal(log_builder_add(b, l, &e), 0);
    labels_unref(l);
    arena_done(&a);
}

static inline enum push process_push(struct process *w, struct log_builder *b)
{
    struct batch *batch = batch_new(SIGNAL_LOGS);
    enum ack_stage stage = w->receiver ? ACK_ACCEPTED : ACK_DELIVERED;
    struct ack *ack = ack_new(stage, w->loop, process_acked, w);

    batch_add_ack(batch, ack);
    ack_unref(ack);
    w->pending++;
    assert_int_equal(log_builder_seal(b, batch), 0);
    enum push result = loki_process.push(&w->shard, 0, batch);
    if (result == PUSH_FULL) batch_unref(batch);
    return result;
}

static inline void process_command(struct process *w, struct str line)
{
    struct str word = str_cut(&line, ' ');
    i64 ns;

    if (str_is(word, "!wait")) {
        assert_int_equal(dur_parse(line, &ns, NULL), 0);
        process_advance(w, ns);
    } else if (str_is(word, "!flush")) {
        loki_process.stop(&w->shard);
    } else if (!str_is(word, "!batch")) {
        fail_msg("no command: " STR_FMT, STR_ARG(word));
    }
}

static inline void process_in(struct process *w, const char *text)
{
    struct log_builder *b = log_builder_new(&w->budget);
    struct str rest = str_of(text);

    while (rest.n) {
        struct str line = str_cut(&rest, '\n');
        bool command = line.n && line.p[0] == '!';
        if (!command) process_add(w, b, line);
        if (log_builder_items(b) && (command || !rest.n))
            assert_int_equal(process_push(w, b), PUSH_TAKEN);
        if (command) process_command(w, line);
    }
    log_builder_free(b);
}

/* --- entries out --- */

static inline void process_escape(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        u8 c = (u8)s.p[i];
        if (c == '\n' || c == '\r' || c == '\t')
            buf_printf(b, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c == '\\')
            buf_cstr(b, "\\\\");
        else if (c < 32 || c == 127)
            buf_printf(b, "\\x%02x", c);
        else
            buf_ch(b, (char)c);
    }
}

static inline void process_show(struct buf *b, const struct labels *l, const struct log_entry *e)
{
    buf_str(b, l->text);
    if (e->time != ENTRY_TIME) buf_printf(b, " @%lld", (long long)e->time);
    for (u32 i = 0; i < e->n_meta; i++) {
        buf_cstr(b, i ? "," : " <");
        buf_str(b, e->meta[i].name);
        buf_ch(b, '=');
        process_escape(b, e->meta[i].value);
    }
    buf_cstr(b, e->n_meta ? "> " : " ");
    process_escape(b, e->line);
    buf_ch(b, '\n');
}

/* What came out since the last call. */
static inline void process_out(struct process *w, struct buf *b)
{
    vec_each (&the_fanout->got, batch) {
        const struct logs *l = (*batch)->logs;
        for (u32 i = 0; i < l->n_streams; i++)
            for (u32 k = 0; k < l->streams[i].n; k++)
                process_show(b, l->streams[i].labels, &l->streams[i].v[k]);
        batch_unref(*batch);
    }
    vec_clear(&the_fanout->got);
    loop_turn(w->loop, 0);
}

static inline void process_expect(struct process *w, const char *want)
{
    struct buf got = BUF_INIT(1 << 26);

    buf_cstr(&got, "");
    process_out(w, &got);
    if (!str_is(buf_view(&got), want)) fail_msg("got:\n%swanted:\n%s", got.p ? got.p : "", want);
    buf_done(&got);
}

static inline void process_case(const char *stages, const char *in, const char *want)
{
    struct process w;

    process_up(&w, stages);
    process_in(&w, in);
    process_expect(&w, want);
    process_down(&w);
}

/* The message of a refused configuration, without "invalid stage config ". */
static inline void process_fault(const char *stages, const char *message)
{
    struct str prefix = STR("invalid stage config ");
    struct process w;
    bool found = false;

    process_init(&w);
    assert_null(process_plan(&w, stages));
    vec_each (&w.diags.list, d) {
        struct str text = str_of(d->message);
        if (str_starts(text, prefix)) text = str_sub(text, prefix.n, text.n);
        found |= str_is(text, message);
    }
    if (!found)
        vec_each (&w.diags.list, d)
            print_error("got: %s\n", d->message);
    assert_true(found);
    label_table_free(w.host.labels);
    loop_free(w.loop);
    diags_done(&w.diags);
    arena_done(&w.arena);
    metrics_free(w.host.metrics);
}

/* A line of the exposition, such as `loki_process_dropped_lines_total{reason="x"} 2`. */
static inline void process_expect_metric(struct process *w, const char *line)
{
    struct buf b = BUF_INIT(1 << 20);
    char *want = xprintf("\n%s\n", line);

    buf_ch(&b, '\n');
    metrics_write(w->host.metrics, &b, NULL, 0);
    if (str_find(buf_view(&b), str_of(want)) < 0) fail_msg("wanted: %s\ngot:%s", line, b.p);
    free(want);
    buf_done(&b);
}

/* A case that also counts. */
static inline void process_case_counted(const char *stages, const char *in, const char *want,
                                        const char *metric)
{
    struct process w;

    process_up(&w, stages);
    process_in(&w, in);
    process_expect(&w, want);
    process_expect_metric(&w, metric);
    process_down(&w);
}

#endif
