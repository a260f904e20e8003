/* Reads, parses, compiles, and stops where it fails. */
#include "runtime/prepared.h"

static enum prepared_stage prepare(struct prepared *p, const char *path,
                                   const struct compile_opts *o, const char *unless)
{
    struct tree_set trees;
    if (source_set_read(path, &p->files, &p->why) < 0) return PREPARED_UNREAD;
    if (unless && strcmp(p->files.sha256, unless) == 0) return PREPARED_UNCHANGED;
    if (source_set_parse(&p->files, &trees, &p->diags) < 0) return PREPARED_UNPARSED;
    if (template_compile(o, &trees, &p->diags, &p->tmpl) < 0) return PREPARED_UNSOUND;
    return PREPARED_WHOLE;
}

void prepared_init(struct prepared *p, const char *path, const struct compile_opts *o,
                   const char *unless)
{
    *p = (struct prepared){0};
    diags_init(&p->diags);
    p->stage = prepare(p, path, o, unless);
}

void prepared_done(struct prepared *p)
{
    free(p->why);
    source_set_done(&p->files);
    diags_done(&p->diags);
    template_unref(p->tmpl);
    *p = (struct prepared){0};
}
