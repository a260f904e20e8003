/* The registry of listeners, and its hand-over between threads: clients that never stop see every
 * request answered while the listener is replaced again and again. Threads are real here; what ends
 * each phase is an event. */
#include "net/server_kit.h"
#include <pthread.h>

static void one_owner_an_address(void **state)
{
    struct kit k = {0};
    struct http_listener *second = NULL;
    char *err = NULL, addr[64];

    kit_open(&k, &(struct http_conf){0});
    (void)snprintf(addr, sizeof(addr), "127.0.0.1:%d", k.port);
    assert_int_equal(http_listener_open(k.ls, "tcp", addr, &(struct http_conf){0}, &second, &err),
                     -EADDRINUSE);
    char *want = xprintf("listen tcp %s: bind: address already in use", addr);
    assert_string_equal(err, want);
    free(err);
    free(want);
    assert_true(http_listener_open(k.ls, "tcp", "127.0.0.1:99999", &(struct http_conf){0}, &second,
                                   &err) < 0);
    free(err);
    assert_true(http_listener_open(k.ls, "tcp", "nowhere", &(struct http_conf){0}, &second, &err) <
                0);
    free(err);
    assert_true(
        http_listener_open(k.ls, "tcp", "192.0.2.1:0", &(struct http_conf){0}, &second, &err) < 0);
    assert_string_equal(err, "listen tcp 192.0.2.1:0: bind: cannot assign requested address");
    free(err);
    kit_close(&k);
}

static void unix_sockets_work(void **state)
{
    struct clock_fake clock;
    struct kit k = {.handler.request = kit_request};
    struct sockaddr_un {
        sa_family_t family;
        char path[108];
    } un = {.family = AF_UNIX};
    char *err = NULL;

    clock_fake_init(&clock, 0);
    k.loop = loop_new("t", 0, &clock.clock);
    k.ls = listeners_new(k.loop);
    (void)snprintf(un.path, sizeof(un.path), "/tmp/weir-test-%d.sock", (int)getpid());
    char *addr = xprintf("unix:%s", un.path);
    assert_int_equal(http_listener_open(k.ls, "tcp", addr, &(struct http_conf){0}, &k.l, &err), 0);
    http_listener_serve(k.l, k.loop, &k.handler, &k);
    kit_turn(&k, 3);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    kit_put(&k, fd, "GET /u HTTP/1.1\r\nHost: h\r\n\r\n");
    kit_expect(&k, fd, "GET /u 0\n", false);
    close(fd);
    kit_close(&k);
    assert_int_equal(access(un.path, F_OK), -1);
    free(addr);
}

/* --- hand-over --- */

#define WORKERS 2
#define CLIENTS 4
#define SWAPS   25

struct stage;
struct part { /* a worker's share of one generation */
    struct stage *stage;
    struct msg serve, leave, left;
    int worker;
};

struct stage { /* one generation of the listener */
    struct world *w;
    struct http_listener *l;
    struct part parts[WORKERS];
    int left;
};

struct world {
    struct loop *control, *workers[WORKERS];
    pthread_t threads[WORKERS], clients[CLIENTS];
    struct listeners *ls;
    struct stage stages[SWAPS + 1];
    int stage, port;
    char addr[64];
    atomic_bool stop;
    _Atomic int answered, failed;
};

static void answer(void *arg, struct http_req *r)
{
    http_respond_text(r, 200, STR("fine\n"));
}

static const struct http_handler handler = {.request = answer};

static void next_stage(struct world *w);

static void on_part_left(struct msg *m)
{
    struct stage *s = container_of(m, struct part, left)->stage;

    if (++s->left < WORKERS) return;
    http_listener_close(s->l);
    if (s->w->stage < SWAPS && !atomic_load(&s->w->stop)) {
        next_stage(s->w);
    } else if (atomic_load(&s->w->stop)) {
        loop_stop(s->w->control);
    }
}

static void on_unserved(void *arg)
{
    struct part *p = arg;

    p->left.fn = on_part_left;
    loop_post(p->stage->w->control, &p->left);
}

static void on_leave(struct msg *m)
{
    struct part *p = container_of(m, struct part, leave);

    http_listener_unserve(p->stage->l, p->stage->w->workers[p->worker], 5 * NS_PER_SEC, on_unserved,
                          p);
}

static void on_serve(struct msg *m)
{
    struct part *p = container_of(m, struct part, serve);

    http_listener_serve(p->stage->l, p->stage->w->workers[p->worker], &handler, NULL);
}

static void retire(struct world *w, struct stage *s)
{
    for (int i = 0; i < WORKERS; i++) {
        s->parts[i].leave.fn = on_leave;
        loop_post(w->workers[i], &s->parts[i].leave);
    }
}

/* As a reload does: the old owner leaves, the new one takes the socket, serves, and then the old
 * one drains. */
static void next_stage(struct world *w)
{
    struct stage *old = w->stage >= 0 ? &w->stages[w->stage] : NULL, *s = &w->stages[++w->stage];
    char *err = NULL;

    s->w = w;
    if (old) http_listener_leave(old->l);
    if (http_listener_open(w->ls, "tcp", w->addr, &(struct http_conf){0}, &s->l, &err) != 0)
        fail_msg("%s", err);
    for (int i = 0; i < WORKERS; i++) {
        s->parts[i] = (struct part){.stage = s, .worker = i, .serve.fn = on_serve};
        loop_post(w->workers[i], &s->parts[i].serve);
    }
    if (old) retire(w, old);
}

/* --- clients: blocking threads --- */

static int dial(struct world *w)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)w->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0) return fd;
    close(fd);
    return -1;
}

static bool ask(int fd, bool *ret_keep)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    char buf[1024];
    size_t n = 0;

    if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0) return false;
    while (n < sizeof(buf) - 1) {
        ssize_t got = recv(fd, buf + n, sizeof(buf) - 1 - n, 0);
        if (got <= 0) return false;
        n += (size_t)got;
        buf[n] = '\0';
        if (!strstr(buf, "fine\n")) continue;
        *ret_keep = !strstr(buf, "Connection: close");
        return true;
    }
    return false;
}

/* A request on a connection that was used before may meet its end: it is asked again on a fresh
 * one, where it must be answered. */
static void *client(void *arg)
{
    struct world *w = arg;
    int fd = -1;

    while (!atomic_load(&w->stop)) {
        bool fresh = fd < 0, keep = false;
        if (fresh) fd = dial(w);
        if (fd >= 0 && ask(fd, &keep)) {
            atomic_fetch_add(&w->answered, 1);
        } else if (fresh) {
            atomic_fetch_add(&w->failed, 1);
        }
        if (!keep && fd >= 0) {
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0) close(fd);
    return NULL;
}

static void *work(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void watch(void *arg)
{
    struct world *w = arg;

    if (w->stage < SWAPS || atomic_load(&w->answered) < 2000 || atomic_load(&w->stop)) return;
    atomic_store(&w->stop, true);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(w->clients[i], NULL); /* the workers still answer */
    retire(w, &w->stages[w->stage]);
}

static void nothing_is_lost_when_the_owner_changes(void **state)
{
    struct world w = {.stage = -1};
    struct http_listener *probe;
    char *err = NULL;

    w.control = loop_new("control", 0, &clock_system);
    w.ls = listeners_new(w.control);
    assert_int_equal(
        http_listener_open(w.ls, "tcp", "127.0.0.1:0", &(struct http_conf){0}, &probe, &err), 0);
    (void)snprintf(w.addr, sizeof(w.addr), "%.*s", STR_ARG(http_listener_addr(probe)));
    w.port = atoi(strrchr(w.addr, ':') + 1);
    http_listener_close(probe);
    for (int i = 0; i < WORKERS; i++) {
        w.workers[i] = loop_new("worker", i + 1, &clock_system);
        pthread_create(&w.threads[i], NULL, work, w.workers[i]);
    }
    next_stage(&w); /* listens before the clients dial */
    for (int i = 0; i < CLIENTS; i++)
        pthread_create(&w.clients[i], NULL, client, &w);
    next_stage(&w);
    struct timer *t = timer_new(w.control, watch, &w);
    timer_every(t, NS_PER_MS);
    loop_run(w.control);
    timer_free(t);
    for (int i = 0; i < WORKERS; i++) {
        loop_stop(w.workers[i]);
        pthread_join(w.threads[i], NULL);
        loop_free(w.workers[i]);
    }
    assert_int_equal(atomic_load(&w.failed), 0);
    assert_true(atomic_load(&w.answered) >= 2000);
    listeners_free(w.ls);
    loop_free(w.control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_owner_an_address),
        cmocka_unit_test(unix_sockets_work),
        cmocka_unit_test(nothing_is_lost_when_the_owner_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
