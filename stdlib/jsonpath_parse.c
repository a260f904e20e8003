/* Paths: steps by dots and brackets. */
#include "stdlib/jsonpath_int.h"

#include <stdlib.h>
#include "base/num.h"
#include "base/utf8.h"
#include "base/vec.h"

/* --- scanning --- */

void *jsonpath_fail(struct path_parser *p, const char *what)
{
    if (!p->err) p->err = xprintf("%s at %zu in " STR_FMT, what, p->at + 1, STR_ARG(p->text));
    return NULL;
}

char jsonpath_peek(const struct path_parser *p)
{
    return p->at < p->text.n ? p->text.p[p->at] : '\0';
}

void jsonpath_space(struct path_parser *p)
{
    while (jsonpath_peek(p) == ' ' || jsonpath_peek(p) == '\t' || jsonpath_peek(p) == '\n')
        p->at++;
}

bool jsonpath_take(struct path_parser *p, const char *token)
{
    if (!str_starts(str_sub(p->text, p->at, p->text.n), str_of(token))) return false;
    p->at += strlen(token);
    return true;
}

bool jsonpath_is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (u8)c >= 0x80;
}

static bool expect(struct path_parser *p, const char *token)
{
    jsonpath_space(p);
    if (jsonpath_take(p, token)) return true;
    jsonpath_fail(p, p->at >= p->text.n ? "not terminated" : "unexpected character");
    return false;
}

/* --- strings --- */

static bool unicode_escape(struct path_parser *p, struct buf *out)
{
    u32 c = 0;
    if (p->text.n - p->at < 4) return false;
    for (int i = 0; i < 4; i++) {
        char h = p->text.p[p->at++], low = (char)(h | 0x20);
        if (h >= '0' && h <= '9')
            c = c << 4 | (u32)(h - '0');
        else if (low >= 'a' && low <= 'f')
            c = c << 4 | (u32)(low - 'a' + 10);
        else
            return false;
    }
    utf8_encode(out, c);
    return true;
}

static bool escape(struct path_parser *p, struct buf *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char c = jsonpath_peek(p);
    p->at++;
    if (c == 'u') return unicode_escape(p, out);
    const char *short_form = c ? strchr(from, c) : NULL;
    if (c) buf_ch(out, short_form ? to[short_form - from] : c);
    return c != '\0';
}

bool jsonpath_string(struct path_parser *p, struct str *ret)
{
    struct buf text = BUF_INIT(p->text.n * 4 + 4);
    char quote = jsonpath_peek(p);
    bool fine = true;
    for (p->at++; fine && p->at < p->text.n && p->text.p[p->at] != quote;) {
        char c = p->text.p[p->at++];
        if (c == '\\')
            fine = escape(p, &text);
        else
            buf_ch(&text, c);
    }
    fine = fine && jsonpath_peek(p) == quote && quote;
    if (fine) {
        p->at++;
        *ret = str_n(arena_strdup(p->arena, buf_view(&text)), text.n);
    } else {
        jsonpath_fail(p, "string not terminated");
    }
    buf_done(&text);
    return fine;
}

/* --- brackets --- */

static bool integer(struct path_parser *p, i64 *ret)
{
    size_t from = p->at;
    if (jsonpath_peek(p) == '-') p->at++;
    while (jsonpath_peek(p) >= '0' && jsonpath_peek(p) <= '9')
        p->at++;
    return num_parse_i64(str_sub(p->text, from, p->at), ret) == 0;
}

static bool optional_integer(struct path_parser *p, i64 *ret, bool *ret_has)
{
    jsonpath_space(p);
    char c = jsonpath_peek(p);
    *ret_has = c == '-' || (c >= '0' && c <= '9');
    if (!*ret_has || integer(p, ret)) return true;
    jsonpath_fail(p, "not an integer");
    return false;
}

static bool slice(struct path_parser *p, struct selector *s)
{
    bool has;
    s->kind = SELECT_SLICE;
    s->from = s->index;
    s->step = 1;
    if (!optional_integer(p, &s->to, &s->has_to)) return false;
    jsonpath_space(p);
    return !jsonpath_take(p, ":") || optional_integer(p, &s->step, &has);
}

static bool selector(struct path_parser *p, struct selector *ret)
{
    struct selector s = {.kind = SELECT_INDEX};
    bool has;
    jsonpath_space(p);
    if (jsonpath_peek(p) == '\'' || jsonpath_peek(p) == '"') {
        s.kind = SELECT_NAME;
        if (!jsonpath_string(p, &s.name)) return false;
    } else {
        if (!optional_integer(p, &s.index, &has)) return false;
        jsonpath_space(p);
        if (jsonpath_take(p, ":")) {
            if (!slice(p, &s)) return false;
        } else if (!has) {
            jsonpath_fail(p, p->at >= p->text.n ? "not terminated"
                                                : "not an index, a name or a filter");
            return false;
        }
    }
    *ret = s;
    return true;
}

static bool selectors(struct path_parser *p, struct step *s)
{
    VEC(struct selector) list = {0};
    struct selector one;
    bool fine;
    do {
        fine = selector(p, &one);
        if (fine) vec_push(&list, one);
        jsonpath_space(p);
    } while (fine && jsonpath_take(p, ","));
    s->kind = STEP_SELECT;
    s->n = list.n;
    s->selectors = list.n ? arena_memdup(p->arena, list.v, list.n * sizeof(one)) : NULL;
    vec_done(&list);
    return fine;
}

static bool bracket(struct path_parser *p, struct step *s)
{
    jsonpath_space(p);
    if (jsonpath_take(p, "*")) {
        s->kind = STEP_ALL;
    } else if (jsonpath_take(p, "?")) {
        s->kind = STEP_FILTER;
        s->filter = jsonpath_filter(p);
        if (!s->filter) return false;
    } else if (!selectors(p, s)) {
        return false;
    }
    return expect(p, "]");
}

/* --- steps --- */

static bool named(struct path_parser *p, struct step *s)
{
    size_t from = p->at;
    while (jsonpath_is_name(jsonpath_peek(p)))
        p->at++;
    if (p->at == from) {
        jsonpath_fail(p, from >= p->text.n ? "not terminated"
                                           : "an expression fragment cannot start here");
        return false;
    }
    struct selector one = {.kind = SELECT_NAME, .name = str_sub(p->text, from, p->at)};
    one.name = str_n(arena_strdup(p->arena, one.name), one.name.n);
    *s = (struct step){
        .kind = STEP_SELECT, .selectors = arena_memdup(p->arena, &one, sizeof(one)), .n = 1};
    return true;
}

static bool after_dot(struct path_parser *p, struct step *s)
{
    if (!jsonpath_take(p, "*")) return named(p, s);
    s->kind = STEP_ALL;
    return true;
}

static bool step(struct path_parser *p, bool bare, struct step *s)
{
    if (jsonpath_take(p, "..")) {
        s->kind = STEP_DESCENT;
        return true;
    }
    if (jsonpath_take(p, "[")) return bracket(p, s);
    return jsonpath_take(p, ".") || bare || jsonpath_peek(p) == '*' ? after_dot(p, s) : false;
}

/* A name may stand without a dot at the start of a path and after '..'. */
static bool starts_step(const struct path_parser *p, bool bare)
{
    char c = jsonpath_peek(p);
    return c == '.' || c == '[' || c == '*' ||
           (bare && c != '\0' && c != ']' && c != ')' && c != ' ');
}

bool jsonpath_steps(struct path_parser *p, struct path *ret)
{
    VEC(struct step) steps = {0};
    bool bare = !jsonpath_take(p, "$"), fine = true;
    if (bare && jsonpath_take(p, "@")) {
        bare = false;
        ret->relative = true;
    }
    while (fine && starts_step(p, bare)) {
        struct step s = {0};
        fine = step(p, bare, &s);
        if (fine && ++p->steps > JSONPATH_STEPS_MAX)
            fine = jsonpath_fail(p, "too many steps") != NULL;
        if (fine) vec_push(&steps, s);
        bare = s.kind == STEP_DESCENT;
    }
    ret->n = steps.n;
    ret->steps = steps.n ? arena_memdup(p->arena, steps.v, steps.n * sizeof(*steps.v)) : NULL;
    vec_done(&steps);
    return fine;
}

/* --- the whole --- */

struct jsonpath *jsonpath_parse(struct str text, char **err)
{
    struct jsonpath *path = xnew(struct jsonpath);
    struct path_parser p = {.text = text, .arena = &path->arena};
    arena_init(&path->arena, 0);
    if (jsonpath_steps(&p, &path->path) && p.at < text.n) jsonpath_fail(&p, "parse error");
    if (!p.err) return path;
    *err = p.err;
    jsonpath_free(path);
    return NULL;
}

void jsonpath_free(struct jsonpath *p)
{
    if (!p) return;
    arena_done(&p->arena);
    free(p);
}
