/* `rule` blocks to steps: the table, what may not be written, the counted program, its capsule. */
#include "components/common/relabel_int.h"

#include <errno.h>

#include "base/utf8.h"
#include "components/common/settings.h"

#define DEFAULT_SEPARATOR   ";"
#define DEFAULT_REGEX       "(.*)"
#define DEFAULT_REPLACEMENT "$1"

static const char *const action_names[] = {
    [RELABEL_REPLACE] = "replace",     [RELABEL_KEEP] = "keep",
    [RELABEL_DROP] = "drop",           [RELABEL_HASHMOD] = "hashmod",
    [RELABEL_LABELMAP] = "labelmap",   [RELABEL_LABELDROP] = "labeldrop",
    [RELABEL_LABELKEEP] = "labelkeep", [RELABEL_LOWERCASE] = "lowercase",
    [RELABEL_UPPERCASE] = "uppercase", [RELABEL_KEEPEQUAL] = "keepequal",
    [RELABEL_DROPEQUAL] = "dropequal", [RELABEL_ACTIONS] = NULL,
};

static const struct row rule_rows[] = {
    ATTR(struct relabel_rule, action, .doc = "What the rule does.", .def = "\"replace\"",
         .one_of = action_names, .one_of_error = "unrecognized action type \"%s\""),
    ATTR(struct relabel_rule, modulus, .doc = "Number that hashmod divides by.", .def = "0",
         .min = 0, .has_min = true),
    ATTR(struct relabel_rule, regex,
         .doc = "Regular expression (RE2) that the whole text has to match.", .def = "\"(.*)\""),
    ATTR(struct relabel_rule, replacement,
         .doc = "Value to set; $1, ${name} stand for groups of the regex.", .def = "\"$1\""),
    ATTR(struct relabel_rule, separator, .doc = "Put between the values of source_labels.",
         .def = "\";\""),
    ATTR(struct relabel_rule, source_labels, .doc = "Labels whose values are the text to match."),
    ATTR(struct relabel_rule, target_label, .doc = "Label to set or to compare with.",
         .def = "\"\""),
};
const struct schema relabel_rule_schema =
    SCHEMA(struct relabel_rule, rule_rows, .span_off = offsetof(struct relabel_rule, span));

/* --- names --- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

bool relabel_is_classic(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!is_word(name.p[i])) return false;
    return name.n > 0 && is_letter(name.p[0]);
}

static size_t word_length(struct str s)
{
    size_t n = 0;

    while (n < s.n && is_word(s.p[n]))
        n++;
    return n;
}

/* Length of $name or ${name} at the start of s; 0: there is none. */
static size_t variable_length(struct str s)
{
    bool braces = s.n > 1 && s.p[1] == '{';
    size_t from = braces ? 2 : 1, n = s.n > from ? word_length(str_sub(s, from, s.n)) : 0;

    if (!n || !braces) return n ? from + n : 0;
    return from + n < s.n && s.p[from + n] == '}' ? from + n + 1 : 0;
}

/* A name once its variables are filled in: word characters and variables, no digit first. */
static bool is_name_template(struct str s)
{
    size_t at = 0;

    if (!s.n || (s.p[0] >= '0' && s.p[0] <= '9')) return false;
    while (at < s.n) {
        size_t n = s.p[at] == '$' ? variable_length(str_sub(s, at, s.n)) : is_word(s.p[at]);
        if (!n) return false;
        at += n;
    }
    return true;
}

static bool is_target(struct str s)
{
    return str_chr(s, '$') >= 0 ? is_name_template(s) : s.n > 0 && utf8_valid(s);
}

/* --- what may be written --- */

#define A(action) (1u << RELABEL_##action)
#define EQUALS    (A(KEEPEQUAL) | A(DROPEQUAL))
#define CASES     (A(LOWERCASE) | A(UPPERCASE))
#define TARGETS   (A(REPLACE) | A(HASHMOD) | CASES | EQUALS)
#define NAMES     (A(LABELDROP) | A(LABELKEEP))

static bool no_modulus(const struct relabel_rule *r)
{
    return r->modulus == 0;
}

static bool no_target(const struct relabel_rule *r)
{
    return r->target_label.n == 0;
}

static bool bad_target(const struct relabel_rule *r)
{
    return !is_target(r->target_label);
}

static bool has_replacement(const struct relabel_rule *r)
{
    return !str_is(r->replacement, DEFAULT_REPLACEMENT);
}

static bool bad_replacement(const struct relabel_rule *r)
{
    return !is_name_template(r->replacement);
}

static bool more_than_labels(const struct relabel_rule *r)
{
    return !str_is(r->regex, DEFAULT_REGEX) || !str_is(r->separator, DEFAULT_SEPARATOR) ||
           r->modulus != 0;
}

static bool more_than_regex(const struct relabel_rule *r)
{
    return r->source_labels.n > 0 || r->target_label.n > 0 || r->modulus != 0 ||
           !str_is(r->separator, DEFAULT_SEPARATOR) || has_replacement(r);
}

/* In order: a rule is told its first fault. Placeholders: T target_label, R replacement, A action.
 */
static const struct check {
    u32 actions;
    bool (*fails)(const struct relabel_rule *r);
    const char *message;
} checks[] = {
    {A(HASHMOD), no_modulus, "relabel configuration for hashmod requires non-zero modulus"},
    {TARGETS, no_target, "relabel configuration for {A} action requires 'target_label' value"},
    {TARGETS, bad_target, "{T} is invalid 'target_label' for {A} action"},
    {CASES | EQUALS, has_replacement, "'replacement' can not be set for {A} action"},
    {A(LABELMAP), bad_replacement, "{R} is invalid 'replacement' for labelmap action"},
    {EQUALS, more_than_labels,
     "{A} action requires only 'source_labels' and 'target_label', and no other fields"},
    {NAMES, more_than_regex, "{A} action requires only 'regex', and no other fields"},
};

static void write_message(struct buf *b, const char *m, const struct relabel_rule *r)
{
    for (; *m; m++) {
        if (*m != '{') {
            buf_ch(b, *m);
            continue;
        }
        if (m[1] == 'A')
            buf_str(b, r->action);
        else
            utf8_quote(b, m[1] == 'T' ? r->target_label : r->replacement);
        m += 2;
    }
}

static int rule_fault(struct prepare *p, const struct relabel_rule *r, const char *message)
{
    struct buf text = BUF_INIT((size_t)1 << 20);

    write_message(&text, message, r);
    diag_error(p->diags, DIAG_VALUE_INVALID, r->span, "%s", text.p ? text.p : message);
    buf_done(&text);
    return -EINVAL;
}

static enum relabel_action action_of(struct str name)
{
    enum relabel_action a = RELABEL_REPLACE;

    while (a < RELABEL_ACTIONS - 1 && !str_is(name, action_names[a]))
        a++;
    return a;
}

static int check_rule(struct prepare *p, const struct relabel_rule *r)
{
    u32 action = 1u << action_of(r->action);

    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if ((checks[i].actions & action) && checks[i].fails(r))
            return rule_fault(p, r, checks[i].message);
    return 0;
}

/* --- steps --- */

/* $N or ${N} and nothing else: the group's number; -1: something else. */
static int only_group(struct str s)
{
    if (s.n < 2 || s.p[0] != '$' || variable_length(s) != s.n) return -1;
    struct str digits = s.p[1] == '{' ? str_sub(s, 2, s.n - 1) : str_sub(s, 1, s.n);
    int n = 0;

    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9' || n > 99) return -1;
        n = n * 10 + (digits.p[i] - '0');
    }
    return n;
}

static struct relabel_template template_of(struct arena *a, struct str text)
{
    int group = only_group(text);

    return (struct relabel_template){.text = arena_str(a, text),
                                     .kind = str_chr(text, '$') < 0 ? TEMPLATE_FIXED
                                             : group >= 0           ? TEMPLATE_GROUP
                                                                    : TEMPLATE_ANY,
                                     .group = group};
}

static struct str_list copy_list(struct arena *a, struct str_list from)
{
    struct str_list to = {arena_array(a, struct str, from.n + 1), from.n};

    for (size_t i = 0; i < from.n; i++)
        to.v[i] = arena_str(a, from.v[i]);
    return to;
}

static int compile(struct prepare *p, const struct relabel_rule *r, struct arena *a,
                   struct relabel_step *step)
{
    char *err = NULL;

    if (check_rule(p, r)) return -EINVAL;
    *step = (struct relabel_step){.action = action_of(r->action),
                                  .source_labels = copy_list(a, r->source_labels),
                                  .separator = arena_str(a, r->separator),
                                  .regex_text = arena_str(a, r->regex),
                                  .any = str_is(r->regex, DEFAULT_REGEX),
                                  .target = template_of(a, r->target_label),
                                  .replacement = template_of(a, r->replacement),
                                  .modulus = (u64)r->modulus};
    step->regex = regex_compile_anchored(r->regex, &err);
    if (step->regex) return 0;
    diag_error(p->diags, DIAG_VALUE_INVALID, r->span, "regex of a rule: %s", err);
    free(err);
    return -EINVAL;
}

static void program_unref(struct relabel_program *program)
{
    if (!program || !refs_put(&program->refs)) return;
    for (size_t i = 0; i < program->n; i++)
        regex_free(program->v[i].regex);
    arena_done(&program->arena);
    free(program);
}

static struct relabel_program *program_new(size_t n)
{
    struct relabel_program *program = xnew(struct relabel_program);

    refs_init(&program->refs);
    arena_init(&program->arena, 0);
    program->v = arena_array(&program->arena, struct relabel_step, n + 1);
    program->n = n;
    return program;
}

/* Takes the reference on program. */
static struct relabel *relabel_new(struct relabel_program *program, enum relabel_names names)
{
    struct relabel *r = xnew(struct relabel);

    refs_init(&r->refs);
    r->names = names;
    r->program = program;
    return r;
}

static void release(void *r)
{
    relabel_unref(r);
}

int relabel_prepare(struct prepare *p, const struct relabel_rules *rules, enum relabel_names names,
                    struct relabel **ret)
{
    struct relabel_program *program = program_new(rules->n);
    int rc = 0;

    for (size_t i = 0; i < rules->n; i++)
        if (compile(p, &rules->v[i], &program->arena, &program->v[i])) rc = -EINVAL;
    if (rc) {
        program_unref(program);
        return rc;
    }
    *ret = relabel_new(program, names);
    arena_cleanup(p->arena, release, *ret);
    return 0;
}

struct relabel *relabel_ref(struct relabel *r)
{
    refs_get(&r->refs);
    return r;
}

void relabel_unref(struct relabel *r)
{
    if (!r || !refs_put(&r->refs)) return;
    program_unref(r->program);
    free(r);
}

bool relabel_empty(const struct relabel *r)
{
    return !r || r->program->n == 0;
}

/* --- the same rules --- */

static bool lists_equal(struct str_list a, struct str_list b)
{
    bool same = a.n == b.n;

    for (size_t i = 0; same && i < a.n; i++)
        same = str_eq(a.v[i], b.v[i]);
    return same;
}

static bool steps_equal(const struct relabel_step *a, const struct relabel_step *b)
{
    return a->action == b->action && a->modulus == b->modulus &&
           str_eq(a->separator, b->separator) && str_eq(a->regex_text, b->regex_text) &&
           str_eq(a->target.text, b->target.text) &&
           str_eq(a->replacement.text, b->replacement.text) &&
           lists_equal(a->source_labels, b->source_labels);
}

bool relabel_equal(const struct relabel *a, const struct relabel *b)
{
    if (relabel_empty(a) || relabel_empty(b)) return relabel_empty(a) && relabel_empty(b);
    if (a->names != b->names || a->program->n != b->program->n) return false;
    for (size_t i = 0; i < a->program->n; i++)
        if (!steps_equal(&a->program->v[i], &b->program->v[i])) return false;
    return true;
}

/* --- the capsule; its data is NULL in placeholders of `check` --- */

static bool same_rules(const void *a, const void *b)
{
    return relabel_equal(a, b);
}

const struct capsule_type capsule_relabel_rules = {
    .name = "RelabelRules", .destroy = release, .equal = same_rules};

struct capsule *relabel_capsule(struct relabel *r)
{
    refs_get(&r->program->refs);
    struct relabel *classic = relabel_new(r->program, RELABEL_NAMES_CLASSIC);

    return value_capsule(&capsule_relabel_rules, classic).capsule;
}

struct relabel *relabel_of(const struct capsule *c)
{
    return c ? c->data : NULL;
}
