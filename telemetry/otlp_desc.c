/* The OTLP tables, expanded from otlp.def. */
#include "telemetry/otlp_desc.h"

#include "base/assert.h"
#include "telemetry/pb.h"

#define REP    OTLP_REP
#define ALWAYS OTLP_ALWAYS
#define SET    OTLP_SET
#define ONEOF  OTLP_ONEOF
#define OLD    OTLP_OLD
#define ITEM   OTLP_ITEM

/* --- names of enum values --- */

static const char *const span_kinds[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                         "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                         "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
static const char *const status_codes[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                           "STATUS_CODE_ERROR"};
static const char *const temporalities[] = {"AGGREGATION_TEMPORALITY_UNSPECIFIED",
                                            "AGGREGATION_TEMPORALITY_DELTA",
                                            "AGGREGATION_TEMPORALITY_CUMULATIVE"};
#define FOUR(level)                                                                                \
    "SEVERITY_NUMBER_" level, "SEVERITY_NUMBER_" level "2", "SEVERITY_NUMBER_" level "3",          \
        "SEVERITY_NUMBER_" level "4"
static const char *const severities[] = {"SEVERITY_NUMBER_UNSPECIFIED",
                                         FOUR("TRACE"),
                                         FOUR("DEBUG"),
                                         FOUR("INFO"),
                                         FOUR("WARN"),
                                         FOUR("ERROR"),
                                         FOUR("FATAL")};

#define NAMES(a)                                                                                   \
    {                                                                                              \
        .names = (a), .n = ARRAY_LEN(a)                                                            \
    }
const struct otlp_enum otlp_span_kind = NAMES(span_kinds);
const struct otlp_enum otlp_status_code = NAMES(status_codes);
const struct otlp_enum otlp_temporality = NAMES(temporalities);
const struct otlp_enum otlp_severity = NAMES(severities);

/* clang-format off: it does not know that these macros open and close braces. */

/* --- fields --- */

#define HEAD(name_, json_, num_, type_, flags_)                                                    \
    .name = {#name_, sizeof(#name_) - 1}, .json = {#json_, sizeof(#json_) - 1},                    \
    .json_key = {"\"" #json_ "\":", sizeof(#json_) + 2}, .num = (num_), .type = (type_),           \
    .flags = (flags_)
#define MSG(id, name_, flags_) static const struct otlp_field id##_fields[] = {
#define FIELD(msg, name_, json_, num_, type_, flags_)                                              \
    {HEAD(name_, json_, num_, OTLP_##type_, flags_)},
#define ENUM(msg, name_, json_, num_, names_, flags_)                                              \
    {HEAD(name_, json_, num_, OTLP_ENUM, flags_), .names = &otlp_##names_},
#define SUB(msg, name_, json_, num_, sub_, flags_)                                                 \
    {HEAD(name_, json_, num_, OTLP_MSG, flags_), .sub = &otlp_##sub_},
#define END(id)                                                                                    \
    }                                                                                              \
    ;
#include "telemetry/otlp.def"
#undef MSG
#undef FIELD
#undef ENUM
#undef SUB
#undef END

/* --- index of each field in its message --- */

#define MSG(id, name_, flags_) enum {
#define FIELD(msg, name_, ...) AT_##msg##_##name_,
#define ENUM                   FIELD
#define SUB                    FIELD
#define END(id)                                                                                    \
    }                                                                                              \
    ;
#include "telemetry/otlp.def"
#undef MSG
#undef FIELD
#undef END

/* --- messages --- */

#define SLOT(num) ((num) == 1000 ? OTLP_NUMS - 1 : (num))
#define MSG(id, name_, flags_)                                                                     \
    _Static_assert(ARRAY_LEN(id##_fields) <= OTLP_MAX_FIELDS, "OTLP_MAX_FIELDS");                  \
    const struct otlp_msg otlp_##id = {.name = (name_),                                            \
                                       .fields = id##_fields,                                      \
                                       .n = ARRAY_LEN(id##_fields),                                \
                                       .flags = (flags_),                                          \
                                       .by_num = {
#define FIELD(msg, name_, json_, num_, ...) [SLOT(num_)] = AT_##msg##_##name_ + 1,
#define END(id)                                                                                    \
    }                                                                                              \
    }                                                                                              \
    ;
#include "telemetry/otlp.def"
#undef MSG
#undef FIELD
#undef ENUM
#undef SUB
#undef END

/* clang-format on */

/* --- lookups --- */

u8 otlp_wire(enum otlp_type t)
{
    static const u8 wires[] = {
        [OTLP_STR] = PB_BYTES,      [OTLP_BYTES] = PB_BYTES, [OTLP_MSG] = PB_BYTES,
        [OTLP_ID16] = PB_BYTES,     [OTLP_ID8] = PB_BYTES,   [OTLP_BOOL] = PB_VARINT,
        [OTLP_ENUM] = PB_VARINT,    [OTLP_I32] = PB_VARINT,  [OTLP_I64] = PB_VARINT,
        [OTLP_U32] = PB_VARINT,     [OTLP_U64] = PB_VARINT,  [OTLP_S32] = PB_VARINT,
        [OTLP_F32] = PB_FIXED32,    [OTLP_F64] = PB_FIXED64, [OTLP_SF64] = PB_FIXED64,
        [OTLP_DOUBLE] = PB_FIXED64,
    };
    return wires[t];
}

const struct otlp_field *otlp_field_named(const struct otlp_msg *m, struct str name, u32 *hint)
{
    u32 at = *hint;
    for (u32 tried = 0; tried < m->n; tried++, at++) {
        if (at >= m->n) at = 0;
        const struct otlp_field *f = &m->fields[at];
        if (!str_eq(f->json, name) && !str_eq(f->name, name)) continue;
        *hint = at + 1;
        return f;
    }
    return NULL;
}

bool otlp_enum_value(const struct otlp_enum *e, struct str name, i32 *ret)
{
    for (i32 i = 0; i < e->n; i++) {
        if (!str_is(name, e->names[i])) continue;
        *ret = i;
        return true;
    }
    return false;
}

const struct otlp_msg *otlp_request_of(enum signal s)
{
    static const struct otlp_msg *const requests[] = {[SIGNAL_TRACES] = &otlp_traces_request,
                                                      [SIGNAL_METRICS] = &otlp_metrics_request,
                                                      [SIGNAL_LOGS] = &otlp_logs_request};
    ASSERT(s < SIGNAL_COUNT);
    return requests[s];
}

const struct otlp_msg *otlp_response_of(enum signal s)
{
    static const struct otlp_msg *const responses[] = {[SIGNAL_TRACES] = &otlp_traces_response,
                                                       [SIGNAL_METRICS] = &otlp_metrics_response,
                                                       [SIGNAL_LOGS] = &otlp_logs_response};
    ASSERT(s < SIGNAL_COUNT);
    return responses[s];
}
