/* The one conversion engine (language.md 10): a value to the type that is wanted, or a fault that
 * says what was wanted and where inside the value it went wrong. Decoding of settings and of
 * function arguments both go through here. Null converts to the zero of every type. All return 0 or
 * -EINVAL with *f set; results borrow from v unless said to be owned. */
#ifndef VALUE_CONVERT_H
#define VALUE_CONVERT_H

#include "value/func.h"

int convert_text(struct value v, struct value *ret, struct vfault *f);   /* owned V_STRING */
int convert_number(struct value v, struct value *ret, struct vfault *f); /* V_NUMBER */
int convert_bool(struct value v, bool *ret, struct vfault *f);
int convert_duration(struct value v, i64 *ret_ns, struct vfault *f);
int convert_bytesize(struct value v, i64 *ret, struct vfault *f);
/* Where a secret is taken: string, secret, optional secret. */
int convert_secret(struct value v, struct str *ret, struct vfault *f);
/* Where either is taken; *ret_is_secret keeps what it was. */
int convert_opt_secret(struct value v, struct str *ret, bool *ret_is_secret, struct vfault *f);
/* Owned array; its elements are as they were. */
int convert_array(struct value v, struct value *ret, struct vfault *f);
/* Owned object; also of capsules that convert (targets). */
int convert_object(struct value v, struct value *ret, struct vfault *f);
/* The capsule, or NULL for null. Types agree by identity or name; both NULL: any capsule. */
int convert_capsule(struct value v, const struct capsule_type *type, const char *name,
                    struct capsule **ret, struct vfault *f);
/* An argument of a function; owned. */
int convert_param(enum param_kind kind, struct value v, struct value *ret, struct vfault *f);

#endif
