/* What is looked for in lines: rules as they are written (our own table, or a configuration in the
 * form of gitleaks), and compiled. */
#ifndef COMPONENTS_LOKI_SECRETFILTER_RULES_H
#define COMPONENTS_LOKI_SECRETFILTER_RULES_H

#include "base/regex.h"
#include "base/vec.h"
#include "components/loki/secretfilter/keywords.h"

/* --- as written --- */
struct texts {
    struct str *v;
    size_t n;
};
enum allow_target { ALLOW_SECRET, ALLOW_MATCH, ALLOW_LINE };
/* Findings to leave alone. */
struct allow_def {
    struct texts regexes, stopwords,
        rules; /* rules: of a global one, whom it holds for; none: all */
    enum allow_target target;
    bool all;      /* every kind of check that it has must hold, not one of them */
    bool of_files; /* it has checks of paths or commits, which never hold for a log line */
    u32 line;
    struct allow_def *next;
};
struct rule_def {
    struct str id, regex, path;
    f64 entropy; /* of a secret, at least; 0: any */
    i64 group;   /* of the regex that is the secret; 0: the first that took part, or the whole */
    struct texts keywords; /* none: the regex runs on each line */
    struct allow_def *allow;
    u32 line; /* of a configuration; 0: our own */
    struct rule_def *next;
};
struct rule_set {
    struct arena *a;
    struct rule_def *rules;
    struct allow_def *allow; /* for all rules */
};
/* Our own table. */
void rules_builtin(struct rule_set *s);
struct rule_def *rules_find(const struct rule_set *s, struct str id);
void rules_append(struct rule_set *s, struct rule_def *r);
/* What a rule of the set with an id says, changed by what r says: gitleaks' way of extending. */
void rules_merge(struct rule_set *s, struct rule_def *into, const struct rule_def *r);
/* A file in gitleaks' form, and those that it extends. 0; -EINVAL with *ret_err in the arena. What
 * has no effect here is told by warn(arg, text). */
int rules_read(struct rule_set *s, const char *path, void (*warn)(void *arg, const char *text),
               void *arg, const char **ret_err);

/* --- compiled --- */
struct detector;
/* NULL with *ret_err in the arena. Lives as long as the arena; any thread. */
struct detector *detector_new(const struct rule_set *s, const char **ret_err);
u32 detector_rules(const struct detector *d);
struct str detector_rule_id(const struct detector *d, u32 rule);

struct finding {
    u32 rule;
    size_t from, to; /* of the secret, in the line */
};
struct search_state {
    VEC(struct finding) found;
    u64 *bits;   /* detector_rules() of them, owned by the state */
    u32 limited; /* regular expressions that gave up */
    /* Optional: asked between rules; true: no more of them. */
    bool (*late)(void *arg);
    void *arg;
    bool timed_out;
};
void search_state_init(struct search_state *st, const struct detector *d);
void search_state_done(struct search_state *st);
/* Secrets of a line, sorted by place, in st->found. */
void detector_search(const struct detector *d, struct str line, struct search_state *st);

/* --- redaction --- */
struct redaction {
    struct str with; /* $SECRET_NAME and $SECRET_HASH are filled in; empty: by percent */
    i64 percent;     /* 1..100 */
};
/* Appends the line with every place of each secret replaced. */
void redact(const struct redaction *how, const struct detector *d, struct str line,
            const struct search_state *st, struct buf *out);

#endif
