/* Import nodes in the graph: fetching what a load needs before it evaluates, compiling it, watching
 * it afterwards. Where the texts come from is import.h's. Control loop. */
#ifndef RUNTIME_IMPORTS_H
#define RUNTIME_IMPORTS_H

#include "runtime/import/import.h"
#include "runtime/module.h"

/* Content and what was compiled of it. Bad content never fails the import: it is empty then, and
 * says why. */
struct imported {
    struct refs refs;
    struct import_content *content;
    struct template *tmpl;
    char *fault; /* "imported content from "F" cannot be parsed: ..."; NULL: fine */
};
struct imported *imported_ref(struct imported *i);
void imported_unref(struct imported *i); /* takes NULL */
/* The same content, of which nothing is used because of fault (owned). */
struct imported *imported_empty(struct controller *c, const struct imported *of, char *fault);

/* What the state of an import node holds. */
struct import_node;
void import_node_free(struct import_node *n); /* stops watching; takes NULL */
/* What is in use, or was found by watching and waits for a load to take it; borrowed; NULL: none.
 */
struct imported *import_node_current(const struct import_node *n);
/* A load with these arguments and this content was committed: health, and watching from now on. */
void import_node_commit(struct node_state *s, struct imported *i, bool new_arguments);
/* A load that was to take what watching had found failed. */
void import_node_reject(struct node_state *s, const char *why);

/* --- what one load fetches; lives over its attempts --- */
enum fetch_answer { FETCH_READY, FETCH_FAILED, FETCH_WAIT };
struct fetches;
/* idle(arg): everything asked for has been answered. Not called from within fetches_ask. */
struct fetches *fetches_new(struct controller *c, void (*idle)(void *arg), void *arg);
void fetches_free(struct fetches *f); /* cancels; takes NULL */
/* Content for these arguments of this node. READY: *ret is owned. FAILED: *ret_err is borrowed from
 * f. WAIT: it was begun, or is under way. */
enum fetch_answer fetches_ask(struct fetches *f, const struct node_state *s, struct plan *p,
                              struct imported **ret, const char **ret_err);
/* The same question when only waiting matters. */
bool fetches_wait(struct fetches *f, const struct node_state *s, struct plan *p);

#endif
