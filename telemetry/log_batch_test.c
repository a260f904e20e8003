/* Tests of telemetry/log_batch.h: grouping, sharing of roots, budgets, copies, what batches do with
 * entries. */
#include "telemetry/log_batch.h"
#include <errno.h>
#include <stdlib.h>
#include "base/test.h"

struct fixture {
    struct label_table *table;
    struct labels *a, *b;
    struct budget budget;
    struct log_builder *builder;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->table = label_table_new();
    f->a = labels_intern(f->table, &(struct label){STR("s"), STR("a")}, 1);
    f->b = labels_intern(f->table, &(struct label){STR("s"), STR("b")}, 1);
    budget_init(&f->budget, 1 << 20);
    f->builder = log_builder_new(&f->budget);
    *state = f;
    return 0;
}

/* Nothing stays charged, and no set stays interned. */
static int teardown(void **state)
{
    struct fixture *f = *state;

    log_builder_free(f->builder);
    labels_unref(f->a);
    labels_unref(f->b);
    assert_int_equal(budget_used(&f->budget), 0);
    label_table_free(f->table);
    free(f);
    return 0;
}

static void add(struct fixture *f, struct labels *l, i64 time, const char *line)
{
    assert_int_equal(
        log_builder_add(f->builder, l, &(struct log_entry){.time = time, .line = str_of(line)}), 0);
}

static struct batch *seal(struct fixture *f)
{
    struct batch *b = batch_new(SIGNAL_LOGS);

    assert_int_equal(log_builder_seal(f->builder, b), 0);
    return b;
}

static void streams_lie_together_in_order(void **state)
{
    struct fixture *f = *state;

    add(f, f->a, 1, "one");
    add(f, f->b, 2, "two");
    add(f, f->a, 3, "three");
    assert_int_equal(log_builder_items(f->builder), 3);
    assert_int_equal(log_builder_bytes(f->builder), 11);
    struct batch *b = seal(f);
    const struct logs *l = b->logs;
    assert_true(b->sealed);
    assert_int_equal(b->items, 3);
    assert_int_equal(b->bytes, 11);
    assert_true(b->pinned >= b->bytes);
    assert_int_equal(l->n_streams, 2);
    assert_ptr_equal(l->streams[0].labels, f->a);
    assert_int_equal(l->streams[0].n, 2);
    assert_text(l->streams[0].v[0].line, "one");
    assert_text(l->streams[0].v[1].line, "three");
    assert_int_equal(l->streams[0].v[1].time, 3);
    assert_text(l->streams[1].v[0].line, "two");
    assert_int_equal(log_builder_items(f->builder), 0);
    batch_unref(b);
}

static void metadata_is_copied(void **state)
{
    struct fixture *f = *state;
    char name[] = "trace", line[] = "x";
    struct label meta[] = {{str_of(name), STR("1")}, {STR("trace"), STR("22")}};

    assert_int_equal(
        log_builder_add(
            f->builder, f->a,
            &(struct log_entry){.line = str_of(line), .meta = meta, .n_meta = ARRAY_LEN(meta)}),
        0);
    name[0] = line[0] = '!';
    meta[1].value = STR("?");
    struct batch *b = seal(f);
    const struct log_entry *e = b->logs->streams[0].v;
    assert_int_equal(e->n_meta, 2);
    assert_text(e->line, "x");
    assert_text(e->meta[0].name, "trace");
    assert_text(e->meta[1].value, "22");
    assert_int_equal(b->bytes, 1 + 6 + 7);
    batch_unref(b);
}

static void a_view_keeps_its_roots(void **state)
{
    struct fixture *f = *state;

    add(f, f->a, 1, "hello world");
    struct batch *parent = seal(f);
    struct log_entry cut = parent->logs->streams[0].v[0];
    cut.line = str_sub(cut.line, 6, cut.line.n);
    log_builder_keep_logs(f->builder, parent->logs);
    assert_int_equal(log_builder_add_slice(f->builder, f->b, &cut), 0);
    struct batch *child = batch_derive(parent);
    assert_int_equal(log_builder_seal(f->builder, child), 0);
    batch_unref(parent);
    assert_text(child->logs->streams[0].v[0].line, "world");
    assert_ptr_equal(child->logs->streams[0].labels, f->b);
    batch_unref(child);
}

static void owned_by_reference(void **state)
{
    struct fixture *f = *state;

    add(f, f->a, 1, "x");
    struct batch *b = seal(f);
    b->own = true;
    struct batch *other = batch_ref(b), *mine = batch_own(b);
    assert_ptr_not_equal(mine, other);
    assert_ptr_equal(mine->logs, other->logs);
    assert_true(mine->own && mine->sealed);
    assert_int_equal(mine->items, 1);
    batch_unref(other);
    batch_unref(mine);
}

static void compacted(void **state)
{
    struct fixture *f = *state;
    struct blob *root = blob_new(500000, &f->budget);

    memcpy(root->p, "tail", 4);
    log_builder_keep(f->builder, root);
    assert_int_equal(
        log_builder_add_slice(f->builder, f->a, &(struct log_entry){.line = str_n(root->p, 4)}), 0);
    blob_unref(root);
    struct batch *b = seal(f);
    i64 before = budget_used(&f->budget);
    assert_int_equal(batch_compact(b, &f->budget), 0);
    assert_true(budget_used(&f->budget) < before - 400000);
    assert_text(b->logs->streams[0].v[0].line, "tail");
    assert_true(b->pinned < 100000);
    batch_unref(b);
}

/* What does not fit is told, and nothing of it stays. */
static void bounded_by_the_budget(void **state)
{
    struct fixture *f = *state;
    static char line[4000];
    int err = 0, n = 0;

    memset(line, 'x', sizeof(line));
    for (; !err && n < 1000; n++)
        err = log_builder_add(f->builder, f->a, &(struct log_entry){.line = str_n(line, 4000)});
    assert_int_equal(err, -ENOMEM);
    assert_in_range(n, 100, 262);
    assert_int_equal(log_builder_items(f->builder), n - 1);
}

static void many_streams_and_entries(void **state)
{
    struct fixture *f = *state;
    struct labels *sets[50];
    char value[8];

    for (int i = 0; i < 50; i++) {
        snprintf(value, sizeof(value), "%d", i);
        sets[i] = labels_intern(f->table, &(struct label){STR("n"), str_of(value)}, 1);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(value, sizeof(value), "%d", i);
        add(f, sets[i * 7 % 50], i, value);
    }
    struct batch *b = seal(f);
    assert_int_equal(b->logs->n_streams, 50);
    for (u32 s = 0; s < 50; s++)
        for (u32 i = 0; i < 20; i++) {
            const struct log_entry *e = &b->logs->streams[s].v[i];
            assert_int_equal(e->time, s + 50 * i);
            assert_ptr_equal(b->logs->streams[s].labels, sets[e->time * 7 % 50]);
        }
    batch_unref(b);
    for (int i = 0; i < 50; i++)
        labels_unref(sets[i]);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(streams_lie_together_in_order),
        TEST(metadata_is_copied),
        TEST(a_view_keeps_its_roots),
        TEST(owned_by_reference),
        TEST(compacted),
        TEST(bounded_by_the_budget),
        TEST(many_streams_and_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
