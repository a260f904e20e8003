/* JMESPath: an expression and a document, and the scan for paths, which gives what the interpreter
 * gives. */
#include <stdlib.h>
#include "base/assert.h"
#include "components/loki/jmespath/jmespath.h"
#include "components/loki/jmespath/paths.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A path of names is found by the scan as by the interpreter. The scan passes over what it does not
 * need without judging it, so it may take more documents. */
static void compare(const struct jmespath *p, struct str text, struct arena *a,
                    const struct jv *want)
{
    const struct str *names;
    size_t n = jmespath_path(p, &names);
    struct jv got;
    struct path_scan scan = {.slots = &got, .n_slots = 1};
    struct path_set set;

    if (!n) return;
    path_set_init(&set, a);
    path_set_add(&set, names, n, 0);
    int rc = path_set_scan(&set, text, a, &scan);
    ASSERT(rc == 0 && jv_equal(&got, want));
}

static void search(const struct jmespath *p, struct str text, struct arena *a)
{
    struct buf out = BUF_INIT((size_t)64 << 20);
    const char *err = NULL;
    struct jv doc, result;

    if (jv_parse(text, a, &doc, &err)) return;
    if (jmespath_search(p, &doc, a, &result, &err)) {
        ASSERT(err);
        return;
    }
    jv_write(&result, true, &out);
    buf_done(&out);
    if (doc.type == JV_OBJECT) compare(p, text, a, &result);
}

/* Up to the first NUL is the expression, the rest the document. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size), expr = str_cut(&text, '\0');
    struct jmespath *p;
    struct arena a;
    char *err = NULL;

    arena_init(&a, 0);
    p = jmespath_new(expr, &err);
    if (p)
        search(p, text, &a);
    else
        ASSERT(err);
    free(err);
    jmespath_free(p);
    arena_done(&a);
    return 0;
}
