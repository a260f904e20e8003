/* Tables of files. */
#include "components/prometheus/unix/values.h"

#include <errno.h>
#include <math.h>

int unix_any_number(struct str text, f64 *ret)
{
    u64 v;

    if (!str_starts(text, STR("0x"))) return unix_f64(text, ret) ? -EINVAL : 0;
    if (unix_hex(text, &v)) return -EINVAL;
    *ret = (f64)v;
    return 0;
}

static f64 scaled(f64 v, f64 factor)
{
    if (factor == 0) return v;
    return factor > 0 ? v * factor : v / pow(10, -factor);
}

static int add_value(struct collect *c, const struct unix_value *t, const char *folder,
                     const struct expo_label *labels, size_t n)
{
    struct str text;
    f64 v;

    if (unix_read(c, &text, ROOT_SYS, "%s/%s", folder, t->file)) return 0;
    text = str_trim(text);
    if (text.n == 0 || str_starts(text, STR("N/A"))) return 0;
    if (unix_any_number(text, &v))
        return collect_fail(c, -EINVAL, "%s/%s is no number: " STR_FMT, folder, t->file,
                            STR_ARG(text));
    expo_sample(expo_family(c->out, t->type, t->name, t->help), NULL, scaled(v, t->factor), labels,
                n);
    return 0;
}

int unix_values(struct collect *c, const struct unix_value *table, size_t n, const char *folder,
                const struct expo_label *labels, size_t n_labels)
{
    for (size_t i = 0; i < n; i++) {
        int r = add_value(c, &table[i], folder, labels, n_labels);
        if (r) return r;
    }
    return 0;
}

struct expo_label unix_text_label(struct collect *c, const char *name, const char *folder,
                                  const char *file)
{
    return EXPO_LS(name, unix_text(c, ROOT_SYS, "%s/%s", folder, file));
}

int unix_class(struct collect *c, struct unix_names *ret, const char *folder)
{
    int r = unix_list(c, ret, ROOT_SYS, "%s", folder);

    if (r == -ENOENT) return COLLECT_NO_DATA;
    return r ? unix_read_failed(c, r, ROOT_SYS, "%s", folder) : 0;
}
