/* What is scraped: a target of the configuration, with the defaults of the job, becomes a URL, the
 * labels of its series, and times. */
#include <errno.h>

#include "base/hash.h"
#include "base/num.h"
#include "base/utf8.h"
#include "components/prometheus/scrape/scrape.h"
#include "net/http.h"

/* --- Prometheus' durations --- */

struct prom_unit {
    const char *name;
    i64 ns;
    bool always; /* written even when it does not divide the rest */
};
#define HOUR (3600 * NS_PER_SEC)
static const struct prom_unit prom_units[] = {
    {"y", 365 * 24 * HOUR, false}, {"w", 7 * 24 * HOUR, false},
    {"d", 24 * HOUR, true},        {"h", HOUR, true},
    {"m", 60 * NS_PER_SEC, true},  {"s", NS_PER_SEC, true},
    {"ms", NS_PER_MS, true}};

void prom_duration_format(struct buf *b, i64 ns)
{
    if (ns < NS_PER_MS) buf_cstr(b, "0s");
    for (size_t i = 0; i < ARRAY_LEN(prom_units); i++) {
        const struct prom_unit *u = &prom_units[i];
        i64 n = ns / u->ns;
        if (n == 0 || (!u->always && ns % u->ns != 0)) continue;
        buf_printf(b, "%lld%s", (long long)n, u->name);
        ns -= n * u->ns;
    }
}

/* The unit that begins at s, of those from *from on. */
static const struct prom_unit *read_unit(struct str s, size_t *from)
{
    size_t n = 0;

    while (n < s.n && (s.p[n] < '0' || s.p[n] > '9'))
        n++;
    for (size_t i = *from; i < ARRAY_LEN(prom_units); i++) {
        if (!str_is(str_n(s.p, n), prom_units[i].name)) continue;
        *from = i + 1;
        return &prom_units[i];
    }
    return NULL;
}

static bool read_durations(struct str s, i64 *ret, bool *ret_range)
{
    size_t from = 0;
    i64 sum = 0;

    while (s.n > 0) {
        size_t n = 0;
        u64 v;
        i64 part;
        while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
            n++;
        if (n == 0) return false;
        int rc = num_parse_u64(str_n(s.p, n), &v);
        s = str_sub(s, n, s.n);
        const struct prom_unit *u = read_unit(s, &from);
        if (!u) return false;
        if (rc != 0 || v > INT64_MAX || __builtin_mul_overflow((i64)v, u->ns, &part) ||
            __builtin_add_overflow(sum, part, &sum))
            *ret_range = true;
        s = str_sub(s, strlen(u->name), s.n);
    }
    *ret = sum;
    return true;
}

int prom_duration_parse(struct str s, struct arena *arena, i64 *ret, const char **ret_err)
{
    bool range = false;
    i64 v = 0;

    if (s.n == 0)
        *ret_err = "empty duration string";
    else if (!str_is(s, "0") && !read_durations(s, &v, &range))
        *ret_err = arena_printf(arena, "not a valid duration string: \"" STR_FMT "\"", STR_ARG(s));
    else if (range)
        *ret_err = "duration out of range";
    else {
        *ret = v;
        return 0;
    }
    return -EINVAL;
}

/* --- labels --- */

static bool lacks(const struct label_set *set, struct str name)
{
    return label_set_get(set, name).n == 0;
}

static void put_default(struct label_set *set, struct str name, struct str value)
{
    if (lacks(set, name)) label_set_put(set, name, value);
}

static void put_duration(struct label_set *set, struct str name, i64 ns)
{
    struct buf b = BUF_INIT(100);

    prom_duration_format(&b, ns);
    put_default(set, name, buf_view(&b));
    buf_done(&b);
}

static struct value param_values(const struct scrape_plan *p, size_t i, struct str *ret_name)
{
    const struct vobject *o = p->args->params.object;

    *ret_name = str_n(o->m[i].key->p, o->m[i].key->n);
    return o->m[i].value;
}

static size_t params_n(const struct scrape_plan *p)
{
    return p->args->params.type == V_OBJECT ? p->args->params.object->n : 0;
}

static struct str text_of(struct value v)
{
    return v.type == V_STRING ? str_n(v.text->p, v.text->n) : STR("");
}

static void put_params(const struct scrape_plan *p, struct label_set *set)
{
    for (size_t i = 0; i < params_n(p); i++) {
        struct str name;
        struct value list = param_values(p, i, &name);
        struct buf b = BUF_INIT(1 << 16);
        if (list.type != V_ARRAY || list.array->n == 0) continue;
        buf_cstr(&b, "__param_");
        buf_str(&b, name);
        put_default(set, buf_view(&b), text_of(list.array->v[0]));
        buf_done(&b);
    }
}

static struct str bool_text(bool b)
{
    return b ? STR("true") : STR("false");
}

static void put_defaults(const struct scrape_plan *p, struct str job, struct label_set *set)
{
    const struct scrape_args *a = p->args;

    put_default(set, STR("job"), job);
    put_duration(set, STR("__scrape_interval__"), a->scrape_interval.ns);
    put_duration(set, STR("__scrape_timeout__"), a->scrape_timeout.ns);
    put_default(set, STR("__metrics_path__"), a->metrics_path);
    put_default(set, STR("__scheme__"), a->scheme);
    put_default(set, STR("__scrape_native_histograms__"), bool_text(a->scrape_native_histograms));
    put_default(set, STR("__always_scrape_classic_histograms__"),
                bool_text(a->scrape_classic_histograms));
    put_default(set, STR("__convert_classic_histograms_to_nhcb__"),
                bool_text(a->convert_classic_histograms_to_nhcb));
    put_params(p, set);
}

static bool is_plain_label(const struct label *l, void *arg)
{
    return !str_starts(l->name, STR("__")) && l->value.n > 0;
}

/* --- the URL --- */

static void add_escaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     memchr("-_.~", c, 4);
        if (plain)
            buf_ch(b, c);
        else
            buf_printf(b, "%%%02X", (unsigned)(u8)c);
    }
}

static void add_param(struct buf *b, char *sep, struct str name, struct str value)
{
    buf_ch(b, *sep);
    *sep = '&';
    add_escaped(b, name);
    buf_ch(b, '=');
    add_escaped(b, value);
}

/* The values of a key of `params` behind its first, which the label stands for. */
static void add_more_values(const struct scrape_plan *p, struct str key, struct buf *b, char *sep)
{
    for (size_t i = 0; i < params_n(p); i++) {
        struct str name;
        struct value list = param_values(p, i, &name);
        if (!str_eq(name, key) || list.type != V_ARRAY) continue;
        for (size_t k = 1; k < list.array->n; k++)
            add_param(b, sep, name, text_of(list.array->v[k]));
    }
}

static struct str make_url(const struct scrape_plan *p, const struct label_set *set,
                           struct arena *arena)
{
    struct buf b = BUF_INIT(1 << 20);
    struct str path = label_set_get(set, STR("__metrics_path__"));
    char sep = memchr(path.p ? path.p : "", '?', path.n) ? '&' : '?';

    buf_printf(&b, STR_FMT "://" STR_FMT "%s", STR_ARG(label_set_get(set, STR("__scheme__"))),
               STR_ARG(label_set_get(set, STR("__address__"))),
               path.n && *path.p == '/' ? "" : "/");
    buf_str(&b, path);
    for (u32 i = 0; i < set->n; i++) {
        if (!str_starts(set->v[i].name, STR("__param_"))) continue;
        struct str key = str_sub(set->v[i].name, 8, set->v[i].name.n);
        add_param(&b, &sep, key, set->v[i].value);
        add_more_values(p, key, &b, &sep);
    }
    struct str url = buf_err(&b) ? STR("") : arena_str(arena, buf_view(&b));
    buf_done(&b);
    return url;
}

/* --- judging --- */

static const char *read_times(const struct label_set *set, struct arena *arena,
                              struct target_spec *ret)
{
    const char *err;
    struct str interval = label_set_get(set, STR("__scrape_interval__")),
               timeout = label_set_get(set, STR("__scrape_timeout__"));

    if (prom_duration_parse(interval, arena, &ret->interval, &err) != 0)
        return arena_printf(arena, "error parsing scrape interval: %s", err);
    if (ret->interval == 0) return "scrape interval cannot be 0";
    if (prom_duration_parse(timeout, arena, &ret->timeout, &err) != 0)
        return arena_printf(arena, "error parsing scrape timeout: %s", err);
    if (ret->timeout == 0) return "scrape timeout cannot be 0";
    if (ret->timeout > ret->interval)
        return arena_printf(arena,
                            "scrape timeout cannot be greater than scrape interval (\"" STR_FMT
                            "\" > \"" STR_FMT "\")",
                            STR_ARG(timeout), STR_ARG(interval));
    return NULL;
}

static const char *check_address(struct str address, struct arena *arena)
{
    if (address.n == 0) return "no address";
    if (memchr(address.p, '/', address.n))
        return arena_printf(arena, "\"" STR_FMT "\" is not a valid hostname", STR_ARG(address));
    return NULL;
}

static const char *check_values(const struct label_set *set, struct arena *arena)
{
    for (u32 i = 0; i < set->n; i++)
        if (!utf8_valid(set->v[i].value))
            return arena_printf(arena, "invalid label value for \"" STR_FMT "\"",
                                STR_ARG(set->v[i].name));
    return NULL;
}

static void take_labels(const struct label_set *set, struct arena *arena, struct target_spec *ret)
{
    struct label *v = arena_array(arena, struct label, set->n + 1);

    for (u32 i = 0; i < set->n; i++)
        v[i] = (struct label){arena_str(arena, set->v[i].name), arena_str(arena, set->v[i].value)};
    ret->labels = v;
    ret->n_labels = set->n;
    u64 hash = 1;
    for (u32 i = 0; i < set->n; i++)
        hash = hash_bytes(v[i].value.p, v[i].value.n, hash_bytes(v[i].name.p, v[i].name.n, hash));
    ret->placed = hash;
    ret->hash = hash_bytes(ret->url.p, ret->url.n, hash);
}

const char *target_spec_build(const struct scrape_plan *p, struct str job, struct value targets,
                              size_t i, struct label_set *set, struct arena *arena,
                              struct target_spec *ret)
{
    target_load(targets, i, set);
    put_defaults(p, job, set);
    struct str address = label_set_get(set, STR("__address__"));
    const char *err = check_address(address, arena);
    if (!err) err = read_times(set, arena, ret);
    if (!err) err = check_values(set, arena);
    if (err) return err;
    put_default(set, STR("instance"), address);
    ret->address = arena_str(arena, address);
    ret->native = str_is(label_set_get(set, STR("__scrape_native_histograms__")), "true");
    ret->classic_too =
        str_is(label_set_get(set, STR("__always_scrape_classic_histograms__")), "true");
    ret->nhcb = str_is(label_set_get(set, STR("__convert_classic_histograms_to_nhcb__")), "true");
    ret->url = make_url(p, set, arena);
    label_set_filter(set, is_plain_label, NULL);
    if (set->err != 0 || ret->url.n == 0) return "its labels are too large, or memory is out";
    take_labels(set, arena, ret);
    return NULL;
}
