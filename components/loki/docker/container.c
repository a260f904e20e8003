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

static struct logger *log_of(const struct container *c)
{
    return c->source->shard->comp->log;
}

static i64 now(const struct container *c)
{
    return loop_now(c->source->shard->worker->loop);
}

/* --- what is said --- */

/* The same trouble is said once. */
static void say_trouble(struct container *c, const char *what)
{
    if (c->trouble && str_ends(str_of(c->trouble), str_of(what))) return;
    if (!c->trouble) c->source->troubled++;
    free(c->trouble);
    c->trouble = xprintf("container %s: %s", c->id, what);
    log_warn(log_of(c), "cannot read the log of a container, trying again",
             F_CSTR("container", c->id), F_CSTR("err", what));
    docker_source_health(c->source, c->trouble);
    docker_source_show(c->source);
}

static void forget_trouble(struct container *c)
{
    if (!c->trouble) return;
    free(c->trouble);
    c->trouble = NULL;
    c->source->troubled--;
    docker_source_health(c->source, NULL);
    docker_source_show(c->source);
}

static void trouble_is_over(struct container *c)
{
    docker_source_reached(c->source);
    c->gone = false;
    if (c->trouble)
        log_info(log_of(c), "reading the log of a container again", F_CSTR("container", c->id));
    forget_trouble(c);
}

/* away: the engine was not reached, which is said for all containers at once. */
static void say_failed(struct container *c, bool away, const char *error)
{
    if (away)
        docker_source_unreachable(c->source, error);
    else
        say_trouble(c, error);
}

static void on_fault(void *arg, enum docker_line_fault fault, struct str text)
{
    static const char *const what[] = {
        [DOCKER_LINE_TOO_LONG] = "line too big, skipping",
        [DOCKER_LINE_NO_TIME] = "could not extract timestamp, skipping line",
        [DOCKER_LINE_NO_MEMORY] = "no memory for a line",
    };
    struct container *c = arg;

    if (fault == DOCKER_LINE_NO_MEMORY) {
        c->no_memory = true;
        return;
    }
    if (fault == DOCKER_LINE_NO_TIME) metric_inc(c->source->shared->faults);
    c->faults++;
    if (c->faults_said && now(c) - c->faults_said < SAY_EVERY) return;
    log_error(log_of(c), what[fault], F_CSTR("container", c->id), F_STR("begin", text),
              F_UINT("lines", c->faults));
    c->faults = 0;
    c->faults_said = now(c);
}

/* --- positions --- */

static void save(struct container *c)
{
    struct buf note = BUF_INIT(256);

    docker_mark_text(&c->done, &note);
    target_status_at(c->status, docker_mark_second(&c->done));
    positions_put_noted(c->source->shared->positions, str_of(c->path), c->key->text,
                        (u64)docker_mark_second(&c->done), buf_view(&note));
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

static void take_position(struct container *c, struct str labels)
{
    struct positions *p = c->source->shared->positions;
    struct str note = positions_note(p, str_of(c->path), labels);
    i64 second;

    if (note.p && docker_mark_parse(note, &c->done)) return;
    if (num_parse_i64(positions_get(p, str_of(c->path), labels), &second) != 0) {
        log_warn(log_of(c),
                 "the saved position of a container is no number, its log is read from "
                 "the beginning",
                 F_CSTR("container", c->id));
        return;
    }
    /* Of Alloy, or of an agent that was killed: lines of that second may come again. The second is
     * asked for with a margin, so what lies before it counts as read. */
    second = MIN(MAX(second, INT64_C(0)), INT64_MAX / NS_PER_SEC);
    for (int i = 0; i < DOCKER_STREAMS; i++)
        c->done.of[i].time = second * NS_PER_SEC;
}

/* Labels of a container change (its address when it is started again): the position is found all
 * the same, and goes on under the new ones. */
static void load_position(struct container *c)
{
    struct positions *p = c->source->shared->positions;
    struct search s = {.path = str_of(c->path)};

    if (positions_get(p, s.path, c->key->text).p) {
        take_position(c, c->key->text);
    } else {
        positions_each(p, find_path, &s);
        if (!s.labels) return;
        take_position(c, str_of(s.labels));
        positions_del(p, s.path, str_of(s.labels));
        save(c);
        free(s.labels);
    }
    c->sent = c->done;
    target_status_at(c->status, docker_mark_second(&c->done));
}

/* --- batches --- */

static void on_advanced(void *arg)
{
    struct container *c = arg;
    u64 done = ack_window_done(c->window);
    size_t n = 0;

    while (n < c->on_their_way.n && c->on_their_way.v[n].number <= done)
        c->done = c->on_their_way.v[n++].mark;
    if (n == 0) return;
    c->on_their_way.n -= n;
    memmove(c->on_their_way.v, c->on_their_way.v + n,
            c->on_their_way.n * sizeof(*c->on_their_way.v));
    save(c);
    if (c->through && c->on_their_way.n == 0) timer_start(c->timer, 0);
}

static void end_stream(struct container *c)
{
    if (c->call) docker_cancel(c->call);
    c->call = NULL;
    if (c->following) docker_frames_done(&c->frames);
    c->following = false;
    target_status_runs(c->status, false);
}

static void wait_and_look(struct container *c, i64 wait)
{
    if (!c->halted) timer_start(c->timer, wait);
}

static void back_off(struct container *c)
{
    wait_and_look(c, backoff_next(&c->backoff, &waits, random_unit(), 0));
}

static void forget_what_left(struct container *c)
{
    c->on_their_way.n = 0;
    c->sent = c->done;
    ack_window_restart(c->window, c->number);
}

/* Back to what was delivered; what has left is read again. */
static void go_back(struct container *c)
{
    end_stream(c);
    forget_what_left(c);
    c->read_to_end = c->through = false;
    back_off(c);
}

/* Its target is gone, and nothing is left to read. */
static void end(struct container *c)
{
    end_stream(c);
    timer_stop(c->timer);
    c->through = true;
    if (c->on_their_way.n == 0) timer_start(c->timer, 0);
}

static void on_broken(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct container *c = arg;

    log_warn(log_of(c), "entries of a container were not delivered, they are read again",
             F_CSTR("container", c->id),
             F_CSTR("err", f && f->text ? f->text : "given up at a shutdown"));
    go_back(c);
}

static void send(struct container *c)
{
    if (c->added == 0) return;
    c->added = 0;
    c->number++;
    vec_push(&c->on_their_way, ((struct docker_sent){c->number, c->sent}));
    (void)log_source_send(&c->source->out, ack_window_open(c->window, c->number));
}

static int add(struct container *c, enum docker_stream from, i64 time, struct str text)
{
    return log_builder_add(log_source_builder(&c->source->out), c->labels[from],
                           &(struct log_entry){.time = time, .line = text});
}

static bool on_line(void *arg, enum docker_stream from, i64 time, struct str text)
{
    struct container *c = arg;
    struct log_source *out = &c->source->out;

    if (c->no_memory) return false;
    if (docker_catch_up_knows(&c->catch_up, from, time)) return true;
    if (add(c, from, time, text) != 0) {
        c->no_memory = true;
        return false;
    }
    c->added++;
    docker_mark_pass(&c->sent, from, time);
    metric_inc(c->source->shared->entries);
    if (log_builder_bytes(log_source_builder(out)) >= BATCH_MAX) send(c);
    return !log_source_blocked(out);
}

/* --- the stream --- */

static void stream_ended(struct container *c, bool away, const char *error)
{
    i64 age = now(c) - c->began;

    end_stream(c);
    c->read_to_end = !error && c->to_end;
    if (age >= LONG_LIVED) c->backoff = (struct backoff){0};
    if (error)
        say_failed(c, away, error);
    else if (age >= LONG_LIVED)
        log_info(log_of(c), "finished transferring logs", F_CSTR("container", c->id));
    else
        log_debug(log_of(c), "finished transferring logs", F_CSTR("container", c->id));
    if (!c->read_to_end)
        back_off(c);
    else if (c->leaving)
        end(c);
    else
        wait_and_look(c, LOOK_EVERY);
}

static void on_logs_over(void *arg, const struct docker_result *r)
{
    struct container *c = arg;

    c->call = NULL;
    stream_ended(c, r->status == 0 && !r->mute, r->error);
}

/* The line that did not fit is read again: everything before it is on its way. */
static void no_memory(struct container *c)
{
    c->no_memory = false;
    end_stream(c);
    say_trouble(c, "no memory for its lines, the data budget is used up");
    back_off(c);
}

static size_t on_data(void *arg, const char *p, size_t n)
{
    struct container *c = arg;
    size_t took = 0;
    char error[sizeof(c->frames.error)];

    while (took < n && !log_source_blocked(&c->source->out) && !c->no_memory && !c->frames.error[0])
        took += docker_frames_feed(&c->frames, p + took, n - took);
    send(c);
    if (c->no_memory) {
        no_memory(c);
        return 0;
    }
    if (c->frames.error[0]) {
        memcpy(error, c->frames.error, sizeof(error));
        stream_ended(c, false, error);
        return 0;
    }
    return took;
}

static void on_opened(void *arg)
{
    const struct container *c = arg;

    target_status_runs(c->status, true);
    trouble_is_over(arg);
}

static void follow(struct container *c, bool tty)
{
    struct buf path = BUF_INIT(8192);

    docker_frames_init(&c->frames, &(struct docker_frames_conf){
                                       .tty = tty, .line = on_line, .fault = on_fault, .arg = c});
    docker_catch_up_init(&c->catch_up, &c->sent);
    c->following = true;
    c->no_memory = false;
    c->began = now(c);
    buf_cstr(&path, "/containers/");
    docker_escape(&path, str_of(c->id));
    buf_printf(&path, "/logs?follow=1&since=%lld&stderr=1&stdout=1&timestamps=1",
               (long long)docker_mark_since(&c->sent));
    c->call = docker_start(
        c->source->docker,
        &(struct docker_request){
            .path = path.p, .done = on_logs_over, .data = on_data, .opened = on_opened, .arg = c});
    buf_done(&path);
}

/* --- the container --- */

static void gone(struct container *c)
{
    if (!c->gone)
        log_info(log_of(c), "container no longer exists, stopping tailer",
                 F_CSTR("container", c->id));
    c->gone = true;
    forget_trouble(c);
    forget_what_left(c);
    positions_del(c->source->shared->positions, str_of(c->path), c->key->text);
    if (c->leaving)
        end(c);
    else
        back_off(c); /* targets that are written down may name what comes later */
}

static void judge(struct container *c, const struct docker_state *state)
{
    bool nothing_new = !state->running && c->read_to_end && state->finished_at == c->finished;

    if (c->leaving && (state->running || nothing_new)) {
        end(c);
    } else if (nothing_new) {
        wait_and_look(c, LOOK_EVERY);
    } else {
        c->to_end = !state->running;
        c->finished = state->finished_at;
        follow(c, state->tty);
    }
}

static void inspect_failed(struct container *c, int status, const char *error)
{
    say_failed(c, status == 0, error);
    if (c->leaving)
        end(c);
    else
        back_off(c);
}

static void on_inspected(void *arg, const struct docker_result *r)
{
    struct container *c = arg;
    struct docker_state state = {0};
    const char *error = r->error;
    struct arena a;

    c->call = NULL;
    if (r->status != 0) docker_source_reached(c->source);
    if (r->status == 404) {
        gone(c);
        return;
    }
    arena_init(&a, 0);
    if (!error) (void)docker_read_state(r->body, &a, &state, &error);
    if (error)
        inspect_failed(c, r->status, error);
    else
        judge(c, &state);
    arena_done(&a);
}

static void look(void *arg)
{
    struct container *c = arg;
    struct buf path = BUF_INIT(8192);

    if (c->through) {
        docker_source_drop(c->source, c);
        return;
    }
    buf_cstr(&path, "/containers/");
    docker_escape(&path, str_of(c->id));
    buf_cstr(&path, "/json");
    c->call = docker_start(c->source->docker, &(struct docker_request){.path = path.p,
                                                                       .max_response = INSPECT_MAX,
                                                                       .done = on_inspected,
                                                                       .arg = c});
    buf_done(&path);
}

/* --- the face --- */

static void take_labels(struct container *c, struct labels *key,
                        struct labels *const labels[DOCKER_STREAMS])
{
    labels_unref(c->key);
    c->key = key;
    for (int i = 0; i < DOCKER_STREAMS; i++) {
        labels_unref(c->labels[i]);
        c->labels[i] = labels[i];
    }
}

static struct str shown_labels(const struct container *c)
{
    return c->labels[DOCKER_STDOUT] ? c->labels[DOCKER_STDOUT]->text : STR("{}");
}

/* Texts never change under who reads them: another status has the new ones. */
struct target_status *container_status(struct container *c)
{
    struct target_status *was = c->status;
    const char *error = c->trouble ? c->trouble : c->source->away ? c->source->away : "";

    if (strcmp(was->error, error) == 0 && str_is(shown_labels(c), was->labels)) return was;
    c->status = target_status_new(str_of(c->id), shown_labels(c), str_of(error));
    target_status_at(c->status, target_status_offset(was));
    target_status_runs(c->status, target_status_is_running(was));
    target_status_unref(was);
    return c->status;
}

struct container *container_new(struct docker_source *s, struct str id, struct labels *key,
                                struct labels *const labels[DOCKER_STREAMS])
{
    struct container *c = xnew(struct container);
    struct loop *loop = s->shard->worker->loop;

    c->source = s;
    c->id = str_dup(id);
    c->path = docker_position_path(id);
    take_labels(c, key, labels);
    c->status = target_status_new(id, shown_labels(c), STR(""));
    c->timer = timer_new(loop, look, c);
    load_position(c);
    c->window = ack_window_new(&(struct ack_window_conf){
        .loop = loop, .advanced = on_advanced, .broken = on_broken, .arg = c});
    timer_start(c->timer, 0);
    return c;
}

void container_halt(struct container *c)
{
    c->halted = true;
    end_stream(c);
    timer_stop(c->timer);
}

void container_free(struct container *c)
{
    if (!c) return;
    container_halt(c);
    timer_free(c->timer);
    ack_window_free(c->window);
    vec_done(&c->on_their_way);
    take_labels(c, NULL, (struct labels *const[DOCKER_STREAMS]){NULL});
    if (c->trouble) c->source->troubled--;
    free(c->trouble);
    target_status_unref(c->status);
    free(c->id);
    free(c->path);
    free(c);
}

void container_relabel(struct container *c, struct labels *key,
                       struct labels *const labels[DOCKER_STREAMS])
{
    struct positions *p = c->source->shared->positions;
    bool moved = key != c->key && positions_get(p, str_of(c->path), c->key->text).p;

    if (moved) positions_del(p, str_of(c->path), c->key->text);
    take_labels(c, key, labels);
    if (moved) save(c);
}

void container_leave(struct container *c)
{
    if (c->leaving) return;
    c->leaving = true;
    if (c->call && !c->following) return; /* is being looked at */
    if (c->following && c->to_end) return;
    end_stream(c); /* does it still run? */
    wait_and_look(c, 0);
}

void container_stay(struct container *c)
{
    bool was_through = c->through;

    c->leaving = c->through = false;
    if (was_through) wait_and_look(c, 0);
}

void container_reconnect(struct container *c)
{
    end_stream(c);
    if (!c->through) wait_and_look(c, 0);
}

void container_room(struct container *c)
{
    if (c->following && c->call) docker_resume(c->call);
}

bool container_is_settled(const struct container *c)
{
    return c->on_their_way.n == 0;
}
