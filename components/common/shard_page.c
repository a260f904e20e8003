/* Pages of a shard, asked for on the control loop. */
#include "components/common/shard_page.h"

#include "base/list.h"
#include "base/refcount.h"

struct shard_page {
    struct refs refs;
    size_t max;
    /* Control loop. */
    struct comp *comp; /* NULL: gone */
    struct list waiting;
    bool asked;
    /* Worker; the loop is read by others. */
    struct loop *_Atomic loop;
    void (*asked_for)(void *arg, struct shard_question *q);
    void *arg;
};

/* First: see who answers requests late in ui/. */
struct asker {
    struct http_req *r; /* NULL: the client went away */
    struct list node;
};
struct shard_question {
    struct msg msg;
    struct shard_page *page;
    struct loop *back;
    bool written;
    struct buf text;
};

static void page_unref(struct shard_page *p)
{
    if (refs_put(&p->refs)) free(p);
}

struct shard_page *shard_page_new(struct comp *c, size_t max)
{
    struct shard_page *p = xnew(struct shard_page);

    refs_init(&p->refs);
    p->comp = c;
    p->max = max;
    list_init(&p->waiting);
    return p;
}

static void answer_all(struct shard_page *p, int status, struct str body)
{
    const struct http_header type = {STR("Content-Type"),
                                     status == 200 ? STR("text/plain; version=0.0.4; charset=utf-8")
                                                   : STR("text/plain; charset=utf-8")};
    const struct http_answer with = {
        .status = status, .headers = &type, .n_headers = 1, .body = body};

    while (!list_empty(&p->waiting)) {
        struct asker *a = list_item(p->waiting.next, struct asker, node);
        if (a->r) {
            a->r->user = NULL;
            http_respond(a->r, &with);
        }
        list_del(&a->node);
        free(a);
    }
}

void shard_page_close(struct shard_page *p)
{
    if (!p) return;
    answer_all(p, 503, STR("the exporter is going away\n"));
    p->comp = NULL;
    page_unref(p);
}

static void on_answer(struct msg *m)
{
    struct shard_question *q = container_of(m, struct shard_question, msg);
    struct shard_page *p = q->page;

    p->asked = false;
    if (!q->written)
        answer_all(p, 503, STR("the exporter is not running\n"));
    else if (buf_err(&q->text))
        answer_all(p, 500, STR("no memory for the page, or it is too long\n"));
    else
        answer_all(p, 200, buf_view(&q->text));
    buf_done(&q->text);
    page_unref(p);
    free(q);
}

void shard_question_answer(struct shard_question *q, bool written)
{
    q->written = written;
    q->msg.fn = on_answer;
    loop_post(q->back, &q->msg);
}

struct buf *shard_question_text(struct shard_question *q)
{
    return &q->text;
}

static void on_question(struct msg *m)
{
    struct shard_question *q = container_of(m, struct shard_question, msg);

    if (q->page->asked_for)
        q->page->asked_for(q->page->arg, q);
    else
        shard_question_answer(q, false);
}

void shard_page_ask(struct shard_page *p, struct http_req *r)
{
    struct loop *loop = atomic_load(&p->loop);

    if (!loop) {
        http_respond_text(r, 503, STR("the exporter is not running yet\n"));
        return;
    }
    struct asker *a = xnew(struct asker);
    a->r = r;
    r->user = a;
    list_add_tail(&p->waiting, &a->node);
    if (p->asked) return;
    p->asked = true;
    struct shard_question *q = xnew(struct shard_question);
    refs_get(&p->refs);
    q->page = p;
    q->back = listeners_loop(p->comp->host->listeners);
    q->msg.fn = on_question;
    buf_init(&q->text, p->max);
    loop_post(loop, &q->msg);
}

void shard_page_serve(struct shard_page *p, struct loop *loop,
                      void (*asked)(void *arg, struct shard_question *q), void *arg)
{
    p->asked_for = asked;
    p->arg = arg;
    if (loop) atomic_store(&p->loop, loop);
}
