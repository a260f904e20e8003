/* JSON values as a tree in an arena: what JMESPath works on. Values are immutable once made and
 * share their parts freely; all memory is the arena's, or the document's that was read. */
#ifndef COMPONENTS_LOKI_JV_H
#define COMPONENTS_LOKI_JV_H

#include "base/arena.h"
#include "base/json.h"

enum jv_type { JV_NULL, JV_BOOL, JV_NUMBER, JV_STRING, JV_ARRAY, JV_OBJECT };
struct jv {
    enum jv_type type;
    u32 n; /* elements of an array, members of an object */
    union {
        bool b;
        f64 num;
        struct str str; /* contents, UTF-8: bad bytes of the document became U+FFFD */
        const struct jv *elems;
        const struct jv_member *members; /* in document order, keys unique */
    };
};
struct jv_member {
    struct str key;
    struct jv value;
};

/* Values in one document, so that a line of commas cannot take memory out of proportion. */
#define JV_MAX_VALUES 1000000

/* The text is one JSON value and nothing else. 0 or -EBADMSG with *ret_err static text. Of members
 * with one key the last counts. Depth is bounded by JSON_DEPTH. */
int jv_parse(struct str text, struct arena *a, struct jv *ret, const char **ret_err);
/* The value at which a reader stands; a is its scratch too. 0 or -EBADMSG, j->err set. */
int jv_read(struct json_in *j, struct arena *a, struct jv *ret);
/* A string's text with bad bytes replaced, itself when it has none. */
struct str jv_clean(struct str s, struct arena *a);

/* The member; NULL when missing, or when v is not an object. */
const struct jv *jv_get(const struct jv *v, struct str key);
/* Keeps the last of members with one key, at the place of the first; returns how many are left. */
u32 jv_unique(struct jv_member *m, u32 n);
/* Values in it, itself included; no more than max. */
size_t jv_weight(const struct jv *v, size_t max);
bool jv_equal(const struct jv *a, const struct jv *b);
/* Compact JSON; html: < > & escaped as Go does. False when a number in it is not finite, which JSON
 * cannot say; what was written so far is of no use then. */
bool jv_write(const struct jv *v, bool html, struct buf *out);

static inline struct jv jv_null(void)
{
    return (struct jv){.type = JV_NULL};
}
static inline struct jv jv_bool(bool b)
{
    return (struct jv){.type = JV_BOOL, .b = b};
}
static inline struct jv jv_num(f64 num)
{
    return (struct jv){.type = JV_NUMBER, .num = num};
}
static inline struct jv jv_str(struct str s)
{
    return (struct jv){.type = JV_STRING, .str = s};
}
static inline struct jv jv_arr(const struct jv *elems, size_t n)
{
    return (struct jv){.type = JV_ARRAY, .n = (u32)n, .elems = elems};
}
static inline struct jv jv_obj(const struct jv_member *members, size_t n)
{
    return (struct jv){.type = JV_OBJECT, .n = (u32)n, .members = members};
}

#endif
