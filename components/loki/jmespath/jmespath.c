/* A compiled JMESPath expression: its tree, and what is known of it beforehand. */
#include "components/loki/jmespath/jmespath.h"

#include <stdlib.h>
#include "base/xalloc.h"
#include "components/loki/jmespath/ast.h"

struct jmespath {
    struct arena a;
    struct node *root;
    struct str *path; /* of field names, when it is nothing else */
    size_t n_path;
};

/* --- paths of names: N_SUB leans to the left --- */

static size_t path_length(const struct node *n)
{
    if (n->type == N_FIELD) return 1;
    if (n->type != N_SUB || n->right->type != N_FIELD) return 0;
    size_t left = path_length(n->left);
    return left ? left + 1 : 0;
}

static void find_path(struct jmespath *p)
{
    const struct node *n = p->root;

    p->n_path = path_length(n);
    if (!p->n_path) return;
    p->path = arena_array(&p->a, struct str, p->n_path);
    for (size_t i = p->n_path; i-- > 0; n = n->left)
        p->path[i] = n->type == N_SUB ? n->right->text : n->text;
}

size_t jmespath_path(const struct jmespath *p, const struct str **ret_names)
{
    *ret_names = p->path;
    return p->n_path;
}

/* --- unknown functions --- */

static const struct node *find_unknown(const struct node *n)
{
    const struct node *found = NULL;

    if (!n) return NULL;
    if (n->type == N_CALL && !n->fn) return n;
    for (u32 i = 0; i < n->n && !found; i++)
        found = find_unknown(n->kids[i]);
    if (!found) found = find_unknown(n->left);
    return found ? found : find_unknown(n->right);
}

struct str jmespath_unknown(const struct jmespath *p)
{
    const struct node *n = find_unknown(p->root);

    return n ? n->text : (struct str){0};
}

/* --- life --- */

static char *describe(struct str expr, const char *err, u32 at)
{
    struct buf b = BUF_INIT(1024);

    buf_printf(&b, "%s, at character %u of ", err, at + 1);
    buf_str(&b, str_sub(expr, 0, expr.n < 200 ? expr.n : 200));
    return buf_take(&b, NULL);
}

struct jmespath *jmespath_new(struct str expr, char **ret_err)
{
    struct jmespath *p = xcalloc(1, sizeof(*p));
    const char *err = NULL;
    u32 at = 0;

    arena_init(&p->a, 0);
    p->root = jmespath_parse(arena_str(&p->a, expr), &p->a, &err, &at);
    if (!p->root) {
        *ret_err = describe(expr, err, at);
        jmespath_free(p);
        return NULL;
    }
    find_path(p);
    return p;
}

void jmespath_free(struct jmespath *p)
{
    if (!p) return;
    arena_done(&p->a);
    free(p);
}

int jmespath_search(const struct jmespath *p, const struct jv *doc, struct arena *a, struct jv *ret,
                    const char **ret_err)
{
    return jmespath_eval(p->root, doc, a, ret, ret_err);
}
