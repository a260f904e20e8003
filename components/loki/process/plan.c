/* Stages compiled: the blocks of a configuration as one flat program. */
#include <errno.h>
#include "base/json.h"
#include "base/utf8.h"
#include "components/loki/process/engine_int.h"
#include "parser/ast.h"
#include "value/encode.h"

#define IDENTITY_MAX ((size_t)64 << 20)

#define STAGE(stage_name, sym, sentence)                                                           \
    {.name = stage_name, .doc = sentence, .sub = &sym##_schema, .ops = &sym},
const struct one_of_def stage_variants[] = {
#include "components/loki/process/stages.def"
};
#undef STAGE

/* --- faults --- */

int stage_fault(struct prepare *p, const struct span *span, const char *fmt, ...)
{
    struct buf text = BUF_INIT(1 << 20);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    diag_error(p->diags, DIAG_COMPONENT_BUILD, *span, "invalid stage config " STR_FMT,
               STR_ARG(buf_view(&text)));
    buf_done(&text);
    return -EINVAL;
}

static bool same_place(const struct span *a, const struct span *b)
{
    return a->file == b->file && a->start.line == b->start.line && a->start.col == b->start.col;
}

/* The block at `span` in a body or below it. */
static const struct block *block_at(const struct body *body, const struct span *span)
{
    const struct block *found = NULL;

    for (size_t i = 0; !found && i < body->n; i++) {
        if (body->stmts[i].kind != STMT_BLOCK) continue;
        const struct block *b = body->stmts[i].block;
        found = same_place(&b->span, span) ? b : block_at(&b->body, span);
    }
    return found;
}

const struct span *stage_at(struct prepare *p, const struct span *span, const char *attribute)
{
    const struct block *b = p->block ? block_at(&p->block->body, span) : NULL;

    for (size_t i = 0; b && i < b->body.n; i++) {
        const struct stmt *s = &b->body.stmts[i];
        if (s->kind == STMT_ATTR && str_is(s->attr->name, attribute))
            return arena_memdup(p->arena, &s->span, sizeof(s->span));
    }
    return span;
}

int stage_label_name(struct prepare *p, const struct span *span, struct str name)
{
    if (name.n > 0 && utf8_valid(name)) return 0;
    return stage_fault(p, span, "invalid label name: " STR_FMT, STR_ARG(name));
}

struct regex *stage_regex(struct prepare *p, const struct span *span, struct str pattern)
{
    char *err = NULL;
    struct regex *re = regex_compile(pattern, &err);

    if (re)
        arena_cleanup(p->arena, (void (*)(void *))regex_free, re);
    else
        stage_fault(p, span, "%s", err);
    free(err);
    return re;
}

/* --- steps --- */

typedef VEC(struct step) steps;

static int compile_all(struct prepare *p, const struct one_of_list *l, steps *out);

static int compile(struct prepare *p, const struct one_of *one, steps *out)
{
    const struct stage_ops *ops = one->def->ops;
    void *plan = ops->prepare ? arena_alloc(p->arena, ops->plan_size + 1) : one->args;
    int err = ops->prepare ? ops->prepare(p, one->args, &one->span, plan) : 0;
    const struct one_of_list *inner = ops->inner ? ops->inner(one->args) : NULL;
    size_t at = out->n;

    vec_push(out, ((struct step){.ops = ops, .plan = plan}));
    if (inner && compile_all(p, inner, out)) err = -EINVAL;
    out->v[at].skip = (u32)out->n;
    return err;
}

static int compile_all(struct prepare *p, const struct one_of_list *l, steps *out)
{
    int err = 0;

    for (size_t i = 0; i < l->n; i++)
        if (compile(p, &l->v[i], out)) err = -EINVAL;
    return err;
}

/* Equal texts mean equal stages, whatever was written around them. */
static struct str identity(struct arena *a, const struct one_of_list *l)
{
    struct buf b = BUF_INIT(IDENTITY_MAX);
    struct json_out j = {.b = &b};

    json_arr(&j);
    for (size_t i = 0; i < l->n; i++) {
        json_str(&j, str_of(l->v[i].def->name));
        encode_json(l->v[i].def->sub, l->v[i].args, &j);
    }
    json_arr_end(&j);
    struct str text = buf_err(&b) ? (struct str){0} : arena_str(a, buf_view(&b));
    buf_done(&b);
    return text;
}

int pipeline_prepare(struct prepare *p, const struct one_of_list *stages, struct pipeline_plan *ret)
{
    steps v = {0};
    int err = compile_all(p, stages, &v);

    ret->n = (u32)v.n;
    ret->steps = arena_memdup(p->arena, v.v, v.n * sizeof(*v.v));
    ret->identity = identity(p->arena, stages);
    vec_done(&v);
    return err;
}
