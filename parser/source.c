/* A configuration text and its lines; the encoding check made when a file is loaded. */
#include "parser/source.h"
#include "parser/parser.h"
#include "base/vec.h"

static void index_lines(struct source *s)
{
    VEC(size_t) lines = {0};
    vec_push(&lines, 0);
    for (size_t i = 0; i < s->text.n; i++)
        if (s->text.p[i] == '\n') vec_push(&lines, i + 1);
    s->lines = lines.v;
    s->n_lines = lines.n;
}

struct source *source_new(const char *name, struct str text)
{
    struct source *s = xnew(struct source);
    refs_init(&s->refs);
    s->name = name ? xstrdup(name) : NULL;
    s->text = (struct str){str_dup(text), text.n};
    index_lines(s);
    return s;
}

struct source *source_ref(struct source *s)
{
    refs_get(&s->refs);
    return s;
}

void source_unref(struct source *s)
{
    if (!s || !refs_put(&s->refs)) return;
    free(s->name);
    free((char *)(uintptr_t)s->text.p);
    free(s->lines);
    free(s);
}

struct pos source_shown(const struct source *s, struct pos at)
{
    if (!s || at.line == 0) return at;
    return (struct pos){at.line + s->line_offset, at.col + s->col_offset};
}

struct str source_line(const struct source *s, u32 n)
{
    if (n == 0 || n > s->n_lines) return (struct str){0};
    size_t end = n < s->n_lines ? s->lines[n] - 1 : s->text.n;
    return str_sub(s->text, s->lines[n - 1], end);
}

/* Longest first: one UTF-32 mark begins with a UTF-16 one. A mark is as wide as a code unit; a text
 * that is no whole number of units is not in that encoding. */
static const struct {
    struct str mark;
    const char *name;
} marks[] = {
    {{"\x00\x00\xFE\xFF", 4}, "UTF-32BE"},
    {{"\xFF\xFE\x00\x00", 4}, "UTF-32LE"},
    {{"\xFE\xFF", 2}, "UTF-16BE"},
    {{"\xFF\xFE", 2}, "UTF-16LE"},
};

char *source_check_encoding(struct str text)
{
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (str_starts(text, marks[i].mark) && text.n % marks[i].mark.n == 0)
            return xprintf("configuration is encoded with %s but must be utf8", marks[i].name);
    return NULL;
}
