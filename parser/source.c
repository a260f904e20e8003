/* A configuration text and its lines; the encoding check made when a file is loaded. */
#include "parser/source.h"
#include "parser/parser.h"
#include "base/assert.h"
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
    source_unref(s->outer);
    free(s->runs);
    free(s->name);
    free((char *)(uintptr_t)s->text.p);
    free(s->lines);
    free(s);
}

struct source *source_new_inside(struct source *outer, struct str text, struct source_run *runs,
                                 size_t n_runs)
{
    ASSERT(n_runs > 0);
    struct source *s = source_new(outer->name, text);
    s->outer = source_ref(outer);
    s->runs = runs;
    s->n_runs = n_runs;
    return s;
}

/* --- places in the outer text --- */

static size_t offset_of(const struct source *s, struct pos at)
{
    size_t line = MIN((size_t)at.line, s->n_lines) - 1;
    return MIN(s->lines[line] + at.col - 1, s->text.n);
}

/* How many runs begin at or before the offset. */
static size_t count_runs(const struct source *s, size_t offset)
{
    size_t lo = 0, hi = s->n_runs;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->runs[mid].inner <= offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The number of the line that the offset is on. */
static size_t count_lines(const struct source *s, size_t offset)
{
    size_t lo = 1, hi = s->n_lines;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->lines[mid] <= offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct pos outer_pos(const struct source *s, struct pos at)
{
    size_t inner = offset_of(s, at), n = count_runs(s, inner);
    const struct source_run *r = &s->runs[n > 0 ? n - 1 : 0];
    size_t outer = r->outer + (inner > r->inner ? MIN(inner - r->inner, (size_t)r->len) : 0);
    size_t line = count_lines(s->outer, outer);
    return (struct pos){(u32)line, (u32)(outer - s->outer->lines[line - 1]) + 1};
}

struct span source_shown(struct span at)
{
    const struct source *s = at.file;
    if (!s || !s->outer || at.start.line == 0) return at;
    struct span out = {.file = s->outer, .start = outer_pos(s, at.start)};
    if (at.end.line > 0) out.end = outer_pos(s, at.end);
    return out;
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
