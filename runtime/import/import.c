/* Content of imports, and the table of their kinds. */
#include "runtime/import/import.h"

#include "base/xalloc.h"
#include "runtime/import/import_impl.h"

struct import_content *import_content_new(const char *module_path)
{
    struct import_content *c = xnew(struct import_content);

    refs_init(&c->refs);
    if (module_path) c->module_path = xstrdup(module_path);
    return c;
}

int import_content_add(struct import_content *c, const char *path, struct str raw)
{
    size_t used = 0;
    vec_each (&c->files, f)
        used += f->n;
    struct buf text = BUF_INIT(IMPORT_CONTENT_MAX - used);
    struct import_file file = {0};

    config_decode(raw, &text);
    int err = buf_err(&text);
    if (!err) {
        file.path = xstrdup(path);
        file.text = buf_take(&text, &file.n);
        vec_push(&c->files, file);
    }
    buf_done(&text);
    return err;
}

struct import_content *import_content_ref(struct import_content *c)
{
    refs_get(&c->refs);
    return c;
}

void import_content_unref(struct import_content *c)
{
    if (!c || !refs_put(&c->refs)) return;
    vec_each (&c->files, f) {
        free(f->path);
        free(f->text);
    }
    vec_done(&c->files);
    free(c->module_path);
    free(c);
}

static bool same_file(const struct import_file *a, const struct import_file *b)
{
    return strcmp(a->path, b->path) == 0 && str_eq(str_n(a->text, a->n), str_n(b->text, b->n));
}

static bool same_place(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool import_content_equal(const struct import_content *a, const struct import_content *b)
{
    if (a == b) return true;
    if (a->files.n != b->files.n || !same_place(a->module_path, b->module_path)) return false;
    for (size_t i = 0; i < a->files.n; i++)
        if (!same_file(&a->files.v[i], &b->files.v[i])) return false;
    return true;
}

const struct import_kind *import_kind_find(struct str name)
{
    static const struct import_kind *const kinds[] = {&import_file_kind, &import_git_kind,
                                                      &import_http_kind, &import_string_kind};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_is(name, kinds[i]->def.name)) return kinds[i];
    return NULL;
}
