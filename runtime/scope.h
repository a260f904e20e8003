/* What expressions of a module see: the exports of its nodes as one tree of objects by id
 * (local.file.x.content), module_path, then the standard library. Objects are built on demand and
 * kept until an export below them changes. Control loop. */
#ifndef RUNTIME_SCOPE_H
#define RUNTIME_SCOPE_H

#include "base/map.h"
#include "value/eval.h"

struct scope_node;
struct module_scope {
    struct scope scope; /* what evaluation takes; its parent is the standard library's */
    struct scope_node *root;
    char *module_path; /* owned; NULL: not defined */
};
void module_scope_init(struct module_scope *s, const struct scope *stdlib, const char *module_path);
void module_scope_done(struct module_scope *s);
/* Sets what stands at a dotted id; takes v. -EEXIST (v is released) when a value stands at a part
 * of the path. */
int module_scope_set_take(struct module_scope *s, struct str id, struct value v);

#endif
