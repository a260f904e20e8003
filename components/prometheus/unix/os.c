/* os: which distribution it is. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static const char *const keys[][2] = {
    {"build_id", "BUILD_ID"},
    {"id", "ID"},
    {"id_like", "ID_LIKE"},
    {"image_id", "IMAGE_ID"},
    {"image_version", "IMAGE_VERSION"},
    {"name", "NAME"},
    {"pretty_name", "PRETTY_NAME"},
    {"variant", "VARIANT"},
    {"variant_id", "VARIANT_ID"},
    {"version", "VERSION"},
    {"version_codename", "VERSION_CODENAME"},
    {"version_id", "VERSION_ID"},
};

/* A value as a shell reads it: in quotes or not, a backslash takes the next character as it is. */
static struct str unquoted(struct arena *a, struct str s)
{
    char *to = arena_alloc(a, s.n + 1);
    size_t n = 0;
    char quote = s.n > 0 && (s.p[0] == '"' || s.p[0] == '\'') ? s.p[0] : 0;

    for (size_t i = quote != 0; i < s.n && (!quote || s.p[i] != quote); i++) {
        if (s.p[i] == '\\' && quote != '\'' && i + 1 < s.n) i++;
        to[n++] = s.p[i];
    }
    return str_n(to, n);
}

static struct str value_of(struct collect *c, struct str text, const char *key)
{
    struct str line, found = STR("");

    while (unix_line(&text, &line)) {
        struct str value = str_trim(line), name = str_cut(&value, '=');
        if (str_is(name, key)) found = unquoted(c->arena, value);
    }
    return found;
}

/* The part of a version that is a number: 22.04 of "22.04.1 LTS". */
static bool number_of(struct str version, f64 *ret)
{
    size_t n = 0, dots = 0;

    for (; n < version.n; n++) {
        if (version.p[n] == '.' && ++dots > 1) break;
        if (version.p[n] != '.' && (version.p[n] < '0' || version.p[n] > '9')) break;
    }
    while (n > 0 && version.p[n - 1] == '.')
        n--;
    return n > 0 && unix_f64(str_sub(version, 0, n), ret) == 0;
}

static void add_end(struct collect *c, struct str day)
{
    struct tm tm = {0};
    const char *end = strptime(arena_strdup(c->arena, day), "%Y-%m-%d", &tm);

    if (end && !*end)
        expo_gauge1(c->out, "node_os_support_end_timestamp_seconds",
                    "Metric containing the end-of-life date timestamp of the OS.", timegm(&tm));
}

static int read_release(struct collect *c, struct str *ret)
{
    int r = unix_read(c, ret, ROOT_FS, "etc/os-release");

    return r == -ENOENT ? unix_read(c, ret, ROOT_FS, "usr/lib/os-release") : r;
}

static int collect(struct collect *c)
{
    struct expo_label labels[ARRAY_LEN(keys)];
    struct str text;
    f64 version;
    int r = read_release(c, &text);

    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_FS, "etc/os-release");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        labels[i] = EXPO_LS(keys[i][0], value_of(c, text, keys[i][1]));
    expo_sample(expo_gauge(c->out, "node_os_info",
                           "A metric with a constant '1' value labeled by build_id, id, id_like, "
                           "image_id, image_version, name, pretty_name, variant, variant_id, "
                           "version, version_codename, version_id."),
                NULL, 1, labels, ARRAY_LEN(labels));
    if (number_of(value_of(c, text, "VERSION_ID"), &version) && version > 0)
        expo_gauge1(c->out, "node_os_version",
                    "Metric containing the major.minor part of the OS version.", version,
                    EXPO_LS("id", value_of(c, text, "ID")),
                    EXPO_LS("id_like", value_of(c, text, "ID_LIKE")),
                    EXPO_LS("name", value_of(c, text, "NAME")));
    add_end(c, value_of(c, text, "SUPPORT_END"));
    return COLLECT_OK;
}

const struct collector_def collector_os = {.name = "os", .default_on = true, .collect = collect};
