/* A configuration as a picture: nodes, the groups they stand in (instances of modules, foreach),
 * and what flows between them. References through a module's arguments and exports are followed to
 * the components behind them, so that a link says where data really goes.
 *
 * Nodes stand as written, a group before its members. Owned by the drawing; tool only. */
#ifndef CMD_DRAWING_H
#define CMD_DRAWING_H

#include "runtime/flow.h"

#define NO_GROUP UINT32_MAX

struct drawn {
    const char *id;   /* of the agent: "loki.process.pods", "mod.a/loki.process.pods" */
    struct str name;  /* "loki.process" */
    struct str label; /* "pods" */
    u32 group;        /* the node around it; NO_GROUP at the top */
    bool is_group;    /* a frame around its members */
    bool hidden;      /* out of focus */
};

struct link { /* data goes from one to the other; indices of nodes */
    u32 from, to;
    const struct flow *flow;
};

struct drawing {
    struct arena arena;
    VEC(struct drawn) nodes;
    VEC(struct link) links;
};

/* Fills a drawing from the root's template, which must outlive it. */
void drawing_init(struct drawing *d, const struct template *root);
void drawing_done(struct drawing *d);

/* Hides all but the node (or the members of the group) with this id, what feeds it and what it
 * feeds. -ENOENT when there is none; *ret_near is then the id most like it, or NULL. */
int drawing_focus(struct drawing *d, const char *id, const char **ret_near);

/* Whether a link's ends are both shown. */
bool drawing_shows(const struct drawing *d, const struct link *l);

/* The forms of it. */
void draw_dot(const struct drawing *d, struct buf *out);
void draw_mermaid(const struct drawing *d, struct buf *out);
void draw_json(const struct drawing *d, struct buf *out);

#endif
