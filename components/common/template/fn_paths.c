/* Paths, with the rules of Go's path package; the os... forms are the same on this system. */
#include "components/common/template/run.h"

struct path {
    struct buf out;
    bool rooted;
    size_t floor; /* what a ".." does not take away */
};

/* Takes the last element off; without one a relative path keeps the "..". */
static void up(struct path *p)
{
    if (p->out.n > p->floor) {
        size_t n = p->out.n;
        while (n > p->floor && p->out.p[n - 1] != '/')
            n--;
        buf_truncate(&p->out, n > p->floor ? n - 1 : n);
    } else if (!p->rooted) {
        buf_cstr(&p->out, p->out.n ? "/.." : "..");
        p->floor = p->out.n;
    }
}

static void element(struct path *p, struct str e)
{
    if (e.n == 0 || str_is(e, ".")) return;
    if (str_is(e, "..")) {
        up(p);
        return;
    }
    if (p->out.n > (p->rooted ? 1u : 0u)) buf_ch(&p->out, '/');
    buf_str(&p->out, e);
}

static struct str clean_path(struct run *r, struct str s)
{
    struct path p = {.out = run_buf(), .rooted = s.n > 0 && s.p[0] == '/'};
    if (p.rooted) {
        buf_ch(&p.out, '/');
        p.floor = 1;
    }
    while (s.n > 0)
        element(&p, str_cut(&s, '/'));
    if (p.out.n == 0) buf_ch(&p.out, '.');
    return run_text(r, &p.out);
}

FN(clean)
{
    return tv_str(clean_path(r, a[0].s));
}

FN(base)
{
    struct str s = a[0].s;
    if (s.n == 0) return tv_str(STR("."));
    while (s.n > 0 && s.p[s.n - 1] == '/')
        s.n--;
    ssize_t slash = str_rchr(s, '/');
    if (slash >= 0) s = str_sub(s, (size_t)slash + 1, s.n);
    return tv_str(s.n ? s : STR("/"));
}

FN(dir)
{
    ssize_t slash = str_rchr(a[0].s, '/');
    return tv_str(clean_path(r, str_sub(a[0].s, 0, (size_t)(slash + 1))));
}

FN(ext)
{
    ssize_t dot = str_rchr(a[0].s, '.'), slash = str_rchr(a[0].s, '/');
    return tv_str(dot > slash ? str_sub(a[0].s, (size_t)dot, a[0].s.n) : (struct str){0});
}

FN(is_abs)
{
    return tv_bool(a[0].s.n > 0 && a[0].s.p[0] == '/');
}

static const struct tfunc funcs[] = {
    {"clean", "s", clean},  {"osClean", "s", clean},  {"base", "s", base}, {"osBase", "s", base},
    {"dir", "s", dir},      {"osDir", "s", dir},      {"ext", "s", ext},   {"osExt", "s", ext},
    {"isAbs", "s", is_abs}, {"osIsAbs", "s", is_abs},
};
FUNC_TABLE(fn_paths, funcs);
