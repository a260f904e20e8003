/* Live debugging: texts and rates of a source, bounds, sampling, the switch, instances that come
 * and go while they are watched. */
#include "runtime/dataplane/dataplane_kit.h"
#include "runtime/tap/tap_impl.h"

#define LONG_TEXT ((size_t)5 << 20)

static int render(const void *what, struct buf *out)
{
    const struct batch *b = what;

    buf_printf(out, "batch %lld", (long long)(b->received & 0xffffffff));
    return 0;
}

static int render_long(const void *what, struct buf *out)
{
    for (size_t i = 0; i < LONG_TEXT; i += 64)
        buf_printf(out, "%064d", 0);
    return 0;
}

static int render_nothing(const void *what, struct buf *out)
{
    buf_cstr(out, "half of");
    return -EBADMSG;
}

static void show_batch(const struct batch *b, struct tap_item *ret)
{
    *ret = (struct tap_item){TAP_OTEL_TRACE, 3, render, b};
}
static void show_long(const struct batch *b, struct tap_item *ret)
{
    *ret = (struct tap_item){TAP_OTEL_LOG, 1, render_long, b};
}
static void show_broken(const struct batch *b, struct tap_item *ret)
{
    *ret = (struct tap_item){TAP_OTEL_LOG, 1, render_nothing, b};
}

static const struct component_def live_source = {FAKE(source, PLACE_ONE), .apply = source_apply,
                                                 .tap = show_batch};
static const struct component_def long_source = {FAKE(source, PLACE_ONE), .apply = source_apply,
                                                 .tap = show_long};
static const struct component_def broken_source = {FAKE(source, PLACE_ONE), .apply = source_apply,
                                                   .tap = show_broken};

static int render_word(const void *what, struct buf *out)
{
    buf_cstr(out, what);
    return 0;
}

/* A component that says itself what it shows. */
static int telling_apply(struct shard *s, const void *plan)
{
    if (comp_tapped(s->comp))
        comp_tap(s->comp, &(struct tap_item){TAP_LOKI_LOG, 2, render_word, "applied"});
    return source_apply(s, plan);
}

static const struct component_def telling_source = {FAKE(source, PLACE_ONE), .apply = telling_apply,
                                                    .taps_itself = true};

struct world {
    struct kit k;
    struct tally out, in;
    struct node source, sink;
    struct fake_args a;
    struct taps *taps;
    int filling;
};

static void on_filling(void *arg)
{
    ((struct world *)arg)->filling++;
}

/* A source that has nothing to send yet, on the worker of its sink. */
static void world_open(struct world *w, const struct component_def *def, enum mode mode)
{
    memset(w, 0, sizeof(*w));
    kit_init(&w->k, 1);
    w->taps = taps_new(w->k.control, NULL);
    w->k.host.taps = w->taps;
    tally_init(&w->out, &w->k);
    tally_init(&w->in, &w->k);
    struct fake_args a = {.tally = &w->in, .mode = mode, .cap = 3};
    node_up(&w->sink, &w->k, &fake_consumers[PLACE_ONE], a, NULL);
    w->a = (struct fake_args){.tally = &w->out};
    node_up(&w->source, &w->k, def, w->a, TO(&w->sink));
}

/* The source sends so many more. */
static void send(struct world *w, i64 n)
{
    w->a.n += n;
    node_apply(&w->source, w->a, TO(&w->sink));
    kit_until(&w->k, w->out.pushed == w->a.n);
    kit_flush(&w->k, 1);
}

static void world_close(struct world *w)
{
    node_down(&w->source);
    node_down(&w->sink);
    kit_done(&w->k);
    taps_free(w->taps);
}

static struct tap_texts *watch(struct world *w, f64 probability)
{
    return tap_texts_new(
        w->taps, instance_comp(w->source.inst),
        &(struct tap_texts_conf){.probability = probability, .filling = on_filling, .arg = w});
}

static void expect_text(struct tap_texts *t, const char *want)
{
    struct blob *b = tap_texts_next(t);

    assert_non_null(b);
    assert_int_equal(b->n, strlen(want));
    assert_memory_equal(b->p, want, b->n);
    blob_unref(b);
}

static size_t drain(struct tap_texts *t)
{
    struct blob *b;
    size_t n = 0;

    for (; (b = tap_texts_next(t)); n++)
        blob_unref(b);
    return n;
}

static void texts_arrive_in_order(void **state)
{
    struct world w;

    world_open(&w, &live_source, MODE_TAKE);
    send(&w, 1); /* nobody watches */
    assert_false(comp_tapped(instance_comp(w.source.inst)));
    struct tap_texts *one = watch(&w, 1), *two = watch(&w, 1);
    send(&w, 2);
    tap_texts_free(two);
    send(&w, 1);
    expect_text(one, "batch 1");
    expect_text(one, "batch 2");
    expect_text(one, "batch 3");
    assert_null(tap_texts_next(one));
    tap_texts_free(one);
    assert_false(comp_tapped(instance_comp(w.source.inst)));
    world_close(&w);
}

/* What met FULL is shown when it has gone through, once. */
static void a_batch_is_shown_once(void **state)
{
    struct world w;

    world_open(&w, &live_source, MODE_GATE);
    struct tap_texts *t = watch(&w, 1);
    w.a.n = 2;
    node_apply(&w.source, w.a, TO(&w.sink));
    kit_until(&w.k, w.out.full == 1);
    assert_null(tap_texts_next(t));
    atomic_store(&w.in.gate, true);
    comp_ready(instance_comp(w.sink.inst));
    kit_until(&w.k, w.out.pushed == 2);
    kit_flush(&w.k, 1);
    assert_int_equal(drain(t), 2);
    tap_texts_free(t);
    world_close(&w);
}

static void a_slow_reader_loses_texts(void **state)
{
    struct world w;

    world_open(&w, &live_source, MODE_TAKE);
    struct tap_texts *t = watch(&w, 1);
    send(&w, 3000);
    kit_until(&w.k, w.filling > 0);
    assert_int_equal(tap_texts_lost(t), 2000);
    expect_text(t, "batch 0");
    assert_int_equal(drain(t), 999);
    send(&w, 10);
    assert_int_equal(drain(t), 10);
    tap_texts_free(t);
    world_close(&w);
}

static void long_texts_are_cut_and_bounded(void **state)
{
    struct world w;
    static const char note[] = "\n(the rest is left out: the text is longer than 4 MiB)";

    world_open(&w, &long_source, MODE_TAKE);
    struct tap_texts *t = watch(&w, 1);
    send(&w, 3);
    struct blob *b = tap_texts_next(t);
    assert_true(b->n > ((size_t)4 << 20) - 128 && b->n <= ((size_t)4 << 20) + 128);
    assert_memory_equal(b->p + b->n - strlen(note), note, strlen(note));
    blob_unref(b);
    assert_null(tap_texts_next(t)); /* the others found no room */
    assert_int_equal(tap_texts_lost(t), 2);
    tap_texts_free(t);
    world_close(&w);
    world_open(&w, &broken_source, MODE_TAKE);
    t = watch(&w, 1);
    send(&w, 1);
    expect_text(t, "half of\n(the rest is left out: it cannot be shown)");
    tap_texts_free(t);
    world_close(&w);
}

static void texts_are_charged(void **state)
{
    struct world w;
    struct budget budget;

    budget_init(&budget, 100);
    world_open(&w, &live_source, MODE_TAKE);
    w.taps->budget = &budget;
    struct tap_texts *t = watch(&w, 1);
    send(&w, 100);
    assert_true(budget_used(&budget) > 0);
    assert_true(tap_texts_lost(t) > 80);
    drain(t);
    assert_int_equal(budget_used(&budget), 0);
    tap_texts_free(t);
    world_close(&w);
}

static void sampling_is_honoured(void **state)
{
    struct world w;

    world_open(&w, &live_source, MODE_TAKE);
    struct tap_texts *none = watch(&w, 0), *half = watch(&w, 0.5), *all = watch(&w, 1);
    send(&w, 900);
    assert_int_equal(drain(none), 0);
    size_t n = drain(half);
    assert_in_range(n, 300, 600); /* ten standard deviations */
    assert_int_equal(drain(all), 900);
    tap_texts_free(none);
    tap_texts_free(half);
    tap_texts_free(all);
    world_close(&w);
}

struct seen {
    int n;
    u64 count;
};

static void see(void *arg, const struct tap_rate *r)
{
    struct seen *s = arg;

    s->n++;
    s->count += r->count;
    assert_int_equal(r->type, TAP_OTEL_TRACE);
    assert_string_equal(r->id, "mods.a/fake.x");
    assert_int_equal(r->n_targets, 1);
    assert_string_equal(r->targets[0], "mods.a/fake.x");
}

static struct seen take(struct tap_rates *r)
{
    struct seen s = {0};

    tap_rates_take(r, see, &s);
    return s;
}

static void rates_count_from_one_reading_to_the_next(void **state)
{
    struct world w;

    world_open(&w, &live_source, MODE_TAKE);
    struct comp *comps[] = {instance_comp(w.sink.inst), instance_comp(w.source.inst)};
    struct tap_rates *r = tap_rates_new(w.taps, comps, 2);
    send(&w, 5);
    struct seen s = take(r);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.count, 15);
    assert_int_equal(take(r).n, 0);
    send(&w, 1);
    struct tap_texts *t = watch(&w, 1);
    send(&w, 1);
    assert_int_equal(take(r).count, 6);
    assert_int_equal(drain(t), 1);
    tap_texts_free(t);
    send(&w, 1);
    tap_rates_free(r); /* with something counted */
    world_close(&w);
}

static void turning_it_off_ends_every_watch(void **state)
{
    struct world w;

    world_open(&w, &live_source, MODE_TAKE);
    assert_false(taps_enabled(w.taps));
    taps_enable(w.taps, true);
    struct comp *source = instance_comp(w.source.inst);
    struct tap_texts *t = watch(&w, 1);
    struct tap_rates *r = tap_rates_new(w.taps, &source, 1);
    send(&w, 1);
    taps_enable(w.taps, true); /* no change */
    send(&w, 1);
    assert_int_equal(take(r).count, 6);
    taps_enable(w.taps, false);
    send(&w, 1);
    taps_enable(w.taps, true); /* those who watched before stay silent */
    send(&w, 1);
    assert_int_equal(drain(t), 0);
    assert_int_equal(take(r).n, 0);
    assert_false(comp_tapped(source));
    struct tap_texts *later = watch(&w, 1);
    send(&w, 1);
    assert_int_equal(drain(later), 1);
    tap_texts_free(later);
    tap_texts_free(t);
    tap_rates_free(r);
    world_close(&w);
}

static void a_watch_follows_the_id(void **state)
{
    struct world w;

    world_open(&w, &live_source, MODE_TAKE);
    struct tap_texts *t = watch(&w, 1);
    send(&w, 1);
    node_down(&w.source);
    w.a.n = 2;
    atomic_store(&w.in.next[0], 0);
    node_up(&w.source, &w.k, &live_source, w.a, TO(&w.sink));
    kit_until(&w.k, w.out.pushed == 3);
    kit_flush(&w.k, 1);
    assert_int_equal(drain(t), 3);
    tap_texts_free(t);
    world_close(&w);
}

static void watches_are_limited(void **state)
{
    struct world w;
    struct tap_texts *texts[TAP_TEXTS_MAX];
    struct tap_rates *rates[TAP_RATES_MAX];

    world_open(&w, &live_source, MODE_TAKE);
    struct comp *source = instance_comp(w.source.inst);
    for (int i = 0; i < TAP_TEXTS_MAX; i++)
        assert_non_null(texts[i] = watch(&w, 1));
    for (int i = 0; i < TAP_RATES_MAX; i++)
        assert_non_null(rates[i] = tap_rates_new(w.taps, &source, 1));
    assert_null(watch(&w, 1));
    assert_null(tap_rates_new(w.taps, &source, 1));
    send(&w, 1);
    for (int i = 0; i < TAP_TEXTS_MAX; i++) {
        assert_int_equal(drain(texts[i]), 1);
        tap_texts_free(texts[i]);
    }
    for (int i = 0; i < TAP_RATES_MAX; i++)
        tap_rates_free(rates[i]);
    struct tap_texts *again = watch(&w, 1);
    assert_non_null(again);
    tap_texts_free(again);
    world_close(&w);
}

/* Watches come and go while batches flow: for the thread sanitizer. */
static void watching_races_with_work(void **state)
{
    struct world w;

    world_open(&w, &live_source, MODE_TAKE);
    struct comp *source = instance_comp(w.source.inst);
    w.a.n = 20000;
    node_apply(&w.source, w.a, TO(&w.sink));
    while (w.out.pushed < 20000) {
        struct tap_texts *t = watch(&w, 1);
        struct tap_rates *r = tap_rates_new(w.taps, &source, 1);
        loop_turn(w.k.control, 0);
        take(r);
        drain(t);
        tap_rates_free(r);
        tap_texts_free(t);
    }
    world_close(&w);
}

static void components_may_show_items_of_their_own(void **state)
{
    struct world w;

    world_open(&w, &telling_source, MODE_TAKE);
    send(&w, 1); /* nobody watches */
    struct tap_texts *t = watch(&w, 1);
    send(&w, 1);
    expect_text(t, "applied");
    assert_null(tap_texts_next(t));
    tap_texts_free(t);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_arrive_in_order),
        cmocka_unit_test(a_batch_is_shown_once),
        cmocka_unit_test(a_slow_reader_loses_texts),
        cmocka_unit_test(long_texts_are_cut_and_bounded),
        cmocka_unit_test(texts_are_charged),
        cmocka_unit_test(sampling_is_honoured),
        cmocka_unit_test(rates_count_from_one_reading_to_the_next),
        cmocka_unit_test(turning_it_off_ends_every_watch),
        cmocka_unit_test(a_watch_follows_the_id),
        cmocka_unit_test(watches_are_limited),
        cmocka_unit_test(components_may_show_items_of_their_own),
        cmocka_unit_test(watching_races_with_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
