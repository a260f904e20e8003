/* Values at paths of field names, found in one pass over the text of a JSON object: nothing is
 * built of what was not asked for. What stage.json does for most expressions (jmespath_path tells
 * which). Immutable once filled; any thread may scan with it. */
#ifndef COMPONENTS_LOKI_JMESPATH_PATHS_H
#define COMPONENTS_LOKI_JMESPATH_PATHS_H

#include "components/loki/jmespath/jv.h"

struct path_node;
struct path_set {
    struct arena *a;
    struct path_node *root;
};
void path_set_init(struct path_set *s, struct arena *a); /* memory is the arena's */
/* The value at names[0].names[1]... goes to slots[slot] of a scan. Names must outlive the set. */
void path_set_add(struct path_set *s, const struct str *names, size_t n, u32 slot);

struct path_scan {
    struct jv *slots; /* the caller's, all set: JV_NULL where there is nothing at the path */
    u32 n_slots;
    /* Optional: top-level keys of which the value is wanted as well. */
    bool (*wants)(void *arg, struct str key);
    void *arg;
    /* Their members, in document order, keys may repeat; in the arena. */
    struct jv_member *extra;
    u32 n_extra, cap_extra;
    const char *err;
};
/* The text is one JSON object, or null, which is an empty one, and nothing else. 0, or -EBADMSG
 * with scan->err static text: nothing in *scan counts then. Of members with one key the last
 * counts. Texts of values lie in the text scanned or in the arena. */
int path_set_scan(const struct path_set *s, struct str text, struct arena *a,
                  struct path_scan *scan);

#endif
