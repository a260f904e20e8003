/* Go's text/template with the functions of stage.template (spec W.9, A.4), by hand: the language is
 * part of what configurations are written in. A template is compiled once, immutable, and may be
 * run by any thread, each with a scratch arena of its own. */
#ifndef COMPONENTS_COMMON_TEMPLATE_H
#define COMPONENTS_COMMON_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"

struct template;
/* NULL and an owned *ret_err in Go's words ("template: pipeline_template:1: function \"x\" not
 * defined"). */
struct template *template_new(struct str text, char **ret_err);
/* The same with another name in its errors than "pipeline_template". */
struct template *template_new_named(const char *name, struct str text, char **ret_err);
void template_free(struct template *t); /* takes NULL */

struct run;
struct tval;
/* The data: a map of texts, asked by name; or whatever `root` makes. */
struct template_data {
    /* .p NULL: missing. */
    struct str (*get)(void *arg, struct str name);
    /* For `range` and printing: pairs sorted by key, in the arena; returns how many. */
    size_t (*all)(void *arg, struct arena *a, struct str **ret_names, struct str **ret_values);
    void *arg;
    /* Optional: makes the dot (run.h, value.h), in place of the two above. */
    void (*root)(void *arg, struct run *r, struct tval *ret);
};
/* Appends the result. 0; -EINVAL with *ret_err (in scratch) when execution fails; -E2BIG when the
 * output, the steps or the memory pass their limits. `now`: ns since 1970. */
int template_run(const struct template *t, const struct template_data *data, i64 now,
                 struct arena *scratch, struct buf *out, const char **ret_err);

#endif
