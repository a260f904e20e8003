/* Writing the question, reading the records. */
#include "components/prometheus/blackbox/dns_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <resolv.h>
#include "base/digest.h"
#include "components/prometheus/blackbox/dns_names.h"

#define HEAD      12
#define NAME_MAX_ 1025
#define TYPE_SOA  6

/* --- the question --- */

static void put16(struct buf *out, unsigned v)
{
    buf_ch(out, (char)(v >> 8));
    buf_ch(out, (char)v);
}

static int put_name(struct buf *out, struct str name)
{
    if (name.n > 0 && name.p[name.n - 1] == '.') name.n--;
    if (name.n > 253) return -EINVAL;
    while (name.n > 0) {
        struct str label = str_cut(&name, '.');
        if (label.n == 0 || label.n > 63) return -EINVAL;
        buf_ch(out, (char)label.n);
        buf_str(out, label);
    }
    buf_ch(out, 0);
    return 0;
}

int dns_ask(const struct dns_question *q, struct buf *out)
{
    put16(out, q->id);
    put16(out, q->recursion ? 0x0100 : 0);
    put16(out, 1);
    put16(out, 0);
    put16(out, 0);
    put16(out, 0);
    int err = put_name(out, q->name);
    put16(out, q->type);
    put16(out, q->class);
    return err ? err : buf_err(out);
}

/* --- records --- */

struct reader {
    const unsigned char *start, *p, *end;
};
struct record {
    unsigned type, class;
    u32 ttl;
    const unsigned char *data, *end; /* of its data */
};

static unsigned read16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static u32 read32(const unsigned char *p)
{
    return (u32)read16(p) << 16 | read16(p + 2);
}

/* Appends a name at *p with its dot at the end, and moves on. */
static bool add_name(const struct reader *r, const unsigned char **p, struct buf *out)
{
    char text[NAME_MAX_];
    int n = dn_expand(r->start, r->end, *p, text, sizeof(text));

    if (n < 0) return false;
    *p += n;
    buf_cstr(out, text);
    buf_ch(out, '.');
    return true;
}

static bool add_names(const struct reader *r, const struct record *rec, size_t skip, size_t n,
                      struct buf *out)
{
    const unsigned char *p = rec->data + skip;

    if ((size_t)(rec->end - rec->data) <= skip) return false;
    for (size_t i = 0; i < n; i++) {
        if (i > 0) buf_ch(out, ' ');
        if (p >= rec->end || !add_name(r, &p, out)) return false;
    }
    return p <= rec->end;
}

static bool add_numbers(const struct record *rec, size_t n, struct buf *out)
{
    if ((size_t)(rec->end - rec->data) < 2 * n) return false;
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%u ", read16(rec->data + 2 * i));
    return true;
}

static void add_quoted(const unsigned char *p, size_t n, struct buf *out)
{
    buf_ch(out, '"');
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '"' || p[i] == '\\')
            buf_printf(out, "\\%c", p[i]);
        else if (p[i] < ' ' || p[i] > '~')
            buf_printf(out, "\\%03u", p[i]);
        else
            buf_ch(out, (char)p[i]);
    }
    buf_ch(out, '"');
}

static bool add_texts(const struct record *rec, struct buf *out)
{
    for (const unsigned char *p = rec->data; p < rec->end; p += 1 + *p) {
        if (p > rec->data) buf_ch(out, ' ');
        if (*p > rec->end - p - 1) return false;
        add_quoted(p + 1, *p, out);
    }
    return true;
}

static bool add_address(const struct record *rec, int family, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];
    bool good = rec->end - rec->data == (family == AF_INET ? 4 : 16) &&
                inet_ntop(family, rec->data, text, sizeof(text));

    if (good) buf_cstr(out, text);
    return good;
}

static bool add_soa(const struct reader *r, const struct record *rec, struct buf *out)
{
    const unsigned char *p = rec->data;

    if (p >= rec->end || !add_name(r, &p, out)) return false;
    buf_ch(out, ' ');
    if (p >= rec->end || !add_name(r, &p, out) || rec->end - p != 20) return false;
    for (size_t i = 0; i < 5; i++)
        buf_printf(out, " %u", read32(p + 4 * i));
    return true;
}

static bool add_caa(const struct record *rec, struct buf *out)
{
    size_t n = (size_t)(rec->end - rec->data);

    if (n < 2 || n < 2 + (size_t)rec->data[1]) return false;
    buf_printf(out, "%u %.*s ", rec->data[0], rec->data[1], (const char *)rec->data + 2);
    add_quoted(rec->data + 2 + rec->data[1], n - 2 - rec->data[1], out);
    return true;
}

static bool add_ds(const struct record *rec, struct buf *out)
{
    struct buf hex = BUF_INIT(1 << 18);

    if (rec->end - rec->data < 4) return false;
    buf_printf(out, "%u %u %u ", read16(rec->data), rec->data[2], rec->data[3]);
    hex_encode(&hex, rec->data + 4, (size_t)(rec->end - rec->data) - 4);
    for (size_t i = 0; i < hex.n; i++)
        buf_ch(out, (char)(hex.p[i] >= 'a' ? hex.p[i] - 32 : hex.p[i]));
    buf_done(&hex);
    return true;
}

/* RFC 3597: for what has no form of its own here. */
static bool add_unknown(const struct record *rec, struct buf *out)
{
    size_t n = (size_t)(rec->end - rec->data);

    buf_printf(out, "\\# %zu ", n);
    hex_encode(out, rec->data, n);
    return true;
}

static bool add_data(const struct reader *r, const struct record *rec, struct buf *out)
{
    switch (rec->type) {
    case 1: return add_address(rec, AF_INET, out);
    case 28: return add_address(rec, AF_INET6, out);
    case 2:
    case 3:
    case 4:
    case 5:
    case 7:
    case 8:
    case 9:
    case 12:
    case 39: return add_names(r, rec, 0, 1, out);
    case 14:
    case 17: return add_names(r, rec, 0, 2, out);
    case 6: return add_soa(r, rec, out);
    case 15:
    case 18:
    case 21:
    case 36: return add_numbers(rec, 1, out) && add_names(r, rec, 2, 1, out);
    case 33: return add_numbers(rec, 3, out) && add_names(r, rec, 6, 1, out);
    case 13:
    case 16:
    case 99: return add_texts(rec, out);
    case 43:
    case 59: return add_ds(rec, out);
    case 257: return add_caa(rec, out);
    default: return add_unknown(rec, out);
    }
}

static void add_number_or_name(struct buf *out, enum dns_names of, u16 number, const char *prefix)
{
    const char *name = dns_name(of, number);

    if (name)
        buf_printf(out, "\t%s", name);
    else
        buf_printf(out, "\t%s%u", prefix, number);
}

static bool next_record(struct reader *r, struct record *rec, struct buf *out)
{
    if (r->p >= r->end || !add_name(r, &r->p, out) || r->end - r->p < 10) return false;
    *rec =
        (struct record){.type = read16(r->p), .class = read16(r->p + 2), .ttl = read32(r->p + 4)};
    size_t n = read16(r->p + 8);
    r->p += 10;
    if ((size_t)(r->end - r->p) < n) return false;
    rec->data = r->p;
    r->p += n;
    rec->end = r->p;
    buf_printf(out, "\t%u", rec->ttl);
    add_number_or_name(out, DNS_CLASSES, (u16)rec->class, "CLASS");
    add_number_or_name(out, DNS_TYPES, (u16)rec->type, "TYPE");
    buf_ch(out, '\t');
    return add_data(r, rec, out);
}

static void take_serial(const struct record *rec, struct dns_reply *ret)
{
    if (rec->type != TYPE_SOA || rec->end - rec->data < 20) return;
    ret->has_serial = true;
    ret->serial = read32(rec->end - 20);
}

bool dns_answers_to(struct str message, u16 id)
{
    const unsigned char *m = (const unsigned char *)message.p;

    return message.n >= HEAD && read16(m) == id && (m[2] & 0x80);
}

static bool skip_questions(struct reader *r, unsigned n)
{
    for (; n > 0; n--) {
        int len = r->p < r->end ? dn_skipname(r->p, r->end) : -1;
        if (len < 0 || r->end - r->p < len + 4) return false;
        r->p += len + 4;
    }
    return true;
}

int dns_read(struct str message, struct dns_reply *ret,
             void (*fn)(void *arg, enum dns_section s, struct str record), void *arg)
{
    const unsigned char *m = (const unsigned char *)message.p;
    struct reader r = {.start = m, .p = m + HEAD, .end = m + message.n};
    struct buf text = BUF_INIT(1 << 20);
    struct record rec;
    bool good = message.n >= HEAD;

    *ret = (struct dns_reply){0};
    if (good) {
        ret->rcode = m[3] & 15;
        ret->truncated = m[2] & 2;
        for (size_t s = 0; s < DNS_SECTIONS; s++)
            ret->n[s] = (u16)read16(m + 6 + 2 * s);
        good = skip_questions(&r, read16(m + 4));
    }
    for (size_t s = 0; good && s < DNS_SECTIONS; s++)
        for (unsigned i = 0; good && i < ret->n[s]; i++) {
            buf_reset(&text);
            good = next_record(&r, &rec, &text) && !buf_err(&text);
            if (good && s == DNS_ANSWER) take_serial(&rec, ret);
            if (good && fn) fn(arg, (enum dns_section)s, buf_view(&text));
        }
    buf_done(&text);
    return good ? 0 : -EBADMSG;
}
