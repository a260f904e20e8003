/* Names of addresses through a cache. */
#include "net/reverse_names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/xalloc.h"

#define AT_ONCE   4
#define FRESH     (600 * NS_PER_SEC) /* then it is asked again; the old answer serves meanwhile */
#define FRESH_NOT (60 * NS_PER_SEC)  /* the same for addresses without a name */

struct name {
    struct list node;    /* of `used`, the latest at the end */
    struct list waiting; /* of `queue` */
    char *ip, *names;    /* names NULL: not known yet */
    i64 until;
    bool asked;
};
struct reverse_names {
    struct offload *pool;
    struct loop *loop;
    size_t capacity;
    void (*answered)(void *arg, struct str ip);
    void *arg;
    struct map by_ip; /* of struct name */
    struct list used, queue, questions;
    u32 n_questions;
};
struct question {
    struct job job;
    struct list node;
    struct reverse_names *of; /* NULL: gone */
    char *ip, *names;
};

/* --- asking: pool thread --- */

static void add_name(struct buf *b, const char *name)
{
    if (!name || !*name) return;
    if (b->n) buf_ch(b, ',');
    buf_cstr(b, name);
    if (strchr(name, '.') && name[strlen(name) - 1] != '.') buf_ch(b, '.');
}

static char *ask(const char *ip)
{
    struct buf names = BUF_INIT(16 << 10);
    struct in6_addr addr;
    bool v6 = strchr(ip, ':') != NULL;
    struct hostent entry, *found = NULL;
    char room[8192];
    int err;

    if (inet_pton(v6 ? AF_INET6 : AF_INET, ip, &addr) == 1)
        (void)gethostbyaddr_r(&addr, v6 ? 16 : 4, v6 ? AF_INET6 : AF_INET, &entry, room,
                              sizeof(room), &found, &err);
    if (found) add_name(&names, found->h_name);
    for (char **alias = found ? found->h_aliases : NULL; alias && *alias; alias++)
        add_name(&names, *alias);
    char *text = str_dup(buf_view(&names));
    buf_done(&names);
    return text;
}

char *(*reverse_names_ask)(const char *ip) = ask;

static void on_work(struct job *j)
{
    struct question *q = container_of(j, struct question, job);

    q->names = reverse_names_ask(q->ip);
}

/* --- the cache --- */

static void ask_more(struct reverse_names *r);

static void question_free(struct question *q)
{
    free(q->ip);
    free(q->names);
    free(q);
}

static void on_done(struct job *j)
{
    struct question *q = container_of(j, struct question, job);
    struct reverse_names *r = q->of;

    if (r) {
        struct name *n = map_get(&r->by_ip, str_of(q->ip));
        list_del(&q->node);
        r->n_questions--;
        if (n) {
            free(n->names);
            n->names = q->names;
            q->names = NULL;
            n->asked = false;
            n->until = loop_now(r->loop) + (*n->names ? FRESH : FRESH_NOT);
        }
        ask_more(r);
        r->answered(r->arg, str_of(q->ip)); /* may free r */
    }
    question_free(q);
}

static void start(struct reverse_names *r, const char *ip)
{
    struct question *q = xnew(struct question);

    q->of = r;
    q->ip = xstrdup(ip);
    q->job.reply_to = r->loop;
    q->job.work = on_work;
    q->job.done = on_done;
    list_add_tail(&r->questions, &q->node);
    r->n_questions++;
    offload_run(r->pool, &q->job);
}

static void ask_more(struct reverse_names *r)
{
    while (r->n_questions < AT_ONCE && !list_empty(&r->queue)) {
        struct name *n = list_item(r->queue.next, struct name, waiting);
        list_del(&n->waiting);
        start(r, n->ip);
    }
}

static void name_free(void *p)
{
    struct name *n = p;

    list_del(&n->node);
    list_del(&n->waiting);
    free(n->ip);
    free(n->names);
    free(n);
}

static void forget_oldest(struct reverse_names *r)
{
    struct name *n = list_item(r->used.next, struct name, node);

    map_del(&r->by_ip, str_of(n->ip));
    name_free(n);
}

static struct name *name_new(struct reverse_names *r, struct str ip)
{
    struct name *n = xnew(struct name);

    if (r->by_ip.live >= r->capacity) forget_oldest(r);
    n->ip = str_dup(ip);
    list_init(&n->node);
    list_init(&n->waiting);
    map_put(&r->by_ip, ip, n);
    return n;
}

struct str reverse_names_get(struct reverse_names *r, struct str ip)
{
    struct name *n = map_get(&r->by_ip, ip);

    if (!n) n = name_new(r, ip);
    list_del(&n->node);
    list_add_tail(&r->used, &n->node);
    if (!n->asked && (!n->names || n->until < loop_now(r->loop))) {
        n->asked = true;
        list_add_tail(&r->queue, &n->waiting);
        ask_more(r);
    }
    return str_of(n->names);
}

struct reverse_names *reverse_names_new(struct offload *pool, struct loop *loop, size_t capacity,
                                        void (*answered)(void *arg, struct str ip), void *arg)
{
    struct reverse_names *r = xnew(struct reverse_names);

    *r = (struct reverse_names){
        .pool = pool, .loop = loop, .capacity = capacity, .answered = answered, .arg = arg};
    list_init(&r->used);
    list_init(&r->queue);
    list_init(&r->questions);
    return r;
}

void reverse_names_free(struct reverse_names *r)
{
    if (!r) return;
    list_each (&r->questions, at)
        list_item(at, struct question, node)->of = NULL;
    map_done(&r->by_ip, name_free);
    free(r);
}
