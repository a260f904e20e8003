/* Outcomes of OTLP requests. Source: spec D.2, W.1. */
#include "components/common/otlp_status.h"

#include "base/json.h"
#include "base/num.h"

static const i64 least_delay = NS_PER_SEC;

int otlp_http_status(enum grpc_code code)
{
    switch (code) {
    case GRPC_OK: return 200;
    case GRPC_CANCELED:
    case GRPC_DEADLINE_EXCEEDED:
    case GRPC_ABORTED:
    case GRPC_OUT_OF_RANGE:
    case GRPC_UNAVAILABLE:
    case GRPC_DATA_LOSS: return 503;
    case GRPC_RESOURCE_EXHAUSTED: return 429;
    case GRPC_INVALID_ARGUMENT: return 400;
    case GRPC_UNAUTHENTICATED: return 401;
    case GRPC_PERMISSION_DENIED: return 403;
    case GRPC_UNIMPLEMENTED: return 404;
    case GRPC_UNKNOWN:
    case GRPC_NOT_FOUND:
    case GRPC_ALREADY_EXISTS:
    case GRPC_FAILED_PRECONDITION:
    case GRPC_INTERNAL: return 500;
    }
    return 500; /* a number from the network that is no known code */
}

enum grpc_code otlp_code_of_http(int status)
{
    static const struct {
        int status;
        enum grpc_code code;
    } table[] = {
        {400, GRPC_INVALID_ARGUMENT}, {401, GRPC_UNAUTHENTICATED},    {403, GRPC_PERMISSION_DENIED},
        {404, GRPC_UNIMPLEMENTED},    {429, GRPC_RESOURCE_EXHAUSTED}, {502, GRPC_UNAVAILABLE},
        {503, GRPC_UNAVAILABLE},      {504, GRPC_UNAVAILABLE},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].status == status) return table[i].code;
    return GRPC_UNKNOWN;
}

bool otlp_code_retryable(enum grpc_code code, bool has_retry_info)
{
    return code == GRPC_RESOURCE_EXHAUSTED ? has_retry_info : otlp_http_status(code) == 503;
}

static enum grpc_code code_of_failure(const struct ack_failure *f)
{
    if (f->grpc_code != GRPC_OK) return (enum grpc_code)f->grpc_code;
    return f->retryable ? GRPC_UNAVAILABLE : GRPC_INTERNAL;
}

struct grpc_status otlp_status_of_ack(enum ack_outcome outcome, const struct ack_failure *f)
{
    struct grpc_status s = {.code = GRPC_OK};
    switch (outcome) {
    case ACK_OK:
    case ACK_DROPPED: return s;
    case ACK_ABANDONED:
        s.code = GRPC_UNAVAILABLE;
        s.message = STR("shutting down");
        break;
    case ACK_FAILED:
        s.code = code_of_failure(f);
        s.message = str_of(f->text);
        s.retry_delay = f->retry_delay;
        break;
    }
    int http = otlp_http_status(s.code);
    if (http == 503 || http == 429) s.retry_delay = MAX(s.retry_delay, least_delay);
    return s;
}

/* protojson form of a Duration: seconds with 0, 3, 6 or 9 digits of fraction. */
static void duration_text(struct buf *b, i64 ns)
{
    i64 frac = ns % NS_PER_SEC;
    buf_printf(b, "\"%lld", (long long)(ns / NS_PER_SEC));
    if (frac % NS_PER_MS == 0 && frac != 0)
        buf_printf(b, ".%03lld", (long long)(frac / NS_PER_MS));
    else if (frac != 0)
        buf_printf(b, ".%09lld", (long long)frac);
    buf_cstr(b, "s\"");
}

static void json_details(struct json_out *j, i64 retry_delay)
{
    struct buf delay = BUF_INIT(64);
    duration_text(&delay, retry_delay);
    json_key(j, STR("details"));
    json_arr(j);
    json_obj(j);
    json_key(j, STR("@type"));
    json_str(j, STR("type.googleapis.com/google.rpc.RetryInfo"));
    json_key(j, STR("retryDelay"));
    json_raw(j, buf_view(&delay));
    json_obj_end(j);
    json_arr_end(j);
    buf_done(&delay);
}

void otlp_status_body(const struct grpc_status *s, bool json, struct buf *out)
{
    if (!json) {
        grpc_status_encode(s, out);
        return;
    }
    struct json_out j = {.b = out};
    json_obj(&j);
    json_key(&j, STR("code"));
    json_i64(&j, s->code);
    json_key(&j, STR("message"));
    json_str(&j, s->message);
    if (s->retry_delay > 0) json_details(&j, s->retry_delay);
    json_obj_end(&j);
}
