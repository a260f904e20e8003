/* What a collector of prometheus.exporter.unix is: one file of this folder, one
 * `struct collector_def collector_<name>` at its end, one row in collectors.def.
 *
 * `prepare` makes a plan of the arguments (control loop, pure). `collect` reads the machine and
 * adds families (a thread of the offload pool; one scrape of an instance at a time, its collectors
 * one after the other, in the order of their names). So a collector needs no lock; it may block as
 * reading /proc and /sys does, but what can hang for good (a file system over the network) must be
 * asked in a way that can be given up (filesystem does).
 *
 * Whatever is read is hostile: bounded sizes, numbers checked. Text of a collect lives in c->arena
 * until it returns. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_COLLECTOR_H
#define COMPONENTS_PROMETHEUS_UNIX_COLLECTOR_H

#include "base/clock.h"
#include "base/log.h"
#include "base/regex.h"
#include "components/common/expo.h"
#include "components/prometheus/unix/args.h"

struct prepare; /* runtime/component.h */
struct offload;
struct netlink_ask; /* netlink.h */

/* Where files are looked for: as the arguments say. */
enum unix_root { ROOT_PROC, ROOT_SYS, ROOT_FS, ROOT_UDEV, UNIX_ROOTS };

struct collector_prepare {
    struct prepare *p;   /* for setting_fault(pr->p, "disk/device_include", ...) */
    struct arena *arena; /* of the plan, which outlives the arguments: texts are copied into it;
                            cleanups are registered here */
    const struct unix_args *args;
};

/* One run. */
struct collect {
    const void *plan; /* the collector's own */
    void *state;      /* def->state_size bytes, zeroed at first, kept from scrape to scrape */
    struct expo *out;
    struct arena *arena;
    struct logger *log;
    const struct clock *clock;
    struct offload *offload;
    const char *roots[UNIX_ROOTS]; /* without a slash at the end */
    /* What answers instead of the kernel, in tests; NULL: the kernel. netlink adds what it would
     * send; ethtool writes the answer into the question; perf opens an event, for a
     * perf_event_attr.
     */
    int (*netlink)(struct collect *c, const struct netlink_ask *ask, struct buf *to);
    int (*ethtool)(const char *device, void *question);
    int (*perf)(const void *attr, int cpu);
    const char *error; /* set by collect_fail; in arena */
};

/* Answers of collect, beside a negative error code: success 0, and... */
#define COLLECT_NO_DATA 1 /* the machine has no such thing: success 0, told at debug level only */
#define COLLECT_OK      0

struct collector_def {
    const char *name;
    bool default_on;
    size_t plan_size, state_size;
    /* 0, or -EINVAL with faults in pr->p->diags. plan is zeroed. May be NULL. */
    int (*prepare)(struct collector_prepare *pr, void *plan);
    int (*collect)(struct collect *c);
    /* Frees what state holds (not state itself). No run is on its way. May be NULL. */
    void (*done)(void *state);
};

/* Sets the sentence that is logged, and returns err: "return collect_fail(c, -EIO, ...)". */
int collect_fail(struct collect *c, int err, const char *fmt, ...) PRINTF(3, 4);

/* --- filters: regular expressions that need not match the whole name, as in Go --- */
struct unix_filter {
    struct regex *include, *exclude; /* NULL: not asked */
};
/* Compiles a setting ("" gives NULL); a fault is told at `path` ("disk/device_include"). Freed with
 * the plan. 0 or -EINVAL. */
int unix_regex(struct collector_prepare *pr, const char *path, struct str pattern,
               struct regex **ret);
int unix_filter_init(struct collector_prepare *pr, struct unix_filter *f, const char *include_path,
                     struct str include, const char *exclude_path, struct str exclude);
/* Whether it matches; NULL matches nothing. */
bool unix_matches(const struct regex *re, struct str text);
/* Named by include (when there is one) and not by exclude. */
bool unix_filter_shows(const struct unix_filter *f, struct str name);

/* --- files. Paths are relative to a root, without a slash at the beginning. --- */
/* The whole path; in c->arena. */
const char *unix_path(struct collect *c, enum unix_root root, const char *fmt, ...) PRINTF(3, 4);
#define UNIX_READ_MAX ((size_t)8 << 20)
/* The contents, terminated, in c->arena. 0 or -errno (-EFBIG: more than UNIX_READ_MAX), *ret is
 * then empty. No error text is set: -ENOENT is often no failure. */
int unix_read(struct collect *c, struct str *ret, enum unix_root root, const char *fmt, ...)
    PRINTF(4, 5);
int unix_read_path(struct collect *c, struct str *ret, const char *path);
/* The same, trimmed of white space at both ends: values of /sys. Empty when it cannot be read. */
struct str unix_text(struct collect *c, enum unix_root root, const char *fmt, ...) PRINTF(3, 4);
/* A file with one number. 0; -errno; -EINVAL when it is none. */
int unix_read_i64(struct collect *c, i64 *ret, enum unix_root root, const char *fmt, ...)
    PRINTF(4, 5);
int unix_read_u64(struct collect *c, u64 *ret, enum unix_root root, const char *fmt, ...)
    PRINTF(4, 5);
int unix_read_f64(struct collect *c, f64 *ret, enum unix_root root, const char *fmt, ...)
    PRINTF(4, 5);
/* collect_fail for a file that was needed: "read /proc/stat: no such file or directory". */
int unix_read_failed(struct collect *c, int err, enum unix_root root, const char *fmt, ...)
    PRINTF(4, 5);
bool unix_exists(struct collect *c, enum unix_root root, const char *fmt, ...) PRINTF(3, 4);
/* Where a symbolic link leads, its text; empty when it is none. */
struct str unix_link(struct collect *c, enum unix_root root, const char *fmt, ...) PRINTF(3, 4);

#define UNIX_LIST_MAX 65536
struct unix_names {
    struct str *v; /* terminated, sorted; names with a dot at the beginning are left out */
    size_t n;
};
/* Entries of a folder. 0 or -errno (-E2BIG: more than UNIX_LIST_MAX). */
int unix_list(struct collect *c, struct unix_names *ret, enum unix_root root, const char *fmt, ...)
    PRINTF(4, 5);
int unix_list_path(struct collect *c, struct unix_names *ret, const char *path);

/* --- text --- */
/* Cuts the next line; false at the end. An empty last line is none. */
bool unix_line(struct str *rest, struct str *ret);
/* Cuts the next field between blanks; false when there is none. */
bool unix_field(struct str *line, struct str *ret);
/* Cuts a line into at most max fields; returns how many (what is behind the last is left out). */
size_t unix_fields(struct str line, struct str *ret, size_t max);
/* Numbers, whole text; 0 or -EINVAL / -ERANGE. Hexadecimal with or without 0x. */
int unix_u64(struct str s, u64 *ret);
int unix_hex(struct str s, u64 *ret);
int unix_f64(struct str s, f64 *ret);
/* A name of the machine's as part of a metric's name: what is no letter, digit or underscore
 * becomes one underscore. Lives as long as the families (expo_keep). */
const char *unix_metric_name(struct collect *c, const char *prefix, struct str name,
                             const char *suffix);

#endif
