/* Watches or a timer, and what follows from a change. */
#include "components/common/follow_files.h"

#include <stdlib.h>

#define DEBOUNCE (100 * NS_PER_MS)

static void changed(void *arg)
{
    struct follow *f = arg;
    struct comp *c = f->shard->comp;
    char *err;

    if (f->rules->publish(c, f->shard, f->plan, &err) == 0) {
        comp_health(c, HEALTH_HEALTHY, "%s", f->rules->well);
        return;
    }
    comp_health(c, HEALTH_UNHEALTHY, "%s: %s", f->rules->failed, err);
    log_error(c->log, f->rules->failed, F_CSTR("err", err));
    free(err);
}

static void watch_all(struct follow *f, const struct follow_conf *conf)
{
    struct loop *l = f->shard->worker->loop;

    for (size_t i = 0; i < FOLLOW_FILES_MAX; i++)
        if (conf->files[i].n > 0)
            f->watches[i] = file_watch_new(l, conf->files[i].p, DEBOUNCE, conf->every, changed, f);
}

static void begin(struct follow *f)
{
    struct follow_conf conf = {0};

    f->rules->conf(f->plan, &conf);
    if (conf.by_timer) {
        f->timer = timer_new(f->shard->worker->loop, changed, f);
        timer_every(f->timer, conf.every);
    } else {
        watch_all(f, &conf);
    }
}

static void end(struct follow *f)
{
    for (size_t i = 0; i < FOLLOW_FILES_MAX; i++) {
        if (f->watches[i]) file_watch_free(f->watches[i]);
        f->watches[i] = NULL;
    }
    timer_free(f->timer);
    f->timer = NULL;
}

int follow_run(struct shard *s, const struct follow_rules *rules)
{
    struct follow *f = s->self;

    *f = (struct follow){.shard = s, .plan = s->plan, .rules = rules};
    begin(f);
    return 0;
}

int follow_apply(struct shard *s, const void *plan)
{
    struct follow *f = s->self;

    end(f);
    f->plan = plan;
    begin(f);
    comp_health(s->comp, HEALTH_HEALTHY, "%s", f->rules->well);
    return 0;
}

void follow_stop(struct shard *s)
{
    end(s->self);
    shard_stopped(s);
}

void follow_shard_done(struct shard *s)
{
    end(s->self);
}
