/* What an answer must be like: the module's rules about status, headers, body. Pure. */
#ifndef COMPONENTS_PROMETHEUS_BLACKBOX_HTTP_JUDGE_H
#define COMPONENTS_PROMETHEUS_BLACKBOX_HTTP_JUDGE_H

#include "components/prometheus/blackbox/module.h"

/* NULL: it is as it should be; else why not, in the arena. */
const char *http_judge_status(const struct probe_module *m, int status, struct arena *a);
const char *http_judge_headers(const struct probe_module *m, const struct http_header *h, size_t n,
                               struct arena *a);
const char *http_judge_body(const struct probe_module *m, struct str body, struct arena *a);
const char *http_judge_version(const struct probe_module *m, int version, struct arena *a);

#endif
