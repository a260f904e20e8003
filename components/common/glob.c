/* Globs: text to instructions, and the automaton that runs them over a text. */
#include "components/common/glob_int.h"

#include "base/utf8.h"

#define DEPTH_MAX 32 /* of braces */

size_t glob_char(struct str s, u32 *ret)
{
    bool bad = false;
    size_t n = utf8_decode(s, ret, &bad);

    if (bad) *ret = GLOB_BAD_BYTE + (u8)s.p[0];
    return n;
}

/* --- the pattern without "//", "/./", "x/../" and a slash at the end --- */

static bool has_meta(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr("*?[]{}\\,", s.p[i])) return true;
    return false;
}

/* Where the last segment of out begins. */
static size_t last_segment(const struct buf *out)
{
    ssize_t slash = str_rchr(buf_view(out), '/');

    return slash < 0 ? 0 : (size_t)slash + 1;
}

static bool goes_back(const struct buf *out)
{
    struct str last = str_sub(buf_view(out), last_segment(out), out->n);

    return last.n > 0 && !has_meta(last) && !str_is(last, "..");
}

static void add_segment(struct buf *out, struct str segment, bool absolute)
{
    if (segment.n == 0 || str_is(segment, ".")) return;
    if (str_is(segment, "..") && goes_back(out)) {
        size_t at = last_segment(out);
        buf_truncate(out, at > (absolute ? 1u : 0u) ? at - 1 : at);
        return;
    }
    if (out->n > (absolute ? 1u : 0u)) buf_ch(out, '/');
    buf_str(out, segment);
}

static void clean(struct str pattern, struct buf *out)
{
    bool absolute = pattern.n > 0 && pattern.p[0] == '/';

    if (absolute) buf_ch(out, '/');
    while (pattern.n > 0)
        add_segment(out, str_cut(&pattern, '/'), absolute);
}

/* --- text to instructions --- */

struct parse {
    struct glob *g;
    struct str rest;
    int depth;    /* of braces */
    bool segment; /* a segment begins here */
    bool begin;   /* the pattern begins here */
    const char *why;
};

static u32 emit(struct parse *p, enum glob_op op, u32 x, u32 y)
{
    vec_push(&p->g->code, ((struct glob_inst){op, x, y}));
    return (u32)p->g->code.n - 1;
}

static u32 here(const struct parse *p)
{
    return (u32)p->g->code.n;
}

static void skip(struct parse *p, size_t n)
{
    p->rest = str_sub(p->rest, n, p->rest.n);
}

static u32 take_char(struct parse *p)
{
    u32 c;

    skip(p, glob_char(p->rest, &c));
    return c;
}

/* op as often as one likes: L: split(body, end) body: op; jump L; end: */
static void emit_run(struct parse *p, enum glob_op op)
{
    u32 split = emit(p, GLOB_SPLIT, here(p) + 1, 0);

    emit(p, op, 0, 0);
    emit(p, GLOB_JUMP, split, 0);
    p->g->code.v[split].y = here(p);
}

/* Any number of folders, each with its slash. */
static void emit_folders(struct parse *p)
{
    u32 split = emit(p, GLOB_SPLIT, here(p) + 1, 0);

    emit_run(p, GLOB_SEGMENT);
    emit(p, GLOB_CHAR, '/', 0);
    emit(p, GLOB_JUMP, split, 0);
    p->g->code.v[split].y = here(p);
}

/* What follows ends the pattern, as far as an alternative reaches. */
static bool ends(const struct parse *p, size_t at)
{
    return at == p->rest.n || (p->depth > 0 && (p->rest.p[at] == ',' || p->rest.p[at] == '}'));
}

static void stars(struct parse *p)
{
    size_t n = 0;

    while (n < p->rest.n && p->rest.p[n] == '*')
        n++;
    bool folders = p->segment && n == 2;
    if (folders && n < p->rest.n && p->rest.p[n] == '/') {
        emit_folders(p);
        skip(p, n + 1);
        return; /* a segment begins again */
    }
    emit_run(p, folders && ends(p, n) ? GLOB_ALL : GLOB_SEGMENT);
    skip(p, n);
    p->segment = false;
}

/* "/" and, at the end, all below: the folder itself is meant too. */
static void slash(struct parse *p)
{
    bool all = str_starts(p->rest, STR("/**")) && ends(p, 3);
    u32 split = all ? emit(p, GLOB_SPLIT, here(p) + 1, 0) : 0;

    emit(p, GLOB_CHAR, '/', p->begin);
    if (all) {
        emit_run(p, GLOB_ALL);
        p->g->code.v[split].y = here(p);
    }
    skip(p, all ? 3 : 1);
    p->segment = !all;
}

static bool class_char(struct parse *p, u32 *ret)
{
    if (p->rest.n > 0 && p->rest.p[0] == '\\') skip(p, 1);
    if (p->rest.n == 0) {
        p->why = "[ is not closed";
        return false;
    }
    *ret = take_char(p);
    return true;
}

static bool class_range(struct parse *p)
{
    struct glob_range r;

    if (!class_char(p, &r.from)) return false;
    r.to = r.from;
    if (p->rest.n > 1 && p->rest.p[0] == '-' && p->rest.p[1] != ']') {
        skip(p, 1);
        if (!class_char(p, &r.to)) return false;
    }
    if (r.to < r.from) p->why = "a range of a class is backwards";
    vec_push(&p->g->ranges, r);
    return !p->why;
}

static void class(struct parse *p)
{
    u32 from = (u32)p->g->ranges.n;
    bool negated = p->rest.n > 1 && (p->rest.p[1] == '^' || p->rest.p[1] == '!');

    skip(p, negated ? 2 : 1);
    do {
        if (p->rest.n == 0) p->why = "[ is not closed";
        if (p->why || !class_range(p)) return;
    } while (p->rest.n == 0 || p->rest.p[0] != ']');
    skip(p, 1);
    emit(p, negated ? GLOB_NOT_CLASS : GLOB_CLASS, from, (u32)p->g->ranges.n);
    p->segment = false;
}

static void sequence(struct parse *p);

/* Each alternative but the last: split(alternative, next) ... jump(end). */
static void alternatives(struct parse *p)
{
    VEC(u32) ends_of = {0};
    bool segment = p->segment, begin = p->begin, more = true, after = true, empty = false;

    if (++p->depth > DEPTH_MAX) p->why = "braces are nested too deep";
    skip(p, 1);
    while (more && !p->why) {
        u32 split = emit(p, GLOB_SPLIT, here(p) + 1, 0);
        p->segment = segment;
        p->begin = begin;
        sequence(p);
        after &= p->segment;
        empty |= p->begin;
        if (p->rest.n == 0 && !p->why) p->why = "{ is not closed";
        if (p->why) break;
        more = p->rest.p[0] == ',';
        skip(p, 1);
        vec_push(&ends_of, emit(p, GLOB_JUMP, 0, 0));
        p->g->code.v[split].y = more ? here(p) : split + 1;
    }
    vec_each (&ends_of, jump)
        p->g->code.v[*jump].x = here(p);
    vec_done(&ends_of);
    p->depth--;
    p->segment = after;
    p->begin = empty;
}

static void one_char(struct parse *p)
{
    if (p->rest.p[0] == '\\') skip(p, 1);
    if (p->rest.n == 0)
        p->why = "nothing follows the last \\";
    else
        emit(p, GLOB_CHAR, take_char(p), 0);
    p->segment = false;
}

static void item(struct parse *p)
{
    switch (p->rest.p[0]) {
    case '*': stars(p); return;
    case '/': slash(p); return;
    case '[': class(p); return;
    case '?':
        skip(p, 1);
        emit(p, GLOB_SEGMENT, 0, 0);
        p->segment = false;
        return;
    default: one_char(p);
    }
}

static void sequence(struct parse *p)
{
    while (!p->why && !ends(p, 0)) {
        if (p->rest.p[0] == '{') {
            alternatives(p);
            continue;
        }
        item(p);
        p->begin = false;
    }
}

struct glob *glob_compile(struct str pattern, const char **ret_why)
{
    struct buf text = BUF_INIT(GLOB_PATTERN_MAX);
    struct glob *g = xnew(struct glob);

    clean(pattern, &text);
    struct parse p = {.g = g, .rest = buf_view(&text), .segment = true, .begin = true};
    if (pattern.n == 0) p.why = "it is empty";
    if (buf_err(&text)) p.why = "it is too long";
    sequence(&p);
    emit(&p, GLOB_DONE, 0, 0);
    buf_done(&text);
    if (!p.why) return g;
    if (ret_why) *ret_why = p.why;
    glob_free(g);
    return NULL;
}

void glob_free(struct glob *g)
{
    if (!g) return;
    vec_done(&g->code);
    vec_done(&g->ranges);
    free(g);
}

/* --- the automaton --- */

void glob_places_init(struct glob_places *p, const struct glob *g)
{
    *p = (struct glob_places){.at = xcalloc(g->code.n, sizeof(u32)),
                              .seen = xcalloc(g->code.n, sizeof(u32))};
}

void glob_places_free(struct glob_places *p)
{
    free(p->at);
    free(p->seen);
}

static void clear(struct glob_places *p)
{
    p->n = 0;
    p->turn++;
    p->done = false;
}

/* Follows splits and jumps to where a character is taken; each instruction once, so that the depth
 * is bounded by the pattern. */
static void enter(const struct glob *g, struct glob_places *p, u32 at)
{
    while (p->seen[at] != p->turn) {
        const struct glob_inst *i = &g->code.v[at];
        p->seen[at] = p->turn;
        if (i->op == GLOB_DONE)
            p->done = true;
        else if (i->op != GLOB_SPLIT && i->op != GLOB_JUMP)
            p->at[p->n++] = at;
        if (i->op == GLOB_SPLIT) enter(g, p, i->y);
        if (i->op != GLOB_SPLIT && i->op != GLOB_JUMP) return;
        at = i->x;
    }
}

void glob_start(const struct glob *g, struct glob_places *p)
{
    clear(p);
    enter(g, p, 0);
}

static bool in_ranges(const struct glob *g, const struct glob_inst *i, u32 c)
{
    for (u32 k = i->x; k < i->y; k++)
        if (c >= g->ranges.v[k].from && c <= g->ranges.v[k].to) return true;
    return false;
}

static bool takes(const struct glob *g, const struct glob_inst *i, u32 c)
{
    switch (i->op) {
    case GLOB_CHAR: return c == i->x;
    case GLOB_SEGMENT: return c != '/';
    case GLOB_ALL: return true;
    case GLOB_CLASS: return c != '/' && in_ranges(g, i, c);
    case GLOB_NOT_CLASS: return c != '/' && !in_ranges(g, i, c);
    case GLOB_SPLIT:
    case GLOB_JUMP:
    case GLOB_DONE: break;
    }
    return false;
}

void glob_step(const struct glob *g, const struct glob_places *p, u32 c, struct glob_places *to)
{
    clear(to);
    for (u32 i = 0; i < p->n; i++)
        if (takes(g, &g->code.v[p->at[i]], c)) enter(g, to, p->at[i] + 1);
}

/* Only runs of any characters take c: it does not matter which one it is. */
static bool is_any(const struct glob *g, const struct glob_places *p, u32 c)
{
    for (u32 i = 0; i < p->n; i++) {
        const struct glob_inst *inst = &g->code.v[p->at[i]];
        bool run = inst->op == GLOB_SEGMENT || inst->op == GLOB_ALL;
        if (!run && (inst->op != GLOB_CHAR || inst->x == c)) return false;
    }
    return c != '/';
}

static bool same_places(const struct glob_places *a, const struct glob_places *b)
{
    return a->n == b->n && a->done == b->done && memcmp(a->at, b->at, a->n * sizeof(u32)) == 0;
}

/* Most of a name goes by in one place: what such characters lead to is known after the first. */
static struct str skip_any(const struct glob *g, const struct glob_places *p, struct str text)
{
    size_t n = 0;

    while (n < text.n && !(text.p[n] & 0x80) && is_any(g, p, (u8)text.p[n]))
        n++;
    return str_sub(text, n, text.n);
}

void glob_steps(const struct glob *g, struct glob_places *p, struct glob_places *spare,
                struct str text)
{
    while (text.n > 0 && p->n > 0) {
        u32 c;
        size_t n = glob_char(text, &c);
        glob_step(g, p, c, spare);
        bool same = same_places(p, spare) && is_any(g, p, c);
        struct glob_places was = *p;
        *p = *spare;
        *spare = was;
        text = str_sub(text, n, text.n);
        if (same) text = skip_any(g, p, text);
    }
    if (text.n > 0) p->done = false;
}

bool glob_match(const struct glob *g, struct str path)
{
    struct glob_places p, spare;

    glob_places_init(&p, g);
    glob_places_init(&spare, g);
    glob_start(g, &p);
    glob_steps(g, &p, &spare, path);
    bool matched = p.done;
    glob_places_free(&p);
    glob_places_free(&spare);
    return matched;
}
