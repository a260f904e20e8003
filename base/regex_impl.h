/* Translation of RE2 syntax into PCRE2's, shared by regex.c, regex_parse.c and regex_class.c.
 * Nobody else includes it. */
#ifndef BASE_REGEX_IMPL_H
#define BASE_REGEX_IMPL_H

#include "base/buf.h"
#include "base/regex.h"
#include "base/vec.h"

enum { RE_FOLD = 1, RE_MULTILINE = 2, RE_DOT_ALL = 4, RE_UNGREEDY = 8 };

/* What the last item of a sequence was: whether a repetition may follow, and whether it must be
 * wrapped first because PCRE2 would refuse a second quantifier or one behind an assertion, or read
 * it as a possessive one. */
enum re_atom { RE_ATOM_NONE, RE_ATOM_PLAIN, RE_ATOM_WRAP };

struct re_frame {
    unsigned flags, emitted; /* of the surrounding group */
    size_t out;              /* where the group starts in the output */
    size_t atom_out;
    enum re_atom atom;
    int weight, atom_weight;
};

struct re_parse {
    struct str src;
    size_t at;
    struct buf out;
    unsigned flags;   /* in force in the source */
    unsigned emitted; /* in force in the output, of RE_FOLD and RE_DOT_ALL */
    VEC(struct re_frame) groups;
    VEC(struct str) names; /* of the captures, slices of src; empty without name */
    enum re_atom atom;     /* the last item of this sequence */
    size_t atom_out;       /* where it starts in the output */
    int atom_weight;       /* most copies that its nested repetitions make */
    int weight;            /* the largest of this group so far */
    size_t repeat_at; /* source offset of the repetition just read, SIZE_MAX when the last item was
                         none */
    const char *err;  /* Go's words, set once */
    struct str err_expr; /* the piece at fault */
};

/* Translates p->src; p->out and p->names are the result. False with p->err set. `flags` are in
 * force at the start. */
bool re_translate(struct re_parse *p, unsigned flags);

/* --- for the parser's parts --- */
bool re_fail(struct re_parse *p, const char *err, struct str expr);
/* The source from `from` to where the reader stands, or to its end. */
struct str re_since(const struct re_parse *p, size_t from);
struct str re_rest(const struct re_parse *p, size_t from);
/* Takes the next character; false (and an error) for bad UTF-8. The source must not be at its end.
 */
bool re_next(struct re_parse *p, u32 *ret);
static inline bool re_more(const struct re_parse *p)
{
    return p->at < p->src.n;
}
static inline char re_peek(const struct re_parse *p, size_t ahead)
{
    return p->at + ahead < p->src.n ? p->src.p[p->at + ahead] : '\0';
}

/* The reader stands at a backslash: takes an escape of one character. */
bool re_escape(struct re_parse *p, u32 *ret);
/* The reader stands at '[': takes the class and writes it. */
bool re_class(struct re_parse *p);
/* The reader stands at a backslash. Takes \d \pL and their like and writes them, inside a class or
 * as one of their own; *ret_taken tells whether it was one. */
bool re_class_escape(struct re_parse *p, bool inside, bool *ret_taken);
/* One literal character outside classes. */
void re_literal(struct re_parse *p, u32 c);

#endif
