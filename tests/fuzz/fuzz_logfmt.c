/* logfmt and LogQL's patterns: what they give lies in the text, or is UTF-8 of their own. */
#include "base/assert.h"
#include "base/utf8.h"
#include "components/common/logfmt.h"
#include "components/loki/process/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(struct str part, struct str text)
{
    return part.n == 0 || (part.p >= text.p && part.p + part.n <= text.p + text.n);
}

static void scan(struct str text, struct arena *a)
{
    struct logfmt l;

    logfmt_init(&l, text, a);
    for (const char *last = l.p; logfmt_next(&l); last = l.p) {
        ASSERT(l.p > last && l.key.n > 0 && inside(l.key, text) && utf8_valid(l.key));
        ASSERT(inside(l.value, text) || utf8_valid(l.value));
    }
    ASSERT(l.failed || l.p == l.end);
}

static void match(struct str pattern, struct str text, struct arena *a)
{
    const char *err = NULL;
    struct pattern p;

    if (pattern_compile(pattern, a, &p, &err)) {
        ASSERT(err);
        return;
    }
    struct str *values = arena_array(a, struct str, p.named);
    u32 n = pattern_match(&p, text, values);
    ASSERT(n <= p.named);
    for (u32 i = 0; i < n; i++)
        ASSERT(inside(values[i], text));
}

/* Up to the first NUL is a pattern, the rest the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size), pattern = str_cut(&text, '\0');
    struct arena a;

    arena_init(&a, 0);
    if (!text.p) text = STR("");
    scan(text, &a);
    if (pattern.n < 4096) match(pattern, text, &a);
    arena_done(&a);
    return 0;
}
