/* The OTLP messages as const tables, made from telemetry/otlp.def: what validation, JSON in and
 * out, and the tests are driven from. Field numbers are available as constants (OTLP_span_name ==
 * 5) for the code that walks the wire by hand. */
#ifndef TELEMETRY_OTLP_DESC_H
#define TELEMETRY_OTLP_DESC_H

#include "base/signal.h"
#include "base/str.h"

enum otlp_type {
    OTLP_STR,
    OTLP_BYTES,
    OTLP_MSG,
    OTLP_ID16,
    OTLP_ID8, /* length-prefixed */
    OTLP_BOOL,
    OTLP_ENUM,
    OTLP_I32,
    OTLP_I64,
    OTLP_U32,
    OTLP_U64,
    OTLP_S32, /* varints; S32 zigzag */
    OTLP_F32, /* fixed32, unsigned */
    OTLP_F64,
    OTLP_SF64,
    OTLP_DOUBLE, /* fixed64, unsigned, signed, floating */
};
u8 otlp_wire(enum otlp_type t); /* enum pb_wire */

enum {
    OTLP_REP = 1,       /* repeated */
    OTLP_ALWAYS = 2,    /* encoders write the message even when it is empty */
    OTLP_SET = 4,       /* has presence: written even when zero */
    OTLP_IN_ONEOF = 32, /* of the members of the message's only oneof the last on the wire counts */
    OTLP_ONEOF = OTLP_IN_ONEOF | OTLP_SET,
    OTLP_OLD = 8,   /* read, never written */
    OTLP_ITEM = 16, /* of messages: what batches count */
};

struct otlp_msg;
struct otlp_enum {
    const char *const *names; /* by value */
    i32 n;
};
struct otlp_field {
    struct str name, json; /* start_time_unix_nano, startTimeUnixNano */
    struct str json_key;   /* "startTimeUnixNano": with quotes and colon */
    u32 num;
    u8 type, flags;
    const struct otlp_msg *sub;
    const struct otlp_enum *names;
};

#define OTLP_MAX_FIELDS 16 /* per message */
#define OTLP_NUMS                                                                                  \
    32 /* field numbers below 31 index by_num; the deprecated 1000 has the last place */
struct otlp_msg {
    const char *name;
    const struct otlp_field *fields;
    u8 n, flags;
    u8 by_num[OTLP_NUMS]; /* index + 1 into fields; 0: unknown */
};

/* NULL: unknown. */
static inline const struct otlp_field *otlp_field_of(const struct otlp_msg *m, u32 num)
{
    u32 slot = num < OTLP_NUMS - 1 ? num : num == 1000 ? OTLP_NUMS - 1 : 0;
    return m->by_num[slot] ? &m->fields[m->by_num[slot] - 1] : NULL;
}
/* By either name, exact case; NULL: unknown. *hint: index to try first, moved behind the field
 * found (members usually come in order). */
const struct otlp_field *otlp_field_named(const struct otlp_msg *m, struct str name, u32 *hint);
bool otlp_enum_value(const struct otlp_enum *e, struct str name, i32 *ret);

#define MSG(id, name_, flags_) extern const struct otlp_msg otlp_##id;
#define FIELD(...)
#define ENUM(...)
#define SUB(...)
#define END(id)
#include "telemetry/otlp.def"
#undef MSG
#undef FIELD
#undef ENUM
#undef SUB
#undef END

enum {
#define MSG(...)
#define FIELD(msg, name_, json_, num_, ...) OTLP_##msg##_##name_ = (num_),
#define ENUM(msg, name_, json_, num_, ...)  OTLP_##msg##_##name_ = (num_),
#define SUB(msg, name_, json_, num_, ...)   OTLP_##msg##_##name_ = (num_),
#define END(...)
#include "telemetry/otlp.def"
#undef MSG
#undef FIELD
#undef ENUM
#undef SUB
#undef END
};

extern const struct otlp_enum otlp_span_kind, otlp_status_code, otlp_temporality, otlp_severity;

/* Export*ServiceRequest and Export*ServiceResponse of a signal. */
const struct otlp_msg *otlp_request_of(enum signal s);
const struct otlp_msg *otlp_response_of(enum signal s);

/* The wrappers of a signal have the same field numbers: request.1 = ResourceX, ResourceX {
 * resource=1, scope=2, schema_url=3 }, ScopeX { scope=1, records=2, schema_url=3 }. */
enum {
    OTLP_RESOURCES = 1,
    OTLP_RESOURCE = 1,
    OTLP_SCOPES = 2,
    OTLP_SCOPES_OLD = 1000,
    OTLP_SCOPE = 1,
    OTLP_RECORDS = 2,
    OTLP_POINTS = 1
};

/* Messages may nest (AnyValue) no deeper than this, in protobuf as in JSON. */
#define OTLP_DEPTH 100

#endif
