/* The search for secrets, and what is done with them: replaced in trees, starred out in texts. */
#include "runtime/redact.h"

#include "parser/lexer.h"
#include "parser/parser.h"
#include "runtime/compile/blocks.h"

#define LEVELS_MAX 200 /* of declares that hand a value on; beyond, it counts as a secret */
#define STARS      8   /* shown of a secret, whatever its length */

/* ---- the search ---- */

/* A body that declares components, inside another one. The root's is spread over several files. */
struct level {
    const struct level *outer;
    const struct body *const *bodies;
    size_t n;
};

struct search {
    const struct compile_opts *o;
    void (*fn)(void *arg, struct attr *a);
    void *arg;
    bool modules_too;  /* also the bodies of declares */
    struct map *known; /* "block:argument" -> is it used as a secret? */
    int depth;
};

static void search_level(struct search *s, const struct level *l);

static const struct component_def *find_def(const struct search *s, struct str name)
{
    for (size_t i = 0; i < s->o->n_configs; i++)
        if (str_is(name, s->o->configs[i].def->def.name)) return &s->o->configs[i].def->def;
    for (size_t i = 0; i < language_blocks_count; i++)
        if (str_is(name, language_blocks[i].def->name)) return language_blocks[i].def;
    for (size_t i = 0; i < s->o->registry.n; i++)
        if (str_is(name, s->o->registry.all[i]->name)) return s->o->registry.all[i];
    return s->o->registry.foreign ? s->o->registry.foreign(s->o->registry.foreign_arg, name) : NULL;
}

static bool row_is_secret(const struct row *row)
{
    return row->kind == K_SECRET || row->kind == K_OPT_SECRET || row->kind == K_SECRET_MAP;
}

static bool has_text(const struct expr *e)
{
    const struct expr *child;
    if (e->kind == EXPR_STRING) return true;
    for (size_t i = 0; (child = expr_child(e, i)); i++)
        if (has_text(child)) return true;
    return false;
}

/* Nothing is known of this body. */
static void search_unknown(struct search *s, const struct body *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->stmts[i].kind == STMT_BLOCK)
            search_unknown(s, &b->stmts[i].block->body);
        else if (has_text(b->stmts[i].attr->value))
            s->fn(s->arg, b->stmts[i].attr);
}

static void search_body(struct search *s, const struct schema *schema, const struct body *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct stmt *st = &b->stmts[i];
        const struct one_of_def *variant = NULL;
        const struct row *row = st->kind == STMT_ATTR
                                    ? schema_row(schema, st->attr->name)
                                    : schema_block(schema, st->block->name, &variant);
        const struct schema *sub = variant ? variant->sub : row ? row->sub : NULL;
        if (st->kind == STMT_BLOCK && sub)
            search_body(s, sub, &st->block->body);
        else if (st->kind == STMT_BLOCK)
            search_unknown(s, &st->block->body);
        else if (row ? row_is_secret(row) : has_text(st->attr->value))
            s->fn(s->arg, st->attr);
    }
}

/* ---- values that are handed on ---- */

struct use {
    struct str first, second; /* `argument` and its name; or a variable alone */
    bool found;
};

static bool is_use(const struct use *u, const struct expr *e)
{
    if (u->second.n == 0) return e->kind == EXPR_IDENT && str_eq(e->s, u->first);
    return e->kind == EXPR_ACCESS && e->access.of->kind == EXPR_IDENT &&
           str_eq(e->access.of->s, u->first) && str_eq(e->access.name, u->second);
}

static bool mentions(const struct use *u, const struct expr *e)
{
    const struct expr *child;
    if (is_use(u, e)) return true;
    for (size_t i = 0; (child = expr_child(e, i)); i++)
        if (mentions(u, child)) return true;
    return false;
}

static void note_use(void *arg, struct attr *a)
{
    struct use *u = arg;
    if (!u->found) u->found = mentions(u, a->value);
}

/* Does a secret of this level read the value? */
static bool level_uses(struct search *s, const struct level *l, struct use u)
{
    struct search inner = {
        .o = s->o, .fn = note_use, .arg = &u, .known = s->known, .depth = s->depth + 1};
    if (inner.depth > LEVELS_MAX) return true;
    search_level(&inner, l);
    return u.found;
}

static bool argument_is_secret(struct search *s, const struct level *outer,
                               const struct block *declare, struct str name)
{
    static char yes, no;
    struct buf key = BUF_INIT(SIZE_MAX / 2);
    buf_printf(&key, "%p:" STR_FMT, (const void *)declare, STR_ARG(name));
    const char *known = map_get(s->known, buf_view(&key));
    if (!known) {
        const struct body *body = &declare->body;
        map_put(s->known, buf_view(&key), &no); /* one that uses itself adds nothing */
        bool used = level_uses(s, &(struct level){outer, &body, 1},
                               (struct use){.first = STR("argument"), .second = name});
        map_put(s->known, buf_view(&key), used ? &yes : &no);
        known = used ? &yes : &no;
    }
    buf_done(&key);
    return known == &yes;
}

static const struct block *find_declare(const struct level *l, struct str name,
                                        const struct level **ret)
{
    for (; l; l = l->outer)
        for (size_t b = 0; b < l->n; b++)
            for (size_t i = 0; i < l->bodies[b]->n; i++) {
                const struct stmt *st = &l->bodies[b]->stmts[i];
                if (st->kind != STMT_BLOCK || !str_is(st->block->name, "declare") ||
                    !str_eq(st->block->label, name))
                    continue;
                *ret = l;
                return st->block;
            }
    return NULL;
}

static void search_custom(struct search *s, const struct level *l, const struct block *b)
{
    const struct level *at;
    const struct block *declare = find_declare(l, b->name, &at);
    if (!declare) {
        search_unknown(s, &b->body);
        return;
    }
    for (size_t i = 0; i < b->body.n; i++)
        if (b->body.stmts[i].kind == STMT_ATTR &&
            argument_is_secret(s, at, declare, b->body.stmts[i].attr->name))
            s->fn(s->arg, b->body.stmts[i].attr);
}

/* ---- the blocks of the language ---- */

static struct attr *attr_of(const struct body *b, const char *name)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->stmts[i].kind == STMT_ATTR && str_is(b->stmts[i].attr->name, name))
            return b->stmts[i].attr;
    return NULL;
}

static void search_declare(struct search *s, const struct level *l, const struct block *declare)
{
    const struct body *body = &declare->body;
    if (!s->modules_too) return;
    search_level(s, &(struct level){l, &body, 1});
    for (size_t i = 0; i < body->n; i++) {
        const struct block *b = body->stmts[i].kind == STMT_BLOCK ? body->stmts[i].block : NULL;
        struct attr *def = b && str_is(b->name, "argument") ? attr_of(&b->body, "default") : NULL;
        if (def && argument_is_secret(s, l, declare, b->label)) s->fn(s->arg, def);
    }
}

static void search_foreach(struct search *s, const struct level *l, const struct block *each)
{
    const struct attr *var = attr_of(&each->body, "var");
    struct attr *collection = attr_of(&each->body, "collection");
    for (size_t i = 0; i < each->body.n; i++) {
        const struct stmt *st = &each->body.stmts[i];
        if (st->kind != STMT_BLOCK || !str_is(st->block->name, "template")) continue;
        const struct body *body = &st->block->body;
        struct level inner = {l, &body, 1};
        search_level(s, &inner);
        if (collection && var && var->value->kind == EXPR_STRING &&
            level_uses(s, &inner, (struct use){.first = var->value->s}))
            s->fn(s->arg, collection);
    }
}

static void search_nothing(struct search *s, const struct level *l, const struct block *b) {}

static const struct {
    const char *name;
    void (*fn)(struct search *s, const struct level *l, const struct block *b);
} own_blocks[] = {
    {"declare", search_declare},
    {"foreach", search_foreach},
    {"argument", search_nothing}, /* with its declare */
    {"export", search_nothing},
};

static void search_block(struct search *s, const struct level *l, const struct block *b)
{
    for (size_t i = 0; i < ARRAY_LEN(own_blocks); i++)
        if (str_is(b->name, own_blocks[i].name)) {
            own_blocks[i].fn(s, l, b);
            return;
        }
    const struct level *at;
    const struct component_def *def = find_def(s, b->name);
    if (find_declare(l, b->name, &at) || !def)
        search_custom(s, l, b);
    else if (def->args)
        search_body(s, def->args, &b->body);
}

static void search_level(struct search *s, const struct level *l)
{
    for (size_t b = 0; b < l->n; b++)
        for (size_t i = 0; i < l->bodies[b]->n; i++)
            if (l->bodies[b]->stmts[i].kind == STMT_BLOCK)
                search_block(s, l, l->bodies[b]->stmts[i].block);
}

typedef VEC(struct attr *) attr_list;

static void collect(void *arg, struct attr *a)
{
    attr_list *found = arg;
    vec_push(found, a);
}

/* All are found before the first is handed over: a value that was replaced would no longer tell
 * what it used. */
void secrets_each(const struct tree_set *trees, const struct compile_opts *o,
                  void (*fn)(void *arg, struct attr *a), void *arg)
{
    struct map known = {0};
    attr_list found = {0};
    struct search s = {.o = o, .fn = collect, .arg = &found, .modules_too = true, .known = &known};
    VEC(const struct body *) bodies = {0};
    for (size_t i = 0; i < trees->trees.n; i++)
        vec_push(&bodies, &trees->trees.v[i]->body);
    search_level(&s, &(struct level){NULL, bodies.v, bodies.n});
    vec_each (&found, a)
        fn(arg, *a);
    vec_done(&found);
    vec_done(&bodies);
    map_done(&known, NULL);
}

/* ---- trees ---- */

/* Inside the value, or behind it on its last line: what it was, like as not. */
static bool is_beside(const struct span *comment, const struct span *value)
{
    u32 last = value->end.line ? value->end.line : value->start.line;
    return comment->start.line >= value->start.line && comment->start.line <= last;
}

static void drop_comments(struct tree *t, const struct span *value)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->n_comments; i++)
        if (!is_beside(&t->comments[i].span, value)) t->comments[kept++] = t->comments[i];
    t->n_comments = kept;
}

static void replace(void *arg, struct attr *a)
{
    struct tree_set *trees = arg;
    struct expr *e = a->value;
    vec_each (&trees->trees, t)
        if ((*t)->source == e->span.file) drop_comments(*t, &e->span);
    *e = (struct expr){.kind = EXPR_STRING,
                       .span = e->span,
                       .height = 1,
                       .raw = STR("\"(secret)\""),
                       .s = STR("(secret)")};
}

void redact_trees(struct tree_set *trees, const struct compile_opts *o)
{
    secrets_each(trees, o, replace, trees);
}

/* ---- texts ---- */

/* Bytes from start to the end of `end`, which is the place of the last byte. */
static struct str span_bytes(const struct source *s, char *text, struct pos start, struct pos end)
{
    if (start.line == 0 || start.line > s->n_lines) return (struct str){0};
    if (end.line == 0) end = start;
    size_t from = s->lines[start.line - 1] + start.col - 1;
    size_t to = end.line > s->n_lines ? s->text.n : s->lines[end.line - 1] + end.col;
    to = MIN(to, s->text.n);
    return from < to ? str_n(text + from, to - from) : (struct str){0};
}

/* A few stars, then blanks: not even the length is told. */
static void star_out(struct str bytes)
{
    char *p = (char *)bytes.p;
    for (size_t i = 0; i < bytes.n; i++)
        if (p[i] != '\n') p[i] = i < STARS ? '*' : ' ';
}

struct mask {
    const struct source *s;
    char *text;
};

static void mask_attr(void *arg, struct attr *a)
{
    struct mask *m = arg;
    struct pos end = a->value->span.end.line ? a->value->span.end : a->value->span.start;
    end.col = (u32)source_line(m->s, end.line).n; /* a comment behind it as well */
    star_out(span_bytes(m->s, m->text, a->value->span.start, end));
}

static bool may_hold_text(enum token t)
{
    return t == TOK_STRING || t == TOK_ILLEGAL || t == TOK_COMMENT;
}

/* Nobody can say what its strings are. */
static void mask_strings(struct mask *m)
{
    struct lexer lx;
    struct diags ignored;
    diags_init(&ignored);
    lex_init(&lx, m->s, &ignored);
    for (struct lexeme l; (l = lex_next(&lx)).tok != TOK_EOF;)
        if (may_hold_text(l.tok)) star_out(str_n(m->text + (l.text.p - m->s->text.p), l.text.n));
    diags_done(&ignored);
}

static void mask_secrets(struct mask *m, const struct compile_opts *o)
{
    struct diags ignored;
    struct tree_set set = {0};
    diags_init(&ignored);
    struct source *copy = source_new(m->s->name, m->s->text);
    struct tree *t = parse_file(copy, &ignored);
    if (t) {
        vec_push(&set.trees, t);
        secrets_each(&set, o, mask_attr, m);
    } else {
        mask_strings(m);
    }
    tree_set_done(&set);
    source_unref(copy);
    diags_done(&ignored);
}

struct source *redact_source(const struct source *s, const struct compile_opts *o)
{
    struct mask m = {.s = s, .text = str_dup(s->text)};
    mask_secrets(&m, o);
    struct source *masked = source_new(s->name, str_n(m.text, s->text.n));
    free(m.text);
    return masked;
}

/* ---- diagnostics ---- */

struct masked {
    const struct source *of;
    struct source *source;
};
typedef VEC(struct masked) masked_list;

static const struct source *masked_of(masked_list *list, const struct source *s,
                                      const struct compile_opts *o)
{
    if (!s) return NULL;
    vec_each (list, m)
        if (m->of == s) return m->source;
    vec_push(list, ((struct masked){s, redact_source(s, o)}));
    return vec_last(list).source;
}

/* Where the fault begins something was starred out: its message may quote that. */
static bool touches_secret(const struct source *plain, const struct source *masked, struct pos at)
{
    if (!plain || at.line == 0 || at.line > plain->n_lines) return false;
    size_t off = plain->lines[at.line - 1] + at.col - 1;
    return off < plain->text.n && plain->text.p[off] != masked->text.p[off];
}

static void render_one(const struct diag *d, const struct source *masked, struct buf *out)
{
    struct diags one;
    struct span at = d->span;
    bool secret = touches_secret(d->span.file, masked, d->span.start);
    at.file = masked;
    diags_init(&one);
    struct diag *copy = diag_add(&one, d->severity, d->code, at, "%s",
                                 secret ? diag_code_text(d->code) : d->message);
    if (d->hint && !secret) diag_hint(&one, copy, "%s", d->hint);
    diags_render(&one, out, false);
    diags_done(&one);
}

void redact_diags(const struct diags *d, const struct compile_opts *o, size_t max, struct buf *out)
{
    masked_list sources = {0};
    size_t shown = 0, start = out->n;
    for (; shown < d->list.n && out->n - start < max; shown++) {
        const struct diag *one = &d->list.v[shown];
        if (shown > 0) buf_ch(out, '\n');
        render_one(one, masked_of(&sources, one->span.file, o), out);
    }
    if (shown < d->list.n) buf_printf(out, "\n... and %zu more\n", d->list.n - shown);
    vec_each (&sources, m)
        source_unref(m->source);
    vec_done(&sources);
}
