/* Where redirects lead. Pure; texts in the arena. */
#ifndef COMPONENTS_PROMETHEUS_BLACKBOX_HTTP_URL_H
#define COMPONENTS_PROMETHEUS_BLACKBOX_HTTP_URL_H

#include "base/arena.h"

/* A target as a URL: "http://" before what has no scheme; without its fragment. */
struct str http_url_of(struct arena *a, struct str target);
/* A Location relative to the URL it came with (RFC 3986 5.2), without its fragment. */
struct str http_url_join(struct arena *a, struct str base, struct str location);

#endif
