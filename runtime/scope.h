/* What the expressions of one node see: the exports of the nodes it refers to, as a tree of objects
 * by id (local.file.x.content), module_path, then the standard library. References are found before
 * anything is evaluated, so nothing else can be asked for, and evaluating one node costs no more
 * than what it refers to. Objects are built on demand. Control loop. */
#ifndef RUNTIME_SCOPE_H
#define RUNTIME_SCOPE_H

#include "base/map.h"
#include "value/eval.h"

struct scope_node;
struct export_scope {
    struct scope scope; /* what evaluation takes; its parent is the standard library's */
    struct scope_node *root;
    const char *module_path; /* borrowed; NULL: not defined */
};
void export_scope_init(struct export_scope *s, const struct scope *stdlib, const char *module_path);
void export_scope_done(struct export_scope *s);
/* Sets what stands at a dotted id; takes v. -EEXIST (v is released) when a value stands at a part
 * of the path. */
int export_scope_set_take(struct export_scope *s, struct str id, struct value v);

#endif
