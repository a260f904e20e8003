/* What the parts of decoding share. */
#ifndef VALUE_DECODE_INT_H
#define VALUE_DECODE_INT_H

#include "value/body.h"
#include "value/decode.h"

/* Where one decoding puts things. expr and at say where a value comes from. */
struct decode {
    const struct scope *scope;
    struct arena *arena;
    struct diags *diags;
    bool warn; /* also report deprecated names: for the check of bodies that need no evaluation */
};

void decode_into(struct decode *d, const struct schema *s, const struct block *block,
                 const struct body *body, void *out);

static inline void *member_at(void *out, const struct row *row)
{
    return (char *)out + row->off;
}

/* Where the attributes without a row go; of a schema that keeps them. */
static inline struct value *rest_at(void *out, const struct schema *s)
{
    return (struct value *)(void *)((char *)out + s->rest_off);
}

/* What was collected becomes the struct's object, where the schema keeps it; empties rest. */
void keep_rest(struct decode *d, const struct schema *s, struct object_builder *rest, void *out);

/* The list inside K_BLOCKS and K_ONE_OF members. */
struct block_list {
    char *v;
    size_t n;
};

#endif
