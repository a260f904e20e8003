/* The runtime knows no signal; this floor tells it how lines become a batch. */
#include "cmd/own_lines.h"

void own_lines_init(struct own_lines *o, struct label_table *table, struct budget *budget)
{
    static const struct label component = {STR("component"), STR("alloy")};

    o->labels = labels_intern(table, &component, 1);
    ASSERT(o->labels); /* of our own size */
    o->budget = budget;
}

void own_lines_done(struct own_lines *o)
{
    labels_unref(o->labels);
}

static int add_all(struct log_builder *b, struct labels *labels, const struct own_line *lines,
                   size_t n)
{
    int err = 0;

    for (size_t i = 0; i < n && !err; i++)
        err = log_builder_add(b, labels,
                              &(struct log_entry){.time = lines[i].time, .line = lines[i].text});
    return err;
}

struct batch *own_lines_make(void *arg, const struct own_line *lines, size_t n)
{
    struct own_lines *o = arg;
    struct log_builder *builder = log_builder_new(o->budget);
    struct batch *b = batch_new(SIGNAL_LOGS);
    int err = add_all(builder, o->labels, lines, n);

    b->own = true;
    if (!err) err = log_builder_seal(builder, b);
    log_builder_free(builder);
    if (!err) return b;
    batch_unref(b);
    return NULL;
}
