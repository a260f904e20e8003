/* Tests of components/loki/journal/tail.h over a journal that is a list in memory: bursts, pauses,
 * what counts as read, reading again, the end. The functions of reader.h are this file's. */
#include <errno.h>
#include <sys/eventfd.h>

#include "components/common/source_testing.h"

#include "components/loki/journal/tail.h"

/* --- the journal --- */

static struct {
    int n;           /* entries there are */
    int opened;      /* times */
    int open_err;    /* what opening answers */
    int fail_at;     /* this entry cannot be read, once; -1: none */
    char cursor[32]; /* opened at */
    u64 since;
} fake;

struct journal {
    int at, fd;
    bool stay;
};

struct str journal_bad_match(struct str matches)
{
    return STR("");
}

int journal_open(const struct journal_place *p, struct journal **ret, char **ret_err)
{
    fake.opened++;
    fake.since = p->since;
    snprintf(fake.cursor, sizeof(fake.cursor), STR_FMT, STR_ARG(p->cursor));
    if (fake.open_err) {
        *ret_err = xstrdup("no journal");
        return fake.open_err;
    }
    *ret = xnew(struct journal);
    (*ret)->fd = eventfd(0, EFD_CLOEXEC);
    (*ret)->at = p->cursor.n ? atoi(fake.cursor + 1) : -1;
    return 0;
}

void journal_close(struct journal *j)
{
    if (!j) return;
    close(j->fd);
    free(j);
}

int journal_fd(const struct journal *j)
{
    return j->fd;
}

i64 journal_due(const struct journal *j)
{
    return -1;
}

void journal_process(struct journal *j) {}

int journal_next(struct journal *j)
{
    if (j->stay) {
        j->stay = false;
        return 1;
    }
    if (j->at + 1 >= fake.n) return 0;
    j->at++;
    return 1;
}

void journal_stay(struct journal *j)
{
    j->stay = true;
}

int journal_read(struct journal *j, struct journal_fields *fields, u64 *ret_time, char **ret_cursor)
{
    char *text = xprintf("MESSAGE=m%d", j->at);

    if (j->at == fake.fail_at) {
        fake.fail_at = -1;
        free(text);
        return -EBADMSG;
    }
    if (j->at % 100 != 99)
        journal_fields_add(fields, str_of(text)); /* one in a hundred is silent */
    free(text);
    *ret_time = 1000 + (u64)j->at;
    *ret_cursor = xprintf("c%d", j->at);
    return 0;
}

/* --- the world --- */

struct self {
    struct source_world w;
    struct journal_tail tail;
    struct positions *positions;
    struct str_map labels;
    struct capsule_list forward_to;
    struct journal_conf conf;
    bool done;
};

static int set_up(void **state)
{
    struct self *self = *state = xnew(struct self);
    char *err = NULL;

    memset(&fake, 0, sizeof(fake));
    fake.fail_at = -1;
    fake.n = 10;
    source_world_init(&self->w);
    self->w.shard.self = &self->tail;
    assert_int_equal(positions_load(&self->w.comp, &self->positions, &err), 0);
    self->conf = (struct journal_conf){.max_age = 7 * 3600 * NS_PER_SEC,
                                       .format = {.labels = &self->labels},
                                       .forward_to = &self->forward_to};
    return 0;
}

static void start(struct self *self)
{
    journal_tail_start(&self->tail, &self->w.shard, &self->conf, self->positions);
    source_world_settle(&self->w);
}

static int tear_down(void **state)
{
    struct self *self = *state;

    if (!self->done) journal_tail_done(&self->tail);
    positions_free(self->positions);
    loop_turn(self->w.loop, 0);
    source_world_free(&self->w);
    free(self);
    return 0;
}

static void turns(struct self *self, int n)
{
    while (n-- > 0)
        source_world_advance(&self->w, NS_PER_MS);
}

/* Lets go of the first batch; with an outcome, or well. Returns how many entries it had. */
static u32 answer(enum ack_outcome outcome)
{
    struct batch *b = the_fanout->got.v[0];
    u32 n = b->items;

    vec_remove(&the_fanout->got, 0);
    if (outcome != ACK_OK)
        batch_fail(b, outcome, &(struct ack_failure){.retryable = true, .text = "away"});
    batch_unref(b);
    return n;
}

static void expect_saved(struct self *self, const char *cursor)
{
    turns(self, 3);
    assert_text(positions_get(self->positions, STR("cursor-test"), STR("")), cursor);
}

/* --- tests --- */

static void the_cursor_of_what_was_delivered(void **state)
{
    struct self *self = *state;

    fake.n = 1200;
    start(self);
    turns(self, 5);
    assert_int_equal(the_fanout->got.n, 3);
    assert_int_equal(the_fanout->got.v[0]->items, 495);
    const struct log_stream *s = &the_fanout->got.v[0]->logs->streams[0];
    assert_text(s->labels->text, "{job=\"test\"}");
    assert_text(s->v[7].line, "m7");
    assert_int_equal(s->v[7].time, 1007000);
    expect_saved(self, "");
    answer(ACK_OK);
    expect_saved(self, "c499");
    answer(ACK_OK);
    answer(ACK_OK);
    expect_saved(self, "c1199");
    assert_int_equal(fake.opened, 1);
    assert_int_equal(self->w.health, HEALTH_HEALTHY);
}

static void goes_on_at_the_saved_cursor(void **state)
{
    struct self *self = *state;

    positions_put(self->positions, STR("cursor-test"), STR(""), STR("c6"));
    start(self);
    turns(self, 2);
    assert_string_equal(fake.cursor, "c6");
    assert_int_equal(answer(ACK_OK), 3);
    expect_saved(self, "c9");
}

static void silent_entries_move_the_cursor(void **state)
{
    struct self *self = *state;

    positions_put(self->positions, STR("cursor-test"), STR(""), STR("c98"));
    fake.n = 100;
    start(self);
    turns(self, 2);
    assert_int_equal(the_fanout->got.n, 0);
    expect_saved(self, "c99");
}

static void pauses_while_nobody_takes(void **state)
{
    struct self *self = *state;

    fake.n = 1200;
    journal_tail_start(&self->tail, &self->w.shard, &self->conf, self->positions);
    the_fanout->full = true;
    source_world_settle(&self->w);
    turns(self, 20);
    assert_int_equal(self->tail.read, 0);
    the_fanout->full = false;
    the_fanout->ready(the_fanout->arg);
    turns(self, 10);
    assert_int_equal(self->tail.read, 1200);
}

static void reads_again_what_was_not_delivered(void **state)
{
    struct self *self = *state;

    fake.n = 1200;
    start(self);
    turns(self, 5);
    answer(ACK_OK);
    turns(self, 2);
    answer(ACK_FAILED);
    turns(self, 2);
    source_world_advance(&self->w, NS_PER_SEC);
    source_world_settle(&self->w);
    assert_int_equal(fake.opened, 2);
    assert_string_equal(fake.cursor, "c499");
    assert_int_equal(fake.since, 0);
    while (the_fanout->got.n)
        answer(ACK_OK);
    turns(self, 5);
    while (the_fanout->got.n)
        answer(ACK_OK);
    expect_saved(self, "c1199");
}

static void opens_again_when_reading_fails(void **state)
{
    struct self *self = *state;

    fake.fail_at = 4;
    start(self);
    turns(self, 2);
    assert_int_equal(answer(ACK_OK), 4);
    source_world_advance(&self->w, NS_PER_SEC);
    source_world_settle(&self->w);
    turns(self, 2);
    assert_int_equal(fake.opened, 2);
    assert_string_equal(fake.cursor, "c3");
    assert_int_equal(answer(ACK_OK), 6);
    expect_saved(self, "c9");
}

static void tries_again_to_open(void **state)
{
    struct self *self = *state;

    fake.open_err = -ENOENT;
    start(self);
    assert_int_equal(self->w.health, HEALTH_UNHEALTHY);
    assert_string_equal(self->w.health_text, "error creating journal tailer: no journal");
    fake.open_err = 0;
    source_world_advance(&self->w, NS_PER_SEC);
    source_world_settle(&self->w);
    assert_int_equal(self->w.health, HEALTH_HEALTHY);
    turns(self, 2);
    assert_int_equal(answer(ACK_OK), 10);
}

static void another_journal_after_a_reload(void **state)
{
    struct self *self = *state;
    struct journal_conf other;

    start(self);
    turns(self, 2);
    other = self->conf;
    other.max_age = 1;
    journal_tail_apply(&self->tail, &other);
    source_world_settle(&self->w);
    assert_int_equal(fake.opened, 1);
    struct journal_conf third = other;
    third.matches = STR("A=b");
    journal_tail_apply(&self->tail, &third);
    source_world_settle(&self->w);
    assert_int_equal(fake.opened, 2);
    assert_string_equal(fake.cursor, "c9");
}

static void a_stop_waits_for_delivery(void **state)
{
    struct self *self = *state;

    start(self);
    turns(self, 2);
    journal_tail_stop(&self->tail);
    turns(self, 2);
    assert_int_equal(self->w.stopped, 0);
    answer(ACK_OK);
    expect_saved(self, "c9");
    assert_int_equal(self->w.stopped, 1);
    journal_tail_done(&self->tail);
    self->done = true;
    char *file = read_file_text(source_path(&self->w, "data/positions.yml"));
    assert_non_null(strstr(file, "c9"));
    free(file);
}

static void a_stop_does_not_wait_for_ever(void **state)
{
    struct self *self = *state;

    start(self);
    turns(self, 2);
    journal_tail_stop(&self->tail);
    source_world_advance(&self->w, 6 * NS_PER_SEC);
    assert_int_equal(self->w.stopped, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_cursor_of_what_was_delivered),
        CASE(goes_on_at_the_saved_cursor),
        CASE(silent_entries_move_the_cursor),
        CASE(pauses_while_nobody_takes),
        CASE(reads_again_what_was_not_delivered),
        CASE(opens_again_when_reading_fails),
        CASE(tries_again_to_open),
        CASE(another_journal_after_a_reload),
        CASE(a_stop_waits_for_delivery),
        CASE(a_stop_does_not_wait_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
