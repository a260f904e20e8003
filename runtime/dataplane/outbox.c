/* What an instance tells the controller: exports and health, from any of its threads, in order of
 * telling; only the newest of each kind counts. Writers fill slots under a lock held for a few
 * instructions; one message brings them to the control loop. */
#include <stdarg.h>
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"
#include "value/encode.h"

static struct instance *instance_of_outbox(struct outbox *o)
{
    return container_of(o, struct instance, out);
}

/* Under the lock. True when the message has to be posted. */
static bool claim_post(struct outbox *o)
{
    bool post = !o->posted;

    o->posted = true;
    return post;
}

/* --- control loop --- */

static bool news_of_exports(struct outbox *o, struct value *ret, u64 *ret_seq)
{
    bool news = !o->closed && o->told_seq != o->seq;

    if (!news) return false;
    o->told_seq = o->seq;
    *ret = value_ref(o->exports);
    *ret_seq = o->seq;
    return true;
}

static bool news_of_health(struct outbox *o, enum health *ret, char **ret_text)
{
    bool news = o->health_new;

    if (!news) return false;
    o->health_new = false;
    *ret = o->health;
    *ret_text = xstrdup(o->text);
    return true;
}

static void tell(struct instance *i)
{
    struct value exports;
    u64 seq;
    enum health health;
    char *text;

    pthread_mutex_lock(&i->out.lock);
    bool new_exports = news_of_exports(&i->out, &exports, &seq);
    bool new_health = news_of_health(&i->out, &health, &text);
    pthread_mutex_unlock(&i->out.lock);
    if (new_exports) i->ev.exported(i->arg, exports, seq);
    if (!new_health) return;
    i->ev.health(i->arg, health, text);
    free(text);
}

static void on_news(struct msg *m)
{
    struct instance *i = instance_of_outbox(container_of(m, struct outbox, msg));

    pthread_mutex_lock(&i->out.lock);
    i->out.posted = false;
    pthread_mutex_unlock(&i->out.lock);
    i->out.telling = true;
    if (!i->gone_told) tell(i);
    i->out.telling = false;
    instance_settle(i);
}

void outbox_init(struct outbox *o)
{
    ASSERT(pthread_mutex_init(&o->lock, NULL) == 0);
    o->msg.fn = on_news;
    o->health = HEALTH_UNKNOWN;
    o->text = xstrdup("");
}

void outbox_done(struct outbox *o)
{
    value_unref(o->exports);
    free(o->text);
    pthread_mutex_destroy(&o->lock);
}

bool outbox_busy(struct outbox *o)
{
    pthread_mutex_lock(&o->lock);
    bool busy = o->posted || o->telling;
    pthread_mutex_unlock(&o->lock);
    return busy;
}

void outbox_close(struct outbox *o)
{
    pthread_mutex_lock(&o->lock);
    struct value last = o->exports;
    o->exports = value_null();
    o->closed = true;
    pthread_mutex_unlock(&o->lock);
    value_unref(last);
}

/* --- any thread of the instance --- */

/* Takes v. True when it is news and nobody is on the way to tell it. */
static bool publish(struct outbox *o, struct value v)
{
    bool post = false;

    pthread_mutex_lock(&o->lock);
    bool news = !o->closed && !value_same(o->exports, v);
    struct value old = news ? o->exports : v;
    if (news) {
        o->exports = v;
        o->seq++;
        post = claim_post(o);
    }
    pthread_mutex_unlock(&o->lock);
    value_unref(old);
    return post;
}

static void export(struct instance *i, const void *exports)
{
    ASSERT(i->pub.def->exports);
    struct value v = encode_value(i->pub.def->exports, exports);

    if (publish(&i->out, v)) loop_post(i->workers->control, &i->out.msg);
}

void shard_export(struct shard *s, const void *exports)
{
    export(instance_of(s->comp), exports);
}

/* On the control loop the news is told at once; the message then finds nothing. */
void comp_export(struct comp *c, const void *exports)
{
    struct instance *i = instance_of(c);

    export(i, exports);
    if (loop_is_mine(i->workers->control)) tell(i);
}

/* Takes text. */
static bool say(struct outbox *o, enum health h, char *text)
{
    bool post = false;

    pthread_mutex_lock(&o->lock);
    bool news = h != o->health || strcmp(text, o->text) != 0;
    char *old = news ? o->text : text;
    if (news) {
        o->health = h;
        o->text = text;
        o->health_new = true;
        post = claim_post(o);
    }
    pthread_mutex_unlock(&o->lock);
    free(old);
    return post;
}

static char *format(const char *fmt, va_list ap)
{
    char *text = NULL;

    ASSERT(vasprintf(&text, fmt, ap) >= 0); /* out of memory for a sentence */
    return text;
}

void comp_health(struct comp *c, enum health h, const char *fmt, ...)
{
    struct instance *i = instance_of(c);
    va_list ap;

    va_start(ap, fmt);
    char *text = format(fmt, ap);
    va_end(ap);
    if (say(&i->out, h, text)) loop_post(i->workers->control, &i->out.msg);
}
