/* A live answer of the HTTP face: something is written to it at intervals until the client goes or
 * the process ends. Embedded at the start of what writes. Control loop. */
#ifndef UI_LIVE_STREAM_H
#define UI_LIVE_STREAM_H

#include "ui/ui_impl.h"

#define LIVE_DELIMITER STR("|;|") /* behind every item */

struct live_stream;
struct live_kind {
    i64 (*every)(const struct live_stream *s); /* ns between ticks */
    void (*tick)(struct live_stream *s);
    void (*free)(struct live_stream *s); /* the whole of what embeds it */
};

struct live_stream {
    struct list node; /* of ui->live */
    struct ui *ui;
    const struct live_kind *kind;
    struct http_stream *http;
    struct timer *timer;
};

/* Answers r, and owns s from then on: it is freed when the stream is over, which for a HEAD request
 * is at once. fault: what the request has wrong, said with status 400 before the stream goes on;
 * NULL: nothing. */
void live_stream_begin(struct live_stream *s, struct ui *u, struct http_req *r,
                       const struct live_kind *kind, const char *fault);
/* Writes an item and the delimiter. False when the client is behind: nothing was written. */
bool live_stream_write(struct live_stream *s, struct str item);

#endif
