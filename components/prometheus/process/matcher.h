/* Which processes are watched, and the name of the group that each counts in: matchers of
 * prometheus.exporter.process. Counted; immutable once made; any thread. */
#ifndef COMPONENTS_PROMETHEUS_PROCESS_MATCHER_H
#define COMPONENTS_PROMETHEUS_PROCESS_MATCHER_H

#include "base/arena.h"
#include "value/schema.h"

struct matcher_args {
    struct str name;
    struct str_list comm, exe, cmdline;
};
struct matcher_list {
    struct matcher_args *v;
    size_t n;
};
extern const struct schema matcher_schema;

struct prepare;
struct matchers;
/* NULL with faults in p->diags. Nothing of the arguments is kept. */
struct matchers *matchers_new(struct prepare *p, const struct matcher_list *list);
struct matchers *matchers_ref(struct matchers *m);
void matchers_unref(struct matchers *m); /* takes NULL */

/* A process as matchers see it; borrowed. */
struct proc_face {
    const char *comm;
    struct str cmdline; /* arguments, a NUL after each */
    i32 pid;
    i64 start_time; /* ns since 1970 */
    /* Asked only when a template needs them; texts in the arena. */
    struct str (*user)(void *arg, struct arena *a);
    size_t (*cgroups)(void *arg, struct arena *a, struct str **ret);
    void *arg;
};
/* The group by the first that matches, in the arena; .p NULL: none does. *ret_err: its template
 * failed, and the name of the program was taken; else untouched. */
struct str matchers_name(const struct matchers *m, const struct proc_face *face, struct arena *a,
                         const char **ret_err);

#endif
