/* The resolver cache: one entry per name, with the queries that wait for it. getaddrinfo gives no
 * lifetimes, so answers are kept for a short fixed time; failures for a second, so that a burst of
 * calls asks once. Entries, queries and jobs are guarded by one lock; a query that was posted to
 * its loop belongs to that loop. */
#include "net/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include "base/list.h"
#include "base/map.h"
#include "base/refcount.h"
#include "base/xalloc.h"

#define KEEP_GOOD (30 * NS_PER_SEC)
#define KEEP_BAD  NS_PER_SEC
#define MAX_ADDRS 32
#define MAX_ENTRIES                                                                                \
    4096 /* names may come from outside (targets): the cache starts over when it is full */

struct entry {
    char *addrs; /* NULL: the lookup failed */
    const char *err;
    i64 until;
    bool running;
    struct list waiting;
};

struct resolver {
    struct refs refs; /* the owner and the running jobs */
    struct offload *pool;
    pthread_mutex_t lock;
    struct map entries;
};

struct resolver_query {
    struct msg msg;
    struct list node; /* of the entry, until posted */
    struct resolver *r;
    struct loop *loop;
    resolver_fn *fn;
    void *arg;
    char *addrs;
    const char *err;
    bool posted, cancelled;
};

struct lookup {
    struct job job;
    struct resolver *r;
    char *host;
    i64 asked;
};

static void entry_free(void *p)
{
    struct entry *e = p;

    free(e->addrs);
    free(e);
}

struct resolver *resolver_new(struct offload *pool)
{
    struct resolver *r = xnew(struct resolver);

    refs_init(&r->refs);
    r->pool = pool;
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void resolver_free(struct resolver *r)
{
    if (!r || !refs_put(&r->refs)) return;
    map_done(&r->entries, entry_free);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* --- on the pool --- */

static void add_addr(struct buf *out, const struct addrinfo *a)
{
    char text[INET6_ADDRSTRLEN];
    bool v6 = a->ai_family == AF_INET6;
    const void *ip =
        v6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)a->ai_addr)->sin6_addr
           : (const void *)&((const struct sockaddr_in *)(const void *)a->ai_addr)->sin_addr;

    if (!inet_ntop(a->ai_family, ip, text, sizeof(text))) return;
    buf_printf(out, v6 ? "%s[%s]" : "%s%s", out->n ? "," : "", text);
}

static const char *why(int r)
{
    return r == EAI_NONAME || r == EAI_NODATA ? "no such host"
           : r == EAI_AGAIN                   ? "server misbehaving"
                                              : gai_strerror(r);
}

static char *look_up(const char *host, const char **ret_err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    struct buf out = BUF_INIT(MAX_ADDRS * 64);
    int r = getaddrinfo(host, NULL, &hints, &list), n = 0;

    if (r != 0) {
        *ret_err = why(r);
        return NULL;
    }
    for (const struct addrinfo *a = list; a && n < MAX_ADDRS; a = a->ai_next, n++)
        if (a->ai_family == AF_INET || a->ai_family == AF_INET6) add_addr(&out, a);
    freeaddrinfo(list);
    *ret_err = out.n ? NULL : "no such host";
    if (out.n) return buf_take(&out, NULL);
    buf_done(&out);
    return NULL;
}

static void on_answer(struct msg *m)
{
    struct resolver_query *q = container_of(m, struct resolver_query, msg);

    if (!q->cancelled) q->fn(q->arg, q->addrs, q->err);
    free(q->addrs);
    free(q);
}

/* Under the lock: a cancel comes before, and then the query is not in the list, or after. */
static void answer_all(struct entry *e)
{
    list_each (&e->waiting, node) {
        struct resolver_query *q = list_item(node, struct resolver_query, node);
        list_del(&q->node);
        q->addrs = e->addrs ? xstrdup(e->addrs) : NULL;
        q->err = e->err;
        q->posted = true;
        q->msg.fn = on_answer;
        loop_post(q->loop, &q->msg);
    }
}

static void work(struct job *j)
{
    struct lookup *k = container_of(j, struct lookup, job);
    struct resolver *r = k->r;
    const char *err;
    char *addrs = look_up(k->host, &err);

    pthread_mutex_lock(&r->lock);
    struct entry *e = map_get(&r->entries, str_of(k->host));
    free(e->addrs);
    e->addrs = addrs;
    e->err = err;
    e->until = k->asked + (addrs ? KEEP_GOOD : KEEP_BAD);
    e->running = false;
    answer_all(e);
    pthread_mutex_unlock(&r->lock);
    resolver_free(r);
    free(k->host);
    free(k);
}

/* --- on the loops --- */

static struct resolver_query *query_new(struct resolver *r, struct loop *l, resolver_fn *fn,
                                        void *arg)
{
    struct resolver_query *q = xnew(struct resolver_query);

    q->r = r;
    q->loop = l;
    q->fn = fn;
    q->arg = arg;
    list_init(&q->node);
    return q;
}

static void start_job(struct resolver *r, struct str host, i64 now)
{
    struct lookup *k = xnew(struct lookup);

    refs_get(&r->refs);
    *k = (struct lookup){.job.work = work, .r = r, .host = str_dup(host), .asked = now};
    offload_run(r->pool, &k->job);
}

static void make_room(struct resolver *r)
{
    if (r->entries.live < MAX_ENTRIES) return;
    map_each (&r->entries, me) {
        struct entry *e = me->value;
        if (e->running) continue;
        entry_free(e);
        map_del(&r->entries, me->key);
    }
}

static struct entry *entry_of(struct resolver *r, struct str host)
{
    struct entry *e = map_get(&r->entries, host);

    if (e) return e;
    make_room(r);
    e = xnew(struct entry);
    list_init(&e->waiting);
    map_put(&r->entries, host, e);
    return e;
}

char *resolver_start(struct resolver *r, struct loop *l, struct str host, resolver_fn *fn,
                     void *arg, struct resolver_query **ret)
{
    char *cached = NULL;
    bool begin = false;

    pthread_mutex_lock(&r->lock);
    struct entry *e = entry_of(r, host);
    if (e->addrs && loop_now(l) < e->until) {
        cached = xstrdup(e->addrs);
    } else {
        *ret = query_new(r, l, fn, arg);
        list_add_tail(&e->waiting, &(*ret)->node);
        if (!e->running && e->err && loop_now(l) < e->until) {
            answer_all(e); /* failed a moment ago */
        } else {
            begin = !e->running;
            e->running = true;
        }
    }
    pthread_mutex_unlock(&r->lock);
    if (begin) start_job(r, host, loop_now(l));
    return cached;
}

void resolver_cancel(struct resolver_query *q)
{
    struct resolver *r = q->r;

    pthread_mutex_lock(&r->lock);
    bool posted = q->posted;
    q->cancelled = true;
    list_del(&q->node);
    pthread_mutex_unlock(&r->lock);
    if (!posted) free(q);
}

void resolver_forget(struct resolver *r, struct str host)
{
    pthread_mutex_lock(&r->lock);
    struct entry *e = map_get(&r->entries, host);
    if (e && !e->running) e->until = 0;
    pthread_mutex_unlock(&r->lock);
}

bool resolver_is_literal(struct str host)
{
    char name[INET6_ADDRSTRLEN + 20];
    u8 ip[16];

    if (str_ieq(host, STR("localhost")) || str_ends(host, STR(".localhost"))) return true;
    if (host.n == 0 || host.n >= sizeof(name)) return host.n == 0;
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    name[strcspn(name, "%")] = '\0'; /* a zone */
    return inet_pton(AF_INET, name, ip) == 1 || inet_pton(AF_INET6, name, ip) == 1;
}
