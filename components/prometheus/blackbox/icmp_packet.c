/* Packets of RFC 792 and RFC 4443. */
#include "components/prometheus/blackbox/icmp_packet.h"

#define TEXT STR("Prometheus Blackbox Exporter")
#define HEAD 8

enum { ECHO_REPLY_4 = 0, ECHO_4 = 8, ECHO_6 = 128, ECHO_REPLY_6 = 129 };

static u16 checksum(const u8 *p, size_t n)
{
    u32 sum = 0;

    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (u32)p[i] << 8 | p[i + 1];
    if (n & 1) sum += (u32)p[n - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (u16)~sum;
}

static void put16(struct buf *out, u16 v)
{
    buf_ch(out, (char)(v >> 8));
    buf_ch(out, (char)v);
}

static void add_payload(const struct icmp_echo *e, struct buf *out)
{
    size_t n = e->payload ? e->payload : TEXT.n;

    buf_str(out, str_sub(TEXT, 0, MIN(n, TEXT.n)));
    for (size_t i = TEXT.n; i < n; i++)
        buf_ch(out, 0);
}

void icmp_request(const struct icmp_echo *e, struct buf *out)
{
    size_t at = out->n;

    buf_ch(out, (char)(e->v6 ? ECHO_6 : ECHO_4));
    buf_ch(out, 0);
    put16(out, 0);
    put16(out, e->id);
    put16(out, e->seq);
    add_payload(e, out);
    if (e->v6 || buf_err(out)) return;
    u16 sum = checksum((const u8 *)out->p + at, out->n - at);
    out->p[at + 2] = (char)(sum >> 8);
    out->p[at + 3] = (char)sum;
}

bool icmp_is_reply(const struct icmp_echo *e, struct str packet, bool any_id)
{
    struct buf want = BUF_INIT(1 << 17);
    const u8 *p = (const u8 *)packet.p;
    bool same = packet.n >= HEAD && p[0] == (e->v6 ? ECHO_REPLY_6 : ECHO_REPLY_4) && p[1] == 0;

    add_payload(e, &want);
    same = same && (any_id || (p[4] << 8 | p[5]) == e->id) && (p[6] << 8 | p[7]) == e->seq;
    same = same && !buf_err(&want) && str_eq(str_sub(packet, HEAD, packet.n), buf_view(&want));
    buf_done(&want);
    return same;
}

struct str icmp_behind_ip(struct str packet)
{
    size_t head = packet.n > 0 ? (size_t)((u8)packet.p[0] & 15) * 4 : 0;

    return head >= 20 && packet.n >= head ? str_sub(packet, head, packet.n) : STR("");
}
