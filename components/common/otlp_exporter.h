/* What otelcol.exporter.otlp and otelcol.exporter.otlphttp share around the sending machinery: the
 * HTTP target of the current plan, the buffers of a shard, and most of a component's lifecycle.
 *
 * A component's shared struct starts with struct otlp_exporter_shared, its self with struct
 * otlp_exporter; the functions that take a shard or a comp are used in its component_def as they
 * are. */
#ifndef COMPONENTS_COMMON_OTLP_EXPORTER_H
#define COMPONENTS_COMMON_OTLP_EXPORTER_H

#include "components/common/auth.h"
#include "components/common/otlp_payload.h"
#include "components/common/sending.h"
#include "telemetry/otlp.h"

struct otlp_exporter_shared {
    struct sending_shared sending;
    struct http_target *target; /* of the current plan; shards take references */
};

struct otlp_exporter {
    struct sending sending;
    struct shard *shard;
    struct http_target *target;
    struct buf scratch;   /* for the compressor */
    struct arena request; /* texts of the request being made; reset after each */
};

/* Control loop. 0; or -EINVAL with an owned *ret_err, and the old target stays. */
int otlp_exporter_configure(struct comp *c, const struct http_target_conf *target,
                            const struct sending_conf *sending, char **ret_err);
void otlp_exporter_destroy(struct comp *c);

/* Worker. */
void otlp_exporter_run(struct shard *s, const struct sending_conf *conf,
                       const struct send_ops *ops);
void otlp_exporter_apply(struct shard *s, const struct sending_conf *conf);
void otlp_exporter_stop(struct shard *s);
void otlp_exporter_shard_done(struct shard *s);
enum push otlp_exporter_push(struct shard *s, u32 port, struct batch *b);

/* Adds user agent, configured headers, and what auth (may be NULL) adds for data of `from`. */
void otlp_exporter_headers(struct otlp_exporter *e, const struct str_map *configured,
                           const struct auth_handler *auth, const struct client_info *from,
                           struct auth_headers *h);
/* Makes the body of one attempt. True; or *ret_why tells how the attempt ends. */
bool otlp_exporter_encode(struct otlp_exporter *e, const struct payload_format *f,
                          const struct batch *b, struct payload *ret, struct send_result *ret_why);
/* A partial success counts as sent and is said. */
void otlp_exporter_partial(struct otlp_exporter *e, enum signal s, const struct otlp_partial *p);

#endif
