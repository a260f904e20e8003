/* Tests of components/common/label_stage.h: what a batch becomes, what is remembered, and that
 * nothing is lost or doubled while the way on is full or memory is out. */
#include "components/common/source_testing.h"

#include "base/budget.h"
#include "components/common/label_stage.h"

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
    struct label_stage stage;
    struct label_counts counts;
    int changes;
};

/* a: dropped; b: becomes c; the rest stays. */
static bool change(void *arg, struct label_set *s)
{
    ((struct self *)arg)->changes++;
    if (label_set_has(s, STR("b"))) {
        label_set_put(s, STR("c"), label_set_get(s, STR("b")));
        label_set_del(s, STR("b"));
    }
    return !label_set_has(s, STR("a"));
}

static void taken(void *arg, const struct label_counts *n)
{
    struct label_counts *sum = &((struct self *)arg)->counts;

    sum->entries += n->entries;
    sum->written += n->written;
    sum->hits += n->hits;
    sum->misses += n->misses;
}

static const struct label_stage_rules rules = {.change = change, .taken = taken, .shows = true};

static int set_up(void **state)
{
    struct self *self = *state = xnew(struct self);

    woken = 0;
    buf_init(&shown, 1 << 20);
    source_world_init(&self->w);
    label_stage_init(&self->stage, &self->w.shard, &rules, self, 10, &(struct capsule_list){0});
    return 0;
}

static int tear_down(void **state)
{
    struct self *self = *state;

    label_stage_done(&self->stage);
    loop_turn(self->w.loop, 0);
    source_world_free(&self->w);
    buf_done(&shown);
    free(self);
    return 0;
}

/* "a=1 b=2": an entry for each. */
static struct batch *batch_of(struct self *self, const char *text)
{
    struct log_builder *builder = log_builder_new(&self->w.budget);
    struct batch *b = batch_new(SIGNAL_LOGS);

    for (struct str rest = str_of(text); rest.n > 0;) {
        struct str value = str_cut(&rest, ' ');
        struct label l = {str_cut(&value, '='), value};
        struct labels *set = labels_intern(self->w.host.labels, &l, 1);
        assert_int_equal(
            log_builder_add(builder, set, &(struct log_entry){.time = 1, .line = value}), 0);
        labels_unref(set);
    }
    assert_int_equal(log_builder_seal(builder, b), 0);
    log_builder_free(builder);
    return b;
}

static enum push push(struct self *self, const char *text)
{
    struct batch *b = batch_of(self, text);
    enum push answer = label_stage_push(&self->stage, b);

    if (answer == PUSH_FULL) batch_unref(b);
    return answer;
}

/* The next batch that came out, as "{...} n" for each stream, sorted as they come. */
static void expect_out(const char *want)
{
    struct buf text = BUF_INIT(1 << 16);

    buf_cstr(&text, "");
    if (the_fanout->got.n > 0) {
        struct batch *b = the_fanout->got.v[0];
        vec_remove(&the_fanout->got, 0);
        for (u32 i = 0; i < b->logs->n_streams; i++)
            buf_printf(&text, "%s" STR_FMT " %u", i ? " " : "",
                       STR_ARG(b->logs->streams[i].labels->text), b->logs->streams[i].n);
        batch_unref(b);
    }
    assert_buf(&text, want);
    buf_done(&text);
}

static void changed_dropped_and_kept(void **state)
{
    struct self *self = *state;

    assert_int_equal(push(self, "a=1 b=2 d=3 b=2"), PUSH_TAKEN);
    expect_out("{c=\"2\"} 2 {d=\"3\"} 1");
    assert_int_equal(self->counts.entries, 4);
    assert_int_equal(self->counts.written, 3);
    assert_int_equal(self->counts.misses, 3);
    assert_int_equal(self->counts.hits, 1);
    assert_int_equal(push(self, "b=2 a=1"), PUSH_TAKEN);
    expect_out("{c=\"2\"} 1");
    assert_int_equal(self->changes, 3);
}

static void handed_on_as_it_is(void **state)
{
    struct self *self = *state;
    struct batch *b = batch_of(self, "d=1 e=2");

    assert_int_equal(label_stage_push(&self->stage, b), PUSH_TAKEN);
    assert_ptr_equal(the_fanout->got.v[0], b);
    expect_out("{d=\"1\"} 1 {e=\"2\"} 1");
}

static void all_dropped(void **state)
{
    struct self *self = *state;

    assert_int_equal(push(self, "a=1 a=2"), PUSH_TAKEN);
    assert_int_equal(the_fanout->got.n, 0);
    assert_int_equal(self->counts.entries, 2);
    assert_int_equal(self->counts.written, 0);
}

static void two_streams_become_one(void **state)
{
    struct self *self = *state;

    assert_int_equal(push(self, "b=2 c=2 b=2"), PUSH_TAKEN);
    expect_out("{c=\"2\"} 3");
}

static void full_is_tried_again(void **state)
{
    struct self *self = *state;

    the_fanout->full = true;
    assert_int_equal(push(self, "b=1"), PUSH_FULL);
    assert_int_equal(self->counts.entries, 0);
    the_fanout->full = false;
    the_fanout->ready(the_fanout->arg);
    assert_int_equal(woken, 1);
    assert_int_equal(push(self, "b=1"), PUSH_TAKEN);
    expect_out("{c=\"1\"} 1");
    assert_int_equal(self->counts.entries, 1);
}

static void without_memory(void **state)
{
#ifdef HOSTILE
    struct self *self = *state;

    for (int n = 1; n < 12; n++) {
        struct batch *b = batch_of(self, "b=1 d=2");
        budget_fail_nth(n);
        enum push answer = label_stage_push(&self->stage, b);
        budget_fail_nth(0);
        if (answer == PUSH_FULL) {
            source_world_advance(&self->w, NS_PER_SEC);
            assert_int_equal(label_stage_push(&self->stage, b), PUSH_TAKEN);
        }
        expect_out("{c=\"1\"} 1 {d=\"2\"} 1");
        assert_int_equal(the_fanout->got.n, 0);
        label_stage_apply(&self->stage, 10, &(struct capsule_list){0});
    }
#else
    skip();
#endif
}

static void entries_are_shown(void **state)
{
    struct self *self = *state;
    static int tap;

    atomic_store(&self->w.comp.tap, (struct tap *)(void *)&tap);
    assert_int_equal(push(self, "a=1 b=2 d=3"), PUSH_TAKEN);
    assert_buf(&shown, "0 entry: 1, labels: {a=\"1\"} => <dropped>\n"
                       "1 entry: 2, labels: {b=\"2\"} => {c=\"2\"}\n"
                       "1 entry: 3, labels: {d=\"3\"} => {d=\"3\"}\n");
    the_fanout->full = true;
    assert_int_equal(push(self, "d=3"), PUSH_FULL);
    assert_int_equal(shown.n, 0);
}

static void another_configuration_forgets(void **state)
{
    struct self *self = *state;

    push(self, "d=1");
    push(self, "d=1");
    assert_int_equal(self->changes, 1);
    label_stage_apply(&self->stage, 1, &(struct capsule_list){0});
    push(self, "d=1");
    push(self, "e=1");
    push(self, "d=1");
    assert_int_equal(self->changes, 4);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(changed_dropped_and_kept),
        CASE(handed_on_as_it_is),
        CASE(all_dropped),
        CASE(two_streams_become_one),
        CASE(full_is_tried_again),
        CASE(without_memory),
        CASE(entries_are_shown),
        CASE(another_configuration_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
