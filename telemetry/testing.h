/* Batches for tests. Header only; test programs include it once. */
#ifndef TELEMETRY_TESTING_H
#define TELEMETRY_TESTING_H

#include "base/test.h"
#include "telemetry/otlp.h"

/* A sealed batch of one slice with what an OTLP/JSON request says. */
static inline struct batch *batch_of_json(enum signal s, const char *json)
{
    struct buf bytes = BUF_INIT(1 << 24);
    char err[128] = "";
    u32 items = 0;
    int code = otlp_from_json(s, str_of(json), &bytes, &items, err, sizeof(err));
    assert_string_equal(err, "");
    assert_int_equal(code, 0);
    struct batch *b = batch_new(s);
    struct blob *root = blob_take_buf(&bytes, NULL);
    batch_add_slice(b, root, root->p, root->n, items);
    blob_unref(root);
    batch_seal(b);
    return b;
}

#endif
