/* Patterns: finding them compiled, and walking over matches. */
#include "components/common/template/pattern.h"

#include <stdlib.h>
#include "base/utf8.h"

/* --- compiled ones --- */

static bool takes_pattern(const struct tfunc *f)
{
    return strstr(f->name, "egex") && strcmp(f->name, "regexQuoteMeta") != 0;
}

void patterns_of_command(struct template *t, const struct command *c)
{
    char *err = NULL;
    if (c->n < 2 || c->args[0]->kind != NODE_FUNCTION || c->args[1]->kind != NODE_STRING) return;
    struct str pattern = c->args[1]->text;
    if (!c->args[0]->func || !takes_pattern(c->args[0]->func) || map_has(&t->patterns, pattern))
        return;
    struct regex *re = regex_compile(pattern, &err);
    if (re) map_put(&t->patterns, pattern, re);
    free(err); /* told when it is used, as in Go */
}

static void free_regex(void *re)
{
    regex_free(re);
}

const struct regex *pattern_get(struct run *r, struct str pattern, const char **ret_why)
{
    char *err = NULL;
    const struct regex *known = map_get(&r->t->patterns, pattern);
    if (known) return known;
    if (r->last_regex && str_eq(r->last_pattern, pattern)) return r->last_regex;
    r->steps += STEP_LIMIT / 1000; /* compiling is dear */
    struct regex *re = regex_compile(pattern, &err);
    if (!re) {
        *ret_why = arena_strdup(r->arena, str_of(err));
        free(err);
        return NULL;
    }
    arena_cleanup(r->arena, free_regex, re);
    r->last_pattern = pattern;
    r->last_regex = re;
    return re;
}

const struct regex *pattern_must(struct run *r, struct str pattern)
{
    const char *why;
    const struct regex *re = pattern_get(r, pattern, &why);
    if (!re) run_fail(r, "%s", why);
    return re;
}

/* --- matches --- */

void matches_init(struct matches *m, const struct regex *re, struct str text)
{
    *m = (struct matches){.re = re, .text = text, .last_end = -1};
}

static size_t width_at(struct str s, size_t at)
{
    return at < s.n ? utf8_decode(str_sub(s, at, s.n), &(u32){0}, NULL) : 1;
}

bool matches_next(struct run *r, struct matches *m)
{
    size_t groups = MIN((size_t)regex_groups(m->re) + 1, ARRAY_LEN(m->ov) / 2);
    while (m->at <= m->text.n && !run_failed(r)) {
        int found = regex_match(m->re, m->text, m->at, m->ov, groups);
        if (found == REGEX_LIMIT) run_fail(r, "the regular expression takes too long on this text");
        if (found != 1) return false;
        bool again = m->ov[0] == m->ov[1] && m->ov[0] == m->last_end;
        m->last_end = m->ov[1];
        m->at = (size_t)m->ov[1];
        if (m->ov[0] == m->ov[1]) m->at += width_at(m->text, m->at);
        if (++r->steps > STEP_LIMIT) run_too_big(r);
        if (!again) return true;
    }
    return false;
}

struct tval pattern_replace(struct run *r, struct str pattern, struct str text, struct str by,
                            bool expand)
{
    struct matches m;
    struct buf b = run_buf();
    size_t done = 0;
    const struct regex *re = pattern_must(r, pattern);
    if (!re) return TV_NIL;
    matches_init(&m, re, text);
    while (!buf_err(&b) && matches_next(r, &m)) {
        buf_str(&b, str_sub(text, done, (size_t)m.ov[0]));
        if (expand)
            regex_expand(re, by, text, m.ov, &b);
        else
            buf_str(&b, by);
        done = (size_t)m.ov[1];
    }
    buf_str(&b, str_sub(text, done, text.n));
    return run_value(r, &b);
}
