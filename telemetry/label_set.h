/* A label set while it is being changed: by relabel rules, stages, sources that add what they know.
 * Sorted by name, names unique. Texts set are copied into memory of the set, those loaded are
 * borrowed; all are forgotten by the next load or reset, whose memory is used again. One owner,
 * one thread.
 *
 * When memory is out a change is not made and `err` is -ENOMEM until the next load or reset; change
 * many, look once: label_set_intern answers NULL for such a set. */
#ifndef TELEMETRY_LABEL_SET_H
#define TELEMETRY_LABEL_SET_H

#include "telemetry/labels.h"

struct label_set {
    struct label *v;
    u32 n, cap;
    struct label_set_page *page; /* texts that were set */
    int err;
};

void label_set_init(struct label_set *s);
void label_set_done(struct label_set *s);
void label_set_reset(struct label_set *s); /* no labels */
/* The labels of l, which must live until the next load. */
void label_set_load(struct label_set *s, const struct labels *l);
/* The value; .p is NULL when there is no such label. */
struct str label_set_get(const struct label_set *s, struct str name);
bool label_set_has(const struct label_set *s, struct str name);
/* Sets a label; both texts are copied, an empty value is kept. They may be texts of this set. */
void label_set_put(struct label_set *s, struct str name, struct str value);
/* The same without copying: the texts live until the next load or reset. */
void label_set_put_view(struct label_set *s, struct str name, struct str value);
void label_set_del(struct label_set *s, struct str name);
/* Keeps the labels for which keep answers true. */
void label_set_filter(struct label_set *s, bool (*keep)(const struct label *l, void *arg),
                      void *arg);
/* Leaves out the labels that begin with "__", and, for a set that leaves this agent, those without
 * a value. */
void label_set_strip(struct label_set *s, bool empty_too);
/* A terminated copy that lives until the next load or reset; empty when memory is out. */
struct str label_set_keep(struct label_set *s, struct str text);
/* n writable bytes that live as long; NULL when memory is out. */
char *label_set_room(struct label_set *s, size_t n);
/* Appends {a="b", c="d"}, as labels print. */
struct buf;
void label_set_text(const struct label_set *s, struct buf *out);
/* The one set of the table; a new reference, NULL when memory is out. */
struct labels *label_set_intern(const struct label_set *s, struct label_table *t) WARN_UNUSED;

#endif
