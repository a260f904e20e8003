/* stage.decolorize: the line without the control sequences of terminals. */
#include <errno.h>
#include "components/loki/process/stage.h"

#define SEQUENCE                                                                                   \
    "[\\x{1B}\\x{9B}][\\[\\]()#;?]*"                                                               \
    "(?:(?:(?:[a-zA-Z\\d]*(?:;[a-zA-Z\\d]*)*)?\\x{07})"                                            \
    "|(?:(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PRZcf-ntqry=><~]))"

const struct schema decolorize_stage_schema = SCHEMA_EMPTY;

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    struct regex **re = plan;

    *re = stage_regex(p, span, STR(SEQUENCE));
    return *re ? 0 : -EINVAL;
}

/* U+009B in UTF-8 begins with C2. */
static bool may_have_any(struct str line)
{
    return memchr(line.p, 0x1B, line.n) || memchr(line.p, 0xC2, line.n);
}

static struct str without(struct stage_run *r, struct entry *e)
{
    const struct regex *re = *(struct regex *const *)r->plan;
    char *out = NULL;
    size_t n = 0, at = 0;
    ssize_t ov[2];
    int rc;

    while ((rc = regex_match(re, e->line, at, ov, 1)) == 1) {
        if (!out) out = arena_alloc(e->scratch, e->line.n);
        memcpy(out + n, e->line.p + at, (size_t)ov[0] - at);
        n += (size_t)ov[0] - at;
        at = (size_t)ov[1];
    }
    if (rc == REGEX_LIMIT) stage_regex_limited(r);
    if (!out || rc == REGEX_LIMIT) return e->line;
    memcpy(out + n, e->line.p + at, e->line.n - at);
    return str_n(out, n + e->line.n - at);
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    if (e->line.n && may_have_any(e->line)) e->line = without(r, e);
    return STAGE_PASS;
}

const struct stage_ops decolorize_stage = {
    .plan_size = sizeof(struct regex *),
    .prepare = prepare,
    .run = run,
};
