/* Statuses of targets, from a worker to who shows them. */
#include "components/common/target_status.h"

#include "base/xalloc.h"

static const char *add_text(char **end, struct str text)
{
    char *at = *end;

    if (text.n) memcpy(at, text.p, text.n);
    at[text.n] = '\0';
    *end = at + text.n + 1;
    return at;
}

struct target_status *target_status_new(struct str name, struct str labels, struct str error)
{
    size_t texts = name.n + labels.n + error.n + 3;
    struct target_status *s = xcalloc(1, sizeof(*s) + texts);
    char *end = (char *)(s + 1);

    refs_init(&s->refs);
    s->name = add_text(&end, name);
    s->labels = add_text(&end, labels);
    s->error = add_text(&end, error);
    return s;
}

struct target_status *target_status_ref(struct target_status *s)
{
    refs_get(&s->refs);
    return s;
}

void target_status_unref(struct target_status *s)
{
    if (s && refs_put(&s->refs)) free(s);
}

/* --- lists --- */

struct status_list *status_list_new(size_t room)
{
    struct status_list *l = xmalloc(sizeof(*l) + room * sizeof(l->v[0]));

    refs_init(&l->refs);
    l->n = 0;
    l->room = room;
    return l;
}

void status_list_add(struct status_list *l, struct target_status *s)
{
    ASSERT(l->n < l->room);
    l->v[l->n++] = target_status_ref(s);
}

void status_list_unref(struct status_list *l)
{
    if (!l || !refs_put(&l->refs)) return;
    for (size_t i = 0; i < l->n; i++)
        target_status_unref(l->v[i]);
    free(l);
}

/* --- the board --- */

/* A reader has to have its reference before the writer lets go of the list: an exchange of the
 * pointer alone leaves a gap between the two. It is held for two instructions. */
static void hold(struct status_board *b)
{
    while (atomic_exchange_explicit(&b->held, true, memory_order_acquire))
        ;
}

static void release(struct status_board *b)
{
    atomic_store_explicit(&b->held, false, memory_order_release);
}

void status_board_set(struct status_board *b, struct status_list *l)
{
    hold(b);
    struct status_list *before = b->list;
    b->list = l;
    release(b);
    status_list_unref(before);
}

struct status_list *status_board_get(struct status_board *b)
{
    hold(b);
    struct status_list *l = b->list;
    if (l) refs_get(&l->refs);
    release(b);
    return l;
}
