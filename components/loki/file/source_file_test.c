/* loki.source.file over real files: what is read, in which order, once; rotations of every kind,
 * also while nobody looks; restarts; encodings and compressed files; what is not delivered. */
#include "components/loki/file/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>
#include "components/common/source_testing.h"

extern const struct component_def loki_source_file;

void comp_tap(struct comp *c, const struct tap_item *item) {}

struct world {
    struct source_world w;
    char log[128]; /* the path of the file */
    const char *extra;
    bool up;
    struct buf got; /* lines, each with \n */
    i64 last_time;
};

/* --- running it --- */

static void *plan_of(struct world *k)
{
    static const struct scope scope = {0};
    struct source_world *w = &k->w;
    char *text =
        xprintf("c \"c\" {\n targets = [{__path__ = \"%s\", job = \"x\", __meta = \"m\"}]\n"
                " forward_to = []\n %s\n}\n",
                k->log, k->extra ? k->extra : "");
    struct source *src = source_new("test", str_of(text));
    struct tree *tree = parse_file(src, &w->diags);
    void *args = arena_alloc(&w->arena, loki_source_file.args->size),
         *plan = arena_alloc(&w->arena, loki_source_file.plan_size);

    free(text);
    source_unref(src);
    assert_non_null(tree);
    const struct block *block = tree->body.stmts[0].block;
    struct prepare p = {.host = &w->host, .block = block, .arena = &w->arena, .diags = &w->diags};
    int err =
        decode_body(loki_source_file.args, block, &block->body, &scope, &w->arena, args, &w->diags);
    if (!err) err = loki_source_file.prepare(&p, args, plan);
    if (err) fail_msg("%s", w->diags.list.v[0].message);
    arena_cleanup(&w->arena, (void (*)(void *))tree_free, tree);
    return plan;
}

static void up(struct world *k)
{
    struct source_world *w = &k->w;
    char *err = NULL;
    void *plan = plan_of(k);

    w->comp.def = &loki_source_file;
    w->comp.plan = w->shard.plan = plan;
    w->comp.shared = arena_alloc(&w->arena, loki_source_file.shared_size);
    w->shard.self = arena_alloc(&w->arena, loki_source_file.self_size);
    if (loki_source_file.create(&w->comp, &err) < 0) fail_msg("%s", err);
    assert_int_equal(loki_source_file.run(&w->shard), 0);
    k->up = true;
}

static void run_for(struct world *k, i64 ns)
{
    for (i64 t = 0; t <= ns; t += 25 * NS_PER_MS) {
        source_world_advance(&k->w, 25 * NS_PER_MS);
        loop_turn(k->w.loop, 0);
    }
}

/* What came out; ok: it is delivered. */
static void take_lines(struct world *k, enum ack_outcome outcome)
{
    const struct ack_failure f = {.retryable = true, .text = "down"};

    while (the_fanout->got.n > 0) {
        struct batch *b = the_fanout->got.v[0];
        vec_remove(&the_fanout->got, 0);
        for (u32 i = 0; i < b->logs->streams[0].n; i++) {
            const struct log_entry *e = &b->logs->streams[0].v[i];
            assert_true(e->time > k->last_time || outcome != ACK_OK);
            k->last_time = e->time;
            if (outcome == ACK_OK) buf_printf(&k->got, STR_FMT "\n", STR_ARG(e->line));
        }
        if (outcome != ACK_OK) batch_fail(b, outcome, outcome == ACK_FAILED ? &f : NULL);
        batch_unref(b);
    }
}

static void settle(struct world *k)
{
    for (int i = 0; i < 8; i++) {
        run_for(k, 75 * NS_PER_MS);
        take_lines(k, ACK_OK);
    }
}

static void down(struct world *k)
{
    int was = k->w.stopped;

    loki_source_file.stop(&k->w.shard);
    for (int i = 0; i < 40 && k->w.stopped == was; i++) {
        take_lines(k, ACK_OK);
        run_for(k, 300 * NS_PER_MS);
    }
    assert_int_equal(k->w.stopped, was + 1);
    loki_source_file.shard_done(&k->w.shard);
    loop_turn(k->w.loop, 0);
    loki_source_file.destroy(&k->w.comp);
    k->up = false;
}

static void expect(struct world *k, const char *want)
{
    settle(k);
    assert_text(buf_view(&k->got), want);
    buf_reset(&k->got);
}

/* Starts, expects, stops. */
static void expect_in_one_run(struct world *k, const char *want)
{
    up(k);
    expect(k, want);
    down(k);
}

static int set_up(void **state)
{
    struct world *k = *state = xnew(struct world);

    source_world_init(&k->w);
    k->got = (struct buf)BUF_INIT(1 << 28);
    (void)snprintf(k->log, sizeof(k->log), "%s/app.log", k->w.folder);
    return 0;
}

static int tear_down(void **state)
{
    struct world *k = *state;

    if (k->up) down(k);
    assert_int_equal(k->got.n, 0);
    buf_done(&k->got);
    source_world_free(&k->w);
    free(k);
    return 0;
}

/* --- files --- */

static void put(const char *path, const char *text)
{
    write_file_text(path, "a", str_of(text));
}

static const char *beside(struct world *k, const char *suffix)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "app.log%s", suffix);
    return source_path(&k->w, name);
}

static void move(const char *from, const char *to)
{
    assert_int_equal(rename(from, to), 0);
}

static void pack(const char *from, const char *to)
{
    char *text = read_file_text(from);
    gzFile f = gzopen(to, "wb");
    struct stat st;

    assert_int_equal(gzwrite(f, text, (unsigned)strlen(text)), strlen(text));
    assert_int_equal(gzclose(f), Z_OK);
    assert_int_equal(stat(from, &st), 0);
    assert_int_equal(utimensat(AT_FDCWD, to, (struct timespec[]){st.st_atim, st.st_mtim}, 0), 0);
    assert_int_equal(unlink(from), 0);
    free(text);
}

static void copy(const char *from, const char *to)
{
    char *text = read_file_text(from);

    write_file_text(to, "w", str_of(text));
    free(text);
}

/* --- reading --- */

static void test_reads_and_follows(void **state)
{
    struct world *k = *state;

    put(k->log, "one\r\ntwo\n\nhal");
    up(k);
    expect(k, "one\ntwo\n\n");
    put(k->log, "f\nnext\n");
    expect(k, "half\nnext\n");
    put(k->log, "");
    expect(k, "");
}

static void test_a_file_that_comes_later(void **state)
{
    struct world *k = *state;

    up(k);
    expect(k, "");
    put(k->log, "one\n");
    expect(k, "one\n");
}

static void test_long_lines(void **state)
{
    struct world *k = *state;
    struct buf line = BUF_INIT(1 << 25);
    char *bytes = buf_reserve(&line, 10 << 20); /* at once: a hostile buffer moves with each byte */

    for (int i = 0; i < 10 << 20; i++)
        bytes[i] = (char)('a' + i % 26);
    buf_commit(&line, 10 << 20);
    up(k);
    write_file_text(k->log, "a", str_n(line.p, 1 << 20));
    expect(k, "");
    write_file_text(k->log, "a", str_sub(buf_view(&line), 1 << 20, line.n));
    expect(k, "");
    put(k->log, "\nshort\n");
    settle(k);
    buf_cstr(&line, "\nshort\n");
    assert_true(str_eq(buf_view(&k->got), buf_view(&line)));
    buf_reset(&k->got);
    buf_done(&line);
}

static void test_bytes_are_kept(void **state)
{
    struct world *k = *state;
    const struct str odd = {"a\0b\xff\xfe\n", 6};

    write_file_text(k->log, "a", odd);
    up(k);
    run_for(k, 200 * NS_PER_MS);
    assert_int_equal(the_fanout->got.n, 1);
    assert_true(str_eq(the_fanout->got.v[0]->logs->streams[0].v[0].line, str_sub(odd, 0, 5)));
    assert_text(the_fanout->got.v[0]->logs->streams[0].labels->v[1].value, "x");
    assert_int_equal(the_fanout->got.v[0]->logs->streams[0].labels->n, 2);
    take_lines(k, ACK_DROPPED);
}

/* --- positions --- */

static void test_goes_on_after_a_restart(void **state)
{
    struct world *k = *state;

    put(k->log, "one\ntwo\npart");
    expect_in_one_run(k, "one\ntwo\n");
    put(k->log, "ly\nthree\n");
    expect_in_one_run(k, "partly\nthree\n");
    expect_in_one_run(k, "");
    char *text = read_file_text(source_path(&k->w, "data/positions.yml"));
    char *want =
        xprintf("positions:\n  ? path: %s\n    labels: '{job=\"x\"}'\n  : \"21\"\n", k->log);
    assert_string_equal(text, want);
    free(text);
    free(want);
}

static void test_undelivered_lines_are_read_again(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    run_for(k, 200 * NS_PER_MS);
    take_lines(k, ACK_FAILED);
    put(k->log, "two\n");
    run_for(k, 3 * NS_PER_SEC);
    k->last_time = 0;
    expect(k, "one\ntwo\n");
    put(k->log, "three\n");
    run_for(k, 200 * NS_PER_MS);
    take_lines(k, ACK_ABANDONED);
    down(k);
    k->last_time = 0;
    expect_in_one_run(k, "three\n");
}

static void set_position(struct world *k, const char *value)
{
    char *text =
        xprintf("positions:\n  ? path: %s\n    labels: '{job=\"x\"}'\n  : \"%s\"\n", k->log, value);

    write_file_text(source_path(&k->w, "data/positions.yml"), "w", str_of(text));
    free(text);
}

static void test_positions_of_alloy(void **state)
{
    struct world *k = *state;

    put(k->log, "one\ntwo\n");
    set_position(k, "4");
    expect_in_one_run(k, "two\n");
    set_position(k, "400"); /* a smaller file took its place */
    expect_in_one_run(k, "one\ntwo\n");
    set_position(k, "many");
    expect_in_one_run(k, "one\ntwo\n");
    set_position(k, "many");
    k->extra = "on_positions_file_error = \"restart_from_end\"";
    expect_in_one_run(k, "");
    set_position(k, "many");
    k->extra = "on_positions_file_error = \"skip\"";
    expect_in_one_run(k, "");
}

static void test_tail_from_end(void **state)
{
    struct world *k = *state;

    k->extra = "tail_from_end = true";
    put(k->log, "one\ntwo\npart");
    up(k);
    expect(k, "");
    put(k->log, "ly\nthree\n");
    expect(k, "partly\nthree\n");
    down(k);
    put(k->log, "four\n");
    expect_in_one_run(k, "four\n");
}

/* --- rotation while it runs --- */

static void test_renamed(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    expect(k, "one\n");
    put(k->log, "two\nend without newline");
    move(k->log, beside(k, ".1"));
    put(k->log, "three\n");
    expect(k, "two\nend without newline\nthree\n");
    put(k->log, "four\n");
    expect(k, "four\n");
    run_for(k, 20 * NS_PER_SEC);
    put(beside(k, ".1"), "x\n"); /* nobody reads that any more */
    put(k->log, "five\n");
    expect(k, "five\n");
}

/* Of several writers one goes over to the new file later than the others. */
static void test_late_lines(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    expect(k, "one\n");
    move(k->log, beside(k, ".1"));
    put(k->log, "new one\n");
    expect(k, "new one\n");
    for (int i = 0; i < 3; i++) {
        run_for(k, 6 * NS_PER_SEC);
        put(beside(k, ".1"), "late\n");
        expect(k, "late\n");
        put(k->log, "new\n");
        expect(k, "new\n");
    }
    put(beside(k, ".1"), "late\n");
    run_for(k, NS_PER_SEC);
    put(k->log, "new\n");
    run_for(k, NS_PER_SEC);
    take_lines(k, ACK_FAILED);
    run_for(k, 3 * NS_PER_SEC);
    k->last_time = 0;
    expect(k, "late\nnew\n");
    put(beside(k, ".1"), "last late\n");
    put(k->log, "last new, pa");
    expect(k, "last late\n");
    down(k);
    put(k->log, "rt\n");
    k->last_time = 0;
    expect_in_one_run(k, "last new, part\n");
}

/* The renamed file has several successors before its last writer stops. */
static void test_late_lines_of_several(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    expect(k, "one\n");
    for (int i = 0; i < 6; i++) {
        char to[16];
        (void)snprintf(to, sizeof(to), ".%d", i);
        move(k->log, beside(k, to));
        put(k->log, "next\n");
        expect(k, "next\n");
    }
    put(beside(k, ".5"), "late 5\n");
    put(beside(k, ".4"), "late 4\n");
    settle(k);
    expect(k, "late 4\nlate 5\n");
    assert_int_equal(unlink(k->log), 0);
    assert_int_equal(unlink(beside(k, ".5")), 0);
    expect(k, "");
}

static void shell(struct world *k, const char *command)
{
    char *text = xprintf("cd %s && %s", k->w.folder, command);

    assert_int_equal(system(text), 0);
    free(text);
}

/* kill -9: what was not delivered is not heard of, and positions stay what they were. */
static void killed(struct world *k)
{
    run_for(k, 2 * NS_PER_SEC);
    source_world_settle(&k->w);
    shell(k, "rm -rf kept && cp -r data kept");
    down(k);
    shell(k, "rm -rf data && mv kept data");
    buf_reset(&k->got);
    k->last_time = 0;
}

/* Late lines that were not delivered, or came while nobody looked: to a plain file, and to one that
 * was compressed since. */
static void test_late_lines_after_a_kill(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    expect(k, "one\n");
    move(k->log, beside(k, ".1"));
    put(k->log, "new one\n");
    expect(k, "new one\n");
    put(beside(k, ".1"), "late one\n");
    expect(k, "late one\n");
    put(k->log, "new two\n");
    expect(k, "new two\n");
    put(beside(k, ".1"), "late two\n"); /* sent, not delivered */
    killed(k);
    put(beside(k, ".1"), "late three\n");
    put(k->log, "new three\n");
    expect_in_one_run(k, "late two\nlate three\nnew three\n");
    put(beside(k, ".1"), "late four\n");
    pack(beside(k, ".1"), beside(k, ".2.gz"));
    put(k->log, "new four\n");
    expect_in_one_run(k, "late four\nnew four\n");
    expect_in_one_run(k, "");
}

/* Between the renaming and the kill nobody had gone over; then everybody has, twice, and one late.
 */
static void test_late_lines_of_a_file_rotated_after_a_kill(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    expect(k, "one\n");
    move(k->log, beside(k, ".1"));
    put(k->log, "two\n");
    expect(k, "two\n");
    killed(k);
    move(k->log, beside(k, ".0"));
    put(k->log, "three\n");
    put(beside(k, ".1"), "late\n"); /* changed last: it came before all the same */
    expect_in_one_run(k, "late\nthree\n");
    assert_int_equal(unlink(k->log), 0);
    put(beside(k, ".0"), "late two\n");
    expect_in_one_run(k, "late two\n");
    expect_in_one_run(k, "");
}

/* The writer has not been told yet. */
static void test_the_old_file_is_read_until_the_new_one_begins(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    expect(k, "one\n");
    move(k->log, beside(k, ".1"));
    put(k->log, "");
    expect(k, "");
    put(beside(k, ".1"), "two\n");
    run_for(k, 2 * NS_PER_SEC);
    expect(k, "two\n");
    put(beside(k, ".1"), "three\n");
    put(k->log, "four\n");
    expect(k, "three\nfour\n");
}

static void test_several_times_between_two_looks(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    expect(k, "one\n");
    put(k->log, "two\n");
    move(k->log, beside(k, ".1"));
    put(k->log, "three\n");
    move(beside(k, ".1"), beside(k, ".2"));
    move(k->log, beside(k, ".1"));
    pack(beside(k, ".2"), beside(k, ".2.gz")); /* it is open already: not a file that was missed */
    put(k->log, "four\n");
    expect(k, "two\nthree\nfour\n");
}

/* The first of two rotations was heard of, the second was not when the path is looked at. */
static void test_rotated_between_an_event_and_its_look(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    expect(k, "one\n");
    the_fanout->full = true;
    put(k->log, "more\n");
    run_for(k, 200 * NS_PER_MS); /* held: nothing is read or looked at */
    move(k->log, beside(k, ".1"));
    put(k->log, "two\n");
    run_for(k, 0);
    move(k->log, beside(k, ".2"));
    put(k->log, "three\n");
    the_fanout->full = false;
    the_fanout->ready(the_fanout->arg);
    loop_turn(k->w.loop, 0);
    expect(k, "more\ntwo\nthree\n");
}

static void test_renamed_and_packed(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    run_for(k, 200 * NS_PER_MS);
    the_fanout->full = true;
    put(k->log, "two\n");
    run_for(k, 200 * NS_PER_MS);
    put(k->log, "three\n");
    move(k->log, beside(k, ".1"));
    put(k->log, "four\n");
    run_for(k, 200 * NS_PER_MS);
    pack(beside(k, ".1"), beside(k, ".1.gz"));
    the_fanout->full = false;
    the_fanout->ready(the_fanout->arg);
    expect(k, "one\ntwo\nthree\nfour\n");
}

static u32 gaps(struct world *k)
{
    struct buf b = BUF_INIT(1 << 20);

    metrics_write(k->w.host.metrics, &b, NULL, 0);
    buf_ch(&b, '\0');
    const char *at = strstr(b.p, "\nweir_loki_source_file_gaps_total ");
    assert_non_null(at);
    u32 n = (u32)atoi(strchr(at, ' '));
    buf_done(&b);
    return n;
}

static void test_truncated_after_a_copy(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    expect(k, "one\n");
    put(k->log, "two\n");
    copy(k->log, beside(k, ".1"));
    write_file_text(k->log, "w", STR("three\n"));
    expect(k, "two\nthree\n");
    assert_int_equal(gaps(k), 0);
    write_file_text(k->log, "w", STR("")); /* and without a copy */
    put(k->log, "four\n");
    expect(k, "four\n");
    assert_int_equal(gaps(k), 1);
    write_file_text(k->log, "w", STR("longer than what was there\nfive\n"));
    expect(k, "longer than what was there\nfive\n");
    assert_int_equal(gaps(k), 2);
}

/* Times of files are told apart by ticks of the kernel only. */
static void set_age(const char *path, i64 ns)
{
    i64 at = time(NULL) * NS_PER_SEC - ns;
    struct timespec t = {at / NS_PER_SEC, at % NS_PER_SEC}, both[2] = {t, t};

    assert_int_equal(utimensat(AT_FDCWD, path, both, 0), 0);
}

static void test_truncated_twice_between_two_looks(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    expect(k, "one\n");
    put(k->log, "two\n");
    copy(k->log, beside(k, ".2"));
    set_age(beside(k, ".2"), 20 * NS_PER_SEC);
    write_file_text(k->log, "w", STR("three, which is longer\n"));
    copy(k->log, beside(k, ".1"));
    set_age(beside(k, ".1"), 10 * NS_PER_SEC);
    write_file_text(k->log, "w", STR("four\n"));
    expect(k, "two\nthree, which is longer\nfour\n");
}

static void test_deleted(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    expect(k, "one\n");
    put(k->log, "two\nlast");
    assert_int_equal(unlink(k->log), 0);
    expect(k, "two\n");
    run_for(k, 7 * NS_PER_SEC);
    expect(k, "last\n");
    put(k->log, "three\n");
    expect(k, "three\n");
    assert_int_equal(unlink(k->log), 0);
    put(k->log, "three\nfour\n");
    expect(k, "three\nfour\n");
}

/* As the kubelet does: the path is a symlink to a file that is rotated. */
static void test_symlinks(void **state)
{
    struct world *k = *state;
    const char *pod = source_path(&k->w, "0.log"), *other = source_path(&k->w, "1.log");

    put(pod, "one\n");
    assert_int_equal(symlink(pod, k->log), 0);
    up(k);
    expect(k, "one\n");
    put(pod, "two\n");
    move(pod, source_path(&k->w, "0.log.20261130-101500"));
    put(pod, "three\n");
    expect(k, "two\nthree\n");
    put(other, "four\n");
    assert_int_equal(symlink(other, source_path(&k->w, "new")), 0);
    move(source_path(&k->w, "new"), k->log);
    expect(k, "four\n");
    put(other, "five\n");
    expect(k, "five\n");
}

static const char *long_text(const char *last)
{
    static char text[400];

    (void)snprintf(text, sizeof(text), "%0200d\n%s", 7, last);
    return text;
}

static void test_rewritten_as_a_whole(void **state)
{
    struct world *k = *state;

    put(k->log, long_text("one\n"));
    up(k);
    settle(k);
    buf_reset(&k->got);
    put(beside(k, ".tmp"), long_text("one\ntwo\n"));
    move(beside(k, ".tmp"), k->log);
    expect(k, "two\n");
}

/* --- rotation while nobody looks --- */

static void test_renamed_meanwhile(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    expect_in_one_run(k, "one\n");
    put(k->log, "two\n");
    move(k->log, beside(k, ".1"));
    put(k->log, "three\n");
    move(beside(k, ".1"), beside(k, ".2"));
    move(k->log, beside(k, ".1"));
    put(k->log, "four\n");
    expect_in_one_run(k, "two\nthree\nfour\n");
    put(k->log, "five\n");
    move(k->log, beside(k, "-20261130"));
    expect_in_one_run(k, "five\n"); /* there is no new one yet */
    put(k->log, "six\n");
    expect_in_one_run(k, "six\n");
}

static void test_packed_meanwhile(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    expect_in_one_run(k, "one\n");
    put(k->log, "two\nend");
    move(k->log, beside(k, ".1"));
    pack(beside(k, ".1"), beside(k, ".1.gz"));
    put(k->log, "three\n");
    expect_in_one_run(k, "two\nend\nthree\n");
    expect_in_one_run(k, "");
}

static void test_truncated_meanwhile(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    expect_in_one_run(k, "one\n");
    put(k->log, "two\n");
    copy(k->log, beside(k, ".1"));
    write_file_text(k->log, "w", STR("three, which is longer\n"));
    expect_in_one_run(k, "two\nthree, which is longer\n");
}

/* It was empty at the last save: there is no head to know it by. */
static void test_truncated_again_meanwhile(void **state)
{
    struct world *k = *state;

    put(k->log, "one\n");
    up(k);
    expect(k, "one\n");
    copy(k->log, beside(k, ".1"));
    write_file_text(k->log, "w", STR(""));
    set_age(beside(k, ".1"), 20 * NS_PER_SEC);
    set_age(k->log, 20 * NS_PER_SEC);
    expect(k, "");
    down(k);
    move(beside(k, ".1"), beside(k, ".2"));
    put(k->log, "two\n");
    copy(k->log, beside(k, ".1"));
    write_file_text(k->log, "w", STR("three\n"));
    expect_in_one_run(k, "two\nthree\n");
    expect_in_one_run(k, "");
}

/* --- encodings and compressed files --- */

static void test_encodings(void **state)
{
    struct world *k = *state;

    write_file_text(k->log, "w",
                    (struct str){"\xff\xfe"
                                 "h\0\xe4\0\r\0\n\0\x0a\x01\n\0x\0",
                                 16});
    up(k);
    expect(k, "h\xc3\xa4\n\xc4\x8a\n");
    write_file_text(k->log, "a", (struct str){"\n\0", 2});
    expect(k, "x\n");
    down(k);
    write_file_text(k->log, "a", (struct str){"y\0\n\0", 4});
    expect_in_one_run(k, "y\n");
    k->extra = "encoding = \"iso-8859-1\"";
    write_file_text(k->log, "w", STR("gr\xfc\xdf\n"));
    expect_in_one_run(k, "gr\xc3\xbc\xc3\x9f\n");
    k->extra = "encoding = \"UTF-16BE\"";
    write_file_text(k->log, "w", (struct str){"\0a\0\n\xd8\0\0b\0\n", 10});
    expect_in_one_run(k, "a\n\xef\xbf\xbd"
                         "b\n");
    k->extra = NULL;
    write_file_text(k->log, "w", STR("\xef\xbb\xbfone\n"));
    expect_in_one_run(k, "one\n");
}

static void test_compressed(void **state)
{
    struct world *k = *state;

    k->extra = "decompression {\n enabled = true\n format = \"gz\"\n initial_delay = \"1s\"\n}";
    put(beside(k, ".plain"), "one\ntwo\nend");
    pack(beside(k, ".plain"), k->log);
    up(k);
    run_for(k, 500 * NS_PER_MS);
    assert_int_equal(the_fanout->got.n, 0);
    run_for(k, NS_PER_SEC);
    expect(k, "one\ntwo\nend\n");
    down(k);
    up(k);
    run_for(k, 2 * NS_PER_SEC);
    expect(k, "");
    down(k);
    set_position(k, "4");
    up(k);
    run_for(k, 2 * NS_PER_SEC);
    expect(k, "two\nend\n");
}

/* --- back-pressure --- */

static void test_reading_stops_while_nobody_takes(void **state)
{
    struct world *k = *state;
    struct buf text = BUF_INIT(1 << 25);

    for (int i = 0; i < 400000; i++)
        buf_printf(&text, "this is line number %06d of the file\n", i);
    write_file_text(k->log, "w", buf_view(&text));
    up(k);
    run_for(k, NS_PER_SEC);
    assert_true(budget_used(&k->w.budget) > (4 << 20));
    assert_true(budget_used(&k->w.budget) < (24 << 20)); /* of 16 MB, with what entries take */
    for (int i = 0; i < 20; i++)
        settle(k);
    assert_true(str_eq(buf_view(&k->got), buf_view(&text)));
    buf_reset(&k->got);
    buf_done(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reads_and_follows),
        TEST(test_a_file_that_comes_later),
        TEST(test_long_lines),
        TEST(test_bytes_are_kept),
        TEST(test_goes_on_after_a_restart),
        TEST(test_undelivered_lines_are_read_again),
        TEST(test_positions_of_alloy),
        TEST(test_tail_from_end),
        TEST(test_renamed),
        TEST(test_late_lines),
        TEST(test_late_lines_of_several),
        TEST(test_late_lines_after_a_kill),
        TEST(test_late_lines_of_a_file_rotated_after_a_kill),
        TEST(test_the_old_file_is_read_until_the_new_one_begins),
        TEST(test_several_times_between_two_looks),
        TEST(test_rotated_between_an_event_and_its_look),
        TEST(test_renamed_and_packed),
        TEST(test_truncated_after_a_copy),
        TEST(test_truncated_twice_between_two_looks),
        TEST(test_deleted),
        TEST(test_symlinks),
        TEST(test_rewritten_as_a_whole),
        TEST(test_renamed_meanwhile),
        TEST(test_packed_meanwhile),
        TEST(test_truncated_meanwhile),
        TEST(test_truncated_again_meanwhile),
        TEST(test_encodings),
        TEST(test_compressed),
        TEST(test_reading_stops_while_nobody_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
