/* The contents of a support bundle. Control loop. */
#ifndef UI_SUPPORT_ENTRIES_H
#define UI_SUPPORT_ENTRIES_H

#include "ui/ui_impl.h"

#define SUPPORT_LOG_MAX ((size_t)1 << 20) /* bytes of log kept while collecting */

/* The exposition as /metrics gives it. */
void support_metrics(struct ui *u, struct buf *out);
/* The whole archive; metrics: taken at the start. Ends the recording of the log. */
void support_write(struct ui *u, struct str metrics, struct buf *zip);
/* One environment variable's value, the user and password of a URL replaced. */
void support_env_value(struct buf *b, struct str value);

#endif
