/* Zone files: where they are, what is in them, and which offset holds when. */
#include "base/time_zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/time_rule.h"
#include "base/xalloc.h"

#define FILE_MAX  (1 << 20)
#define NAME_MAX_ 200
#define HEADER    44
#define TYPES_MAX 256

struct zone_type {
    i32 offset;
    bool dst;
    u8 abbr; /* offset into abbrs */
};
struct time_zone {
    size_t n_times, n_types;
    i64 *times;  /* ascending */
    u8 *type_of; /* of each time: what holds from then on */
    struct zone_type *types;
    char *abbrs; /* texts, terminated */
    size_t n_abbrs;
    size_t first; /* the type before the first time */
    bool has_rule;
    struct time_rule rule; /* holds after the last time */
};

/* --- decoding --- */

struct counts {
    size_t isut, isstd, leap, times, types, chars;
};

static u32 be32(const char *p)
{
    const u8 *b = (const u8 *)p;
    return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

static i64 be64(const char *p)
{
    return (i64)((u64)be32(p) << 32 | be32(p + 4));
}

static bool counts_of(struct str file, struct counts *ret)
{
    if (file.n < HEADER || memcmp(file.p, "TZif", 4) != 0) return false;
    const char *p = file.p + 20;
    *ret = (struct counts){be32(p),      be32(p + 4),  be32(p + 8),
                           be32(p + 12), be32(p + 16), be32(p + 20)};
    return ret->times <= FILE_MAX && ret->types > 0 && ret->types <= TYPES_MAX && ret->chars > 0 &&
           ret->chars <= FILE_MAX && ret->leap <= FILE_MAX && ret->isut <= FILE_MAX &&
           ret->isstd <= FILE_MAX;
}

static size_t body_size(const struct counts *c, size_t width)
{
    return c->times * (width + 1) + c->types * 6 + c->chars + c->leap * (width + 4) + c->isstd +
           c->isut;
}

static void copy_times(struct time_zone *z, const char *p, size_t width)
{
    z->times = xcalloc(z->n_times + 1, sizeof(*z->times));
    z->type_of = xcalloc(z->n_times + 1, 1);
    for (size_t i = 0; i < z->n_times; i++) {
        const char *at = p + i * width;
        z->times[i] = width == 8 ? be64(at) : (i32)be32(at);
        z->type_of[i] = (u8)p[z->n_times * width + i];
    }
}

static void copy_types(struct time_zone *z, const char *p)
{
    z->types = xcalloc(z->n_types, sizeof(*z->types));
    for (size_t i = 0; i < z->n_types; i++, p += 6)
        z->types[i] = (struct zone_type){(i32)be32(p), p[4] != 0, (u8)p[5]};
    z->abbrs = xcalloc(z->n_abbrs + 1, 1);
    memcpy(z->abbrs, p, z->n_abbrs);
}

static bool sound(const struct time_zone *z)
{
    for (size_t i = 0; i < z->n_times; i++)
        if (z->type_of[i] >= z->n_types || (i > 0 && z->times[i] < z->times[i - 1])) return false;
    for (size_t i = 0; i < z->n_types; i++)
        if (z->types[i].abbr >= z->n_abbrs || z->types[i].offset < -200000 ||
            z->types[i].offset > 200000)
            return false;
    return true;
}

/* What held before the first change: a type that no change leads to if that is the first one, else
 * the nearest standard time before that of the first change, else any standard time. */
static size_t first_type(const struct time_zone *z)
{
    bool used = false;
    for (size_t i = 0; i < z->n_times && !used; i++)
        used = z->type_of[i] == 0;
    if (!used) return 0;
    if (z->n_times > 0 && z->types[z->type_of[0]].dst)
        for (size_t i = z->type_of[0]; i-- > 0;)
            if (!z->types[i].dst) return i;
    for (size_t i = 0; i < z->n_types; i++)
        if (!z->types[i].dst) return i;
    return 0;
}

/* The line behind the body of a version 2 file. */
static void footer(struct time_zone *z, struct str rest)
{
    if (rest.n == 0 || rest.p[0] != '\n') return;
    rest = str_sub(rest, 1, rest.n);
    ssize_t end = str_chr(rest, '\n');
    if (end > 0) z->has_rule = time_rule_parse(str_sub(rest, 0, (size_t)end), &z->rule);
}

/* The 64-bit part of newer files stands behind the 32-bit one. */
static bool decode(struct time_zone *z, struct str file)
{
    struct counts c;
    size_t width = 4;
    if (!counts_of(file, &c)) return false;
    if (file.p[4] >= '2') {
        size_t skip = HEADER + body_size(&c, 4);
        if (skip > file.n) return false;
        file = str_sub(file, skip, file.n);
        width = 8;
        if (!counts_of(file, &c)) return false;
    }
    size_t size = body_size(&c, width);
    if (size > file.n - HEADER) return false;
    z->n_times = c.times, z->n_types = c.types, z->n_abbrs = c.chars;
    copy_times(z, file.p + HEADER, width);
    copy_types(z, file.p + HEADER + c.times * (width + 1));
    if (!sound(z)) return false;
    z->first = first_type(z);
    if (width == 8) footer(z, str_sub(file, HEADER + size, file.n));
    return true;
}

struct time_zone *time_zone_decode(struct str file)
{
    struct time_zone *z = xnew(struct time_zone);
    if (decode(z, file)) return z;
    time_zone_free(z);
    return NULL;
}

void time_zone_free(struct time_zone *z)
{
    if (!z) return;
    free(z->times);
    free(z->type_of);
    free(z->types);
    free(z->abbrs);
    free(z);
}

/* --- finding --- */

static struct time_zone *utc(void)
{
    struct time_zone *z = xnew(struct time_zone);
    z->n_types = 1;
    z->types = xnew(struct zone_type);
    z->abbrs = xstrdup("UTC");
    z->n_abbrs = 4;
    return z;
}

static ssize_t read_some(int fd, char *to, size_t max)
{
    size_t n = 0;
    while (n < max) {
        ssize_t got = read(fd, to + n, max - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

static struct time_zone *load_file(const char *path)
{
    struct stat st;
    struct time_zone *z = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX) {
        char *bytes = xmalloc((size_t)st.st_size + 1);
        ssize_t n = read_some(fd, bytes, (size_t)st.st_size);
        if (n > 0) z = time_zone_decode(str_n(bytes, (size_t)n));
        free(bytes);
    }
    close(fd);
    return z;
}

static bool may_be_name(struct str name)
{
    return name.n > 0 && name.n <= NAME_MAX_ && name.p[0] != '/' && str_chr(name, '\\') < 0 &&
           str_chr(name, '\0') < 0 && str_find(name, STR("..")) < 0;
}

static struct time_zone *find(struct str name)
{
    static const char *const folders[] = {"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo",
                                          "/usr/lib/locale/TZ", "/etc/zoneinfo"};
    const char *own = getenv("ZONEINFO");
    struct time_zone *z = NULL;
    for (size_t i = own ? 0 : 1; i <= ARRAY_LEN(folders) && !z; i++) {
        char *path = xprintf("%s/" STR_FMT, i ? folders[i - 1] : own, STR_ARG(name));
        z = load_file(path);
        free(path);
    }
    return z;
}

static struct time_zone *local(void)
{
    const char *tz = getenv("TZ");
    struct time_zone *z = NULL;
    if (!tz) {
        z = load_file("/etc/localtime");
    } else {
        if (*tz == ':') tz++;
        if (*tz == '/')
            z = load_file(tz);
        else if (*tz && may_be_name(str_of(tz)))
            z = find(str_of(tz));
    }
    return z ? z : utc();
}

struct time_zone *time_zone_load(struct str name, char **ret_err)
{
    if (name.n == 0 || str_is(name, "UTC")) return utc();
    if (str_is(name, "Local")) return local();
    struct time_zone *z = may_be_name(name) ? find(name) : NULL;
    if (!z) *ret_err = xprintf("unknown time zone " STR_FMT, STR_ARG(name));
    return z;
}

/* --- asking --- */

/* How many changes lie at or before the moment. */
static size_t changes_until(const struct time_zone *z, i64 at)
{
    size_t lo = 0, hi = z->n_times;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (z->times[mid] <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

i32 time_zone_offset(const struct time_zone *z, i64 unix_s, const char **ret_abbr)
{
    if (ret_abbr) *ret_abbr = "UTC";
    if (!z) return 0;
    size_t n = changes_until(z, unix_s);
    if (z->has_rule && n == z->n_times) return time_rule_offset(&z->rule, unix_s, ret_abbr);
    const struct zone_type *t = &z->types[n == 0 ? z->first : z->type_of[n - 1]];
    if (ret_abbr) *ret_abbr = z->abbrs + t->abbr;
    return t->offset;
}

/* The offset that holds at the local time read as UTC is right unless a change lies between; then
 * the one that holds at the moment it leads to. */
i64 time_zone_to_unix(const struct time_zone *z, i64 local_s)
{
    i32 offset = time_zone_offset(z, local_s, NULL);
    return local_s - time_zone_offset(z, local_s - offset, NULL);
}

bool time_zone_abbr(const struct time_zone *z, struct str abbr, i64 local_s, i32 *ret)
{
    const char *now;
    const struct zone_type *any = NULL;
    for (size_t i = 0; z && i < z->n_types; i++) {
        const struct zone_type *t = &z->types[i];
        if (!str_is(abbr, z->abbrs + t->abbr)) continue;
        i32 offset = time_zone_offset(z, local_s - t->offset, &now);
        if (str_is(abbr, now)) {
            *ret = offset;
            return true;
        }
        if (!any) any = t;
    }
    if (any) *ret = any->offset;
    return any != NULL;
}
