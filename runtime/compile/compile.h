/* Parts of the compiler that share their state; nobody else includes this.
 *
 * A unit is one text with everything compiled of it. Each body in it has a compiler: what is known
 * of the body's names, which stays as long as the unit, because the bodies inside it look names up
 * there, also when they are compiled later. While a body is being compiled its nodes are counted in
 * the order of diagnostics; once it is sorted, by rank. Numbers that inner bodies hold of an outer
 * one are turned into ranks when the outer one settles (`pending`). */
#ifndef RUNTIME_COMPILE_H
#define RUNTIME_COMPILE_H

#include "runtime/compile/blocks.h"
#include "runtime/compile/template.h"
#include "runtime/compile/traversal.h"
#include "value/check.h"

#define MODULE_DEPTH_MAX 200 /* bodies inside each other */

struct unit {
    struct refs refs; /* one count for all templates of the unit */
    struct arena arena;
    struct tree_set trees;
    struct compile_opts opts;
    VEC(struct compiler *) bodies;
    size_t suggested; /* names looked at for suggestions: a broken text has endlessly many */
};

/* What is known of an argument without an instance. */
struct argument_face {
    bool required;
    const struct row *row; /* of an attribute that the body gives it to; NULL: unknown */
};
/* What is known of an export. */
struct export_face {
    const struct row *row; /* of the export of a component that it passes on; NULL: none */
    struct static_type type;
};

struct note {                    /* of a node, while its body is compiled */
    bool unknown;                /* it reads what only a running instance knows */
    u32 stamp;                   /* for sets without doubles */
    size_t diags_from, diags_to; /* found of it */
};

struct misplaced { /* a block that is no node here, kept for its place among the diagnostics */
    u8 group;
    u32 order;
    struct span at;
    const char *text;
};

struct compiler {
    struct unit *u;
    const struct compile_opts *o;
    struct template *t;
    struct compiler *outer; /* the body around this one; NULL: root, imported content */
    u32 depth;              /* bodies around it */
    struct diags *diags;    /* of the compilation under way */
    struct node *nodes;
    u32 n;
    VEC(struct misplaced) misplaced;
    size_t reported;               /* of them */
    struct note *notes;            /* by node */
    struct map labels;             /* of declare blocks -> number + 1 */
    struct map imports;            /* namespaces -> number + 1 */
    struct map arguments, exports; /* name -> the faces above */
    bool settled;
    VEC(u32 *) pending; /* numbers of nodes here that inner bodies hold */
    /* imported content */
    const char *import_id;
    bool may_import_files;
};

enum declare_state { DECLARE_NEW, DECLARE_DONE, DECLARE_FAILED };
struct declare {
    const struct block *block;
    struct compiler *around;
    struct compiler *body; /* NULL while new; kept after a failure for what is known of it */
    enum declare_state state;
    struct diags *faults;
    u32 *imports; /* nodes of around that it is made of, also through other declares */
    size_t n_imports;
    bool has_imports; /* the list was made */
    bool needed; /* a node of the body around makes an instance of it, whatever it evaluates to */
};

static inline struct compiler *compiler_out(struct compiler *c, u32 up)
{
    while (up-- > 0)
        c = c->outer;
    return c;
}

/* graph.c: compiles one more body of the unit; bodies: its statements (several files: several).
 * Faults go to diags. The template is NULL when there was an error; *ret_scope is set always. */
struct template *body_compile(struct unit *u, struct compiler *outer, enum template_kind kind,
                              const struct body *const *bodies, size_t n, struct str var,
                              struct diags *diags, struct compiler **ret_scope);
void node_add_edge(struct compiler *c, struct node *n, struct edge e);
static inline u32 node_number(const struct compiler *c, const struct node *n)
{
    return (u32)(n - c->nodes);
}

/* compile_collect.c: which blocks are nodes, their ids, what is out of place. */
/* Reports misplaced blocks that belong before n; all that are left when n is NULL. */
void report_misplaced(struct compiler *c, const struct node *n);
void collect_nodes(struct compiler *c, const struct body *const *bodies, size_t n);
const struct block_kind *language_block(struct str name);
/* The `template` block of a foreach, or NULL. */
const struct block *foreach_template(const struct block *b);

/* compile_names.c: names of custom components, and what they are made of. */
/* The declare or import node that a block's name leads to, in this body or one around it. NULL:
 * none, it may be a component. A name that begins like one but cannot be found gives the node with
 * another kind than it takes. */
const struct node *names_find(struct compiler *c, struct str name, struct custom_use *ret);
/* Nodes that are instances get their kind; edges to what they are made of. */
void names_resolve(struct compiler *c);
bool names_fit(const struct node *target, const struct custom_use *use);

/* declare.c: bodies of declares. */
struct declare *declare_new(struct compiler *around, const struct block *b);
/* Those of the body's declares that are instantiated in it (all: all), what they need first. */
void declares_compile(struct compiler *c, bool all);
void declare_imports(struct declare *d);
/* Copies what was found in the body. */
void declare_report(const struct declare *d, struct diags *diags);
/* Copies what was found in the bodies of the declares that n is made of. */
void declares_report(struct compiler *c, const struct node *n, struct diags *diags);
/* A list of diagnostics that lives as long as the unit. */
struct diags *unit_diags(struct unit *u);

/* compile_custom.c: faces of a body, and instances against them. */
void faces_open(struct compiler *c);  /* arguments, before references are visited */
void faces_close(struct compiler *c); /* exports, and the types of arguments, afterwards */
/* The body of the declare that n is an instance of; NULL: unknown until it runs. */
const struct compiler *custom_face(struct compiler *c, const struct node *n);
void custom_check(struct compiler *c, const struct node *n, const struct type_env *env);
/* A reference gives the argument to an attribute with this row. */
void argument_seen(struct compiler *c, const struct node *argument, const struct traversal *t);

/* True while names may still be searched for one that was meant; n: how many there are. */
bool may_suggest(struct compiler *c, size_t n);

/* compile_findings.c: what a node itself does wrong: names, labels, duplicates, gates. */
void findings_check(struct compiler *c, struct node *n);

/* references.c */
struct target {
    struct node *node; /* NULL: the chain leads to no node */
    u32 up;            /* bodies out */
    size_t used;       /* names of the id */
    bool variable;     /* it is the variable of a foreach */
};
/* Where a chain of names leads: the shortest prefix that is an id, innermost body first. */
struct target graph_resolve(const struct compiler *c, const struct traversal *t);
/* The row of the export that a chain reads; NULL: the whole node, a field inside, unknown. */
const struct row *export_row(struct compiler *c, const struct target *to,
                             const struct traversal *t);
struct static_type type_of_expr(void *compiler, const struct expr *e);
/* The body of one node against its schema. */
void body_check(struct compiler *c, struct node *n);
/* Its references: edges, unknown names, the standard library. */
void references_check(struct compiler *c, struct node *n);

/* order.c: dependencies before dependants. order[] gets node numbers in rank order; cycles are
 * reported. */
void order_nodes(struct compiler *c, u32 *order);

/* dry_run.c: prepare of nodes whose arguments can be known without running anything. */
void dry_run(struct compiler *c);

#endif
