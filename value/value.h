/* Values of the configuration language. Immutable and counted: a struct value is a small handle
 * passed by value; what it points to (text, array, object, capsule) carries an atomic count.
 * Functions borrow their value arguments and return owned values, unless the name says _take. A
 * zeroed struct value is null. Thread safe as far as counts go. */
#ifndef VALUE_VALUE_H
#define VALUE_VALUE_H

#include "base/buf.h"
#include "base/refcount.h"
#include "base/str.h"

enum vtype { V_NULL, V_NUMBER, V_STRING, V_BOOL, V_ARRAY, V_OBJECT, V_FUNCTION, V_CAPSULE };
const char *vtype_name(enum vtype t); /* "null", "number", ... */

enum numkind { NUM_UINT, NUM_INT, NUM_FLOAT }; /* in order of coercion */

struct vtext {
    struct refs refs;
    size_t n;
    char p[]; /* terminated */
};

struct varray;
struct vobject;
struct capsule;
struct func; /* value/func.h; a const table row, not counted */

struct value {
    u8 type;    /* enum vtype */
    u8 numkind; /* V_NUMBER: enum numkind */
    union {
        bool b;
        i64 i;
        u64 u;
        f64 f;
        struct vtext *text;
        struct varray *array;
        struct vobject *object;
        struct capsule *capsule;
        const struct func *func;
    };
};

struct varray {
    struct refs refs;
    bool bytes; /* decoded base64: an array of the numbers 0..255 that converts to string where one
                   is wanted */
    size_t n;
    struct value v[];
};

struct vmember {
    struct vtext *key;
    struct value value;
};

struct vobject {
    struct refs refs;
    bool ordered; /* false: literal, members sorted bytewise by key; true: declared order (exports,
                     arguments) */
    size_t n;
    struct vmember m[];
};

/* An opaque thing: receiver, target, secret, handler. Counted; ops tell what it can do. */
struct capsule_type {
    const char *name; /* as printed: capsule("otelcol.Consumer") */
    void (*destroy)(void *data);
    bool (*equal)(const void *a, const void *b); /* NULL: pointer identity */
    bool (*to_object)(const void *data,
                      struct value *ret); /* NULL: not convertible to object (targets are) */
    void (*text)(const void *data, struct buf *out); /* UI text; NULL: capsule("name") */
};
struct capsule {
    struct refs refs;
    const struct capsule_type *type;
    void *data;
};

struct value value_null(void);
struct value value_bool(bool b);
struct value value_int(i64 i);
struct value value_uint(u64 u);
struct value value_float(f64 f);
struct value value_str(struct str s); /* copies */
struct value value_cstr(const char *s);
struct value value_func(const struct func *f);
/* An array of the bytes of s, marked as such. */
struct value value_bytes(struct str s);
/* Arrays and objects are filled before they are shared: value_array(n) has n nulls; set
 * v.array->v[i] to owned values. */
struct value value_array(size_t n);
/* Builder for objects; later keys win. object_done sorts unless ordered, and empties the builder.
 */
struct object_builder {
    struct vmember *m;
    size_t n, cap;
    bool ordered;
};
void object_set_take(struct object_builder *b, struct str key, struct value v); /* takes v */
struct value object_done(struct object_builder *b);
struct value value_capsule(const struct capsule_type *type, void *data); /* takes data */
struct value value_of_capsule(struct capsule *c);                        /* adds a reference */

/* Fails no operation: true when v is an object, or a capsule that converts to one; *ret is then
 * owned. */
bool value_to_object(struct value v, struct value *ret);

struct value value_ref(struct value v);
void value_unref(struct value v);

static inline struct str value_text(struct value v)
{
    return (struct str){v.text->p, v.text->n};
}
/* Member by key, borrowed; NULL when absent. */
const struct value *value_member(struct value obj, struct str key);
bool value_equal(struct value a, struct value b); /* the language's == */
/* Change detection: like value_equal, but functions and capsules with the same identity are equal.
 */
bool value_same(struct value a, struct value b);
f64 value_num_f64(struct value v);
/* Two's complement; floats are truncated toward zero, out of range they become the smallest
 * integer. */
i64 value_num_i64(struct value v);
/* Canonical text of a number (language.md 6). */
void value_num_text(struct value v, struct buf *out);
/* Plain JSON with the extensions of `weir eval`: $number, $bytes, $kind. Secrets print as
 * "(secret)". */
void value_json(struct value v, struct buf *out);
/* The typed form of the API (language.md 15): {"type":T,"value":X}. */
struct json_out;
void value_api_json(struct value v, struct json_out *j);

/* --- secrets --- */
extern const struct capsule_type capsule_secret;     /* data: struct vtext * */
extern const struct capsule_type capsule_opt_secret; /* data: struct opt_secret * */
struct opt_secret {
    bool is_secret;
    struct vtext *text;
};
/* The text of a secret, of an optional secret, or of a plain string, borrowed; false for other
 * values. */
bool value_secret_text(struct value v, struct str *ret, bool *ret_is_secret);
bool value_is_secret(
    struct value v); /* must not be shown: a secret, or an optional secret flagged so */
struct value value_secret(struct str s);
struct value value_opt_secret(struct str s, bool is_secret);

#endif
