/* Walks a message of RFC 1035: header, questions, answers. */
#include "components/discovery/dns_message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <resolv.h>

struct reader {
    const unsigned char *start, *p, *end;
};
struct answer {
    unsigned type;
    const unsigned char *data;
    size_t n;
};

static bool has(const struct reader *r, size_t n)
{
    return (size_t)(r->end - r->p) >= n;
}

static unsigned read16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static bool skip_name(struct reader *r)
{
    int n = dn_skipname(r->p, r->end);

    if (n < 0) return false;
    r->p += n;
    return true;
}

static bool skip_question(struct reader *r)
{
    if (!skip_name(r) || !has(r, 4)) return false;
    r->p += 4;
    return true;
}

static bool next_answer(struct reader *r, struct answer *ret)
{
    if (!skip_name(r) || !has(r, 10)) return false;
    ret->type = read16(r->p);
    ret->n = read16(r->p + 8);
    r->p += 10;
    if (!has(r, ret->n)) return false;
    ret->data = r->p;
    r->p += ret->n;
    return true;
}

static bool take_address(const struct answer *a, int family, size_t n, struct dns_record *ret)
{
    return a->n == n && inet_ntop(family, a->data, ret->text, sizeof(ret->text));
}

/* A name `skip` bytes behind the beginning of the data; it may refer to what stands before. */
static bool take_name(const struct reader *r, const struct answer *a, size_t skip,
                      struct dns_record *ret)
{
    if (a->n <= skip) return false;
    int n = dn_expand(r->start, r->end, a->data + skip, ret->text, DNS_NAME_MAX - 2);
    if (n < 0 || (size_t)n > a->n - skip) return false;
    size_t end = strlen(ret->text);
    ret->text[end] = '.';
    ret->text[end + 1] = 0;
    return true;
}

/* 1: one of ours; 0: another type; -EBADMSG. */
static int take(const struct reader *r, const struct answer *a, struct dns_record *ret)
{
    bool good = false;

    *ret = (struct dns_record){.type = (enum dns_type)a->type};
    switch (a->type) {
    case DNS_A: good = take_address(a, AF_INET, 4, ret); break;
    case DNS_AAAA: good = take_address(a, AF_INET6, 16, ret); break;
    case DNS_NS: good = take_name(r, a, 0, ret); break;
    case DNS_MX: good = take_name(r, a, 2, ret); break;
    case DNS_SRV:
        good = take_name(r, a, 6, ret);
        if (good) ret->port = read16(a->data + 4);
        break;
    default: return 0;
    }
    return good ? 1 : -EBADMSG;
}

int dns_answers(struct str message, void (*fn)(void *arg, const struct dns_record *r), void *arg)
{
    const unsigned char *m = (const unsigned char *)message.p;
    struct reader r = {.start = m, .p = m + 12, .end = m + message.n};
    struct dns_record record;
    struct answer a;

    if (message.n < 12) return -EBADMSG;
    for (unsigned i = read16(m + 4); i > 0; i--)
        if (!skip_question(&r)) return -EBADMSG;
    for (unsigned i = read16(m + 6); i > 0; i--) {
        if (!next_answer(&r, &a)) return -EBADMSG;
        int kind = take(&r, &a, &record);
        if (kind < 0) return kind;
        if (kind > 0) fn(arg, &record);
    }
    return 0;
}
