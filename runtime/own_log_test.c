/* The agent's own lines on their way: order, several receivers, one that is slow, bounds, lines
 * from other threads (for TSan). */
#include "runtime/own_log.h"
#include <fcntl.h>
#include <unistd.h>
#include "base/test.h"
#include "runtime/dataplane/dataplane_kit.h"

struct world {
    struct kit k;
    struct tally in[2];
    struct node to[2];
    struct own_log *own;
    int fd;
    i64 batches;
    atomic_size_t lines;
    struct buf last; /* text of the last line made into a batch */
    bool no_memory;
};

static struct batch *make(void *arg, const struct own_line *lines, size_t n)
{
    struct world *w = arg;

    if (w->no_memory) return NULL;
    struct batch *b = batch_new(SIGNAL_LOGS);
    b->received = w->batches++; /* the kit's consumers check the order */
    b->own = true;
    b->items = (u32)n;
    for (size_t i = 0; i < n; i++)
        b->bytes += lines[i].text.n;
    batch_seal(b);
    atomic_fetch_add(&w->lines, n);
    buf_reset(&w->last);
    buf_str(&w->last, lines[n - 1].text);
    return b;
}

static void world_open(struct world *w, enum mode first, enum mode second)
{
    enum mode modes[] = {first, second};

    memset(w, 0, sizeof(*w));
    w->last = BUF_INIT(1 << 20);
    w->fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    kit_init(&w->k, 2);
    w->k.host.log = log_root_new(&w->k.clock, w->fd);
    for (int i = 0; i < 2; i++) {
        tally_init(&w->in[i], &w->k);
        struct fake_args a = {.tally = &w->in[i], .mode = modes[i], .cap = 3};
        node_up(&w->to[i], &w->k, &fake_consumers[PLACE_ONE], a, NULL);
    }
    w->own = own_log_new(&(struct own_log_conf){
        .host = &w->k.host, .workers = w->k.workers, .loop = w->k.control, .make = make, .arg = w});
}

static void send_to_both(struct world *w)
{
    struct capsule *to[] = {node_input(&w->to[0]), node_input(&w->to[1])};

    own_log_set(w->own, &(struct capsule_list){to, 2});
    log_root_open(w->k.host.log, LOG_INFO, LOG_LOGFMT);
}

static void world_close(struct world *w)
{
    own_log_close(w->own);
    node_down(&w->to[0]);
    node_down(&w->to[1]);
    own_log_free(w->own);
    w->k.host.log = log_unref(w->k.host.log);
    kit_done(&w->k);
    buf_done(&w->last);
    close(w->fd);
}

static void held_and_later_lines_arrive_in_order(void **state)
{
    struct world w;

    world_open(&w, MODE_TAKE, MODE_SLOW);
    log_info(w.k.host.log, "held");
    log_debug(w.k.host.log, "not wanted");
    send_to_both(&w);
    for (int i = 0; i < 50; i++) {
        log_info(w.k.host.log, "line");
        if (i % 5 == 0) loop_turn(w.k.control, 0);
    }
    kit_until(&w.k, atomic_load(&w.lines) == 51);
    kit_until(&w.k, w.in[0].taken == w.batches && w.in[1].taken == w.batches);
    assert_in_range(w.batches, 2, 51);
    assert_int_equal(w.in[0].disorder + w.in[1].disorder, 0);
    assert_text(buf_view(&w.last), "ts=1970-01-01T00:00:01Z level=info msg=line\n");
    world_close(&w);
}

/* One that takes nothing costs the other nothing; its queue is bounded. */
static void a_receiver_without_room_loses_its_own(void **state)
{
    static char text[1000];
    struct world w;

    world_open(&w, MODE_TAKE, MODE_GATE);
    send_to_both(&w);
    memset(text, 'x', sizeof(text) - 1);
    for (int i = 0; i < 1200; i++) {
        log_info(w.k.host.log, text);
        loop_turn(w.k.control, 0);
        if (i % 100 == 99) kit_until(&w.k, w.in[0].taken == w.batches); /* its thread may be late */
    }
    assert_int_equal(w.in[1].taken, 0);
    atomic_store(&w.in[1].gate, true);
    comp_ready(instance_comp(w.to[1].inst));
    kit_until(&w.k, w.in[1].taken >= 450);
    own_log_close(w.own);
    assert_in_range(w.in[1].taken, 450,
                    1100); /* of a little over 1 KiB each: half a MiB, and what is on its way */
    world_close(&w);
}

static void no_memory_is_a_loss_and_no_more(void **state)
{
    struct world w;

    world_open(&w, MODE_TAKE, MODE_TAKE);
    send_to_both(&w);
    w.no_memory = true;
    log_info(w.k.host.log, "lost");
    loop_turn(w.k.control, 0);
    w.no_memory = false;
    log_info(w.k.host.log, "sent");
    kit_until(&w.k, w.in[0].taken == 1 && w.in[1].taken == 1);
    assert_int_equal(atomic_load(&w.lines), 1);
    world_close(&w);
}

static void *chatter(void *arg)
{
    for (int i = 0; i < 300; i++)
        log_info(arg, "from a thread");
    return NULL;
}

static void lines_of_other_threads(void **state)
{
    struct world w;
    pthread_t id[3];

    world_open(&w, MODE_TAKE, MODE_TAKE);
    send_to_both(&w);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&id[i], NULL, chatter, w.k.host.log), 0);
    kit_until(&w.k, atomic_load(&w.lines) == 900);
    for (int i = 0; i < 3; i++)
        pthread_join(id[i], NULL);
    kit_until(&w.k, w.in[0].taken == w.batches && w.in[1].taken == w.batches);
    world_close(&w);
}

static void nobody_listens_after_the_close(void **state)
{
    struct world w;

    world_open(&w, MODE_TAKE, MODE_TAKE);
    send_to_both(&w);
    log_info(w.k.host.log, "last");
    own_log_close(w.own); /* sends it */
    log_info(w.k.host.log, "too late");
    loop_turn(w.k.control, 0);
    assert_int_equal(atomic_load(&w.lines), 1);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_and_later_lines_arrive_in_order),
        cmocka_unit_test(a_receiver_without_room_loses_its_own),
        cmocka_unit_test(no_memory_is_a_loss_and_no_more),
        cmocka_unit_test(lines_of_other_threads),
        cmocka_unit_test(nobody_listens_after_the_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
