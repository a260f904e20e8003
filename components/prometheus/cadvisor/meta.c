/* What Docker and containerd know of a container, and the labels that are made of it. */
#include <errno.h>
#include <stdlib.h>
#include "base/rfc3339.h"
#include "components/common/json_fields.h"
#include "components/prometheus/cadvisor/container.h"

#define TEXTS_MAX 4096 /* labels, or variables, of one container */

typedef VEC(struct cad_label) texts;

static void texts_done(void *arg)
{
    texts *t = arg;

    vec_done(t);
}

/* {"name": "text", ...} */
static int read_texts(struct json_in *j, void *member)
{
    texts *t = member;
    bool first = true;
    struct str key;

    if (json_value(j) != JSON_OBJ) return -EBADMSG;
    while (json_next_key(j, &key, &first)) {
        struct str name = json_text(j, key);
        if (json_value(j) != JSON_STRING || t->n == TEXTS_MAX) return -EBADMSG;
        const struct cad_label l = {name, j->raw};
        vec_push(t, l);
    }
    return j->err ? -EBADMSG : 0;
}

/* ["NAME=value", ...] */
static int read_envs(struct json_in *j, void *member)
{
    texts *t = member;
    bool first = true;

    if (json_value(j) != JSON_ARR) return -EBADMSG;
    while (json_next_elem(j, &first)) {
        if (json_value(j) != JSON_STRING || t->n == TEXTS_MAX) return -EBADMSG;
        struct str value = j->raw, name = str_cut(&value, '=');
        const struct cad_label l = {name, value};
        if (value.p) vec_push(t, l);
    }
    return j->err ? -EBADMSG : 0;
}

/* Variables whose names begin with one of these; their names become small. */
static void keep_envs(const texts *from, const struct str *envs, size_t n, struct arena *a,
                      struct cad_container *c)
{
    for (size_t i = 0; i < from->n; i++)
        for (size_t k = 0; k < n; k++) {
            if (envs[k].n == 0 || !str_starts(from->v[i].name, envs[k])) continue;
            char *name = arena_strdup(a, from->v[i].name);
            for (char *p = name; *p; p++)
                if (*p >= 'A' && *p <= 'Z') *p = (char)(*p | 0x20);
            const struct cad_label l = {str_of(name), arena_str(a, from->v[i].value)};
            vec_push(&c->envs, l);
            break;
        }
}

static void keep_labels(const texts *from, struct arena *a, struct cad_container *c)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct cad_label l = {arena_str(a, from->v[i].name), arena_str(a, from->v[i].value)};
        vec_push(&c->labels, l);
    }
}

/* --- Docker --- */

struct inspected {
    struct str name, created, image, started, health, network;
    i64 restarts, pid;
    texts labels, envs;
};
#define I struct inspected
static const struct json_field config_fields[] = {
    JSON_FIELD(I, image, "Image", JSON_FIELD_STR),
    JSON_FIELD_FN(I, labels, "Labels", read_texts),
    JSON_FIELD_FN(I, envs, "Env", read_envs),
};
static const struct json_field health_fields[] = {
    JSON_FIELD(I, health, "Status", JSON_FIELD_STR),
};
static const struct json_field state_fields[] = {
    JSON_FIELD(I, pid, "Pid", JSON_FIELD_I64),
    JSON_FIELD(I, started, "StartedAt", JSON_FIELD_STR),
    JSON_FIELD_SUB("Health", health_fields),
};
static const struct json_field host_fields[] = {
    JSON_FIELD(I, network, "NetworkMode", JSON_FIELD_STR),
};
static const struct json_field inspected_fields[] = {
    JSON_FIELD(I, name, "Name", JSON_FIELD_STR),
    JSON_FIELD(I, created, "Created", JSON_FIELD_STR),
    JSON_FIELD(I, restarts, "RestartCount", JSON_FIELD_I64),
    JSON_FIELD_SUB("Config", config_fields),
    JSON_FIELD_SUB("State", state_fields),
    JSON_FIELD_SUB("HostConfig", host_fields),
};
#undef I

static void take_inspected(const struct inspected *in, struct arena *a, struct cad_container *c)
{
    struct str name = in->name;

    if (str_starts(name, STR("/"))) name = str_sub(name, 1, name.n);
    c->runtime = CAD_DOCKER;
    c->alias = arena_str(a, name.n ? name : c->id);
    c->image = arena_str(a, in->image);
    c->pid = in->pid;
    (void)rfc3339_parse(in->created, &c->created);
    (void)rfc3339_parse(in->started, &c->started); /* "0001-..." of one that never ran: stays 0 */
    c->shares_network = str_starts(in->network, STR("container:"));
    c->health =
        in->health.n == 0 || str_is(in->health, "none") ? -1 : str_is(in->health, "healthy");
    keep_labels(&in->labels, a, c);
    if (in->restarts <= 0) return;
    const struct cad_label l = {STR("restartcount"),
                                str_of(arena_printf(a, "%lld", (long long)in->restarts))};
    vec_push(&c->labels, l);
}

static int read_object(struct str body, const struct json_field *fields, size_t n, struct arena *a,
                       void *out, const char **ret_err)
{
    struct json_in j;

    json_in_init(&j, body, a);
    int r = json_read_fields(&j, fields, n, out);
    if (r < 0) *ret_err = j.err ? j.err : "a value is of another type";
    return r;
}

int cad_docker_read(struct str body, const struct str *envs, size_t n_envs, struct arena *a,
                    struct cad_container *c, const char **ret_err)
{
    struct inspected in = {0};
    int r = read_object(body, inspected_fields, ARRAY_LEN(inspected_fields), a, &in, ret_err);

    if (r == 0) {
        take_inspected(&in, a, c);
        keep_envs(&in.envs, envs, n_envs, a, c);
    }
    texts_done(&in.labels);
    texts_done(&in.envs);
    return r;
}

struct version {
    struct str version;
};

struct str cad_docker_version(struct str body, struct arena *a)
{
    static const struct json_field fields[] = {
        JSON_FIELD(struct version, version, "Version", JSON_FIELD_STR)};
    struct version v = {0};
    const char *err;

    (void)read_object(body, fields, ARRAY_LEN(fields), a, &v, &err);
    return arena_str(a, v.version);
}

/* --- containerd --- */

struct spec {
    texts annotations, envs;
};
static const struct json_field process_fields[] = {
    JSON_FIELD_FN(struct spec, envs, "env", read_envs),
};
static const struct json_field spec_fields[] = {
    JSON_FIELD_FN(struct spec, annotations, "annotations", read_texts),
    JSON_FIELD_SUB("process", process_fields),
};

static struct str annotation(const struct spec *s, const char *name)
{
    for (size_t i = 0; i < s->annotations.n; i++)
        if (str_is(s->annotations.v[i].name, name)) return s->annotations.v[i].value;
    return (struct str){0};
}

/* Kubernetes' own labels, which the specification has under the names of the interface between. */
static void take_spec(const struct spec *s, struct arena *a, struct cad_container *c)
{
    static const char *const names[][2] = {
        {"io.kubernetes.cri.container-name", "io.kubernetes.container.name"},
        {"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"},
        {"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"},
        {"io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"},
        {"io.kubernetes.cri.container-type", "io.cri-containerd.kind"},
    };

    c->runtime = CAD_CONTAINERD;
    c->alias = c->id;
    c->image = arena_str(a, annotation(s, "io.kubernetes.cri.image-name"));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str value = annotation(s, names[i][0]);
        const struct cad_label l = {str_of(names[i][1]), arena_str(a, value)};
        if (value.n) vec_push(&c->labels, l);
    }
    /* A pod's containers share the network of its sandbox, which tells of it. */
    c->shares_network = str_is(annotation(s, "io.kubernetes.cri.container-type"), "container");
}

int cad_spec_read(struct str body, const struct str *envs, size_t n_envs, struct arena *a,
                  struct cad_container *c, const char **ret_err)
{
    struct spec s = {0};
    int r = read_object(body, spec_fields, ARRAY_LEN(spec_fields), a, &s, ret_err);

    if (r == 0) {
        take_spec(&s, a, c);
        keep_envs(&s.envs, envs, n_envs, a, c);
    }
    texts_done(&s.annotations);
    texts_done(&s.envs);
    return r;
}

/* --- labels --- */

struct naming {
    struct expo_label *v;
    size_t n;
    struct arena *a;
};

static void add(struct naming *l, const char *prefix, struct str name, struct str value)
{
    char *fit = arena_printf(l->a, "%s" STR_FMT, prefix, STR_ARG(name));

    for (char *p = fit; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9')))
            *p = '_';
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i].name, fit) == 0) return; /* the first keeps the name */
    l->v[l->n++] = (struct expo_label){fit, value};
}

static bool is_in(const struct str *list, size_t n, struct str s)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i], s)) return true;
    return false;
}

struct expo_label *cad_labels(const struct cad_container *c, bool all, const struct str *allowed,
                              size_t n_allowed, struct arena *a, size_t *ret_n)
{
    struct naming l = {.v = arena_array(a, struct expo_label, 3 + c->labels.n + c->envs.n), .a = a};

    add(&l, "id", STR(""), c->name);
    if (c->alias.n) add(&l, "name", STR(""), c->alias);
    if (c->image.n) add(&l, "image", STR(""), c->image);
    for (size_t i = 0; i < c->labels.n; i++)
        if (all || is_in(allowed, n_allowed, c->labels.v[i].name))
            add(&l, "container_label_", c->labels.v[i].name, c->labels.v[i].value);
    for (size_t i = 0; i < c->envs.n; i++)
        add(&l, "container_env_", c->envs.v[i].name, c->envs.v[i].value);
    *ret_n = l.n;
    return l.v;
}
