/* Worst-of health with times. */
#include "runtime/health.h"

#include "base/xalloc.h"

static const char *const names[] = {
    [HEALTH_UNKNOWN] = "unknown",
    [HEALTH_HEALTHY] = "healthy",
    [HEALTH_UNHEALTHY] = "unhealthy",
    [HEALTH_EXITED] = "exited",
};

static const int badness[] = {
    [HEALTH_HEALTHY] = 0,
    [HEALTH_UNKNOWN] = 1,
    [HEALTH_UNHEALTHY] = 2,
    [HEALTH_EXITED] = 3,
};

const char *health_name(enum health h)
{
    return names[h];
}

void node_health_init(struct node_health *h, i64 now)
{
    *h = (struct node_health){0};
    node_health_set(h, HEALTH_RUN, HEALTH_UNKNOWN, now, "component created");
    node_health_set(h, HEALTH_EVAL, HEALTH_UNKNOWN, now, "component created");
}

void node_health_done(struct node_health *h)
{
    for (int i = 0; i < HEALTH_SOURCES; i++)
        free(h->part[i].text);
    *h = (struct node_health){0};
}

void node_health_set(struct node_health *h, enum health_source src, enum health state, i64 now,
                     const char *text)
{
    struct health_part *p = &h->part[src];
    if (p->text && p->state == state && strcmp(p->text, text) == 0) return;
    free(p->text);
    *p = (struct health_part){.state = state, .when = now, .text = xstrdup(text)};
}

static bool worse(const struct health_part *a, const struct health_part *b)
{
    if (badness[a->state] != badness[b->state]) return badness[a->state] > badness[b->state];
    return a->when > b->when;
}

const struct health_part *node_health_worst(const struct node_health *h)
{
    const struct health_part *worst = &h->part[0];
    for (int i = 1; i < HEALTH_SOURCES; i++)
        if (h->part[i].text && worse(&h->part[i], worst)) worst = &h->part[i];
    return worst;
}
