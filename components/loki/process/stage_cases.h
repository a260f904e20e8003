/* Cases of stages that extract: the stage, a line that passes unchanged, and the labels that
 * stage.labels makes of what was extracted under the names given. Test programs include it. */
#ifndef COMPONENTS_LOKI_PROCESS_STAGE_CASES_H
#define COMPONENTS_LOKI_PROCESS_STAGE_CASES_H

#include "components/loki/process/testing.h"

struct extract_case {
    const char *stage;  /* configuration */
    const char *names;  /* shown, by comma */
    const char *line;   /* as in process_case, without labels */
    const char *labels; /* wanted */
};

static inline void show_names(struct buf *b, struct str names)
{
    buf_cstr(b, "\nstage.labels { values = {");
    while (names.n) {
        struct str name = str_cut(&names, ',');
        buf_printf(b, "\"" STR_FMT "\" = \"\",", STR_ARG(name));
    }
    buf_cstr(b, "} }\n");
}

static inline void extract_check(const struct extract_case *c)
{
    struct buf stages = BUF_INIT(1 << 20);
    char *in = xprintf("{} %s", c->line), *want = xprintf("%s %s\n", c->labels, c->line);

    buf_cstr(&stages, c->stage);
    show_names(&stages, str_of(c->names));
    process_case(stages.p, in, want);
    buf_done(&stages);
    free(in);
    free(want);
}

#define EXTRACT_ALL(cases)                                                                         \
    for (size_t i_ = 0; i_ < sizeof(cases) / sizeof(*(cases)); i_++)                               \
    extract_check(&(cases)[i_])

#endif
