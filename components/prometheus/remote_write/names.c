/* Tables from the numbers of a segment to series. The writer's is shared with those who read what
 * it writes, so that declarations are read by nobody but who comes after a restart. */
#include <errno.h>
#include "base/xalloc.h"
#include "components/prometheus/remote_write/write.h"

struct names *names_of(struct write *w, u32 segment)
{
    list_each (&w->names, at) {
        struct names *n = list_item(at, struct names, link);
        if (n->segment == segment) return names_ref(n);
    }
    struct names *n = xnew(struct names);
    n->refs = 1;
    n->segment = segment;
    n->write = w;
    list_add_tail(&w->names, &n->link);
    return n;
}

struct names *names_ref(struct names *n)
{
    n->refs++;
    return n;
}

void names_unref(struct names *n)
{
    if (!n || --n->refs > 0) return;
    for (size_t i = 0; i < n->v.n; i++)
        series_unref(write_table(n->write), n->v.v[i]);
    vec_done(&n->v);
    list_del(&n->link);
    free(n);
}

/* No more memory would help: the samples of such series are counted as lost. */
static bool no_shapes_left(const struct write *w)
{
    struct series_stats st;

    series_table_stats(write_table(w), &st);
    return st.shapes >= SERIES_SHAPES_MAX;
}

static int learn(void *arg, u32 number, const struct label *v, size_t n)
{
    struct names *names = arg;

    while (names->v.n <= number)
        vec_push(&names->v, NULL);
    if (names->v.v[number]) return 0;
    names->v.v[number] = series_intern(write_table(names->write), v, n);
    return names->v.v[number] || no_shapes_left(names->write) ? 0 : -ENOMEM;
}

int names_learn(struct names *n, const struct record_view *r)
{
    return n->whole ? 0 : record_names(r, learn, n);
}
