/* Configurations in gitleaks' form. Strict: a key that gitleaks does not have is refused with its
 * line, what it has and a filter of log lines cannot do is said. */
#include <errno.h>
#include <stdlib.h>
#include "components/common/read_file.h"
#include "components/loki/secretfilter/rules.h"
#include "components/loki/secretfilter/toml.h"

/* Files that extend files, as in gitleaks. */
#define MOST_EXTENDED 2

struct reader {
    struct rule_set *set;
    const char *path;
    int depth;
    void (*warn)(void *arg, const char *text);
    void *arg;
    const char *err;
};

static bool fail(struct reader *r, u32 line, const char *fmt, ...) PRINTF(3, 4);
static bool read_config(struct reader *r, const char *path);

static bool fail(struct reader *r, u32 line, const char *fmt, ...)
{
    struct buf b = BUF_INIT(2000);
    va_list ap;

    buf_printf(&b, "%s:%u: ", r->path, line);
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    if (!r->err) r->err = arena_strdup(r->set->a, buf_view(&b));
    buf_done(&b);
    return false;
}

static void warn(struct reader *r, u32 line, const char *what)
{
    r->warn(r->arg, arena_printf(r->set->a, "%s:%u: %s", r->path, line, what));
}

/* --- members by tables --- */

/* What a key of a table is, and where its value goes. */
struct member {
    const char *key;
    enum toml_type type;
    size_t off;
    enum { M_STR, M_F64, M_I64, M_TEXTS, M_IGNORED, M_OTHER } as; /* other: read by the caller */
};

static const char *type_name(enum toml_type t)
{
    static const char *const names[] = {
        [TOML_TABLE] = "a table", [TOML_ARRAY] = "an array", [TOML_STRING] = "a text",
        [TOML_INT] = "a number",  [TOML_FLOAT] = "a number", [TOML_BOOL] = "true or false"};

    return names[t];
}

static bool read_texts(struct reader *r, const struct toml *t, struct texts *ret)
{
    size_t n = 0;

    for (struct toml *e = t->first; e; e = e->next, n++)
        if (e->type != TOML_STRING)
            return fail(r, e->line, STR_FMT " holds something that is no text", STR_ARG(t->key));
    *ret = (struct texts){arena_array(r->set->a, struct str, n + 1), n};
    n = 0;
    for (struct toml *e = t->first; e; e = e->next)
        ret->v[n++] = e->str;
    return true;
}

static bool read_member(struct reader *r, const struct toml *t, const struct member *m, void *into)
{
    char *at = (char *)into + m->off;
    bool number = m->type == TOML_FLOAT && t->type == TOML_INT;

    if (t->type != m->type && !number)
        return fail(r, t->line, STR_FMT " is %s", STR_ARG(t->key), type_name(m->type));
    switch (m->as) {
    case M_STR: *(struct str *)(void *)at = t->str; break;
    case M_F64: *(f64 *)(void *)at = t->f; break;
    case M_I64: *(i64 *)(void *)at = t->i; break;
    case M_TEXTS: return read_texts(r, t, (struct texts *)(void *)at);
    case M_IGNORED:
    case M_OTHER: break;
    }
    return true;
}

static const struct member *find_member(const struct member *v, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(key, v[i].key)) return &v[i];
    return NULL;
}

static bool read_members(struct reader *r, const struct toml *t, const struct member *v, size_t n,
                         const char *what, void *into)
{
    for (struct toml *m = t->first; m; m = m->next) {
        const struct member *row = find_member(v, n, m->key);

        if (!row) return fail(r, m->line, "%s has no key \"" STR_FMT "\"", what, STR_ARG(m->key));
        if (!read_member(r, m, row, into)) return false;
    }
    return true;
}

#define READ(r, t, members, what, into)                                                            \
    read_members(r, t, members, sizeof(members) / sizeof(*(members)), what, into)

/* --- allowlists --- */

struct allow_texts {
    struct allow_def def;
    struct str condition, target;
    struct texts commits, paths;
};
static const struct member allow_members[] = {
    {"description", TOML_STRING, 0, M_IGNORED},
    {"condition", TOML_STRING, offsetof(struct allow_texts, condition), M_STR},
    {"regexTarget", TOML_STRING, offsetof(struct allow_texts, target), M_STR},
    {"commits", TOML_ARRAY, offsetof(struct allow_texts, commits), M_TEXTS},
    {"paths", TOML_ARRAY, offsetof(struct allow_texts, paths), M_TEXTS},
    {"regexes", TOML_ARRAY, offsetof(struct allow_texts, def.regexes), M_TEXTS},
    {"stopwords", TOML_ARRAY, offsetof(struct allow_texts, def.stopwords), M_TEXTS},
    {"targetRules", TOML_ARRAY, offsetof(struct allow_texts, def.rules), M_TEXTS},
};

static bool read_condition(struct reader *r, u32 line, struct str s, bool *ret)
{
    *ret = str_ieq(s, STR("and")) || str_is(s, "&&");
    if (*ret || s.n == 0 || str_ieq(s, STR("or")) || str_is(s, "||")) return true;
    return fail(r, line, "condition is \"AND\" or \"OR\"");
}

static bool read_target(struct reader *r, u32 line, struct str s, enum allow_target *ret)
{
    static const char *const names[] = {
        [ALLOW_SECRET] = "secret", [ALLOW_MATCH] = "match", [ALLOW_LINE] = "line"};

    for (int i = ALLOW_SECRET; i <= ALLOW_LINE; i++)
        if (str_is(s, names[i])) {
            *ret = (enum allow_target)i;
            return true;
        }
    return s.n == 0 || fail(r, line, "regexTarget is \"secret\", \"match\" or \"line\"");
}

static bool read_allow(struct reader *r, const struct toml *t, struct allow_def **list)
{
    struct allow_texts a = {.def.line = t->line};
    struct allow_def *def;

    if (t->type != TOML_TABLE) return fail(r, t->line, "an allowlist is a table");
    if (!READ(r, t, allow_members, "an allowlist", &a) ||
        !read_condition(r, t->line, a.condition, &a.def.all) ||
        !read_target(r, t->line, a.target, &a.def.target))
        return false;
    a.def.of_files = a.commits.n || a.paths.n;
    if (!a.def.of_files && !a.def.regexes.n && !a.def.stopwords.n)
        return fail(r, t->line, "an allowlist needs one of commits, paths, regexes or stopwords");
    def = arena_memdup(r->set->a, &a.def, sizeof(a.def));
    def->next = *list;
    *list = def;
    return true;
}

/* allowlist = a table, allowlists = an array of them. */
static bool read_allows(struct reader *r, const struct toml *t, struct allow_def **list)
{
    const struct toml *one = toml_get(t, STR("allowlist")), *many = toml_get(t, STR("allowlists"));

    if (one && !read_allow(r, one, list)) return false;
    for (struct toml *e = many ? many->first : NULL; e; e = e->next)
        if (!read_allow(r, e, list)) return false;
    return true;
}

/* --- rules --- */

static const struct member rule_members[] = {
    {"id", TOML_STRING, offsetof(struct rule_def, id), M_STR},
    {"description", TOML_STRING, 0, M_IGNORED},
    {"regex", TOML_STRING, offsetof(struct rule_def, regex), M_STR},
    {"path", TOML_STRING, offsetof(struct rule_def, path), M_STR},
    {"entropy", TOML_FLOAT, offsetof(struct rule_def, entropy), M_F64},
    {"secretGroup", TOML_INT, offsetof(struct rule_def, group), M_I64},
    {"keywords", TOML_ARRAY, offsetof(struct rule_def, keywords), M_TEXTS},
    {"tags", TOML_ARRAY, 0, M_IGNORED},
    {"skipReport", TOML_BOOL, 0, M_OTHER},
    {"required", TOML_ARRAY, 0, M_OTHER},
    {"allowlist", TOML_TABLE, 0, M_OTHER},
    {"allowlists", TOML_ARRAY, 0, M_OTHER},
};

/* What gitleaks does with a rule and this cannot do, or not for lines. */
static bool judge_rule(struct reader *r, const struct toml *t, const struct rule_def *def)
{
    const struct toml *skip = toml_get(t, STR("skipReport"));

    if (!def->id.n) return fail(r, t->line, "a rule needs an id");
    if (toml_get(t, STR("required")))
        return fail(r, t->line,
                    "the rule \"" STR_FMT "\" requires others (required), which is not supported",
                    STR_ARG(def->id));
    if (skip && skip->b)
        return fail(r, t->line,
                    "the rule \"" STR_FMT "\" is never reported (skipReport): leave it out",
                    STR_ARG(def->id));
    if (def->group < 0) return fail(r, t->line, "secretGroup is negative");
    return true;
}

/* A rule of paths never holds for a log line, which has none. */
static bool of_paths(struct reader *r, const struct rule_def *def)
{
    char *err = NULL;
    struct regex *re = def->path.n ? regex_compile(def->path, &err) : NULL;
    bool never = def->path.n && (!re || regex_match(re, STR(""), 0, NULL, 0) != 1);

    if (err) fail(r, def->line, "path: %s", err);
    free(err);
    regex_free(re);
    if (never && !r->err)
        warn(r, def->line,
             "the rule is for certain paths, and log lines have none: it finds nothing");
    return never;
}

static bool read_rule(struct reader *r, const struct toml *t)
{
    struct rule_def *def = arena_new(r->set->a, struct rule_def), *old;

    def->line = t->line;
    if (t->type != TOML_TABLE) return fail(r, t->line, "a rule is a table");
    if (!READ(r, t, rule_members, "a rule", def) || !read_allows(r, t, &def->allow) ||
        !judge_rule(r, t, def))
        return false;
    old = rules_find(r->set, def->id);
    if (old && old->line && !r->depth)
        return fail(r, t->line, "the rule \"" STR_FMT "\" is defined on line %u already",
                    STR_ARG(def->id), old->line);
    if (old) {
        rules_merge(r->set, old, def);
        return true;
    }
    if (!def->regex.n && !def->path.n)
        return fail(r, t->line, "the rule \"" STR_FMT "\" needs a regex", STR_ARG(def->id));
    if (of_paths(r, def)) def->regex = (struct str){0};
    if (!r->err) rules_append(r->set, def);
    return !r->err;
}

/* --- extending --- */

struct extend {
    struct str path, url;
    struct texts disabled;
};
static const struct member extend_members[] = {
    {"path", TOML_STRING, offsetof(struct extend, path), M_STR},
    {"url", TOML_STRING, offsetof(struct extend, url), M_STR},
    {"useDefault", TOML_BOOL, 0, M_OTHER},
    {"disabledRules", TOML_ARRAY, offsetof(struct extend, disabled), M_TEXTS},
};

static void disable(struct reader *r, struct str id)
{
    for (struct rule_def **at = &r->set->rules; *at; at = &(*at)->next)
        if (str_eq((*at)->id, id)) {
            *at = (*at)->next;
            return;
        }
}

static bool extend_file(struct reader *r, const struct toml *t, struct str path)
{
    const char *here = r->path;

    if (r->depth == MOST_EXTENDED) return fail(r, t->line, "too many files extend one another");
    r->depth++;
    bool ok = read_config(r, arena_strdup(r->set->a, path));
    r->depth--;
    r->path = here;
    return ok;
}

static bool read_extend(struct reader *r, const struct toml *t)
{
    const struct toml *builtin = toml_get(t, STR("useDefault"));
    struct extend e = {0};

    if (!READ(r, t, extend_members, "extend", &e)) return false;
    if (builtin && builtin->b && e.path.n)
        return fail(r, t->line, "extend has either useDefault or path");
    if (e.url.n) warn(r, t->line, "extend.url has no effect, in gitleaks as well");
    if (builtin && builtin->b && !r->set->rules) rules_builtin(r->set);
    if (e.path.n && !extend_file(r, t, e.path)) return false;
    for (size_t i = 0; i < e.disabled.n; i++)
        disable(r, e.disabled.v[i]);
    for (struct rule_def *def = r->set->rules; def; def = def->next)
        def->line = 0; /* may be said again by what extends it */
    return true;
}

/* --- the file --- */

static const struct member top_members[] = {
    {"title", TOML_STRING, 0, M_IGNORED},      {"description", TOML_STRING, 0, M_IGNORED},
    {"minVersion", TOML_STRING, 0, M_IGNORED}, {"extend", TOML_TABLE, 0, M_OTHER},
    {"rules", TOML_ARRAY, 0, M_OTHER},         {"allowlist", TOML_TABLE, 0, M_OTHER},
    {"allowlists", TOML_ARRAY, 0, M_OTHER},
};

static bool read_top(struct reader *r, const struct toml *top)
{
    const struct toml *extend = toml_get(top, STR("extend")), *rules = toml_get(top, STR("rules"));
    char nothing;

    if (!READ(r, top, top_members, "the file", &nothing)) return false;
    if (extend && !read_extend(r, extend)) return false;
    for (struct toml *t = rules ? rules->first : NULL; t; t = t->next)
        if (!read_rule(r, t)) return false;
    return read_allows(r, top, &r->set->allow);
}

static bool read_config(struct reader *r, const char *path)
{
    struct buf text = BUF_INIT(READ_FILE_MAX);
    const char *err = NULL;
    char *io = NULL;
    struct toml *top;

    r->path = path;
    if (read_file(path, &text, &io) < 0)
        r->err = arena_strdup(r->set->a, str_of(io));
    else if (toml_parse(arena_str(r->set->a, buf_view(&text)), r->set->a, &top, &err))
        r->err = arena_printf(r->set->a, "%s: %s", path, err);
    else
        read_top(r, top);
    free(io);
    buf_done(&text);
    return !r->err;
}

int rules_read(struct rule_set *s, const char *path, void (*warn_fn)(void *arg, const char *text),
               void *arg, const char **ret_err)
{
    struct reader r = {.set = s, .warn = warn_fn, .arg = arg};

    if (read_config(&r, path)) return 0;
    *ret_err = r.err;
    return -EINVAL;
}
