/* Positions outlive their targets: a container that was stopped may be started again, and its log
 * goes on. They are forgotten when the engine says that there is no such container any more. */
#include "components/loki/docker/docker.h"

#include "base/xalloc.h"

#define PREFIX      "cursor-"
#define EVERY       (10 * 60 * NS_PER_SEC)
#define INSPECT_MAX ((size_t)4 << 20)

char *docker_position_path(struct str id)
{
    return xprintf(PREFIX STR_FMT, STR_ARG(id));
}

struct str docker_position_id(struct str path)
{
    if (!str_starts(path, STR(PREFIX))) return (struct str){0};
    return str_sub(path, sizeof(PREFIX) - 1, path.n);
}

static void note_orphan(void *arg, struct str path, struct str labels)
{
    struct docker_source *s = arg;
    struct str id = docker_position_id(path);

    if (id.n && !map_has(&s->containers, id)) vec_push(&s->forgetting.paths, str_dup(path));
}

struct deletion {
    struct str path;
    VEC(char *) labels;
};

static void note_labels(void *arg, struct str path, struct str labels)
{
    struct deletion *d = arg;

    if (str_eq(path, d->path)) vec_push(&d->labels, str_dup(labels));
}

static void forget(struct docker_source *s, struct str path)
{
    struct deletion d = {.path = path};

    positions_each(s->shared->positions, note_labels, &d);
    vec_each (&d.labels, l) {
        positions_del(s->shared->positions, path, str_of(*l));
        free(*l);
    }
    vec_done(&d.labels);
    log_debug(s->shard->comp->log, "the position of a container that is no more is forgotten",
              F_STR("path", path));
}

static void look_at_next(struct docker_source *s);

static void on_inspected(void *arg, const struct docker_result *r)
{
    struct docker_source *s = arg;
    char *path = vec_pop(&s->forgetting.paths);

    s->forgetting.call = NULL;
    if (r->status == 404 && !map_has(&s->containers, docker_position_id(str_of(path))))
        forget(s, str_of(path));
    free(path);
    look_at_next(s);
}

static void look_at_next(struct docker_source *s)
{
    struct buf path = BUF_INIT(8192);

    if (s->forgetting.paths.n == 0) {
        timer_start(s->forgetting.timer, EVERY);
        return;
    }
    char *last = s->forgetting.paths.v[s->forgetting.paths.n - 1];
    buf_cstr(&path, "/containers/");
    docker_escape(&path, docker_position_id(str_of(last)));
    buf_cstr(&path, "/json");
    s->forgetting.call = docker_start(
        s->docker,
        &(struct docker_request){
            .path = path.p, .max_response = INSPECT_MAX, .done = on_inspected, .arg = s});
    buf_done(&path);
}

static void on_timer(void *arg)
{
    struct docker_source *s = arg;

    positions_each(s->shared->positions, note_orphan, s);
    look_at_next(s);
}

static void cancel(struct docker_source *s)
{
    if (s->forgetting.call) docker_cancel(s->forgetting.call);
    s->forgetting.call = NULL;
    vec_each (&s->forgetting.paths, p)
        free(*p);
    vec_clear(&s->forgetting.paths);
}

void forget_init(struct docker_source *s)
{
    s->forgetting.timer = timer_new(s->shard->worker->loop, on_timer, s);
    timer_start(s->forgetting.timer, EVERY);
}

void forget_again(struct docker_source *s)
{
    cancel(s);
    timer_start(s->forgetting.timer, EVERY);
}

void forget_done(struct docker_source *s)
{
    cancel(s);
    vec_done(&s->forgetting.paths);
    timer_free(s->forgetting.timer);
}
