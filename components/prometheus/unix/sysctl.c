/* sysctl: settings of the kernel that the configuration names: numbers as metrics, texts as labels.
 * "net.ipv4.tcp_rmem" has three numbers, told apart by `index`; with ":min,default,max" behind it
 * each has a name of its own. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>
#include "components/common/settings.h"

#define VALUES 64

struct item {
    struct str name, keys;
    const char *path;
    bool info;
};
struct plan {
    struct item *items;
    size_t n;
};

static int parse(struct collector_prepare *pr, struct item *to, struct str text, bool info)
{
    struct str keys = text, name = str_cut(&keys, ':');

    if (name.n == 0 || str_find(name, STR("..")) >= 0 || str_chr(name, '\n') >= 0)
        return setting_fault(pr->p, info ? "sysctl/include_info" : "sysctl/include",
                             "\"" STR_FMT "\" is no name of a sysctl value", STR_ARG(text));
    char *path = arena_strdup(pr->arena, name);
    for (char *p = path; *p; p++) /* a slash stands for a dot in the name of a device */
        *p = (char)(*p == '.' ? '/' : *p == '/' ? '.' : *p);
    *to = (struct item){.name = arena_str(pr->arena, name),
                        .keys = arena_str(pr->arena, keys),
                        .path = path,
                        .info = info};
    return 0;
}

static int prepare(struct collector_prepare *pr, void *to)
{
    struct plan *plan = to;
    const struct str_list *lists[] = {&pr->args->sysctl.include, &pr->args->sysctl.include_info};
    int r = 0;

    plan->items = arena_array(pr->arena, struct item, lists[0]->n + lists[1]->n + 1);
    for (size_t l = 0; l < ARRAY_LEN(lists); l++)
        for (size_t i = 0; i < lists[l]->n; i++)
            if (parse(pr, &plan->items[plan->n++], lists[l]->v[i], l == 1)) r = -EINVAL;
    return r;
}

static void add_info(struct collect *c, const struct item *item, struct str text)
{
    struct expo_family *f = expo_gauge(c->out, "node_sysctl_info", "sysctl info");
    struct str value;

    for (size_t i = 0; unix_field(&text, &value); i++) {
        char index[16];

        snprintf(index, sizeof(index), "%zu", i);
        expo_add(f, 1, EXPO_LS("name", item->name), EXPO_LS("value", value),
                 EXPO_L("index", index));
    }
}

static struct expo_family *family(struct collect *c, const struct item *item, struct str key)
{
    const char *base = unix_metric_name(c, "node_sysctl_", item->name, key.n > 0 ? "_" : "");
    const char *name = key.n > 0 ? unix_metric_name(c, base, key, "") : base;
    const char *help = key.n > 0 ? arena_printf(c->arena, "sysctl " STR_FMT ", field " STR_FMT,
                                                STR_ARG(item->name), STR_ARG(key))
                                 : arena_printf(c->arena, "sysctl " STR_FMT, STR_ARG(item->name));

    return expo_untyped(c->out, name, expo_keep(c->out, str_of(help)));
}

static int add_numbers(struct collect *c, const struct item *item, struct str text)
{
    struct str part[VALUES], keys = item->keys;
    size_t n = unix_fields(text, part, VALUES);
    f64 v;

    for (size_t i = 0; i < n; i++) {
        struct str key = item->keys.n > 0 ? str_cut(&keys, ',') : STR("");
        char index[16];

        if (unix_f64(part[i], &v))
            return collect_fail(c, -EINVAL, "%s is no number: name it in include_info", item->path);
        if (item->keys.n > 0 && key.n == 0)
            return collect_fail(c, -EINVAL, "%s has %zu values, and fewer names for them",
                                item->path, n);
        snprintf(index, sizeof(index), "%zu", i);
        if (n > 1 && key.n == 0)
            expo_add(family(c, item, key), v, EXPO_L("index", index));
        else
            expo_add(family(c, item, key), v);
    }
    return 0;
}

static int collect(struct collect *c)
{
    const struct plan *plan = c->plan;

    for (size_t i = 0; i < plan->n; i++) {
        const struct item *item = &plan->items[i];
        struct str text;
        int r = unix_read(c, &text, ROOT_PROC, "sys/%s", item->path);

        if (r) return unix_read_failed(c, r, ROOT_PROC, "sys/%s", item->path);
        if (item->info)
            add_info(c, item, str_trim(text));
        else if ((r = add_numbers(c, item, str_trim(text))))
            return r;
    }
    return COLLECT_OK;
}

const struct collector_def collector_sysctl = {
    .name = "sysctl", .plan_size = sizeof(struct plan), .prepare = prepare, .collect = collect};
