/* Templates: compiling, and what is made ready for all runs. */
#include <stdlib.h>
#include "base/xalloc.h"
#include "components/common/template/ast.h"
#include "components/common/template/pattern.h"
#include "components/common/template/zones.h"

static void ready_list(struct template *t, const struct list *l);
static void ready_pipe(struct template *t, const struct pipe *p);

static void ready_operand(struct template *t, const struct node *n)
{
    if (n->kind == NODE_PIPE) ready_pipe(t, n->pipe);
    if (n->kind == NODE_CHAIN) {
        struct command c = {(struct node **)&n->of, 1};
        zones_of_command(t, &c);
        ready_operand(t, n->of);
    }
}

static void ready_command(struct template *t, const struct command *c)
{
    patterns_of_command(t, c);
    zones_of_command(t, c);
    for (size_t i = 0; i < c->n; i++) {
        struct command alone = {&c->args[i], 1};
        zones_of_command(t, &alone);
        ready_operand(t, c->args[i]);
    }
}

static void ready_pipe(struct template *t, const struct pipe *p)
{
    for (size_t i = 0; p && i < p->n; i++)
        ready_command(t, &p->cmds[i]);
}

static void ready_list(struct template *t, const struct list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        ready_pipe(t, l->v[i]->pipe);
        ready_list(t, &l->v[i]->body);
        ready_list(t, &l->v[i]->otherwise);
    }
}

static void ready(struct template *t)
{
    ready_list(t, &t->main);
    map_each (&t->defined, e)
        ready_list(t, e->value);
}

struct template *template_new(struct str text, char **ret_err)
{
    return template_new_named("pipeline_template", text, ret_err);
}

struct template *template_new_named(const char *name, struct str text, char **ret_err)
{
    struct template *t = xnew(struct template);
    arena_init(&t->arena, 0);
    if (parse(t, name, text, ret_err) == 0) {
        ready(t);
        return t;
    }
    template_free(t);
    return NULL;
}

static void free_pattern(void *re)
{
    regex_free(re);
}

static void free_zone(void *z)
{
    time_zone_free(z);
}

void template_free(struct template *t)
{
    if (!t) return;
    map_done(&t->patterns, free_pattern);
    map_done(&t->zones, free_zone);
    map_done(&t->defined, NULL);
    arena_done(&t->arena);
    free(t);
}
