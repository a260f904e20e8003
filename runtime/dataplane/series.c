/* The metrics of an instance: series made on the control loop (comp_metric), and those that a shard
 * makes on its worker (shard_metric). The registry belongs to the control loop: a shard's series is
 * counted in at once, and travels there to be shown, and once more to be freed. Messages of a shard
 * arrive in order, and the farewell of a stopping instance behind all of them. */
#include <stdlib.h>
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"

/* "/" for the root, "/mods.a.b" for an instance inside a module. */
static char *component_path(const struct comp *c)
{
    size_t id = strlen(c->id), local = strlen(c->local_id);

    if (id <= local + 1) return xstrdup("/");
    return xprintf("/%.*s", (int)(id - local - 1), c->id);
}

static struct metric *make(const struct comp *c, const struct metric_desc *d,
                           const struct metric_label *labels, size_t n)
{
    char *path = component_path(c);
    struct metric_label *all = xcalloc(n + 2, sizeof(*all));

    for (size_t k = 0; k < n; k++)
        all[k] = labels[k];
    all[n] = (struct metric_label){"component_id", c->local_id};
    all[n + 1] = (struct metric_label){"component_path", path};
    struct metric *m = metric_make(d, all, n + 2);
    free(all);
    free(path);
    return m;
}

static void show(const struct comp *c, struct metric *m)
{
    if (metric_register(c->host->metrics, m)) return;
    log_error(c->log,
              "a metric of this name and another type exists already; this one is not shown",
              F_CSTR("metric", metric_name(m)));
}

struct metric *comp_metric(struct comp *c, const struct metric_desc *d,
                           const struct metric_label *labels, size_t n)
{
    struct metric *m = make(c, d, labels, n);

    show(c, m);
    vec_push(&instance_of(c)->metrics, m);
    return m;
}

/* --- of shards --- */

/* Made and freed together. */
struct series {
    struct list node; /* in the instance's list; control loop */
    struct msg arrive, leave;
    struct instance *inst;
    size_t n;
    struct metric *v[];
};

static void on_arrive(struct msg *m)
{
    struct series *s = container_of(m, struct series, arrive);

    list_add_tail(&s->inst->series, &s->node);
    for (size_t i = 0; i < s->n; i++)
        show(&s->inst->pub, s->v[i]);
}

static void series_free(struct series *s)
{
    list_del(&s->node);
    for (size_t i = 0; i < s->n; i++)
        metric_free(s->inst->pub.host->metrics, s->v[i]);
    free(s);
}

static void on_leave(struct msg *m)
{
    series_free(container_of(m, struct series, leave));
}

static void fill(struct series *s, struct shard *shard, const struct metric_desc *const *d,
                 const struct metric_label *labels, size_t n_labels)
{
    for (size_t i = 0; i < s->n; i++) {
        s->v[i] =
            i == 0 ? make(shard->comp, d[i], labels, n_labels) : metric_make_like(d[i], s->v[0]);
        metric_set_user(s->v[i], s);
    }
}

void shard_metrics(struct shard *shard, const struct metric_desc *const *d, size_t n,
                   const struct metric_label *labels, size_t n_labels, struct metric **ret)
{
    struct series *s = xcalloc(1, sizeof(*s) + n * sizeof(struct metric *));

    s->inst = instance_of(shard->comp);
    s->n = n;
    s->arrive.fn = on_arrive;
    s->leave.fn = on_leave;
    fill(s, shard, d, labels, n_labels);
    memcpy(ret, s->v, n * sizeof(struct metric *));
    loop_post(s->inst->workers->control, &s->arrive);
}

struct metric *shard_metric(struct shard *shard, const struct metric_desc *d,
                            const struct metric_label *labels, size_t n)
{
    struct metric *m;

    shard_metrics(shard, &d, 1, labels, n, &m);
    return m;
}

void shard_metric_free(struct shard *shard, struct metric *m)
{
    if (!m) return;
    struct series *s = metric_user(m);

    loop_post(s->inst->workers->control, &s->leave);
}

void instance_free_series(struct instance *i)
{
    list_each (&i->series, node)
        series_free(list_item(node, struct series, node));
}
