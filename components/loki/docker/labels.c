/* From targets to containers: one for each, whatever number of targets (a port, a network)
 * name it. */
#include "components/common/targets.h"
#include "components/loki/docker/docker.h"

#define ID     STR("__meta_docker_container_id")
#define STREAM STR("__meta_docker_container_log_stream")

struct choosing {
    struct docker_source *s;
    const struct docker_plan *plan;
    struct label_set set;
    struct map chosen; /* container id: struct labels *, all labels of the target that is taken */
    size_t lost;       /* for want of memory */
};

static bool has_position(const struct docker_source *s, struct str id, const struct labels *key)
{
    char *path = docker_position_path(id);
    bool has = positions_get(s->shared->positions, str_of(path), key->text).p;

    free(path);
    return has;
}

/* Of two targets of a container: the one whose position is known, else the one with the smaller
 * hash, which is arbitrary but stable. */
static bool is_better(const struct docker_source *s, struct str id, const struct labels *a,
                      const struct labels *b)
{
    bool known_a = has_position(s, id, a), known_b = has_position(s, id, b);

    return known_a != known_b ? known_a : a->hash < b->hash;
}

static void choose(struct choosing *c, size_t i)
{
    const struct str_map *more = &c->plan->args->labels;

    target_load(c->plan->args->targets, i, &c->set);
    struct str id = label_set_get(&c->set, ID);
    if (id.n == 0) {
        log_debug(c->s->shard->comp->log, "a target without __meta_docker_container_id is skipped");
        return;
    }
    for (size_t k = 0; k < more->n; k++)
        label_set_put(&c->set, more->v[k].key, more->v[k].value);
    struct labels *key = label_set_intern(&c->set, c->s->shard->comp->host->labels);
    if (!key) {
        c->lost++;
        return;
    }
    struct str own_id = labels_get(key, ID);
    struct labels *other = map_get(&c->chosen, own_id);
    if (other && !is_better(c->s, own_id, key, other))
        labels_unref(key);
    else
        labels_unref(map_put(&c->chosen, own_id, key));
}

/* Rules that drop the set leave one without labels: the entry goes on. */
static struct labels *stream_labels(struct choosing *c, const struct labels *key, struct str stream)
{
    bool limited = false;

    label_set_load(&c->set, key);
    label_set_put(&c->set, STREAM, stream);
    if (!relabel_apply(relabel_of(c->plan->args->relabel_rules.c), &c->set, &limited))
        label_set_reset(&c->set);
    if (limited)
        log_warn(c->s->shard->comp->log, RELABEL_LIMITED, F_STR("labels", key->text));
    label_set_strip(&c->set, true);
    return label_set_intern(&c->set, c->s->shard->comp->host->labels);
}

static void begin(struct choosing *c, struct str id, struct labels *key)
{
    struct labels *labels[DOCKER_STREAMS] = {stream_labels(c, key, STR("stdout")),
                                             stream_labels(c, key, STR("stderr"))};
    struct container *t = map_get(&c->s->containers, id);

    if (!labels[DOCKER_STDOUT] || !labels[DOCKER_STDERR]) {
        labels_unref(labels[DOCKER_STDOUT]);
        labels_unref(labels[DOCKER_STDERR]);
        c->lost++;
    } else if (t) {
        container_relabel(t, labels_ref(key), labels);
        container_stay(t);
    } else {
        (void)map_put(&c->s->containers, id, container_new(c->s, id, labels_ref(key), labels));
    }
}

static void unref(void *labels)
{
    labels_unref(labels);
}

void docker_targets_apply(struct docker_source *s, const struct docker_plan *plan)
{
    struct choosing c = {.s = s, .plan = plan};
    size_t n = targets_count(plan->args->targets);

    label_set_init(&c.set);
    for (size_t i = 0; i < n; i++)
        choose(&c, i);
    map_each (&c.chosen, e)
        begin(&c, e->key, e->value);
    map_each (&s->containers, e)
        if (!map_has(&c.chosen, e->key)) container_leave(e->value);
    docker_source_show(s);
    if (c.lost || c.set.err)
        log_error(s->shard->comp->log,
                  "no memory for the labels of targets, their logs are not read",
                  F_UINT("targets", MAX(c.lost, (size_t)1)));
    map_done(&c.chosen, unref);
    label_set_done(&c.set);
}
