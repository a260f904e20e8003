/* Matching processes, and naming their groups. */
#include "components/prometheus/process/matcher.h"

#include <stdlib.h>
#include "base/refcount.h"
#include "base/regex.h"
#include "base/xalloc.h"
#include "components/common/settings.h"
#include "components/common/template/run.h"

#define GROUPS_MAX 64 /* of one expression, those of the whole included */
#define NAME_MAX_  ((size_t)4096)

static const struct row matcher_rows[] = {
    ATTR(struct matcher_args, name, .def = "\"{{.ExeBase}}\"",
         .doc = "Go template of the group's name, with .Comm, .ExeBase, .ExeFull, .Username, .PID, "
                ".StartTime, .Cgroups and .Matches (named groups of cmdline)."),
    ATTR(struct matcher_args, comm,
         .doc = "Names of processes, as in /proc/<pid>/stat; one of "
                "them must be it."),
    ATTR(struct matcher_args, exe,
         .doc = "Programs, by the first argument: with a slash the whole of it, else its last "
                "part; one of them must be it."),
    ATTR(struct matcher_args, cmdline,
         .doc = "Regular expressions for the arguments with blanks between them; all must match."),
};
const struct schema matcher_schema = SCHEMA(struct matcher_args, matcher_rows);

struct matcher {
    struct str_list comm, exe;
    struct regex **cmdline;
    size_t n_cmdline;
    struct template *name;
    bool wants_user, wants_cgroups;
};
struct matchers {
    struct refs refs;
    struct arena arena;
    struct matcher *v;
    size_t n;
};

struct matchers *matchers_ref(struct matchers *m)
{
    refs_get(&m->refs);
    return m;
}

void matchers_unref(struct matchers *m)
{
    if (!m || !refs_put(&m->refs)) return;
    for (size_t i = 0; i < m->n; i++) {
        for (size_t k = 0; k < m->v[i].n_cmdline; k++)
            regex_free(m->v[i].cmdline[k]);
        template_free(m->v[i].name);
    }
    arena_done(&m->arena);
    free(m);
}

/* --- matching --- */

/* As Go's filepath.Base. */
static struct str base_name(struct str path)
{
    if (path.n == 0) return STR(".");
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    ssize_t slash = path.n > 1 ? str_rchr(path, '/') : -1;
    return slash < 0 ? path : str_sub(path, (size_t)slash + 1, path.n);
}

static struct str first_argument(const struct proc_face *f)
{
    struct str rest = f->cmdline;

    return str_cut(&rest, 0);
}

static bool has(const struct str_list *l, struct str s)
{
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->v[i], s)) return true;
    return false;
}

static bool has_program(const struct str_list *exe, struct str program)
{
    return has(exe, program) || has(exe, base_name(program));
}

/* The arguments with blanks between them. */
static struct str joined(const struct proc_face *f, struct arena *a)
{
    struct str s = f->cmdline;

    while (s.n > 0 && s.p[s.n - 1] == 0)
        s.n--;
    char *copy = arena_strdup(a, s);
    for (size_t i = 0; i < s.n; i++)
        if (copy[i] == 0) copy[i] = ' ';
    return str_n(copy, s.n);
}

static bool matches_all(const struct matcher *m, struct str line)
{
    for (size_t i = 0; i < m->n_cmdline; i++)
        if (regex_match(m->cmdline[i], line, 0, NULL, 0) != 1) return false;
    return true;
}

static bool matches(const struct matcher *m, const struct proc_face *f, struct str line)
{
    if (m->comm.n > 0 && !has(&m->comm, str_of(f->comm))) return false;
    if (m->exe.n > 0 && (f->cmdline.n == 0 || !has_program(&m->exe, first_argument(f))))
        return false;
    return matches_all(m, line);
}

/* --- naming --- */

struct naming {
    const struct matcher *m;
    const struct proc_face *f;
    struct str line;
    struct arena *arena;
};

static void put_groups(struct run *r, struct tmap *to, const struct regex *re, struct str line)
{
    ssize_t ov[2 * GROUPS_MAX];
    size_t n = MIN((size_t)regex_groups(re) + 1, (size_t)GROUPS_MAX);

    if (regex_match(re, line, 0, ov, n) != 1) return;
    for (size_t i = 1; i < n; i++) {
        struct str text = STR("");
        if (ov[2 * i] >= 0) text = str_sub(line, (size_t)ov[2 * i], (size_t)ov[2 * i + 1]);
        tmap_put(r, to, regex_group_name(re, (int)i), tv_str(text));
    }
}

static struct tval groups(struct run *r, const struct naming *n)
{
    struct tmap *to = tmap_new(r);

    for (size_t i = 0; i < n->m->n_cmdline; i++)
        put_groups(r, to, n->m->cmdline[i], n->line);
    return (struct tval){.type = T_MAP, .sub = ELEM_STRING, .map = to};
}

static struct tval cgroups(struct run *r, const struct naming *n)
{
    struct str *paths = NULL;
    size_t count = n->m->wants_cgroups ? n->f->cgroups(n->f->arg, n->arena, &paths) : 0;
    struct tval v = tlist_new(r, ELEM_STRING, count);

    for (size_t i = 0; i < v.list.n; i++)
        v.list.v[i] = tv_str(paths[i]);
    return v;
}

static struct tval start_time(struct run *r, i64 ns)
{
    struct ttime *t = arena_new(r->arena, struct ttime);

    t->unix_s = ns / NS_PER_SEC;
    t->nsec = (i32)(ns % NS_PER_SEC);
    return (struct tval){.type = T_TIME, .time = t};
}

static struct str program_of(const struct proc_face *f)
{
    return f->cmdline.n > 0 ? base_name(first_argument(f)) : str_of(f->comm);
}

static void make_dot(void *arg, struct run *r, struct tval *ret)
{
    const struct naming *n = arg;
    const struct proc_face *f = n->f;
    struct tmap *m = tmap_new(r);
    struct str full = f->cmdline.n > 0 ? first_argument(f) : str_of(f->comm);

    m->closed = true;
    tmap_put(r, m, STR("Comm"), tv_str(str_of(f->comm)));
    tmap_put(r, m, STR("ExeFull"), tv_str(full));
    tmap_put(r, m, STR("ExeBase"), tv_str(program_of(f)));
    tmap_put(r, m, STR("PID"), tv_int(f->pid));
    tmap_put(r, m, STR("StartTime"), start_time(r, f->start_time));
    tmap_put(r, m, STR("Username"), tv_str(n->m->wants_user ? f->user(f->arg, n->arena) : STR("")));
    tmap_put(r, m, STR("Cgroups"), cgroups(r, n));
    tmap_put(r, m, STR("Matches"), groups(r, n));
    *ret = (struct tval){.type = T_MAP, .map = m};
}

static struct str name_of(struct naming *n, const char **ret_err)
{
    const struct template_data data = {.root = make_dot, .arg = n};
    struct buf out = BUF_INIT(NAME_MAX_);
    const char *err = NULL;

    if (template_run(n->m->name, &data, 0, n->arena, &out, &err) != 0) *ret_err = err;
    struct str name = arena_str(n->arena, err ? program_of(n->f) : buf_view(&out));
    buf_done(&out);
    return name;
}

struct str matchers_name(const struct matchers *m, const struct proc_face *face, struct arena *a,
                         const char **ret_err)
{
    struct str line = joined(face, a);

    for (size_t i = 0; i < m->n; i++) {
        struct naming n = {.m = &m->v[i], .f = face, .line = line, .arena = a};
        if (matches(n.m, face, line)) return name_of(&n, ret_err);
    }
    return (struct str){0};
}

/* --- settings --- */

static struct str_list copy_list(struct arena *a, struct str_list l)
{
    struct str_list to = {arena_array(a, struct str, l.n + 1), l.n};

    for (size_t i = 0; i < l.n; i++)
        to.v[i] = str_of(arena_strdup(a, l.v[i]));
    return to;
}

static void fault(struct prepare *p, size_t i, const char *path, const char *what, char *why)
{
    diag_error(p->diags, DIAG_VALUE_INVALID, span_in(p->block, "matcher", i, path), "%s%s", what,
               why ? why : "");
    free(why);
}

static bool compile_cmdline(struct prepare *p, size_t i, struct matchers *all,
                            const struct matcher_args *args)
{
    struct matcher *m = &all->v[i];
    bool good = true;

    m->cmdline = arena_array(&all->arena, struct regex *, args->cmdline.n + 1);
    for (size_t k = 0; k < args->cmdline.n; k++) {
        char *err = NULL;
        struct regex *re = regex_compile(args->cmdline.v[k], &err);
        good = good && re;
        if (re)
            m->cmdline[m->n_cmdline++] = re;
        else
            fault(p, i, "cmdline", "bad cmdline expression: ", err);
    }
    return good;
}

static struct str no_user(void *arg, struct arena *a)
{
    return STR("user");
}

static size_t no_cgroups(void *arg, struct arena *a, struct str **ret)
{
    *ret = arena_new(a, struct str);
    **ret = STR("/");
    return 1;
}

/* A field that does not exist shows when the template is run. */
static bool try_name(struct prepare *p, size_t i, const struct matcher *m)
{
    struct arena a;
    const struct proc_face face = {.comm = "name",
                                   .cmdline = STR("/bin/name\0"),
                                   .pid = 1,
                                   .user = no_user,
                                   .cgroups = no_cgroups};
    const char *err = NULL;
    char *why;

    arena_init(&a, 0);
    name_of(&(struct naming){.m = m, .f = &face, .line = STR("/bin/name"), .arena = &a}, &err);
    why = err && strstr(err, "there is no field") ? xstrdup(err) : NULL;
    if (why) fault(p, i, "name", "bad name template: ", why);
    arena_done(&a);
    return !why;
}

static bool compile_name(struct prepare *p, size_t i, struct matcher *m, struct str text)
{
    char *err = NULL;

    if (text.n == 0) text = STR("{{.ExeBase}}");
    m->wants_user = str_find(text, STR("Username")) >= 0;
    m->wants_cgroups = str_find(text, STR("Cgroups")) >= 0;
    m->name = template_new_named("name", text, &err);
    if (m->name) return try_name(p, i, m);
    fault(p, i, "name", "bad name template: ", err);
    return false;
}

static bool compile(struct prepare *p, size_t i, struct matchers *all,
                    const struct matcher_args *args)
{
    struct matcher *m = &all->v[i];

    m->comm = copy_list(&all->arena, args->comm);
    m->exe = copy_list(&all->arena, args->exe);
    if (args->comm.n + args->exe.n + args->cmdline.n == 0) {
        fault(p, i, "", "a matcher needs comm, exe or cmdline: it would match nothing", NULL);
        return false;
    }
    bool good = compile_cmdline(p, i, all, args);
    return compile_name(p, i, m, args->name) && good;
}

struct matchers *matchers_new(struct prepare *p, const struct matcher_list *list)
{
    struct matchers *m = xnew(struct matchers);
    bool good = true;

    refs_init(&m->refs);
    arena_init(&m->arena, 0);
    m->v = arena_array(&m->arena, struct matcher, list->n + 1);
    for (m->n = 0; m->n < list->n;) {
        size_t i = m->n++;
        good = compile(p, i, m, &list->v[i]) && good;
    }
    if (good) return m;
    matchers_unref(m);
    return NULL;
}
