/* Log records that a receiver would take, as entries: labels in order, lines of whole texts. */
#include <stdlib.h>
#include "base/assert.h"
#include "base/utf8.h"
#include "components/otelcol/exporter_loki.h"
#include "telemetry/otlp.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct loki_record *r, struct str record)
{
    struct buf line = BUF_INIT(1 << 22);
    char why[64] = "";

    loki_record_read(r, record);
    loki_record_labels(r);
    for (u32 i = 1; i < r->labels.n; i++)
        ASSERT(str_cmp(r->labels.v[i - 1].name, r->labels.v[i].name) < 0);
    int err = loki_record_line(r, &line, why, sizeof(why));
    ASSERT(err <= 0 && (!err || *why || buf_err(&line)));
    buf_done(&line);
}

static void each(struct loki_record *r, struct str msg, u32 num,
                 void (*fn)(struct loki_record *r, struct str inner))
{
    struct pb_field f;

    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);)
        if (f.num == num && f.wire == PB_BYTES) fn(r, f.b);
}

static void scope(struct loki_record *r, struct str msg)
{
    each(r, msg, OTLP_SCOPE, loki_record_scope);
    each(r, msg, OTLP_RECORDS, judge);
}

static void resource(struct loki_record *r, struct str msg)
{
    each(r, msg, OTLP_RESOURCE, loki_record_resource);
    each(r, msg, OTLP_SCOPES, scope);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str request = str_n((const char *)data, size);
    struct loki_record r;
    char err[128];
    u32 items;

    if (size > 4000 || otlp_validate(SIGNAL_LOGS, request, &items, err, sizeof(err)) < 0) return 0;
    loki_record_init(&r);
    each(&r, request, OTLP_RESOURCES, resource);
    loki_record_done(&r);
    return 0;
}
