/* Sets of rules as they are written. */
#include "components/loki/secretfilter/rules.h"

struct rule_def *rules_find(const struct rule_set *s, struct str id)
{
    for (struct rule_def *r = s->rules; r; r = r->next)
        if (str_eq(r->id, id)) return r;
    return NULL;
}

void rules_append(struct rule_set *s, struct rule_def *r)
{
    struct rule_def **at = &s->rules;

    while (*at)
        at = &(*at)->next;
    *at = r;
}

static struct texts both(struct arena *a, struct texts x, struct texts y)
{
    struct texts t = {arena_array(a, struct str, x.n + y.n + 1), x.n + y.n};

    if (x.n) memcpy(t.v, x.v, x.n * sizeof(*x.v));
    if (y.n) memcpy(t.v + x.n, y.v, y.n * sizeof(*y.v));
    return t;
}

void rules_merge(struct rule_set *s, struct rule_def *into, const struct rule_def *r)
{
    struct allow_def **at = &into->allow;

    if (r->regex.n) into->regex = r->regex;
    if (r->path.n) into->path = r->path;
    if (r->entropy != 0) into->entropy = r->entropy;
    if (r->group) into->group = r->group;
    if (r->keywords.n) into->keywords = both(s->a, into->keywords, r->keywords);
    while (*at)
        at = &(*at)->next;
    *at = r->allow;
    into->line = r->line;
}
