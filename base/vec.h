/* Typed growable array: VEC(int) ints = {0}; vec_push(&ints, 3); vec_each(&ints, p) { *p ... }
 * vec_done(&ints); Elements live on the heap (xrealloc); element pointers move on growth. For lists
 * that outlive nothing and are small. */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/xalloc.h"

#define VEC(T)                                                                                     \
    struct {                                                                                       \
        T *v;                                                                                      \
        size_t n, cap;                                                                             \
    }

void vec_grow_(void **v, size_t *cap, size_t want, size_t size);

#define vec_reserve(vec, want)                                                                     \
    ((want) > (vec)->cap                                                                           \
         ? vec_grow_((void **)(void *)&(vec)->v, &(vec)->cap, (want), sizeof(*(vec)->v))           \
         : (void)0)
#define vec_push(vec, x) (vec_reserve((vec), (vec)->n + 1), (void)((vec)->v[(vec)->n++] = (x)))
#define vec_pop(vec)     ((vec)->v[--(vec)->n])
#define vec_last(vec)    ((vec)->v[(vec)->n - 1])
#define vec_clear(vec)   ((void)((vec)->n = 0))
#define vec_done(vec)    (free((vec)->v), (vec)->v = NULL, (void)((vec)->n = (vec)->cap = 0))
#define vec_remove(vec, i)                                                                         \
    (memmove(&(vec)->v[i], &(vec)->v[(i) + 1], ((vec)->n - (i)-1) * sizeof(*(vec)->v)),            \
     (void)(vec)->n--)
#define vec_each(vec, p)                                                                           \
    for (__typeof__((vec)->v) p = (vec)->v; (size_t)(p - (vec)->v) < (vec)->n; p++)

#endif
