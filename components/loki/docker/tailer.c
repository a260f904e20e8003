/* The log of one container: look whether it runs, follow its log, send what comes, and begin again
 * when the stream ends. The engine keeps the log, so nothing is lost by waiting: the wait grows
 * while streams are short (a container that crashes all the time, an engine that cannot be asked),
 * because each new stream makes the engine search its files. */
#include "components/loki/docker/docker.h"

#include <errno.h>
#include "base/clock.h"
#include "base/num.h"
#include "base/xalloc.h"

#define BATCH_MAX   ((size_t)256 * 1024) /* bytes of entries that go together */
#define INSPECT_MAX ((size_t)4 << 20)
#define LOOK_EVERY  (5 * NS_PER_SEC)  /* at a container that has stopped, and at one that is gone */
#define LONG_LIVED  (60 * NS_PER_SEC) /* a stream of that age ended for a reason of its own */
#define SAY_EVERY   (10 * NS_PER_SEC) /* about lines that were skipped */

static const struct backoff_conf waits = {
    .initial = NS_PER_SEC, .max = 30 * NS_PER_SEC, .multiplier = 2, .randomization = 0.1};

static void look(void *arg);

static struct logger *log_of(const struct tailer *t)
{
    return t->source->shard->comp->log;
}

static i64 now(const struct tailer *t)
{
    return loop_now(t->source->shard->worker->loop);
}

/* --- what is said --- */

/* The same trouble is said once. */
static void say_trouble(struct tailer *t, const char *what)
{
    if (t->trouble && str_ends(str_of(t->trouble), str_of(what))) return;
    if (!t->trouble) t->source->troubled++;
    free(t->trouble);
    t->trouble = xprintf("container %s: %s", t->id, what);
    log_warn(log_of(t), "cannot read the log of a container, trying again",
             F_CSTR("container", t->id), F_CSTR("err", what));
    docker_source_health(t->source, t->trouble);
}

static void forget_trouble(struct tailer *t)
{
    if (!t->trouble) return;
    free(t->trouble);
    t->trouble = NULL;
    t->source->troubled--;
    docker_source_health(t->source, NULL);
}

static void trouble_is_over(struct tailer *t)
{
    docker_source_reached(t->source);
    t->gone = false;
    if (t->trouble)
        log_info(log_of(t), "reading the log of a container again", F_CSTR("container", t->id));
    forget_trouble(t);
}

/* error of a request, status as in its result. */
static void say_failed(struct tailer *t, int status, const char *error)
{
    if (status == 0)
        docker_source_unreachable(t->source, error);
    else
        say_trouble(t, error);
}

static void on_fault(void *arg, enum docker_line_fault fault, struct str text)
{
    static const char *const what[] = {
        [DOCKER_LINE_TOO_LONG] = "line too big, skipping",
        [DOCKER_LINE_NO_TIME] = "could not extract timestamp, skipping line",
        [DOCKER_LINE_NO_MEMORY] = "no memory for a line",
    };
    struct tailer *t = arg;

    if (fault == DOCKER_LINE_NO_MEMORY) {
        t->no_memory = true;
        return;
    }
    if (fault == DOCKER_LINE_NO_TIME) metric_inc(t->source->shared->faults);
    t->faults++;
    if (t->faults_said && now(t) - t->faults_said < SAY_EVERY) return;
    log_error(log_of(t), what[fault], F_CSTR("container", t->id), F_STR("begin", text),
              F_UINT("lines", t->faults));
    t->faults = 0;
    t->faults_said = now(t);
}

/* --- positions --- */

static void save(struct tailer *t)
{
    struct buf note = BUF_INIT(256);

    docker_mark_text(&t->done, &note);
    positions_put_noted(t->source->shared->positions, str_of(t->path), t->key->text,
                        (u64)docker_mark_second(&t->done), buf_view(&note));
    buf_done(&note);
}

struct search {
    struct str path;
    char *labels; /* found */
};

static void find_path(void *arg, struct str path, struct str labels)
{
    struct search *s = arg;

    if (!s->labels && str_eq(path, s->path)) s->labels = str_dup(labels);
}

static void take_position(struct tailer *t, struct str labels)
{
    struct positions *p = t->source->shared->positions;
    struct str note = positions_note(p, str_of(t->path), labels);
    i64 second;

    if (note.p && docker_mark_parse(note, &t->done)) return;
    if (num_parse_i64(positions_get(p, str_of(t->path), labels), &second) != 0) {
        log_warn(log_of(t),
                 "the saved position of a container is no number, its log is read from "
                 "the beginning",
                 F_CSTR("container", t->id));
        return;
    }
    /* Of Alloy, or of an agent that was killed: lines of that second may come again. The second is
     * asked for with a margin, so what lies before it counts as read. */
    second = MIN(MAX(second, INT64_C(0)), INT64_MAX / NS_PER_SEC);
    for (int i = 0; i < DOCKER_STREAMS; i++)
        t->done.of[i].time = second * NS_PER_SEC;
}

/* Labels of a container change (its address when it is started again): the position is found all
 * the same, and goes on under the new ones. */
static void load_position(struct tailer *t)
{
    struct positions *p = t->source->shared->positions;
    struct search s = {.path = str_of(t->path)};

    if (positions_get(p, s.path, t->key->text).p) {
        take_position(t, t->key->text);
    } else {
        positions_each(p, find_path, &s);
        if (!s.labels) return;
        take_position(t, str_of(s.labels));
        positions_del(p, s.path, str_of(s.labels));
        save(t);
        free(s.labels);
    }
    t->sent = t->done;
}

/* --- batches --- */

static void on_advanced(void *arg)
{
    struct tailer *t = arg;
    u64 done = ack_window_done(t->window);
    size_t n = 0;

    while (n < t->on_their_way.n && t->on_their_way.v[n].number <= done)
        t->done = t->on_their_way.v[n++].mark;
    if (n == 0) return;
    t->on_their_way.n -= n;
    memmove(t->on_their_way.v, t->on_their_way.v + n,
            t->on_their_way.n * sizeof(*t->on_their_way.v));
    save(t);
    if (t->through && t->on_their_way.n == 0) timer_start(t->timer, 0);
}

static void end_stream(struct tailer *t)
{
    if (t->call) docker_cancel(t->call);
    t->call = NULL;
    if (t->following) docker_frames_done(&t->frames);
    t->following = false;
}

static void wait_and_look(struct tailer *t, i64 wait)
{
    if (!t->halted) timer_start(t->timer, wait);
}

static void back_off(struct tailer *t)
{
    wait_and_look(t, backoff_next(&t->backoff, &waits, random_unit(), 0));
}

static void forget_what_left(struct tailer *t)
{
    t->on_their_way.n = 0;
    t->sent = t->done;
    ack_window_restart(t->window, t->number);
}

/* Back to what was delivered; what has left is read again. */
static void go_back(struct tailer *t)
{
    end_stream(t);
    forget_what_left(t);
    t->read_to_end = t->through = false;
    back_off(t);
}

/* Its target is gone, and nothing is left to read. */
static void end(struct tailer *t)
{
    end_stream(t);
    timer_stop(t->timer);
    t->through = true;
    if (t->on_their_way.n == 0) timer_start(t->timer, 0);
}

static void on_broken(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct tailer *t = arg;

    log_warn(log_of(t), "entries of a container were not delivered, they are read again",
             F_CSTR("container", t->id),
             F_CSTR("err", f && f->text ? f->text : "given up at a shutdown"));
    go_back(t);
}

static void send(struct tailer *t)
{
    if (t->added == 0) return;
    t->added = 0;
    t->number++;
    vec_push(&t->on_their_way, ((struct docker_sent){t->number, t->sent}));
    (void)log_source_send(&t->source->out, ack_window_open(t->window, t->number));
}

static int add(struct tailer *t, enum docker_stream from, i64 time, struct str text)
{
    return log_builder_add(log_source_builder(&t->source->out), t->labels[from],
                           &(struct log_entry){.time = time, .line = text});
}

static bool on_line(void *arg, enum docker_stream from, i64 time, struct str text)
{
    struct tailer *t = arg;
    struct log_source *out = &t->source->out;

    if (t->no_memory) return false;
    if (docker_catch_up_knows(&t->catch_up, from, time)) return true;
    if (add(t, from, time, text) != 0) {
        t->no_memory = true;
        return false;
    }
    t->added++;
    docker_mark_pass(&t->sent, from, time);
    metric_inc(t->source->shared->entries);
    if (log_builder_bytes(log_source_builder(out)) >= BATCH_MAX) send(t);
    return !log_source_blocked(out);
}

/* --- the stream --- */

static void stream_ended(struct tailer *t, int status, const char *error)
{
    i64 age = now(t) - t->began;

    end_stream(t);
    t->read_to_end = !error && t->to_end;
    if (age >= LONG_LIVED) t->backoff = (struct backoff){0};
    if (error)
        say_failed(t, status, error);
    else if (age >= LONG_LIVED)
        log_info(log_of(t), "finished transferring logs", F_CSTR("container", t->id));
    else
        log_debug(log_of(t), "finished transferring logs", F_CSTR("container", t->id));
    if (!t->read_to_end)
        back_off(t);
    else if (t->leaving)
        end(t);
    else
        wait_and_look(t, LOOK_EVERY);
}

static void on_logs_over(void *arg, const struct docker_result *r)
{
    struct tailer *t = arg;

    t->call = NULL;
    stream_ended(t, r->status, r->error);
}

/* The line that did not fit is read again: everything before it is on its way. */
static void no_memory(struct tailer *t)
{
    t->no_memory = false;
    end_stream(t);
    say_trouble(t, "no memory for its lines, the data budget is used up");
    back_off(t);
}

static size_t on_data(void *arg, const char *p, size_t n)
{
    struct tailer *t = arg;
    size_t took = 0;
    char error[sizeof(t->frames.error)];

    while (took < n && !log_source_blocked(&t->source->out) && !t->no_memory && !t->frames.error[0])
        took += docker_frames_feed(&t->frames, p + took, n - took);
    send(t);
    if (t->no_memory) {
        no_memory(t);
        return 0;
    }
    if (t->frames.error[0]) {
        memcpy(error, t->frames.error, sizeof(error));
        stream_ended(t, 200, error);
        return 0;
    }
    if (took > 0) trouble_is_over(t);
    return took;
}

static void follow(struct tailer *t, bool tty)
{
    struct buf path = BUF_INIT(8192);

    docker_frames_init(&t->frames, &(struct docker_frames_conf){
                                       .tty = tty, .line = on_line, .fault = on_fault, .arg = t});
    docker_catch_up_init(&t->catch_up, &t->sent);
    t->following = true;
    t->no_memory = false;
    t->began = now(t);
    buf_cstr(&path, "/containers/");
    docker_escape(&path, str_of(t->id));
    buf_printf(&path, "/logs?follow=1&since=%lld&stderr=1&stdout=1&timestamps=1",
               (long long)docker_mark_since(&t->sent));
    t->call = docker_start(
        t->source->docker,
        &(struct docker_request){.path = path.p, .done = on_logs_over, .data = on_data, .arg = t});
    buf_done(&path);
}

/* --- the container --- */

static void gone(struct tailer *t)
{
    if (!t->gone)
        log_info(log_of(t), "container no longer exists, stopping tailer",
                 F_CSTR("container", t->id));
    t->gone = true;
    forget_trouble(t);
    forget_what_left(t);
    positions_del(t->source->shared->positions, str_of(t->path), t->key->text);
    if (t->leaving)
        end(t);
    else
        back_off(t); /* targets that are written down may name what comes later */
}

static void judge(struct tailer *t, const struct docker_state *state)
{
    bool nothing_new = !state->running && t->read_to_end && state->finished_at == t->finished;

    if (t->leaving && (state->running || nothing_new)) {
        end(t);
    } else if (nothing_new) {
        wait_and_look(t, LOOK_EVERY);
    } else {
        t->to_end = !state->running;
        t->finished = state->finished_at;
        follow(t, state->tty);
    }
}

static void inspect_failed(struct tailer *t, int status, const char *error)
{
    say_failed(t, status, error);
    if (t->leaving)
        end(t);
    else
        back_off(t);
}

static void on_inspected(void *arg, const struct docker_result *r)
{
    struct tailer *t = arg;
    struct docker_state state = {0};
    const char *error = r->error;
    struct arena a;

    t->call = NULL;
    if (r->status != 0) docker_source_reached(t->source);
    if (r->status == 404) {
        gone(t);
        return;
    }
    arena_init(&a, 0);
    if (!error) (void)docker_read_state(r->body, &a, &state, &error);
    if (error)
        inspect_failed(t, r->status, error);
    else
        judge(t, &state);
    arena_done(&a);
}

static void look(void *arg)
{
    struct tailer *t = arg;
    struct buf path = BUF_INIT(8192);

    if (t->through) {
        docker_source_drop(t->source, t);
        return;
    }
    buf_cstr(&path, "/containers/");
    docker_escape(&path, str_of(t->id));
    buf_cstr(&path, "/json");
    t->call = docker_start(t->source->docker, &(struct docker_request){.path = path.p,
                                                                       .max_response = INSPECT_MAX,
                                                                       .done = on_inspected,
                                                                       .arg = t});
    buf_done(&path);
}

/* --- the face --- */

static void take_labels(struct tailer *t, struct labels *key,
                        struct labels *const labels[DOCKER_STREAMS])
{
    labels_unref(t->key);
    t->key = key;
    for (int i = 0; i < DOCKER_STREAMS; i++) {
        labels_unref(t->labels[i]);
        t->labels[i] = labels[i];
    }
}

struct tailer *tailer_new(struct docker_source *s, struct str id, struct labels *key,
                          struct labels *const labels[DOCKER_STREAMS])
{
    struct tailer *t = xnew(struct tailer);
    struct loop *loop = s->shard->worker->loop;

    t->source = s;
    t->id = str_dup(id);
    t->path = docker_position_path(id);
    take_labels(t, key, labels);
    t->timer = timer_new(loop, look, t);
    load_position(t);
    t->window = ack_window_new(&(struct ack_window_conf){
        .loop = loop, .advanced = on_advanced, .broken = on_broken, .arg = t});
    timer_start(t->timer, 0);
    return t;
}

void tailer_halt(struct tailer *t)
{
    t->halted = true;
    end_stream(t);
    timer_stop(t->timer);
}

void tailer_free(struct tailer *t)
{
    if (!t) return;
    tailer_halt(t);
    timer_free(t->timer);
    ack_window_free(t->window);
    vec_done(&t->on_their_way);
    take_labels(t, NULL, (struct labels *const[DOCKER_STREAMS]){NULL});
    forget_trouble(t);
    free(t->id);
    free(t->path);
    free(t);
}

void tailer_relabel(struct tailer *t, struct labels *key,
                    struct labels *const labels[DOCKER_STREAMS])
{
    struct positions *p = t->source->shared->positions;
    bool moved = key != t->key && positions_get(p, str_of(t->path), t->key->text).p;

    if (moved) positions_del(p, str_of(t->path), t->key->text);
    take_labels(t, key, labels);
    if (moved) save(t);
}

void tailer_leave(struct tailer *t)
{
    if (t->leaving) return;
    t->leaving = true;
    if (t->call && !t->following) return; /* is being looked at */
    if (t->following && t->to_end) return;
    end_stream(t); /* does it still run? */
    wait_and_look(t, 0);
}

void tailer_stay(struct tailer *t)
{
    bool was_through = t->through;

    t->leaving = t->through = false;
    if (was_through) wait_and_look(t, 0);
}

void tailer_reconnect(struct tailer *t)
{
    end_stream(t);
    if (!t->through) wait_and_look(t, 0);
}

void tailer_room(struct tailer *t)
{
    if (t->following && t->call) docker_resume(t->call);
}

bool tailer_is_settled(const struct tailer *t)
{
    return t->on_their_way.n == 0;
}
