/* Messages out of bytes. */
#include "components/loki/syslog/framing.h"

#include "base/common.h"

#define DIGITS_MAX 10 /* of a length */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void advance(struct str *in, size_t n)
{
    *in = str_sub(*in, n, in->n);
}

/* Senders end messages with line ends and zeros besides their framing. */
static struct str trimmed(struct str s)
{
    while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\0'))
        s.n--;
    return s;
}

/* The rest of a message that was cut. True: it is behind us. */
static bool skip_rest(struct syslog_framing *f, struct str *in)
{
    if (f->skip_line) {
        const char *end = in->n ? memchr(in->p, f->delimiter, in->n) : NULL;
        advance(in, end ? (size_t)(end - in->p) + 1 : in->n);
        f->skip_line = !end;
        return end != NULL;
    }
    size_t n = (size_t)MIN(f->skip, (u64)in->n);
    advance(in, n);
    f->skip -= n;
    return f->skip == 0;
}

static void skip_line_ends(struct str *in)
{
    size_t n = 0;

    while (n < in->n && strchr("\r\n ", in->p[n])) /* strchr finds the zero, too */
        n++;
    advance(in, n);
}

/* Digits and a blank: the bytes of them; 0: not (yet). *ret_more: there may be, with more bytes. */
static size_t length_prefix(struct str in, u64 *ret, bool *ret_more)
{
    size_t n = 0;

    *ret = 0;
    for (; n < in.n && n < DIGITS_MAX && is_digit(in.p[n]); n++)
        *ret = *ret * 10 + (u64)(in.p[n] - '0');
    *ret_more = n == in.n;
    return n && n < in.n && in.p[n] == ' ' ? n + 1 : 0;
}

static enum syslog_frame broken(const char **ret_fault, const char *why)
{
    *ret_fault = why;
    return FRAME_BROKEN;
}

static enum syslog_frame next_counted(struct syslog_framing *f, struct str *in, bool last,
                                      struct str *ret, const char **ret_fault)
{
    u64 length;
    bool more;
    size_t head = length_prefix(*in, &length, &more);

    if (head == 0 && more && !last) return FRAME_MORE;
    if (head == 0) return broken(ret_fault, "expected the length of a message and a blank");
    if (length == 0) return broken(ret_fault, "a message cannot be 0 bytes long");
    bool cut = length > f->max;
    size_t want = cut ? f->max : (size_t)length, there = in->n - head;
    if (there < want && !last) return FRAME_MORE;
    *ret = trimmed(str_sub(*in, head, head + MIN(want, there)));
    advance(in, head + MIN(want, there));
    f->skip = cut ? length - want : 0;
    return there < want ? FRAME_SHORT : cut ? FRAME_CUT : FRAME_MESSAGE;
}

/* In a datagram the end of a line ends a message only where a priority follows. */
static bool ends_message(const struct syslog_framing *f, struct str in, size_t at)
{
    if (!f->datagram || f->raw || at + 1 == in.n) return true;
    return at + 2 < in.n && in.p[at + 1] == '<' && is_digit(in.p[at + 2]);
}

static ssize_t find_end(const struct syslog_framing *f, struct str in)
{
    for (size_t at = 0; at < in.n; at++) {
        const char *end = memchr(in.p + at, f->delimiter, in.n - at);
        if (!end) return -1;
        at = (size_t)(end - in.p);
        if (ends_message(f, in, at)) return (ssize_t)at;
    }
    return -1;
}

static enum syslog_frame next_delimited(struct syslog_framing *f, struct str *in, bool last,
                                        struct str *ret)
{
    ssize_t end = find_end(f, *in);
    size_t n = end >= 0 ? (size_t)end : in->n;

    if (end < 0 && n <= f->max && !last) return FRAME_MORE;
    bool cut = n > f->max;
    *ret = trimmed(str_sub(*in, 0, cut ? f->max : n));
    if (cut && end < 0 && !last) {
        advance(in, f->max);
        f->skip_line = true;
    } else {
        advance(in, end >= 0 ? n + 1 : n);
    }
    return cut ? FRAME_CUT : FRAME_MESSAGE;
}

static enum syslog_framing_kind kind_at(const struct syslog_framing *f, struct str in, bool last,
                                        bool *ret_wait)
{
    u64 length;
    bool more = false;

    if (!f->raw)
        return is_digit(in.p[0]) ? FRAMING_COUNTED
               : in.p[0] == '<'  ? FRAMING_DELIMITED
                                 : FRAMING_UNKNOWN;
    if (!is_digit(in.p[0]) || length_prefix(in, &length, &more) == 0) {
        *ret_wait = more && is_digit(in.p[0]) && !last && in.n <= DIGITS_MAX;
        return FRAMING_DELIMITED;
    }
    return FRAMING_COUNTED;
}

static enum syslog_frame next(struct syslog_framing *f, struct str *in, bool last, struct str *ret,
                              const char **ret_fault)
{
    bool wait = false;

    if (f->kind == FRAMING_COUNTED || f->raw) skip_line_ends(in);
    if (in->n == 0) return FRAME_MORE;
    if (f->kind == FRAMING_UNKNOWN || f->raw) f->kind = kind_at(f, *in, last, &wait);
    if (wait) return FRAME_MORE;
    if (f->kind == FRAMING_UNKNOWN) return broken(ret_fault, "invalid or unsupported framing");
    return f->kind == FRAMING_COUNTED ? next_counted(f, in, last, ret, ret_fault)
                                      : next_delimited(f, in, last, ret);
}

enum syslog_frame syslog_frame_next(struct syslog_framing *f, struct str *in, bool last,
                                    struct str *ret, const char **ret_fault)
{
    enum syslog_frame got = FRAME_MORE;

    do {
        if ((f->skip || f->skip_line) && !skip_rest(f, in)) return FRAME_MORE;
        *ret = (struct str){0};
        got = next(f, in, last, ret, ret_fault);
    } while (got == FRAME_MESSAGE && ret->n == 0);
    return got;
}
