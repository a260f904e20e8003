/* Tables for the answers, and lists of what they describe. */
#include "components/common/docker_json.h"

#include <errno.h>
#include "base/rfc3339.h"
#include "components/common/json_fields.h"

/* A list in the arena that doubles when it is full. */
static void *grow(struct arena *a, void *v, size_t n, size_t size)
{
    if (n & (n - 1)) return v; /* room up to the next power of two */
    void *wider = arena_alloc(a, (n ? n * 2 : 1) * size);
    if (n) memcpy(wider, v, n * size);
    return wider;
}

/* Appends a zeroed element to list (a struct { T *v; size_t n; }) and gives its address. */
#define append(a, list)                                                                            \
    ((list)->v = grow((a), (list)->v, (list)->n, sizeof(*(list)->v)),                              \
     memset(&(list)->v[(list)->n], 0, sizeof(*(list)->v)), &(list)->v[(list)->n++])

static int finish(struct json_in *j, int r, const char **ret_err)
{
    if (r == 0 && json_value(j) != JSON_END) r = -EBADMSG;
    if (r != 0) *ret_err = j->err ? j->err : "something follows its end";
    return r;
}

/* --- one container --- */

struct inspected {
    struct docker_state state;
    struct str finished_at;
};
static const struct json_field config_fields[] = {
    JSON_FIELD(struct inspected, state.tty, "Tty", JSON_FIELD_BOOL),
};
static const struct json_field state_fields[] = {
    JSON_FIELD(struct inspected, state.running, "Running", JSON_FIELD_BOOL),
    JSON_FIELD(struct inspected, finished_at, "FinishedAt", JSON_FIELD_STR),
};
static const struct json_field inspected_fields[] = {
    JSON_FIELD_SUB("Config", config_fields),
    JSON_FIELD_SUB("State", state_fields),
};

int docker_read_state(struct str body, struct arena *a, struct docker_state *ret,
                      const char **ret_err)
{
    struct inspected out = {0};
    struct json_in j;

    json_in_init(&j, body, a);
    int r = json_read_fields(&j, inspected_fields, ARRAY_LEN(inspected_fields), &out);
    r = finish(&j, r, ret_err);
    if (r != 0) return r;
    /* "0001-01-01T00:00:00Z" of one that never ended is out of range, and so stays 0. */
    (void)rfc3339_parse(out.finished_at, &out.state.finished_at);
    *ret = out.state;
    return 0;
}

/* --- parts that containers and networks have --- */

static int read_labels(struct json_in *j, void *member)
{
    struct docker_labels *l = member;
    bool first = true;
    struct str key;

    if (json_value(j) != JSON_OBJ) return -EBADMSG;
    while (json_next_key(j, &key, &first)) {
        struct docker_label *label = append(j->scratch, l);
        label->name = json_text(j, key);
        if (json_value(j) != JSON_STRING) return -EBADMSG;
        label->value = j->raw;
    }
    return j->err ? -EBADMSG : 0;
}

static int read_first_name(struct json_in *j, void *member)
{
    struct str *name = member;
    bool first = true;

    if (json_value(j) != JSON_ARR) return -EBADMSG;
    for (bool seen = false; json_next_elem(j, &first); seen = true) {
        if (json_value(j) != JSON_STRING) return -EBADMSG;
        if (!seen) *name = j->raw;
    }
    return j->err ? -EBADMSG : 0;
}

static const struct json_field port_fields[] = {
    JSON_FIELD(struct docker_port, ip, "IP", JSON_FIELD_STR),
    JSON_FIELD(struct docker_port, type, "Type", JSON_FIELD_STR),
    JSON_FIELD(struct docker_port, private_port, "PrivatePort", JSON_FIELD_I64),
    JSON_FIELD(struct docker_port, public_port, "PublicPort", JSON_FIELD_I64),
};

static int read_ports(struct json_in *j, void *member)
{
    struct docker_ports *ports = member;
    bool first = true;

    if (json_value(j) != JSON_ARR) return -EBADMSG;
    while (json_next_elem(j, &first)) {
        struct docker_port *p = append(j->scratch, ports);
        if (json_read_fields(j, port_fields, ARRAY_LEN(port_fields), p) != 0) return -EBADMSG;
    }
    return j->err ? -EBADMSG : 0;
}

static const struct json_field attachment_fields[] = {
    JSON_FIELD(struct docker_attachment, network_id, "NetworkID", JSON_FIELD_STR),
    JSON_FIELD(struct docker_attachment, ip, "IPAddress", JSON_FIELD_STR),
};

static int read_attachments(struct json_in *j, void *member)
{
    struct docker_attachments *networks = member;
    bool first = true;
    struct str key;

    if (json_value(j) != JSON_OBJ) return -EBADMSG;
    while (json_next_key(j, &key, &first)) {
        struct docker_attachment *at = append(j->scratch, networks);
        at->name = json_text(j, key);
        if (json_read_fields(j, attachment_fields, ARRAY_LEN(attachment_fields), at) != 0)
            return -EBADMSG;
    }
    return j->err ? -EBADMSG : 0;
}

/* --- lists --- */

#define C struct docker_container
static const struct json_field host_config_fields[] = {
    JSON_FIELD(C, network_mode, "NetworkMode", JSON_FIELD_STR),
};
static const struct json_field settings_fields[] = {
    JSON_FIELD_FN(C, networks, "Networks", read_attachments),
};
static const struct json_field container_fields[] = {
    JSON_FIELD(C, id, "Id", JSON_FIELD_STR),
    JSON_FIELD_FN(C, name, "Names", read_first_name),
    JSON_FIELD_FN(C, labels, "Labels", read_labels),
    JSON_FIELD_FN(C, ports, "Ports", read_ports),
    JSON_FIELD_SUB("HostConfig", host_config_fields),
    JSON_FIELD_SUB("NetworkSettings", settings_fields),
};
#undef C

int docker_read_containers(struct str body, struct arena *a, struct docker_containers *ret,
                           const char **ret_err)
{
    struct json_in j;
    bool first = true;
    int r = 0;

    *ret = (struct docker_containers){0};
    json_in_init(&j, body, a);
    if (json_value(&j) != JSON_ARR) return finish(&j, -EBADMSG, ret_err);
    while (r == 0 && json_next_elem(&j, &first)) {
        struct docker_container *c = append(a, ret);
        r = json_read_fields(&j, container_fields, ARRAY_LEN(container_fields), c);
    }
    return finish(&j, r, ret_err);
}

#define N struct docker_network
static const struct json_field network_fields[] = {
    JSON_FIELD(N, id, "Id", JSON_FIELD_STR),
    JSON_FIELD(N, name, "Name", JSON_FIELD_STR),
    JSON_FIELD(N, scope, "Scope", JSON_FIELD_STR),
    JSON_FIELD(N, internal, "Internal", JSON_FIELD_BOOL),
    JSON_FIELD(N, ingress, "Ingress", JSON_FIELD_BOOL),
    JSON_FIELD_FN(N, labels, "Labels", read_labels),
};
#undef N

int docker_read_networks(struct str body, struct arena *a, struct docker_networks *ret,
                         const char **ret_err)
{
    struct json_in j;
    bool first = true;
    int r = 0;

    *ret = (struct docker_networks){0};
    json_in_init(&j, body, a);
    if (json_value(&j) != JSON_ARR) return finish(&j, -EBADMSG, ret_err);
    while (r == 0 && json_next_elem(&j, &first)) {
        struct docker_network *n = append(a, ret);
        r = json_read_fields(&j, network_fields, ARRAY_LEN(network_fields), n);
    }
    return finish(&j, r, ret_err);
}
