/* Any bytes as a push request. First byte 0: protobuf, 1: JSON, 2: a label text. What was read,
 * written again, must read as the same. */
#include <errno.h>
#include <stdlib.h>
#include "base/assert.h"
#include "telemetry/loki_push.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Streams written one entry at a time: equal for equal contents. */
struct copy {
    struct buf out;
    struct str labels;
    struct buf text;
};

static void *stream(void *arg, struct str labels, char **ret_err)
{
    struct copy *c = arg;

    (void)ret_err;
    buf_reset(&c->text);
    buf_str(&c->text, labels);
    c->labels = buf_view(&c->text);
    return c;
}

static void *stream_of(void *arg, const struct label *v, size_t n, char **ret_err)
{
    struct copy *c = arg;

    (void)ret_err;
    buf_reset(&c->text);
    loki_push_labels(&c->text, v, n);
    c->labels = buf_view(&c->text);
    return c;
}

static int entry(void *arg, void *stream_, const struct log_entry *e)
{
    struct copy *c = stream_;

    (void)arg;
    return loki_push_stream(&c->out, c->labels, e, 1);
}

static int read_into(struct copy *c, struct str body, bool json)
{
    const struct loki_push_reader r = {stream, stream_of, entry, c};
    struct arena scratch;
    char *err = NULL;

    *c = (struct copy){.out = BUF_INIT((size_t)64 << 20), .text = BUF_INIT((size_t)64 << 20)};
    arena_init(&scratch, 0);
    int code =
        json ? loki_push_read_json(body, &scratch, &r, &err) : loki_push_read(body, &r, &err);
    ASSERT(code != -EINVAL && (code != -EBADMSG || err));
    free(err);
    arena_done(&scratch);
    return code;
}

static void push_request(struct str body, bool json)
{
    struct copy first, second;

    if (read_into(&first, body, json) == 0) {
        ASSERT(read_into(&second, buf_view(&first.out), false) == 0);
        ASSERT(str_eq(buf_view(&first.out), buf_view(&second.out)));
        buf_done(&second.out);
        buf_done(&second.text);
    }
    buf_done(&first.out);
    buf_done(&first.text);
}

static bool safe_names(const struct label *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_starts(v[i].name, STR("__")) || !v[i].name.n) return false;
        for (size_t k = 0; k < v[i].name.n; k++)
            if (!memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", v[i].name.p[k],
                        53))
                return false;
    }
    return true;
}

static void label_text(struct str text)
{
    struct arena a;
    struct label *v = NULL, *w = NULL;
    size_t n = 0, m = 0;
    char *err = NULL;
    struct buf again = BUF_INIT((size_t)16 << 20);

    arena_init(&a, 0);
    if (loki_labels_parse(text, &a, &v, &n, &err)) {
        ASSERT(err);
        free(err);
    } else if (safe_names(v, n)) {
        loki_push_labels(&again, v, n);
        ASSERT(loki_labels_parse(buf_view(&again), &a, &w, &m, &err) == 0 && m == n);
        for (size_t i = 0; i < n; i++)
            ASSERT(str_eq(v[i].name, w[i].name) && str_eq(v[i].value, w[i].value));
    }
    buf_done(&again);
    arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    struct str body = str_n((const char *)data + 1, size - 1);
    if (data[0] % 3 == 2)
        label_text(body);
    else
        push_request(body, data[0] % 3 == 1);
    return 0;
}
