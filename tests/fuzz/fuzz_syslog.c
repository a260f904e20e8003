/* Syslog: the bytes of a connection (cut at several places) or of a datagram become messages, which
 * become fields. The first byte chooses: format, raw framing, datagram, Cisco's components.
 * Messages do not depend on where the bytes were cut; every view lies in its message. */
#include "base/assert.h"
#include "base/buf.h"
#include "components/loki/syslog/framing.h"
#include "components/loki/syslog/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct str part, struct str whole)
{
    ASSERT(!part.p || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void check_message(const struct syslog_message *m, struct str line)
{
    const struct str parts[] = {m->hostname, m->app_name, m->proc_id,    m->msg_id,
                                m->counter,  m->sequence, m->structured, m->text};
    struct syslog_params p = {.rest = m->structured};
    struct str name, value;
    char plain[512];

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        inside(parts[i], line);
    ASSERT(m->fault_at <= line.n);
    (void)syslog_severity_name(m->pri);
    (void)syslog_facility_name(m->pri);
    while (m->structured.p && syslog_params_next(&p, &name, &value)) {
        inside(name, line);
        inside(value, line);
        if (value.n <= sizeof(plain)) ASSERT(syslog_unescape(value, plain) <= value.n);
    }
}

static void parse(u8 how, struct str line)
{
    const struct syslog_3164 conf = {.counter = how & 16,
                                     .sequence = how & 32,
                                     .hostname = how & 64,
                                     .fractions = how & 128,
                                     .now = 1796072400000000000};
    struct syslog_message m;

    if (how & 1)
        (void)syslog_parse_3164(line, &conf, &m);
    else
        (void)syslog_parse_5424(line, &m);
    check_message(&m, line);
    syslog_parse_raw(line, &m);
    check_message(&m, line);
}

/* All messages of the bytes, given in pieces of `step`; their texts with what was said of each. */
static void frames(u8 how, struct str bytes, size_t step, struct buf *out)
{
    struct syslog_framing f = {.delimiter = '\n', .max = 200, .raw = how & 2, .datagram = how & 4};
    size_t at = 0, end = 0;

    for (bool last = false; !last;) {
        end = MIN(end + step, bytes.n);
        last = end == bytes.n;
        struct str in = str_sub(bytes, at, end), msg;
        const char *why = NULL;
        enum syslog_frame got;
        while ((got = syslog_frame_next(&f, &in, last, &msg, &why)) != FRAME_MORE) {
            buf_printf(out, "%d:", (int)got);
            buf_str(out, msg);
            if (got == FRAME_BROKEN) {
                ASSERT(why);
                return;
            }
            inside(msg, bytes);
            ASSERT(msg.n <= f.max);
            parse(how, msg);
        }
        ASSERT(in.n < f.max + 16);
        at = end - in.n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 4096) return 0;
    struct str bytes = str_n((const char *)data + 1, size - 1);
    struct buf whole = BUF_INIT(1 << 20), cut = BUF_INIT(1 << 20);

    frames(data[0], bytes, MAX(bytes.n, (size_t)1), &whole);
    if (!(data[0] & 4)) {
        frames(data[0], bytes, 7, &cut);
        ASSERT(str_eq(buf_view(&whole), buf_view(&cut)));
    }
    buf_done(&whole);
    buf_done(&cut);
    return 0;
}
