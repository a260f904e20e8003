/* Values of a template: what Go's interface{} may hold here, each with the Go type that a template
 * can see (typeOf, kindOf, %T, and which parameters take it). Texts, lists and maps live in the
 * arena of the run. Lists are never changed in place, maps are (set, unset, merge). */
#ifndef COMPONENTS_COMMON_TEMPLATE_VALUE_H
#define COMPONENTS_COMMON_TEMPLATE_VALUE_H

#include "base/arena.h"
#include "base/buf.h"

struct run;

enum ttype {
    T_NIL,     /* nil, and the missing: i == 1 */
    T_BOOL,    /* i */
    T_INT,     /* i; sub: enum int_type */
    T_FLOAT,   /* f */
    T_STRING,  /* s */
    T_LIST,    /* list; sub: enum elem_type */
    T_MAP,     /* map; sub: enum elem_type of its values */
    T_TIME,    /* time */
    T_VERSION, /* version: *semver.Version */
    T_CERT     /* cert: a certificate and its key */
};
enum int_type { INT_INT, INT_INT64, INT_INT32, INT_UINT8, INT_DURATION, INT_MONTH, INT_WEEKDAY };
enum elem_type { ELEM_ANY, ELEM_STRING, ELEM_INT };

struct time_zone;
struct ttime {
    i64 unix_s;
    i32 nsec;
    const struct time_zone *zone; /* NULL: UTC; owned by the process or the run's arena */
};
struct tversion {
    struct str original, pre, meta;
    u64 major, minor, patch;
};
struct tcert {
    struct str cert, key;
};

struct tval;
struct tlist {
    struct tval *v;
    size_t n;
};
struct tpair;
/* Pairs sorted by key. A lazy map is the template's data, which is fetched when all of it is wanted
 * (tmap_force). */
struct tmap {
    struct tpair *v;
    size_t n, cap;
    bool lazy;
    bool closed; /* a field that it does not have ends the run: a struct of Go's */
};
struct tval {
    u8 type, sub;
    union {
        i64 i;
        f64 f;
        struct str s;
        struct tlist list;
        struct tmap *map;
        struct ttime *time;
        struct tversion *version;
        struct tcert *cert;
    };
};
struct tpair {
    struct str key;
    struct tval value;
};

#define TV_NIL     ((struct tval){.type = T_NIL})
#define TV_MISSING ((struct tval){.type = T_NIL, .i = 1})
static inline struct tval tv_bool(bool b)
{
    return (struct tval){.type = T_BOOL, .i = b};
}
static inline struct tval tv_int(i64 i)
{
    return (struct tval){.type = T_INT, .i = i};
}
static inline struct tval tv_int64(i64 i)
{
    return (struct tval){.type = T_INT, .sub = INT_INT64, .i = i};
}
static inline struct tval tv_duration(i64 i)
{
    return (struct tval){.type = T_INT, .sub = INT_DURATION, .i = i};
}
static inline struct tval tv_float(f64 f)
{
    return (struct tval){.type = T_FLOAT, .f = f};
}
static inline struct tval tv_str(struct str s)
{
    return (struct tval){.type = T_STRING, .s = s};
}

/* Go's names: "int", "[]interface {}", "time.Time"; "<nil>" */
const char *tv_go_type(struct tval v);
/* reflect's: "int", "slice", "struct"; "invalid" */
const char *tv_kind(struct tval v);
bool tv_truth(const struct run *r, struct tval v);
/* As fmt's %v; nil is <nil>. */
void tv_print(struct run *r, struct buf *out, struct tval v);
/* reflect.DeepEqual */
bool tv_equal(struct run *r, struct tval a, struct tval b);
bool tv_is_missing(struct tval v);

struct tmap *tmap_new(struct run *r);
/* NULL: not there. */
struct tval *tmap_get(struct run *r, struct tmap *m, struct str key);
void tmap_put(struct run *r, struct tmap *m, struct str key, struct tval v);
void tmap_del(struct run *r, struct tmap *m, struct str key);
void tmap_force(struct run *r, struct tmap *m);
/* A list with room for n elements, all nil; n is 0 when memory is out (and the run has failed). */
struct tval tlist_new(struct run *r, enum elem_type elem, size_t n);

#endif
