/* What the parts of the parser share: the state, tokens, and what an action is made of. The first
 * fault is kept; whatever is read after it does no harm and is thrown away. */
#ifndef COMPONENTS_COMMON_TEMPLATE_PARSE_H
#define COMPONENTS_COMMON_TEMPLATE_PARSE_H

#include "base/vec.h"
#include "components/common/template/ast.h"
#include "components/common/template/lex.h"

#define PARSE_DEPTH 200

struct parser {
    struct template *t;
    const char *name; /* of the template, for errors */
    struct tokens toks;
    size_t at;
    int line;        /* of the token read last */
    int action_line; /* where the action began; 0: outside */
    VEC(struct str) vars;
    int ranges, depth;
    char *err; /* the first fault, owned */
};

/* --- tokens (parse_tokens.c) --- */

void parse_fault(struct parser *p, const char *fmt, ...) PRINTF(2, 3);
const struct token *parse_look(struct parser *p);
const struct token *parse_take(struct parser *p);
const struct token *parse_look_word(struct parser *p);
const struct token *parse_take_word(struct parser *p);
void parse_unexpected(struct parser *p, const struct token *t, const char *context);
void parse_expect(struct parser *p, enum token_kind kind, const char *context);

/* --- pipelines (parse_pipe.c) --- */

struct node *parse_node(struct parser *p, enum node_kind kind);
void parse_quoted_fault(struct parser *p, const char *fmt, struct str s);
struct node *parse_text_node(struct parser *p, enum node_kind kind, struct str text);
struct str parse_unquoted(struct parser *p, const struct token *t);
struct pipe *parse_pipeline(struct parser *p, const char *context, enum token_kind end);

#endif
