/* OTLP over gRPC: three services with one unary method each. Framing and trailers are net/grpc.h's.
 * Source: spec D.2, W.3b. */
#include <errno.h>

#include "base/num.h"
#include "components/otelcol/receiver_otlp.h"
#include "telemetry/otlp.h"

#define FRAME_HEADER 5 /* flag and length in front of a message */
#define ERROR_MAX    512

void otlp_grpc_answer(struct http_req *r, const struct grpc_status *s)
{
    grpc_respond(r, s, s->code == GRPC_OK ? str_n("\x0a\x00", 2) : STR(""));
}

static void refuse(struct http_req *r, enum grpc_code code, const char *message)
{
    grpc_respond(r, &(struct grpc_status){.code = code, .message = str_of(message)}, STR(""));
}

/* --- checks of the headers: each answers and returns false, or lets the call pass --- */

/* What is no gRPC at all is left to grpc_read_message, which knows the answers. */
static bool check_service(struct receiver_otlp *self, struct http_req *r)
{
    struct otlp_request *q = r->user;
    struct str service, method;
    if (!grpc_is(r) || !grpc_split_path(r->path, &service, &method)) return true;
    for (enum signal s = 0; s < SIGNAL_COUNT; s++) {
        if (!(self->plan->signals & (1u << s)) || !str_is(service, otlp_service_name(s))) continue;
        q->signal = s;
        if (str_is(method, "Export")) return true;
        refuse(r, GRPC_UNIMPLEMENTED,
               arena_printf(r->arena, "unknown method " STR_FMT " for service " STR_FMT,
                            STR_ARG(method), STR_ARG(service)));
        return false;
    }
    refuse(r, GRPC_UNIMPLEMENTED,
           arena_printf(r->arena, "unknown service " STR_FMT, STR_ARG(service)));
    return false;
}

static bool check_auth(struct receiver_otlp *self, struct http_req *r)
{
    const char *why = otlp_authenticate(r, self->plan->args->grpc->auth);
    if (why) refuse(r, GRPC_UNAUTHENTICATED, why);
    return !why;
}

static bool check_room(struct receiver_otlp *self, struct http_req *r)
{
    const struct otlp_request *q = r->user;
    struct grpc_status s = otlp_overload(self, q->signal);
    if (s.code != GRPC_OK) grpc_respond(r, &s, STR(""));
    return s.code == GRPC_OK;
}

static void headers_in(void *arg, struct http_req *r)
{
    static bool (*const checks[])(struct receiver_otlp *,
                                  struct http_req *) = {check_service, check_auth, check_room};
    struct receiver_otlp *self = arg;
    receiver_request_of(self, r);
    /* Without the block the protocol was switched off; connections of before are still open. */
    if (!self->plan->args->grpc) {
        refuse(r, GRPC_UNAVAILABLE, "shutting down");
        return;
    }
    r->body_limit = self->plan->grpc_limit + FRAME_HEADER;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (!checks[i](self, r)) return;
}

/* --- the message --- */

static void too_large(void *arg, struct http_req *r)
{
    struct receiver_otlp *self = arg;
    receiver_request_of(self, r);
    struct grpc_status s = grpc_too_large(r, self->plan->grpc_limit);
    grpc_respond(r, &s, STR(""));
}

static void request_in(void *arg, struct http_req *r)
{
    struct receiver_otlp *self = arg;
    const struct otlp_request *q = receiver_request_of(self, r);
    struct blob *message = NULL;
    char err[ERROR_MAX] = "";
    u32 items = 0;
    struct grpc_status s = grpc_read_message(r, self->plan->grpc_limit,
                                             self->shard->comp->host->data_budget, &message);
    if (s.code != GRPC_OK) {
        grpc_respond(r, &s, STR(""));
        return;
    }
    if (otlp_validate(q->signal, blob_view(message), &items, err, sizeof(err)) == 0) {
        otlp_submit(self, r, OTLP_GRPC, message, items);
        return;
    }
    blob_unref(message);
    refuse(r, GRPC_INTERNAL,
           arena_printf(r->arena, "grpc: failed to unmarshal the received message: %s", err));
}

const struct http_handler otlp_grpc_handler = {
    .headers = headers_in, .request = request_in, .gone = otlp_gone, .too_large = too_large};
