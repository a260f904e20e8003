/* Worst-of health with times. */
#include "runtime/health.h"

#include "base/xalloc.h"
#include "runtime/compile/template.h"

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

/* ---- what each kind of node says ---- */

struct words {
    const char *created, *evaluated, *failed, *started;
};

static const struct words component_words = {"component created", "component evaluated",
                                             "component evaluation failed", "started component"};
static const struct words by_kind[] = {
    [NODE_CUSTOM] = {"node custom component created", "component evaluated",
                     "component evaluation failed", "started custom component"},
    [NODE_FOREACH] = {"", "foreach evaluated", "foreach evaluation failed", "started foreach"},
    [NODE_IMPORT] = {"component created", "source evaluated", "source evaluation failed",
                     "started import"},
};

static const struct words *words_of(int kind)
{
    return (size_t)kind < ARRAY_LEN(by_kind) && by_kind[kind].created ? &by_kind[kind]
                                                                      : &component_words;
}

void node_health_init(struct node_health *h, int kind, i64 now)
{
    *h = (struct node_health){0};
    node_health_set(h, HEALTH_RUN, HEALTH_UNKNOWN, now, words_of(kind)->created);
    node_health_set(h, HEALTH_EVAL, HEALTH_UNKNOWN, now, words_of(kind)->created);
}

void node_health_evaluated(struct node_health *h, int kind, i64 now, const char *err)
{
    const struct words *w = words_of(kind);
    if (!err) {
        node_health_set(h, HEALTH_EVAL, HEALTH_HEALTHY, now, w->evaluated);
        return;
    }
    char *text = xprintf("%s: %s", w->failed, err);
    node_health_set(h, HEALTH_EVAL, HEALTH_UNHEALTHY, now, text);
    free(text);
}

void node_health_started(struct node_health *h, int kind, i64 now)
{
    node_health_set(h, HEALTH_RUN, HEALTH_HEALTHY, now, words_of(kind)->started);
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
