/* What otelcol.exporter.otlp and otelcol.exporter.otlphttp share: everything around the call
 * itself. Plan, HTTP target, the buffers of a shard, the life of an attempt, and most of a
 * component's lifecycle; the component adds its arguments and a struct otlp_transport.
 *
 * A component's plan starts with struct otlp_exporter_plan, its shared struct with struct
 * otlp_exporter_shared, its self is struct otlp_exporter; the functions that take a shard or a comp
 * are used in its component_def as they are. */
#ifndef COMPONENTS_COMMON_OTLP_EXPORTER_H
#define COMPONENTS_COMMON_OTLP_EXPORTER_H

#include "components/common/auth.h"
#include "components/common/otlp_payload.h"
#include "components/common/sending.h"
#include "telemetry/otlp.h"

struct otlp_exporter_plan {
    struct str url[SIGNAL_COUNT]; /* empty: this signal is not taken */
    struct payload_format format; /* what the body is made of, and what the compressor does */
    struct sending_conf sending;
};

struct otlp_exporter_shared {
    struct sending_shared sending;
    struct http_target *target; /* of the current plan; shards take references */
};

struct otlp_exporter {
    struct sending sending;
    struct shard *shard;
    const struct otlp_exporter_plan *plan;
    const struct otlp_transport *transport;
    struct http_target *target;
    struct buf scratch;   /* for the compressor */
    struct arena request; /* texts of the request being made; reset after each */
};

/* One request on its way. */
struct otlp_attempt {
    struct send_req *req;
    struct otlp_exporter *exporter;
    struct payload payload;
    struct str url; /* owned: a later plan may have another */
    void *call;     /* what start gave */
};

struct otlp_transport {
    /* Sends the payload to the url; never NULL. The answer ends in otlp_attempt_end. Texts may live
     * in the exporter's request arena. */
    void *(*start)(struct otlp_attempt *a);
    void (*cancel)(void *call);
};

/* --- control loop --- */

/* The codec of a `compression` argument, whose values the schema has limited. */
enum codec otlp_exporter_codec(struct str compression);
/* type: the exporter's name in its metrics. */
void otlp_exporter_create(struct comp *c, const char *type);
/* 0; or -EINVAL with an owned *ret_err, and the old target stays. */
int otlp_exporter_configure(struct comp *c, const struct http_target_conf *target, char **ret_err);
void otlp_exporter_destroy(struct comp *c);

/* --- worker --- */

int otlp_exporter_run(struct shard *s, const struct otlp_transport *transport);
int otlp_exporter_apply(struct shard *s, const void *plan);
void otlp_exporter_stop(struct shard *s);
void otlp_exporter_shard_done(struct shard *s);
enum push otlp_exporter_push(struct shard *s, u32 port, struct batch *b);

/* Adds user agent, configured headers, and what auth (may be NULL) adds for data of `from`. */
void otlp_exporter_headers(struct otlp_exporter *e, const struct str_map *configured,
                           const struct auth_handler *auth, const struct client_info *from,
                           struct auth_headers *h);
/* A partial success counts as sent and is said. */
void otlp_exporter_partial(struct otlp_exporter *e, enum signal s, const struct otlp_partial *p);
/* What became of it; frees a. */
void otlp_attempt_end(struct otlp_attempt *a, const struct send_result *res);

#endif
