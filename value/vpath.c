/* Paths into values, for errors that name the very element at fault. */
#include "value/vpath.h"

#include <errno.h>
#include <stdlib.h>
#include "base/xalloc.h"

static void push_front(struct vpath *p, struct vstep s)
{
    if (p->n < VPATH_MAX) p->n++;
    memmove(&p->step[1], &p->step[0], (p->n - 1) * sizeof(s));
    p->step[0] = s;
}

void vpath_member(struct vpath *p, struct str key)
{
    if (!key.p) key.p = "";
    push_front(p, (struct vstep){.key = key});
}

void vpath_element(struct vpath *p, size_t index)
{
    push_front(p, (struct vstep){.index = index});
}

void vpath_text(const struct vpath *p, size_t from, struct buf *out)
{
    for (size_t i = from; i < p->n; i++) {
        const struct vstep *s = &p->step[i];
        if (s->key.p)
            buf_printf(out, "." STR_FMT, STR_ARG(s->key));
        else
            buf_printf(out, "[%zu]", s->index);
    }
}

int vfault_set(struct vfault *f, const char *fmt, ...)
{
    struct buf text = BUF_INIT(1 << 20);
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    free(f->text);
    *f = (struct vfault){.text =
                             buf_err(&text) ? xstrdup("is not valid here") : buf_take(&text, NULL)};
    buf_done(&text);
    return -EINVAL;
}

void vfault_done(struct vfault *f)
{
    free(f->text);
    *f = (struct vfault){0};
}
