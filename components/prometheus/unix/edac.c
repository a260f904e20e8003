/* edac: memory errors that were found, of controllers and of rows of chips. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

struct pair {
    const char *name, *help;
};
static const struct pair correctable = {"node_edac_correctable_errors_total",
                                        "Total correctable memory errors."};
static const struct pair uncorrectable = {"node_edac_uncorrectable_errors_total",
                                          "Total uncorrectable memory errors."};
static const struct pair row_correctable = {"node_edac_csrow_correctable_errors_total",
                                            "Total correctable memory errors for this csrow."};
static const struct pair row_uncorrectable = {"node_edac_csrow_uncorrectable_errors_total",
                                              "Total uncorrectable memory errors for this csrow."};

static int add(struct collect *c, const struct pair *family, const char *file,
               struct str controller, struct str row)
{
    u64 v;
    int r = unix_read_u64(c, &v, ROOT_SYS, "%s", file);

    if (r) return unix_read_failed(c, r, ROOT_SYS, "%s", file);
    const struct expo_label labels[] = {EXPO_LS("controller", controller), EXPO_LS("csrow", row)};
    expo_sample(expo_counter(c->out, family->name, family->help), NULL, (f64)v, labels,
                row.n > 0 ? 2 : 1);
    return 0;
}

static const char *file_of(struct collect *c, const char *folder, const char *file)
{
    return arena_printf(c->arena, "%s/%s", folder, file);
}

/* The number behind a prefix; false: it is something else. */
static bool number_of(struct str name, const char *prefix, struct str *ret)
{
    if (!str_starts(name, str_of(prefix))) return false;
    *ret = str_sub(name, strlen(prefix), name.n);
    return ret->n > 0 && ret->p[0] >= '0' && ret->p[0] <= '9';
}

static int collect_rows(struct collect *c, const char *folder, const struct unix_names *names,
                        struct str controller)
{
    struct str row;
    int r = 0;

    for (size_t i = 0; r == 0 && i < names->n; i++) {
        if (!number_of(names->v[i], "csrow", &row)) continue;
        const char *below = file_of(c, folder, names->v[i].p);
        r = add(c, &row_correctable, file_of(c, below, "ce_count"), controller, row);
        if (r == 0) r = add(c, &row_uncorrectable, file_of(c, below, "ue_count"), controller, row);
    }
    return r;
}

static int collect_controller(struct collect *c, const char *folder, struct str number)
{
    struct unix_names names;
    struct str none = STR(""), unknown = STR("unknown");
    int r = unix_list(c, &names, ROOT_SYS, "%s", folder);

    if (r) return unix_read_failed(c, r, ROOT_SYS, "%s", folder);
    r = add(c, &correctable, file_of(c, folder, "ce_count"), number, none);
    if (r == 0)
        r = add(c, &row_correctable, file_of(c, folder, "ce_noinfo_count"), number, unknown);
    if (r == 0) r = add(c, &uncorrectable, file_of(c, folder, "ue_count"), number, none);
    if (r == 0)
        r = add(c, &row_uncorrectable, file_of(c, folder, "ue_noinfo_count"), number, unknown);
    return r ? r : collect_rows(c, folder, &names, number);
}

static int collect(struct collect *c)
{
    struct unix_names names;
    struct str number;
    int r = unix_list(c, &names, ROOT_SYS, "devices/system/edac/mc");

    if (r == -ENOENT) return COLLECT_OK;
    if (r) return unix_read_failed(c, r, ROOT_SYS, "devices/system/edac/mc");
    for (size_t i = 0; r == 0 && i < names.n; i++)
        if (number_of(names.v[i], "mc", &number))
            r = collect_controller(
                c, arena_printf(c->arena, "devices/system/edac/mc/%s", names.v[i].p), number);
    return r;
}

const struct collector_def collector_edac = {
    .name = "edac", .default_on = true, .collect = collect};
