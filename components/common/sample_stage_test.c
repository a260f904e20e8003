/* Tests of components/common/sample_stage.h: what a batch becomes, what is remembered, and that
 * nothing is lost or doubled while the way on is full. */
#include "components/common/source_testing.h"

#include "components/common/sample_stage.h"

static int woken;
static struct buf shown;

void shard_ready(struct shard *s)
{
    woken++;
}
u32 comp_shards(const struct comp *c)
{
    return 1;
}
void comp_tap(struct comp *c, const struct tap_item *item)
{
    buf_printf(&shown, "%llu ", (unsigned long long)item->count);
    assert_int_equal(item->render(item->what, &shown), 0);
    buf_cstr(&shown, "\n");
}

struct self {
    struct source_world w;
    struct sample_output output;
    struct sample_stage stage;
    struct sample_counts counts;
    struct series_keeper keeper; /* of the sender */
    int changes;
};

/* a: dropped; b: becomes c; e: loses all; the rest stays. */
static bool change(void *arg, struct label_set *s)
{
    ((struct self *)arg)->changes++;
    if (label_set_has(s, STR("b"))) {
        label_set_put(s, STR("c"), label_set_get(s, STR("b")));
        label_set_del(s, STR("b"));
    }
    label_set_del(s, STR("e"));
    return !label_set_has(s, STR("a"));
}

static void taken(void *arg, const struct sample_counts *n)
{
    struct sample_counts *sum = &((struct self *)arg)->counts;

    sum->samples += n->samples;
    sum->written += n->written;
    sum->hits += n->hits;
    sum->misses += n->misses;
    sum->deletes += n->deletes;
}

static const struct sample_stage_rules rules = {.change = change, .taken = taken, .shows = true};

static int set_up(void **state)
{
    struct self *self = *state = xnew(struct self);

    woken = 0;
    buf_init(&shown, 1 << 20);
    source_world_init(&self->w);
    self->w.host.series = series_table_new();
    sample_output_init(&self->output, &self->w.comp);
    series_keeper_init(&self->keeper, self->w.host.series);
    sample_stage_init(&self->stage, &self->w.shard, &rules, self, &self->output, 10,
                      &(struct capsule_list){0});
    return 0;
}

static int tear_down(void **state)
{
    struct self *self = *state;
    struct series_stats st;

    sample_stage_done(&self->stage);
    series_keeper_done(&self->keeper);
    series_table_stats(self->w.host.series, &st);
    assert_int_equal(st.series, 0);
    series_table_free(self->w.host.series);
    loop_turn(self->w.loop, 0);
    source_world_free(&self->w);
    buf_done(&shown);
    free(self);
    return 0;
}

/* "a=1 b=2!": a sample for each; "!": a stale marker, "%": a histogram, "x": an exemplar too. */
static void add(struct self *self, struct sample_builder *builder, struct str text, char mark)
{
    struct label l = {str_cut(&text, '='), text};
    struct series *s = series_intern(self->w.host.series, &l, 1);
    static const struct histogram h = {.schema = 1};
    const struct label own = {STR("trace_id"), STR("t")};

    if (mark == '%')
        assert_int_equal(sample_builder_histogram(
                             builder, &(struct histogram_sample){.series = s, .time = 1, .h = &h}),
                         0);
    else
        assert_int_equal(
            sample_builder_add(builder, s, 1, mark == '!' ? SAMPLE_STALE_BITS : sample_bits(1)), 0);
    if (mark == 'x')
        assert_int_equal(
            sample_builder_exemplar(
                builder,
                &(struct exemplar_sample){.series = s, .time = 1, .labels = &own, .n_labels = 1}),
            0);
    series_retire(&self->keeper, s);
}

static struct batch *batch_of(struct self *self, const char *text)
{
    struct sample_builder *builder = sample_builder_new(&self->w.budget);
    struct batch *b = batch_new(SIGNAL_METRICS);
    struct series_epoch *e = series_epoch_now(&self->keeper);

    sample_builder_keep(builder, e);
    series_epoch_unref(e);
    for (struct str rest = str_of(text); rest.n > 0;) {
        struct str word = str_cut(&rest, ' ');
        char last = word.p[word.n - 1];
        bool marked = last == '!' || last == '%' || last == 'x';
        add(self, builder, str_n(word.p, word.n - marked), marked ? last : 0);
    }
    assert_int_equal(sample_builder_seal(builder, b), 0);
    sample_builder_free(builder);
    return b;
}

static enum push push(struct self *self, const char *text)
{
    struct batch *b = batch_of(self, text);
    enum push answer = sample_stage_push(&self->stage, b);

    if (answer == PUSH_FULL) batch_unref(b);
    return answer;
}

/* The next batch that came out: floats, histograms, exemplars. */
static void expect_out(const char *want)
{
    struct buf text = BUF_INIT(1 << 16);

    buf_cstr(&text, "");
    if (the_fanout->got.n > 0) {
        struct batch *b = the_fanout->got.v[0];
        const struct samples *s = b->samples;
        vec_remove(&the_fanout->got, 0);
        for (u32 i = 0; i < s->n; i++) {
            series_text(s->v[i].series, &text);
            buf_cstr(&text, s->v[i].bits == SAMPLE_STALE_BITS ? "!" : "");
        }
        for (u32 i = 0; i < s->n_histograms; i++) {
            buf_ch(&text, '%');
            series_text(s->histograms[i].series, &text);
        }
        for (u32 i = 0; i < s->n_exemplars; i++) {
            buf_ch(&text, 'x');
            series_text(s->exemplars[i].series, &text);
        }
        batch_unref(b);
    }
    assert_buf(&text, want);
    buf_done(&text);
}

static void changed_dropped_and_kept(void **state)
{
    struct self *self = *state;

    assert_int_equal(push(self, "a=1 b=2 d=3 b=2 e=1"), PUSH_TAKEN);
    expect_out("{c=\"2\"}{d=\"3\"}{c=\"2\"}");
    assert_int_equal(self->counts.samples, 5);
    assert_int_equal(self->counts.written, 3);
    assert_int_equal(self->counts.misses, 4);
    assert_int_equal(self->counts.hits, 1);
    assert_int_equal(push(self, "b=2 a=1"), PUSH_TAKEN);
    expect_out("{c=\"2\"}");
    assert_int_equal(self->changes, 4);
}

static void histograms_and_exemplars_too(void **state)
{
    struct self *self = *state;

    assert_int_equal(push(self, "b=1x a=2x b=3% a=4%"), PUSH_TAKEN);
    expect_out("{c=\"1\"}%{c=\"3\"}x{c=\"1\"}");
    assert_int_equal(self->counts.samples, 4);
    assert_int_equal(self->counts.written, 2);
}

static void handed_on_as_it_is(void **state)
{
    struct self *self = *state;
    struct batch *b = batch_of(self, "d=1 f=2x");

    assert_int_equal(sample_stage_push(&self->stage, b), PUSH_TAKEN);
    assert_ptr_equal(the_fanout->got.v[0], b);
    expect_out("{d=\"1\"}{f=\"2\"}x{f=\"2\"}");
}

static void all_dropped(void **state)
{
    struct self *self = *state;

    assert_int_equal(push(self, "a=1 a=2"), PUSH_TAKEN);
    assert_int_equal(the_fanout->got.n, 0);
    assert_int_equal(self->counts.samples, 2);
    assert_int_equal(self->counts.written, 0);
}

/* The series ends: its marker is changed and sent on, what is known of it is forgotten. */
static void a_stale_marker_forgets(void **state)
{
    struct self *self = *state;

    assert_int_equal(push(self, "b=1 b=2"), PUSH_TAKEN);
    expect_out("{c=\"1\"}{c=\"2\"}");
    assert_int_equal(push(self, "b=1!"), PUSH_TAKEN);
    expect_out("{c=\"1\"}!");
    assert_int_equal(self->counts.deletes, 1);
    assert_int_equal(lru_count(self->stage.cache), 1);
    assert_int_equal(push(self, "b=1"), PUSH_TAKEN);
    expect_out("{c=\"1\"}");
    assert_int_equal(self->changes, 3);
}

/* More series than are remembered: those that left the cache live as long as the batch. */
static void more_than_the_cache_holds(void **state)
{
    struct self *self = *state;
    struct buf text = BUF_INIT(1 << 16), want = BUF_INIT(1 << 16);

    for (int i = 0; i < 50; i++) {
        buf_printf(&text, "%sb=%d", i ? " " : "", i);
        buf_printf(&want, "{c=\"%d\"}", i);
    }
    assert_int_equal(push(self, text.p), PUSH_TAKEN);
    expect_out(want.p);
    assert_int_equal(lru_count(self->stage.cache), 10);
    buf_done(&text);
    buf_done(&want);
}

static void full_is_tried_again(void **state)
{
    struct self *self = *state;

    the_fanout->full = true;
    assert_int_equal(push(self, "b=1"), PUSH_FULL);
    assert_int_equal(self->counts.samples, 0);
    the_fanout->full = false;
    the_fanout->ready(the_fanout->arg);
    assert_int_equal(woken, 1);
    assert_int_equal(push(self, "b=1"), PUSH_TAKEN);
    expect_out("{c=\"1\"}");
    assert_int_equal(self->counts.samples, 1);
}

static void without_memory(void **state)
{
#ifdef HOSTILE
    struct self *self = *state;

    for (int n = 1; n < 12; n++) {
        struct batch *b = batch_of(self, "b=1 d=2x");
        budget_fail_nth(n);
        enum push answer = sample_stage_push(&self->stage, b);
        budget_fail_nth(0);
        if (answer == PUSH_FULL) {
            source_world_advance(&self->w, NS_PER_SEC);
            assert_int_equal(sample_stage_push(&self->stage, b), PUSH_TAKEN);
        }
        expect_out("{c=\"1\"}{d=\"2\"}x{d=\"2\"}");
        assert_int_equal(the_fanout->got.n, 0);
        sample_stage_apply(&self->stage, 10, &(struct capsule_list){0});
    }
#else
    skip();
#endif
}

static void live_debugging(void **state)
{
    struct self *self = *state;

    self->w.comp.tap = (struct tap *)1;
    assert_int_equal(push(self, "a=1 b=2"), PUSH_TAKEN);
    assert_buf(&shown, "0 {a=\"1\"} => {}\n1 {b=\"2\"} => {c=\"2\"}\n");
    expect_out("{c=\"2\"}");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(changed_dropped_and_kept), T(histograms_and_exemplars_too),
        T(handed_on_as_it_is),       T(all_dropped),
        T(a_stale_marker_forgets),   T(more_than_the_cache_holds),
        T(full_is_tried_again),      T(without_memory),
        T(live_debugging),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
