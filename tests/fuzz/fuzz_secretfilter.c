/* loki.secretfilter: TOML of any kind, and lines against our own rules; what was found is not in
 * what was redacted. */
#include "base/assert.h"
#include "base/buf.h"
#include "components/loki/secretfilter/rules.h"
#include "components/loki/secretfilter/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena rules_arena;
static struct detector *detector;
static struct search_state state;

static void set_up(void)
{
    struct rule_set set = {.a = &rules_arena};
    const char *err = NULL;

    arena_init(&rules_arena, 0);
    rules_builtin(&set);
    detector = detector_new(&set, &err);
    ASSERT(detector);
    search_state_init(&state, detector);
}

/* With nothing in a secret's place, none of the places that were found is left as it was. */
static void filter(struct str line)
{
    struct redaction how = {.with = STR("#")};
    struct buf out = BUF_INIT(1 << 20);

    detector_search(detector, line, &state);
    redact(&how, detector, line, &state, &out);
    ASSERT(state.found.n > 0 || str_eq(buf_view(&out), line));
    vec_each (&state.found, f) {
        ASSERT(f->from < f->to && f->to <= line.n);
        struct str secret = str_sub(line, f->from, f->to);
        ASSERT(secret.n < 8 || str_find(buf_view(&out), secret) < 0);
    }
    buf_done(&out);
}

/* Up to the first NUL is TOML, the rest a line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str line = str_n((const char *)data, size), toml = str_cut(&line, '\0');
    const char *err = NULL;
    struct toml *top;
    struct arena a;

    if (!detector) set_up();
    arena_init(&a, 0);
    if (toml_parse(toml, &a, &top, &err)) ASSERT(err);
    arena_done(&a);
    if (line.p && line.n < 4096) filter(line);
    return 0;
}
