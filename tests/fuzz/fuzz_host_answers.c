/* What prometheus.exporter.unix is answered by others: XML-RPC, netlink, mountstats. The first byte
 * chooses. What is read lies in the text, and reading comes to an end. */
#include "base/assert.h"
#include "base/utf8.h"
#include "components/prometheus/unix/mountstats_lines.h"
#include "components/prometheus/unix/netlink.h"
#include "components/prometheus/unix/xmlrpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(struct str part, struct str text)
{
    return part.n == 0 || (part.p >= text.p && part.p + part.n <= text.p + text.n);
}

/* --- XML-RPC --- */

static void member(void *arg, struct str name, struct str value)
{
    struct str text = *(struct str *)arg;

    /* Escapes are never longer than what they stand for. */
    ASSERT(name.n <= text.n && value.n <= text.n);
}

static void end(void *arg) {}

static void read_xml(struct str text, struct arena *a)
{
    struct xml_reader x = {.rest = text};
    struct xmlrpc_rows rows = {member, end, &text};
    struct xml_token t;
    struct str fault;

    for (size_t left = text.n; xml_next(&x, &t) > 0; left = x.rest.n)
        ASSERT(inside(t.text, text) && (x.rest.n < left || t.kind == XML_CLOSE));
    xmlrpc_read(a, text, &rows, &fault);
}

/* --- netlink --- */

static void walk(struct str attrs, struct str text, int depth)
{
    struct netlink_attr a;

    while (netlink_attr(&attrs, &a)) {
        ASSERT(inside(a.value, text) && inside(netlink_text(a.value), text));
        netlink_u64(a.value);
        if (depth < 4) walk(a.value, text, depth + 1);
    }
}

static int take(void *arg, u16 type, struct str body)
{
    struct str text = *(struct str *)arg;

    ASSERT(inside(body, text) && type >= NLMSG_MIN_TYPE);
    for (size_t head = 4; head <= 20; head += 8)
        walk(netlink_attrs(body, head), text, 0);
    return 0;
}

/* --- mountstats --- */

static void read_mounts(struct str text)
{
    struct str rest = text, name;
    struct nfs_mount m;
    u64 v[NFS_OP_VALUES];

    while (nfs_next_mount(&rest, &m) > 0) {
        ASSERT(inside(m.device, text) && inside(m.operations, text));
        ASSERT(m.n_transports <= NFS_TRANSPORTS && m.n_events <= NFS_EVENTS);
        while (nfs_operation(&m.operations, &name, v))
            ASSERT(inside(name, text));
    }
    ASSERT(inside(nfs_address(text), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct arena a;
    bool done;

    if (size == 0) return 0;
    text = str_sub(text, 1, size);
    arena_init(&a, 0);
    if (data[0] % 3 == 0) read_xml(text, &a);
    if (data[0] % 3 == 1) netlink_messages(text, take, &text, &done);
    if (data[0] % 3 == 2) read_mounts(text);
    arena_done(&a);
    return 0;
}
