/* The life of one instance: placement, rollouts of plans, what it tells, and the ways it leaves. */
#include <sys/stat.h>
#include <unistd.h>
#include "runtime/dataplane/dataplane_kit.h"

struct world {
    struct kit k;
    struct tally t;
    struct fake_args a;
    struct node n;
};

static void world_open(struct world *w, int workers)
{
    memset(w, 0, sizeof(*w));
    kit_init(&w->k, workers);
    tally_init(&w->t, &w->k);
    w->a = (struct fake_args){.tally = &w->t, .n = 10, .cap = 3};
}

/* Time passes on the control loop only: for workers that are blocked on purpose. */
static void advance_control(struct world *w, i64 ns)
{
    atomic_fetch_add(&w->k.now, ns);
    loop_turn(w->k.control, 0);
}

/* --- plans and building --- */

static void plan_holds_its_arena(void **state)
{
    struct world w;

    world_open(&w, 1);
    w.n.def = &fake_sources[PLACE_ONE];
    struct plan *p = node_plan(&w.n, w.a, NULL);
    assert_ptr_equal(plan_ref(p), p);
    plan_unref(p);
    assert_int_equal(w.t.plans_freed, 0);
    plan_unref(p);
    assert_int_equal(w.t.plans_freed, 1);
    plan_unref(NULL);
    kit_done(&w.k);
}

static void create_that_fails(void **state)
{
    struct world w;
    char *err = NULL;

    world_open(&w, 1);
    w.a.create_rc = -EINVAL;
    assert_int_equal(node_create(&w.n, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL, &err), -EINVAL);
    assert_string_equal(err, "create failed on purpose");
    free(err);
    instance_discard(w.n.inst);
    assert_int_equal(w.t.destroyed, 0);
    assert_int_equal(w.t.plans_freed, 1);
    node_free(&w.n);
    kit_done(&w.k);
}

static void discarded_before_start(void **state)
{
    struct world w;

    world_open(&w, 1);
    node_make(&w.n, &w.k, &fake_consumers[PLACE_EACH], w.a, NULL);
    assert_int_equal(w.n.seq, 1); /* exports came before create returned */
    instance_discard(w.n.inst);
    assert_int_equal(w.t.destroyed, 1);
    assert_int_equal(w.k.workers->instances, 1); /* its sink is still held */
    node_free(&w.n);
    kit_until(&w.k, w.k.workers->instances == 0);
    kit_done(&w.k);
}

static void stopped_before_start(void **state)
{
    struct world w;

    world_open(&w, 1);
    node_make(&w.n, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL);
    node_stop(&w.n, SEC);
    assert_int_equal(w.n.gone, 0); /* never from within the call */
    kit_until(&w.k, w.n.gone);
    assert_int_equal(w.t.destroyed, 1);
    assert_int_equal(w.t.ran + w.t.stopped + w.t.done, 0);
    node_free(&w.n);
    kit_done(&w.k);
}

/* --- placement --- */

static int worker_index(const struct node *n)
{
    return n->inst->shards[0].pub.worker->index;
}

static void one_goes_where_its_data_goes(void **state)
{
    struct world w;
    struct node a, b, each, source;

    world_open(&w, 3);
    node_make(&a, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL);
    node_make(&b, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL);
    node_make(&each, &w.k, &fake_transforms[PLACE_EACH], w.a, TO(&b));
    node_make(&source, &w.k, &fake_sources[PLACE_ONE], w.a, TO(&each, &a));
    assert_int_equal(worker_index(&a), 1);
    assert_int_equal(worker_index(&b), 2); /* the least loaded */
    assert_int_equal(each.inst->n_shards, 3);
    assert_int_equal(worker_index(&source), 2); /* through the EACH */
    struct node *all[] = {&source, &each, &b, &a};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        instance_discard(all[i]->inst);
        node_free(all[i]);
    }
    kit_until(&w.k, w.k.workers->instances == 0);
    for (int i = 1; i <= 3; i++)
        assert_false(w.k.workers->all[i].started ||
                     w.k.workers->all[i].load); /* no thread was needed */
    kit_done(&w.k);
}

static void same_sink_same_capsule(void **state)
{
    struct world w;

    world_open(&w, 1);
    node_make(&w.n, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL);
    struct comp *c = instance_comp(w.n.inst);
    struct capsule *again =
        comp_sink(c, &capsule_otelcol_consumer, 0, SIGNALS_TRACES | SIGNALS_LOGS);
    struct capsule *other = comp_sink(c, &capsule_otelcol_consumer, 1, SIGNALS_TRACES);
    assert_ptr_equal(again, node_input(&w.n));
    assert_ptr_not_equal(other, again);
    capsule_unref(again);
    capsule_unref(other);
    node_down(&w.n);
    kit_done(&w.k);
}

/* --- rollout --- */

static void configure_is_tried_again(void **state)
{
    struct world w;

    world_open(&w, 1);
    w.a.configure_rc = -EADDRINUSE;
    node_up(&w.n, &w.k, &fake_consumers[PLACE_CONTROL], w.a, NULL);
    assert_int_equal(w.n.run_health, HEALTH_UNHEALTHY);
    assert_string_equal(w.n.run_text, "configure failed on purpose");
    assert_int_equal(w.t.configured, 1);
    for (int i = 0; i < 8; i++) { /* 1, 2, 4, 8, 16, 30, 30, 30 s */
        i64 wait = MIN((INT64_C(1) << i) * SEC, 30 * SEC);
        kit_advance(&w.k, wait - 1);
        assert_int_equal(w.t.configured, i + 1);
        kit_advance(&w.k, 1);
        assert_int_equal(w.t.configured, i + 2);
    }
    assert_false(instance_running(w.n.inst));
    w.a.configure_rc = 0;
    node_apply(&w.n, w.a, NULL);
    kit_until(&w.k, w.n.applied);
    assert_int_equal(w.n.run_health, HEALTH_HEALTHY);
    assert_int_equal(w.t.ran, 1);
    assert_true(instance_running(w.n.inst));
    node_down(&w.n);
    kit_done(&w.k);
}

/* A producer in front of a consumer that cannot be configured is told, not held. */
static void pushes_fail_while_configure_fails(void **state)
{
    struct world w;
    struct tally out;
    struct node source;

    world_open(&w, 2);
    tally_init(&out, &w.k);
    w.a.configure_rc = -EADDRINUSE;
    node_make(&w.n, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL);
    struct fake_args from = {.tally = &out, .n = 10};
    node_up(&source, &w.k, &fake_sources[PLACE_EACH], from, TO(&w.n));
    kit_until(&w.k, out.full == 2 && out.pushed == 8); /* on the way to the other worker */
    assert_int_equal(tally_acks(&out), 0);
    instance_start(w.n.inst, node_on_started, &w.n);
    kit_until(&w.k, out.retryable == 20);
    node_down(&source);
    node_down(&w.n);
    kit_done(&w.k);
}

static void run_that_fails(void **state)
{
    struct world w;

    world_open(&w, 2);
    w.a.run_rc = -EPERM;
    node_up(&w.n, &w.k, &fake_consumers[PLACE_EACH], w.a, NULL);
    assert_int_equal(w.n.run_health, HEALTH_UNHEALTHY);
    assert_non_null(strstr(w.n.run_text, "run failed on worker"));
    assert_non_null(strstr(w.n.run_text, "Operation not permitted"));
    assert_int_equal(w.t.done, 2);
    w.a.run_rc = 0;
    node_apply(&w.n, w.a, NULL);
    kit_until(&w.k, w.n.applied);
    assert_int_equal(w.n.run_health, HEALTH_HEALTHY);
    assert_int_equal(w.t.ran, 4);
    node_down(&w.n);
    assert_int_equal(w.t.done, 4);
    kit_done(&w.k);
}

static void apply_that_fails(void **state)
{
    struct world w;

    world_open(&w, 1);
    node_up(&w.n, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL);
    w.a.apply_rc = -EIO;
    node_apply(&w.n, w.a, NULL);
    kit_until(&w.k, w.n.applied);
    assert_string_equal(w.n.run_text, "apply failed on worker 1: Input/output error");
    assert_int_equal(w.t.plans_freed, 1); /* the new plan holds all the same */
    node_down(&w.n);
    kit_done(&w.k);
}

static void apply_before_start(void **state)
{
    struct world w;

    world_open(&w, 1);
    node_make(&w.n, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL);
    node_apply(&w.n, w.a, NULL);
    assert_int_equal(w.t.plans_freed, 1);
    instance_start(w.n.inst, node_on_started, &w.n);
    kit_until(&w.k, w.n.started && w.n.applied);
    assert_int_equal(w.t.configured, 1);
    assert_int_equal(w.t.ran, 1);
    assert_int_equal(w.t.applied, 0);
    node_down(&w.n);
    kit_done(&w.k);
}

static void applies_coalesce(void **state)
{
    struct world w;

    world_open(&w, 2);
    node_up(&w.n, &w.k, &fake_consumers[PLACE_EACH], w.a, NULL);
    for (int i = 0; i < 5; i++)
        node_apply(&w.n, w.a, NULL);
    assert_int_equal(w.t.plans_freed, 4); /* the older ones are superseded at once */
    kit_until(&w.k, w.n.applied == 5);
    assert_int_equal(w.t.applied, 2); /* one rollout to two shards */
    assert_int_equal(w.t.plans_freed, 5);
    node_down(&w.n);
    assert_int_equal(w.t.plans_freed, 6);
    kit_done(&w.k);
}

static void old_plan_lives_until_all_have_the_new(void **state)
{
    struct world w;

    world_open(&w, 2);
    node_up(&w.n, &w.k, &fake_consumers[PLACE_EACH], w.a, NULL);
    w.a.block_apply = true;
    node_apply(&w.n, w.a, NULL);
    node_apply(&w.n, w.a, NULL);
    sem_post(&w.t.block);
    kit_until(&w.k, w.t.applied == 1 && w.n.inst->waiting == 1);
    assert_int_equal(w.t.plans_freed, 1); /* the superseded one */
    assert_int_equal(w.n.applied, 0);
    advance_control(&w, 2 * SEC);
    assert_int_equal(w.n.run_health, HEALTH_UNKNOWN);
    assert_string_equal(w.n.run_text,
                        "pending: 1 of 2 workers have not taken the new settings yet");
    sem_post(&w.t.block);
    kit_until(&w.k, w.n.applied == 2);
    assert_int_equal(w.t.plans_freed, 2);
    assert_int_equal(w.n.run_health, HEALTH_HEALTHY);
    node_down(&w.n);
    kit_done(&w.k);
}

/* --- what it tells --- */

static void health_newest_wins(void **state)
{
    struct world w;

    world_open(&w, 1);
    node_make(&w.n, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL);
    struct comp *c = instance_comp(w.n.inst);
    comp_health(c, HEALTH_HEALTHY, "first");
    comp_health(c, HEALTH_UNHEALTHY, "refused: %d", 7);
    kit_until(&w.k, w.n.health_events);
    assert_int_equal(w.n.health, HEALTH_UNHEALTHY);
    assert_string_equal(w.n.health_text, "refused: 7");
    comp_health(c, HEALTH_UNHEALTHY, "refused: %d", 7);
    loop_turn(w.k.control, 0);
    assert_int_equal(w.n.health_events, 1);
    node_down(&w.n);
    kit_done(&w.k);
}

struct speaker_exports {
    i64 count;
};
struct speaker {
    int unused;
};
static const struct row speaker_rows[] = {ATTR(struct speaker_exports, count, .doc = "Count.")};
static const struct schema speaker_schema = SCHEMA(struct speaker_exports, speaker_rows);

static int speaker_run(struct shard *s)
{
    for (i64 i = 1; i <= 100; i++) {
        shard_export(s, &(struct speaker_exports){i});
        comp_health(s->comp, HEALTH_HEALTHY, "said %d", (int)i);
    }
    return 0;
}

static const struct component_def speaker = {
    .name = "fake.speaker",
    .placement = PLACE_EACH,
    .args = &fake_args_schema,
    .exports = &speaker_schema,
    .plan_size = sizeof(struct fake_args),
    .self_size = sizeof(struct speaker),
    .run = speaker_run,
};

static void exports_from_workers(void **state)
{
    struct world w;

    world_open(&w, 2);
    node_up(&w.n, &w.k, &speaker, w.a, NULL);
    kit_until(&w.k, w.n.exports.type == V_OBJECT && w.n.health_events);
    kit_until(&w.k, value_num_i64(w.n.exports.object->m[0].value) == 100 &&
                        strcmp(w.n.health_text, "said 100") == 0);
    u64 seq = w.n.seq;
    comp_export(instance_comp(w.n.inst), &(struct speaker_exports){100});
    assert_int_equal(w.n.seq, seq); /* no news */
    comp_export(instance_comp(w.n.inst), &(struct speaker_exports){101});
    assert_int_equal(w.n.seq, seq + 1);
    node_down(&w.n);
    kit_done(&w.k);
}

/* --- services --- */

static const struct metric_desc test_metric = {
    .name = "fake_total", .help = "Fake.", .kind = METRIC_COUNTER};

static void metrics_carry_the_component(void **state)
{
    struct world w;
    struct buf text = BUF_INIT(4096);

    world_open(&w, 1);
    node_make(&w.n, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL);
    metric_inc(comp_metric(instance_comp(w.n.inst), &test_metric, NULL, 0));
    metrics_write(w.k.host.metrics, &text, (struct str[]){STR("fake_total")}, 1);
    assert_non_null(strstr(text.p, "component_id=\"fake.x\""));
    assert_non_null(strstr(text.p, "component_path=\"/mods.a\""));
    node_down(&w.n);
    buf_reset(&text);
    metrics_write(w.k.host.metrics, &text, (struct str[]){STR("fake_total")}, 1);
    assert_true(!text.p || !strstr(text.p, "fake.x")); /* freed with the instance */
    buf_done(&text);
    kit_done(&w.k);
}

static bool shown(struct world *w, const char *what)
{
    struct buf text = BUF_INIT(4096);

    metrics_write(w->k.host.metrics, &text, NULL, 0);
    bool found = text.p && strstr(text.p, what);
    buf_done(&text);
    return found;
}

static void a_shard_makes_series_of_its_own(void **state)
{
    struct world w;
    const struct metric_desc *named =
        metric_desc_new(&(struct metric_desc){.name = "fake_named", .kind = METRIC_GAUGE});

    world_open(&w, 1);
    node_up(&w.n, &w.k, &fake_consumers[PLACE_CONTROL], w.a, NULL); /* its worker is this thread */
    struct shard *s = &instance_of(instance_comp(w.n.inst))->shards[0].pub;
    struct metric *early = shard_metric(s, named, NULL, 0);
    struct metric *stays = shard_metric(s, &test_metric, NULL, 0);
    metric_desc_unref(named);
    metric_inc(stays);
    kit_until(&w.k, shown(&w, "fake_named{component_id=\"fake.x\""));
    assert_true(shown(&w, "fake_total{component_id=\"fake.x\",component_path=\"/mods.a\"} 1"));
    shard_metric_free(s, early);
    kit_until(&w.k, !shown(&w, "fake_named"));
    node_down(&w.n);
    assert_false(shown(&w, "fake_total"));
    kit_done(&w.k);
}

static void data_dir_is_made(void **state)
{
    char root[] = "/tmp/weir-test-XXXXXX";
    struct world w;
    struct stat st;
    char *err = NULL;

    assert_non_null(mkdtemp(root));
    world_open(&w, 1);
    w.k.host.storage_path = root;
    node_make(&w.n, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL);
    char *dir = comp_data_dir(instance_comp(w.n.inst), &err);
    assert_non_null(dir);
    assert_true(strlen(dir) > strlen(root) && strcmp(dir + strlen(root), "/mods.a/fake.x") == 0);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 027, 0);
    rmdir(dir);
    *strrchr(dir, '/') = '\0';
    rmdir(dir);
    rmdir(root);
    free(dir);
    w.k.host.storage_path = "/dev/null/x";
    assert_null(comp_data_dir(instance_comp(w.n.inst), &err));
    assert_non_null(strstr(err, "Not a directory"));
    free(err);
    node_down(&w.n);
    kit_done(&w.k);
}

static void leave_is_for_what_runs(void **state)
{
    struct world w;

    world_open(&w, 1);
    node_make(&w.n, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL);
    instance_leave(w.n.inst);
    assert_int_equal(w.t.left, 0); /* it owns no listener yet */
    instance_start(w.n.inst, node_on_started, &w.n);
    kit_until(&w.k, w.n.started);
    instance_leave(w.n.inst);
    assert_int_equal(w.t.left, 1);
    node_down(&w.n);
    kit_done(&w.k);
}

/* --- leaving --- */

static void hurry_comes_before_stop(void **state)
{
    struct world w;

    world_open(&w, 2);
    node_make(&w.n, &w.k, &fake_consumers[PLACE_EACH], w.a, NULL);
    instance_hurry(w.n.inst); /* it does not run yet */
    instance_start(w.n.inst, node_on_started, &w.n);
    kit_until(&w.k, w.n.started);
    assert_int_equal(w.t.hurried, 0);
    instance_hurry(w.n.inst);
    node_stop(&w.n, 20 * SEC);
    kit_until(&w.k, w.n.stopped);
    assert_int_equal(w.t.hurried, 2);
    assert_int_equal(w.t.stopped, 2);
    kit_until(&w.k, w.n.gone);
    node_free(&w.n);
    kit_done(&w.k);
}

static void waits_for_who_holds_its_sink(void **state)
{
    struct world w;

    world_open(&w, 2);
    node_up(&w.n, &w.k, &fake_consumers[PLACE_EACH], w.a, NULL);
    struct value held = value_ref(w.n.exports);
    node_stop(&w.n, 20 * SEC);
    kit_until(&w.k, w.n.stopped);
    assert_int_equal(w.t.done, 2);
    for (int i = 0; i < 10; i++)
        kit_advance(&w.k, SEC);
    assert_int_equal(w.t.destroyed + w.n.gone, 0);
    value_unref(held);
    kit_until(&w.k, w.n.gone);
    assert_int_equal(w.t.destroyed, 1);
    node_free(&w.n);
    kit_done(&w.k);
}

static void deaf_component_is_given_up(void **state)
{
    struct world w;

    world_open(&w, 2);
    w.a.mode = MODE_DEAF;
    node_up(&w.n, &w.k, &fake_consumers[PLACE_EACH], w.a, NULL);
    node_stop(&w.n, 5 * SEC);
    kit_until(&w.k, w.t.stopped == 2);
    assert_int_equal(w.n.gone, 0);
    kit_advance(&w.k, 5 * SEC);
    kit_until(&w.k, w.n.gone);
    assert_int_equal(w.t.done, 2);
    assert_int_equal(w.t.destroyed, 1);
    node_free(&w.n);
    kit_done(&w.k);
}

/* A worker that does not answer at all: the rest goes on without it, and what it uses stays until
 * it does. */
static void stuck_worker_is_left_behind(void **state)
{
    struct world w;

    world_open(&w, 1);
    w.a.mode = MODE_STUCK;
    node_up(&w.n, &w.k, &fake_consumers[PLACE_ONE], w.a, NULL);
    node_apply(&w.n, w.a, NULL);
    node_stop(&w.n, 5 * SEC);
    assert_int_equal(w.n.applied, 1); /* not begun: answered at once */
    kit_until(&w.k, w.t.stopped == 1);
    advance_control(&w, 5 * SEC);
    assert_int_equal(w.n.gone, 0);
    advance_control(&w, SEC);
    assert_int_equal(w.n.gone, 1);
    assert_int_equal(w.t.destroyed, 0);
    assert_int_equal(w.k.workers->instances, 1);
    sem_post(&w.t.block);
    kit_until(&w.k, w.k.workers->instances == 0);
    assert_int_equal(w.t.destroyed, 1);
    node_free(&w.n);
    kit_done(&w.k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_holds_its_arena),
        cmocka_unit_test(create_that_fails),
        cmocka_unit_test(discarded_before_start),
        cmocka_unit_test(stopped_before_start),
        cmocka_unit_test(one_goes_where_its_data_goes),
        cmocka_unit_test(same_sink_same_capsule),
        cmocka_unit_test(configure_is_tried_again),
        cmocka_unit_test(pushes_fail_while_configure_fails),
        cmocka_unit_test(run_that_fails),
        cmocka_unit_test(apply_that_fails),
        cmocka_unit_test(apply_before_start),
        cmocka_unit_test(applies_coalesce),
        cmocka_unit_test(old_plan_lives_until_all_have_the_new),
        cmocka_unit_test(health_newest_wins),
        cmocka_unit_test(exports_from_workers),
        cmocka_unit_test(metrics_carry_the_component),
        cmocka_unit_test(a_shard_makes_series_of_its_own),
        cmocka_unit_test(data_dir_is_made),
        cmocka_unit_test(leave_is_for_what_runs),
        cmocka_unit_test(hurry_comes_before_stop),
        cmocka_unit_test(waits_for_who_holds_its_sink),
        cmocka_unit_test(deaf_component_is_given_up),
        cmocka_unit_test(stuck_worker_is_left_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
