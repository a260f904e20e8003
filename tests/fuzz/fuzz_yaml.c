/* YAML documents: trees stay within their limits, and every node is in order. */
#include "base/assert.h"
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The number of nodes that a walk meets: what the reader calls its weight. */
static size_t walk(const struct yaml_node *n)
{
    size_t weight = 1;

    ASSERT(n->line > 0 && n->col > 0);
    ASSERT(n->kind != YAML_MAP || n->n % 2 == 0);
    ASSERT(n->kind != YAML_SCALAR || n->text.p);
    for (size_t i = 0; i < n->n; i++)
        weight += walk(n->items[i]);
    ASSERT(weight == n->weight);
    return weight;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yaml_node *root;
    const char *err = NULL;
    struct arena a;
    int rc;

    arena_init(&a, 0);
    struct yaml_reader *r = yaml_reader_new(str_n((const char *)data, size), &a);
    yaml_reader_limit(r, 10000, 64);
    while ((rc = yaml_next(r, &root, &err)) == 1)
        ASSERT(walk(root) <= 10000);
    ASSERT(rc == 0 || err);
    yaml_reader_free(r);
    arena_done(&a);
    return 0;
}
