/* Reading any OTLP message from JSON; requests and responses share it. */
#ifndef TELEMETRY_OTLP_JSON_H
#define TELEMETRY_OTLP_JSON_H

#include "base/buf.h"
#include "telemetry/otlp_desc.h"

/* One object (or null) as protobuf bytes appended to out. 0, -EBADMSG with text in err, -ENOMEM,
 * -E2BIG. *ret_items counts the items in it. */
int otlp_json_read(const struct otlp_msg *m, struct str json, struct buf *out, u32 *ret_items,
                   char *err, size_t err_cap);

#endif
