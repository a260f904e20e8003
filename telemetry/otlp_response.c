/* Export*ServiceResponse: the partial success, which has the same field numbers for all signals. */
#include <errno.h>
#include "base/arena.h"
#include "telemetry/otlp.h"
#include "telemetry/otlp_json.h"
#include "telemetry/pb.h"

#define RESPONSE_MAX ((size_t)1 << 20)

static int parse_partial(struct str msg, struct otlp_partial *ret)
{
    struct pb_field f;
    struct pb_in in = pb_in(msg);
    while (pb_next(&in, &f)) {
        bool rejected = f.num == OTLP_traces_partial_rejected_spans,
             message = f.num == OTLP_traces_partial_error_message;
        if ((rejected && f.wire != PB_VARINT) || (message && f.wire != PB_BYTES)) return -EBADMSG;
        if (rejected) ret->rejected = (i64)f.v;
        if (message) ret->message = f.b;
    }
    return in.bad ? -EBADMSG : 0;
}

int otlp_response_parse(struct str bytes, struct otlp_partial *ret)
{
    struct otlp_partial partial = {0};
    struct pb_field f;
    struct pb_in in = pb_in(bytes);
    while (pb_next(&in, &f)) {
        if (f.num != OTLP_traces_response_partial_success) continue;
        if (f.wire != PB_BYTES || parse_partial(f.b, &partial)) return -EBADMSG;
    }
    if (in.bad) return -EBADMSG;
    *ret = partial;
    return 0;
}

int otlp_response_parse_json(struct str text, struct arena *scratch, enum signal s,
                             struct otlp_partial *ret)
{
    struct buf bytes = BUF_INIT(RESPONSE_MAX);
    struct otlp_partial partial;
    char err[128];
    u32 items;
    int code = text.n == 0
                   ? 0
                   : otlp_json_read(otlp_response_of(s), text, &bytes, &items, err, sizeof(err));
    if (!code) code = otlp_response_parse(buf_view(&bytes), &partial);
    if (!code) {
        partial.message = arena_str(scratch, partial.message);
        *ret = partial;
    }
    buf_done(&bytes);
    return code;
}
