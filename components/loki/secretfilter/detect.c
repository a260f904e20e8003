/* The search: one pass for the words that rules ask for, then the regular expressions of those
 * rules alone whose words are there. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "components/loki/secretfilter/rules.h"

#define MAX_GROUPS 32

struct allow {
    const struct allow_def *def;
    struct regex **regexes;
    const struct allow *next;
};
struct rule {
    const struct rule_def *def;
    struct regex *re;
    const struct allow *allow;
    size_t n_ov;
    bool generic; /* gives way to others, and wants a digit */
};
struct detector {
    struct rule *rules;
    u32 n;
    const struct allow *allow;
    struct keywords words;
    u64 *always; /* rules without words */
    size_t n_bits;
};

u32 detector_rules(const struct detector *d)
{
    return d->n;
}

struct str detector_rule_id(const struct detector *d, u32 rule)
{
    return d->rules[rule].def->id;
}

/* --- compiling --- */

static struct regex *compile(struct arena *a, struct str text, u32 line, const char **ret_err)
{
    char *err = NULL;
    struct regex *re = regex_compile(text, &err);

    if (re)
        arena_cleanup(a, (void (*)(void *))regex_free, re);
    else
        *ret_err = arena_printf(a, "line %u: %s", line, err);
    free(err);
    return re;
}

static bool compile_allow(struct arena *a, const struct allow_def *def, const struct allow **ret,
                          const char **ret_err)
{
    for (; def; def = def->next) {
        struct allow *allow = arena_new(a, struct allow);

        *allow = (struct allow){.def = def, .next = *ret};
        allow->regexes = arena_array(a, struct regex *, def->regexes.n + 1);
        for (size_t i = 0; i < def->regexes.n; i++) {
            allow->regexes[i] = compile(a, def->regexes.v[i], def->line, ret_err);
            if (!allow->regexes[i]) return false;
        }
        *ret = allow;
    }
    return true;
}

static bool compile_rule(struct arena *a, const struct rule_def *def, struct rule *r,
                         const char **ret_err)
{
    *r = (struct rule){.def = def, .generic = str_starts(def->id, STR("generic"))};
    r->re = compile(a, def->regex, def->line, ret_err);
    if (!r->re) return false;
    int groups = regex_groups(r->re);
    if (def->group > groups || def->group >= MAX_GROUPS) {
        *ret_err = arena_printf(a, "line %u: secretGroup is %lld and the regex has %d groups",
                                def->line, (long long)def->group, groups);
        return false;
    }
    r->n_ov = (size_t)groups + 1 < MAX_GROUPS ? (size_t)groups + 1 : MAX_GROUPS;
    return compile_allow(a, def->allow, &r->allow, ret_err);
}

static int build_words(struct detector *d, struct arena *a)
{
    VEC(struct keyword) v = {0};

    d->n_bits = d->n / 64 + 1;
    d->always = arena_array(a, u64, d->n_bits);
    for (u32 i = 0; i < d->n; i++) {
        const struct texts *words = &d->rules[i].def->keywords;

        if (!words->n) d->always[i / 64] |= UINT64_C(1) << (i % 64);
        for (size_t k = 0; k < words->n; k++)
            vec_push(&v, ((struct keyword){words->v[k], i}));
    }
    int rc = keywords_build(&d->words, v.v, v.n, a);
    vec_done(&v);
    return rc;
}

struct detector *detector_new(const struct rule_set *s, const char **ret_err)
{
    struct detector *d = arena_new(s->a, struct detector);
    u32 n = 0;

    for (struct rule_def *def = s->rules; def; def = def->next)
        n++;
    d->rules = arena_array(s->a, struct rule, n + 1);
    for (struct rule_def *def = s->rules; def; def = def->next) {
        if (!def->regex.n) continue; /* of paths alone */
        if (!compile_rule(s->a, def, &d->rules[d->n++], ret_err)) return NULL;
    }
    if (!compile_allow(s->a, s->allow, &d->allow, ret_err)) return NULL;
    if (build_words(d, s->a) == 0) return d;
    *ret_err = "the rules have too many keywords";
    return NULL;
}

/* --- judging a match --- */

static f64 entropy_of(struct str s)
{
    u32 count[256] = {0};
    f64 sum = 0;

    for (size_t i = 0; i < s.n; i++)
        count[(u8)s.p[i]]++;
    for (int c = 0; c < 256; c++)
        if (count[c]) sum -= count[c] / (f64)s.n * log2(count[c] / (f64)s.n);
    return sum;
}

static bool has_digit(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= '0' && s.p[i] <= '9') return true;
    return false;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool contains_folded(struct str s, struct str word)
{
    for (size_t at = 0; at + word.n <= s.n; at++) {
        size_t i = 0;

        while (i < word.n && lower(s.p[at + i]) == lower(word.p[i]))
            i++;
        if (i == word.n) return true;
    }
    return false;
}

struct match {
    struct str line, whole, secret;
    struct search_state *st;
    u32 rule;
};

static bool any_regex(const struct allow *a, const struct match *m)
{
    const struct str of[] = {
        [ALLOW_SECRET] = m->secret, [ALLOW_MATCH] = m->whole, [ALLOW_LINE] = m->line};

    for (size_t i = 0; i < a->def->regexes.n; i++) {
        int rc = regex_match(a->regexes[i], of[a->def->target], 0, NULL, 0);

        if (rc == 1) return true;
        if (rc == REGEX_LIMIT) m->st->limited++;
    }
    return false;
}

static bool any_stopword(const struct allow *a, const struct match *m)
{
    for (size_t i = 0; i < a->def->stopwords.n; i++)
        if (contains_folded(m->secret, a->def->stopwords.v[i])) return true;
    return false;
}

static bool allows(const struct allow *a, const struct match *m)
{
    bool regexes = a->def->regexes.n > 0, words = a->def->stopwords.n > 0;

    if (a->def->all)
        return !a->def->of_files && (!regexes || any_regex(a, m)) && (!words || any_stopword(a, m));
    return (regexes && any_regex(a, m)) || (words && any_stopword(a, m));
}

static bool is_for(const struct allow *a, struct str rule)
{
    const struct texts *t = &a->def->rules;

    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->v[i], rule)) return true;
    return t->n == 0;
}

static bool allowed(const struct allow *a, const struct match *m, struct str rule)
{
    for (; a; a = a->next)
        if (is_for(a, rule) && allows(a, m)) return true;
    return false;
}

static bool is_secret(const struct detector *d, const struct rule *r, const struct match *m)
{
    if (m->secret.n == 0) return false;
    if (r->def->entropy > 0 && entropy_of(m->secret) <= r->def->entropy) return false;
    if (r->generic && !has_digit(m->secret)) return false;
    return !allowed(d->allow, m, r->def->id) && !allowed(r->allow, m, r->def->id);
}

/* --- searching --- */

void search_state_init(struct search_state *st, const struct detector *d)
{
    *st = (struct search_state){.bits = xcalloc(d->n_bits, sizeof(u64))};
}

void search_state_done(struct search_state *st)
{
    vec_done(&st->found);
    free(st->bits);
    *st = (struct search_state){0};
}

/* The group that is the secret. */
static size_t secret_group(const struct rule *r, const ssize_t *ov)
{
    size_t g = 1;

    if (r->def->group) return (size_t)r->def->group;
    while (g < r->n_ov && (ov[2 * g] < 0 || ov[2 * g] == ov[2 * g + 1]))
        g++;
    return g < r->n_ov ? g : 0;
}

static void take(const struct detector *d, const struct rule *r, struct str line, const ssize_t *ov,
                 struct search_state *st)
{
    size_t g = secret_group(r, ov);
    struct finding f = {(u32)(r - d->rules), (size_t)ov[2 * g], (size_t)ov[2 * g + 1]};

    if (ov[2 * g] < 0) return;
    struct match m = {line, str_sub(line, (size_t)ov[0], (size_t)ov[1]),
                      str_sub(line, f.from, f.to), st, f.rule};
    if (is_secret(d, r, &m)) vec_push(&st->found, f);
}

static void search_rule(const struct detector *d, const struct rule *r, struct str line,
                        struct search_state *st)
{
    ssize_t ov[2 * MAX_GROUPS];
    size_t at = 0;

    while (at <= line.n) {
        int rc = regex_match(r->re, line, at, ov, r->n_ov);

        if (rc == REGEX_LIMIT) st->limited++;
        if (rc != 1) return;
        take(d, r, line, ov, st);
        at = (size_t)ov[1] + (ov[1] == ov[0]);
    }
}

static int by_place(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;

    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    if (x->to != y->to) return x->to > y->to ? -1 : 1;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

/* A generic rule's finding where another rule's is, or the same secret told twice, is no second
 * one. found is sorted; `end` is how far the others reach. */
static void drop_shadowed(const struct detector *d, struct search_state *st)
{
    size_t kept = 0, end = 0;

    for (size_t i = 0; i < st->found.n; i++) {
        struct finding f = st->found.v[i];
        bool generic = d->rules[f.rule].generic, shadowed = generic && f.from < end;

        for (size_t k = i + 1; generic && !shadowed && k < st->found.n; k++) {
            if (st->found.v[k].from >= f.to) break;
            shadowed = !d->rules[st->found.v[k].rule].generic;
        }
        if (!generic && f.to > end) end = f.to;
        if (!shadowed) st->found.v[kept++] = f;
    }
    st->found.n = kept;
}

void detector_search(const struct detector *d, struct str line, struct search_state *st)
{
    vec_clear(&st->found);
    st->timed_out = false;
    memcpy(st->bits, d->always, d->n_bits * sizeof(u64));
    keywords_find(&d->words, line, st->bits);
    for (size_t w = 0; w < d->n_bits; w++)
        for (u64 bits = st->bits[w]; bits && !st->timed_out; bits &= bits - 1) {
            st->timed_out = st->late && st->late(st->arg);
            if (st->timed_out) break;
            search_rule(d, &d->rules[w * 64 + (size_t)__builtin_ctzll(bits)], line, st);
        }
    if (st->found.n < 2) return;
    qsort(st->found.v, st->found.n, sizeof(*st->found.v), by_place);
    drop_shadowed(d, st);
}
