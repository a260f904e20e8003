/* Reading mountstats: a line "device ... mounted on ...", then those of its figures, up to an empty
 * one. */
#include "components/prometheus/unix/mountstats_lines.h"

#include <errno.h>

#define DEVICE_FIELDS 9 /* the last is "statvers=1.1" */

/* Numbers up to the end of the line: how many, at most max; -EINVAL. */
static ssize_t numbers(struct str line, u64 *ret, size_t max)
{
    struct str field;
    size_t n = 0;

    while (n < max && unix_field(&line, &field))
        if (unix_u64(field, &ret[n++]) < 0) return -EINVAL;
    return (ssize_t)n;
}

static int read_age(struct nfs_mount *m, struct str line)
{
    return numbers(line, &m->age, 1) == 1 ? 0 : -EINVAL;
}

static int read_bytes(struct nfs_mount *m, struct str line)
{
    ssize_t n = numbers(line, m->bytes, NFS_BYTES);

    m->n_bytes = n < 0 ? 0 : (size_t)n;
    return n < 0 ? -EINVAL : 0;
}

static int read_events(struct nfs_mount *m, struct str line)
{
    ssize_t n = numbers(line, m->events, NFS_EVENTS);

    m->n_events = n < 0 ? 0 : (size_t)n;
    return n < 0 ? -EINVAL : 0;
}

/* Of the figures for RDMA the first ten are those of TCP. */
static int read_transport(struct nfs_mount *m, struct str line)
{
    struct nfs_transport *t = &m->transports[m->n_transports];

    if (m->n_transports == NFS_TRANSPORTS) return 0;
    if (!unix_field(&line, &t->protocol)) return -EINVAL;
    ssize_t n = numbers(line, t->v, str_is(t->protocol, "rdma") ? 10 : NFS_TRANSPORT_MOST);
    if (n < 0) return -EINVAL;
    t->n = (size_t)n;
    m->n_transports++;
    return 0;
}

static const struct {
    const char *key;
    int (*read)(struct nfs_mount *m, struct str line);
} lines[] = {
    {"age:", read_age},
    {"bytes:", read_bytes},
    {"events:", read_events},
    {"xprt:", read_transport},
};

static int read_line(struct nfs_mount *m, struct str key, struct str line)
{
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (str_is(key, lines[i].key)) return lines[i].read(m, line);
    return 0;
}

static struct str until_empty(struct str *rest)
{
    struct str from = *rest, line;

    while (unix_line(rest, &line))
        if (str_trim(line).n == 0) return str_n(from.p, (size_t)(line.p - from.p));
    return from;
}

static int read_figures(struct nfs_mount *m, struct str *rest)
{
    struct str line, left, key;

    while (unix_line(rest, &line)) {
        left = line;
        if (!unix_field(&left, &key)) return 0;
        if (str_is(key, "per-op")) {
            m->operations = until_empty(rest);
            return 0;
        }
        if (read_line(m, key, left) < 0) {
            m->bad_line = line;
            return -EINVAL;
        }
    }
    return 0;
}

int nfs_next_mount(struct str *rest, struct nfs_mount *ret)
{
    struct str line, part[DEVICE_FIELDS];

    while (unix_line(rest, &line)) {
        size_t n = unix_fields(line, part, DEVICE_FIELDS);

        if (n == 0 || !str_is(part[0], "device")) continue;
        *ret = (struct nfs_mount){.device = n > 1 ? part[1] : STR("")};
        bool nfs = n == DEVICE_FIELDS && str_starts(part[8], STR("statvers="));
        return nfs && read_figures(ret, rest) < 0 ? -EINVAL : 1;
    }
    return 0;
}

bool nfs_operation(struct str *rest, struct str *ret_name, u64 ret[NFS_OP_VALUES])
{
    struct str line, name;

    while (unix_line(rest, &line)) {
        if (!unix_field(&line, &name)) continue;
        if (numbers(line, ret, NFS_OP_VALUES) < NFS_OP_VALUES) continue;
        *ret_name = str_ends(name, STR(":")) ? str_sub(name, 0, name.n - 1) : name;
        return true;
    }
    return false;
}

struct str nfs_address(struct str line)
{
    ssize_t dash = str_find(line, STR(" - "));
    struct str part[3];

    if (dash < 0 || unix_fields(str_sub(line, (size_t)dash + 3, line.n), part, 3) < 3)
        return STR("");
    while (part[2].p) {
        struct str option = str_cut(&part[2], ',');

        if (str_starts(option, STR("addr="))) return str_sub(option, 5, option.n);
    }
    return STR("");
}
