/* When targets are published, and which. A stand-in for the runtime counts what is exported. */
#include "base/test.h"

#include "components/common/target_export.h"
#include "net/loop.h"

static struct value exported;
static int n_exported;

void comp_export(struct comp *c, const void *exports)
{
    const struct target_exports *e = exports;

    value_unref(exported);
    exported = value_ref(e->targets);
    n_exported++;
}
void shard_export(struct shard *s, const void *exports)
{
    comp_export(s->comp, exports);
}
void comp_tap(struct comp *c, const struct tap_item *item)
{
    fail_msg("nobody watches");
}

struct world {
    struct clock_fake clock;
    struct worker worker;
    struct comp comp;
    struct shard shard;
    struct target_export e;
};

static void begin(struct world *w)
{
    *w = (struct world){0};
    clock_fake_init(&w->clock, NS_PER_SEC);
    w->worker.loop = loop_new("test", 1, &w->clock.clock);
    w->shard = (struct shard){.comp = &w->comp, .worker = &w->worker};
    n_exported = 0;
    target_export_init(&w->e, &w->shard);
}

static void end(struct world *w)
{
    target_export_done(&w->e);
    loop_free(w->worker.loop);
    value_unref(exported);
    exported = value_null();
}

static void pass(struct world *w, i64 ns)
{
    clock_fake_advance(&w->clock, ns);
    loop_turn(w->worker.loop, 0);
}

/* Targets that are texts here: nothing looks into them. */
static void set(struct world *w, const char *source, const char *targets)
{
    size_t n = strlen(targets);
    struct value list = value_array(n);

    for (size_t i = 0; i < n; i++)
        list.array->v[i] = value_str(str_n(targets + i, 1));
    target_export_set(&w->e, str_of(source), list);
}

static void expect(int n, const char *targets)
{
    assert_int_equal(n_exported, n);
    assert_int_equal(exported.array->n, strlen(targets));
    for (size_t i = 0; i < exported.array->n; i++)
        assert_int_equal(value_text(exported.array->v[i]).p[0], targets[i]);
}

static void the_first_come_at_once_and_later_ones_together(void **state)
{
    struct world w;

    begin(&w);
    set(&w, "one", "ab");
    set(&w, "two", "c");
    pass(&w, 0);
    expect(1, "abc");
    set(&w, "one", "d");
    pass(&w, 2 * NS_PER_SEC);
    set(&w, "three", "e");
    pass(&w, 2 * NS_PER_SEC);
    expect(1, "abc");
    pass(&w, NS_PER_SEC);
    expect(2, "cde"); /* what changed stands last */
    pass(&w, 60 * NS_PER_SEC);
    set(&w, "two", ""); /* after a quiet time: at once */
    pass(&w, 0);
    expect(3, "de");
    end(&w);
}

static void what_is_the_same_is_not_published(void **state)
{
    struct world w;

    begin(&w);
    set(&w, "one", "a");
    pass(&w, 0);
    set(&w, "one", "a");
    set(&w, "none", "");
    pass(&w, 60 * NS_PER_SEC);
    expect(1, "a");
    target_export_flush(&w.e);
    expect(1, "a");
    set(&w, "one", "b");
    target_export_flush(&w.e); /* a stop does not wait */
    expect(2, "b");
    end(&w);
}

static void none_are_published_too(void **state)
{
    struct world w;

    begin(&w);
    set(&w, "one", "");
    pass(&w, 0);
    expect(1, "");
    end(&w);
}

static void another_discovery_begins_anew(void **state)
{
    struct world w;

    begin(&w);
    set(&w, "one", "a");
    pass(&w, 0);
    set(&w, "one", "b");
    target_export_restart(&w.e);
    pass(&w, 60 * NS_PER_SEC);
    expect(1, "a"); /* stays until the new one has found something */
    set(&w, "two", "c");
    pass(&w, 0);
    expect(2, "c");
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_come_at_once_and_later_ones_together),
        cmocka_unit_test(what_is_the_same_is_not_published),
        cmocka_unit_test(none_are_published_too),
        cmocka_unit_test(another_discovery_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
