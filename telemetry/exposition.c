/* What the exposition parsers share: their beginning and end, faults, classes of characters. */
#include <stdarg.h>

#include "telemetry/exposition_int.h"

#define TEXT_MAX ((size_t)256 << 20) /* unescaped or composed texts: never more than a body */

#define ANY_NAME  (NAME_REST | LABEL_REST)
#define ANY_FIRST (NAME_FIRST | LABEL_FIRST | ANY_NAME)
const u8 exposition_class[256] = {
    ['a' ... 'z'] = ANY_FIRST, ['A' ... 'Z'] = ANY_FIRST,      ['_'] = ANY_FIRST,
    ['0' ... '9'] = ANY_NAME,  [':'] = NAME_FIRST | NAME_REST,
};

void exposition_init(struct exposition *e, const struct exposition_conf *c)
{
    *e = (struct exposition){.format = c->format,
                             .at = c->body.p,
                             .end = c->body.p + c->body.n,
                             .line = 1,
                             .ended = c->body.n == 0};
    buf_init(&e->scratch, TEXT_MAX);
    if (c->format == EXPOSITION_PROTOBUF) exposition_pb_init(e, c);
}

void exposition_done(struct exposition *e)
{
    if (e->pb) exposition_pb_done(e);
    buf_done(&e->scratch);
}

enum exposition_event exposition_next(struct exposition *e, u64 hash, u32 n)
{
    if (e->format != EXPOSITION_PROTOBUF) return exposition_text_next(e, hash, n);
    enum exposition_event event = exposition_pb_next(e);
    e->expected =
        n && (event == EXPOSITION_SAMPLE || event == EXPOSITION_HISTOGRAM) && e->hash == hash;
    return event;
}

/* Texts of a target may hold anything: what is no printable ASCII is shown as '?'. */
static void make_printable(char *s)
{
    for (; *s; s++)
        if (*s < ' ' || *s > '~') *s = '?';
}

enum exposition_event exposition_fail(struct exposition *e, const char *fmt, ...)
{
    int n = 0;
    va_list ap;

    if (e->format != EXPOSITION_PROTOBUF)
        n = snprintf(e->error, sizeof(e->error), "line %zu: ", e->line);
    va_start(ap, fmt);
    vsnprintf(e->error + n, sizeof(e->error) - (size_t)n, fmt, ap);
    va_end(ap);
    make_printable(e->error);
    e->fault = NULL;
    e->at = e->end;
    e->ended = true;
    return EXPOSITION_ERROR;
}
