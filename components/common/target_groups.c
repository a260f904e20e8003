/* Both formats are read into one struct group, which makes the targets. */
#include "components/common/target_groups.h"

#include <errno.h>

#include "base/json.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "base/yaml.h"

struct pair {
    struct str name, value;
};
struct group {
    VEC(struct str) targets;
    VEC(struct pair) labels;
};
struct reader {
    const struct target_groups_conf *conf;
    struct arena *arena;
    struct target_list *into;
    struct label_set target;
    struct group group;
    const char *err;
};

static int fault(struct reader *r, const char *why)
{
    if (!r->err) r->err = why;
    return -EBADMSG;
}

static int add_label(struct reader *r, struct str name, struct str value)
{
    if (name.n == 0 || !utf8_valid(name)) return fault(r, "a label has no valid name");
    if (!utf8_valid(value)) return fault(r, "the value of a label is not UTF-8");
    vec_push(&r->group.labels, ((struct pair){name, value}));
    return 0;
}

static int add_target(struct reader *r, struct str address)
{
    if (!utf8_valid(address)) return fault(r, "an address is not UTF-8");
    if (r->group.targets.n + r->into->n >= TARGET_GROUPS_MAX)
        return fault(r, "there are more than 1000000 targets");
    vec_push(&r->group.targets, address);
    return 0;
}

static void begin_group(struct reader *r)
{
    vec_clear(&r->group.targets);
    vec_clear(&r->group.labels);
}

/* The address wins over a label of the group that has its name. */
static int end_group(struct reader *r)
{
    int err = 0;

    vec_each (&r->group.targets, t) {
        label_set_reset(&r->target);
        vec_each (&r->group.labels, l)
            label_set_put_view(&r->target, l->name, l->value);
        label_set_put_view(&r->target, r->conf->label, r->conf->value);
        label_set_put_view(&r->target, STR("__address__"), *t);
        if (r->target.err) err = r->target.err;
        target_list_add(r->into, &r->target);
    }
    return err;
}

static int finish(struct reader *r, int result, const char **ret_err)
{
    label_set_done(&r->target);
    vec_done(&r->group.targets);
    vec_done(&r->group.labels);
    if (result == -EBADMSG) *ret_err = r->err ? r->err : "it is not a list of target groups";
    if (result == -ENOMEM) *ret_err = "out of memory";
    return result;
}

static void begin(struct reader *r, const struct target_groups_conf *conf, struct arena *a,
                  struct target_list *into)
{
    *r = (struct reader){.conf = conf, .arena = a, .into = into};
    label_set_init(&r->target);
}

/* --- JSON --- */

static int json_targets(struct reader *r, struct json_in *j)
{
    enum json_type t = json_value(j);
    bool first = true;

    if (t == JSON_NULL) return 0;
    if (t != JSON_ARR) return fault(r, "targets is not a list of texts");
    while (json_next_elem(j, &first)) {
        if (json_value(j) != JSON_STRING) return fault(r, "targets is not a list of texts");
        int err = add_target(r, j->raw);
        if (err) return err;
    }
    return j->err ? fault(r, j->err) : 0;
}

static int json_labels(struct reader *r, struct json_in *j)
{
    enum json_type t = json_value(j);
    struct str key;
    bool first = true;

    if (t == JSON_NULL) return 0;
    if (t != JSON_OBJ) return fault(r, "labels is not an object of texts");
    while (json_next_key(j, &key, &first)) {
        struct str name = json_text(j, key);
        if (json_value(j) != JSON_STRING) return fault(r, "labels is not an object of texts");
        int err = add_label(r, name, j->raw);
        if (err) return err;
    }
    return j->err ? fault(r, j->err) : 0;
}

static int json_member(struct reader *r, struct json_in *j, struct str key)
{
    if (str_is(key, "targets")) return json_targets(r, j);
    if (str_is(key, "labels")) return json_labels(r, j);
    return fault(r, arena_printf(r->arena, "unknown field \"" STR_FMT "\" of a target group",
                                 STR_ARG(str_sub(key, 0, MIN(key.n, (size_t)64)))));
}

static int json_group(struct reader *r, struct json_in *j)
{
    struct str key;
    bool first = true;
    int err = 0;

    if (json_value(j) != JSON_OBJ) return fault(r, j->err ? j->err : "a target group is no object");
    begin_group(r);
    while (!err && json_next_key(j, &key, &first))
        err = json_member(r, j, json_text(j, key));
    if (err) return err;
    return j->err ? fault(r, j->err) : end_group(r);
}

static int json_groups(struct reader *r, struct json_in *j)
{
    enum json_type t = json_value(j);
    bool first = true;
    int err = 0;

    if (t == JSON_NULL) return 0;
    if (t != JSON_ARR) return fault(r, j->err ? j->err : "it is not a list of target groups");
    while (!err && json_next_elem(j, &first))
        err = json_group(r, j);
    if (err) return err;
    if (j->err) return fault(r, j->err);
    return json_value(j) == JSON_END ? 0 : fault(r, "there is something after the list");
}

int target_groups_json(struct str text, const struct target_groups_conf *conf, struct arena *a,
                       struct target_list *into, const char **ret_err)
{
    struct reader r;
    struct json_in j;

    begin(&r, conf, a, into);
    json_in_init(&j, text, a);
    return finish(&r, json_groups(&r, &j), ret_err);
}

/* --- YAML --- */

/* What stands for nothing in a plain scalar. */
static struct str scalar(const struct yaml_node *n)
{
    bool null = n->style == YAML_PLAIN && (str_is(n->text, "~") || str_is(n->text, "null"));

    return null ? STR("") : n->text;
}

static bool is_null(const struct yaml_node *n)
{
    return n->kind == YAML_SCALAR && n->style == YAML_PLAIN && scalar(n).n == 0;
}

static int yaml_targets(struct reader *r, const struct yaml_node *n)
{
    if (is_null(n)) return 0;
    if (n->kind != YAML_SEQ) return fault(r, "targets is not a list of texts");
    for (size_t i = 0; i < n->n; i++) {
        if (n->items[i]->kind != YAML_SCALAR) return fault(r, "targets is not a list of texts");
        int err = add_target(r, scalar(n->items[i]));
        if (err) return err;
    }
    return 0;
}

static int yaml_labels(struct reader *r, const struct yaml_node *n)
{
    if (is_null(n)) return 0;
    if (n->kind != YAML_MAP) return fault(r, "labels is not a map of texts");
    for (size_t i = 0; i + 1 < n->n; i += 2) {
        const struct yaml_node *k = n->items[i], *v = n->items[i + 1];
        if (k->kind != YAML_SCALAR || v->kind != YAML_SCALAR)
            return fault(r, "labels is not a map of texts");
        int err = add_label(r, k->text, scalar(v));
        if (err) return err;
    }
    return 0;
}

static int yaml_member(struct reader *r, const struct yaml_node *key, const struct yaml_node *value)
{
    if (key->kind == YAML_SCALAR && str_is(key->text, "targets")) return yaml_targets(r, value);
    if (key->kind == YAML_SCALAR && str_is(key->text, "labels")) return yaml_labels(r, value);
    return fault(r, arena_printf(r->arena, "line %u: unknown field of a target group", key->line));
}

static int yaml_group(struct reader *r, const struct yaml_node *n)
{
    if (n->kind != YAML_MAP)
        return fault(r, arena_printf(r->arena, "line %u: a target group is no map", n->line));
    begin_group(r);
    for (size_t i = 0; i + 1 < n->n; i += 2) {
        int err = yaml_member(r, n->items[i], n->items[i + 1]);
        if (err) return err;
    }
    return end_group(r);
}

static int yaml_groups(struct reader *r, const struct yaml_node *root)
{
    int err = 0;

    if (!root || is_null(root)) return 0;
    if (root->kind != YAML_SEQ) return fault(r, "it is not a list of target groups");
    for (size_t i = 0; !err && i < root->n; i++)
        err = yaml_group(r, root->items[i]);
    return err;
}

int target_groups_yaml(struct str text, const struct target_groups_conf *conf, struct arena *a,
                       struct target_list *into, const char **ret_err)
{
    struct reader r;
    struct yaml_node *root = NULL;
    const char *why = NULL;

    begin(&r, conf, a, into);
    int err = yaml_parse(text, a, &root, &why);
    if (err) r.err = why;
    return finish(&r, err ? err : yaml_groups(&r, root), ret_err);
}
