/* AnyValue: reading one from its bytes, making one, its text form and equality. Values are views
 * into the bytes. Pure; any thread. */
#ifndef TELEMETRY_OTLP_VALUE_H
#define TELEMETRY_OTLP_VALUE_H

#include "base/buf.h"

enum otlp_vtype {
    OTLP_V_NONE,
    OTLP_V_STR,
    OTLP_V_BOOL,
    OTLP_V_INT,
    OTLP_V_DOUBLE,
    OTLP_V_ARRAY,
    OTLP_V_MAP,
    OTLP_V_BYTES
};
struct otlp_value {
    enum otlp_vtype type;
    union {
        struct str s; /* STR, BYTES; ARRAY and MAP: the bytes of ArrayValue or KeyValueList */
        bool b;
        i64 i;
        f64 f;
    };
};

/* "Empty", "Str", "Bool", "Int", "Double", "Slice", "Map", "Bytes". */
const char *otlp_vtype_name(enum otlp_vtype t);
/* The last member wins, as in any oneof. */
struct otlp_value otlp_value_read(struct str any_value);
/* Bytes of an AnyValue; ARRAY and MAP take their list's bytes in s. NONE writes nothing. */
void otlp_value_write(struct buf *b, const struct otlp_value *v);
/* One element of an ArrayValue, one entry of a KeyValueList, appended to b. value: AnyValue bytes.
 */
void otlp_value_add_element(struct buf *b, struct str value);
void otlp_value_add_entry(struct buf *b, struct str key, struct str value);
/* Iterates an ArrayValue or KeyValueList: false at the end. */
struct pb_in;
bool otlp_value_next_element(struct pb_in *list, struct str *ret_value);
bool otlp_value_next_entry(struct pb_in *list, struct str *ret_key, struct str *ret_value);

/* Text form: strings as they are, numbers and booleans in JSON form, bytes in base64, lists and
 * maps as JSON with sorted keys, nothing for NONE. */
void otlp_value_text(struct buf *b, const struct otlp_value *v);
/* The same as JSON: strings in quotes, null for NONE. */
struct json_out;
void otlp_value_json(struct json_out *j, const struct otlp_value *v);
/* Same type and equal; lists in order, maps by key. */
bool otlp_value_equal(struct str a, struct str b);

/* The value of the first attribute with this key in a list of KeyValue (field `num` of msg); false
 * when there is none. */
bool otlp_attribute(struct str msg, u32 num, struct str key, struct str *ret_value);

#endif
