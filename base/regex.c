/* Compiling and matching by PCRE2, with RE2's meaning: bounded work, and texts of any bytes.
 * The match data, the JIT's stack and the copy of a text with bad UTF-8 belong to the thread, not
 * to the regex: a regex is shared, and making them anew costs more than most matches. They are
 * freed when the thread ends. */
#include "base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <stdlib.h>
#include "base/assert.h"
#include "base/regex_impl.h"
#include "base/utf8.h"
#include "base/xalloc.h"

/* Far above what honest patterns need on a log line; with the JIT a runaway one stops after some
 * tens of milliseconds. */
#define REGEX_MATCH_LIMIT 5000000
#define REGEX_HEAP_LIMIT  (16 * 1024) /* KiB */
#define JIT_STACK_FIRST   (32 * 1024)
#define JIT_STACK_MAX     (512 * 1024)
#define PATTERN_MAX       ((size_t)16 * 1024 * 1024)

struct regex {
    pcre2_code *code;
    bool jit;
    int groups;
    char *src;         /* the names point into it */
    struct str *names; /* of groups 1.. */
};

/* --- compiling --- */

static char *error_text(const char *err, struct str expr)
{
    struct buf b = BUF_INIT(PATTERN_MAX + 1024);

    buf_printf(&b, "error parsing regexp: %s: `", err);
    buf_str(&b, expr);
    buf_ch(&b, '`');
    return buf_take(&b, NULL);
}

static pcre2_code *compile_translated(struct str text, int *ret_code)
{
    pcre2_compile_context *c = pcre2_compile_context_create(NULL);
    PCRE2_SIZE at;

    ASSERT(c);
    pcre2_set_newline(c, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(c, 2100);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(text.n ? text.p : ""), text.n,
                                     PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY |
                                         PCRE2_ALT_CIRCUMFLEX | PCRE2_NEVER_BACKSLASH_C,
                                     ret_code, &at, c);
    pcre2_compile_context_free(c);
    return code;
}

static void parse_done(struct re_parse *p)
{
    buf_done(&p->out);
    vec_done(&p->groups);
    vec_done(&p->names);
}

/* What PCRE2 refuses of a translated pattern is its size, or a script that its Unicode tables do
 * not have. */
static const char *refusal(int code)
{
    return code == PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY ? "invalid character class range"
                                                        : "expression too large";
}

static struct regex *finish(struct re_parse *p, char *src, pcre2_code *code)
{
    struct regex *re = xnew(struct regex);

    re->code = code;
    re->jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
    re->groups = (int)p->names.n;
    re->src = src;
    re->names = xmemdup(p->names.v, p->names.n * sizeof(*p->names.v));
    return re;
}

static struct regex *compile(struct str pattern, const char *before, const char *after,
                             unsigned flags, char **ret_err)
{
    char *src = str_dup(pattern);
    struct re_parse p = {
        .src = str_n(src, pattern.n), .out = BUF_INIT(PATTERN_MAX), .emitted = flags};
    struct regex *re = NULL;
    int error = 0;

    buf_cstr(&p.out, before);
    bool ok = re_translate(&p, flags);
    buf_cstr(&p.out, after);
    pcre2_code *code = ok ? compile_translated(buf_view(&p.out), &error) : NULL;
    if (code)
        re = finish(&p, src, code);
    else if (ret_err)
        *ret_err = ok ? error_text(refusal(error), pattern) : error_text(p.err, p.err_expr);
    if (!re) free(src);
    parse_done(&p);
    return re;
}

struct regex *regex_compile(struct str pattern, char **ret_err)
{
    return compile(pattern, "", "", 0, ret_err);
}

struct regex *regex_compile_anchored(struct str pattern, char **ret_err)
{
    return compile(pattern, "\\A(?s:", ")\\z", RE_DOT_ALL, ret_err);
}

void regex_free(struct regex *re)
{
    if (!re) return;
    pcre2_code_free(re->code);
    free(re->names);
    free(re->src);
    free(re);
}

int regex_groups(const struct regex *re)
{
    return re->groups;
}

struct str regex_group_name(const struct regex *re, int i)
{
    ASSERT(i >= 1 && i <= re->groups);
    return re->names[i - 1];
}

int regex_group_index(const struct regex *re, struct str name)
{
    for (int i = 0; i < re->groups && name.n; i++) {
        if (str_eq(re->names[i], name)) return i + 1;
    }
    return -1;
}

/* --- what a thread keeps for matching --- */

struct scratch {
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    pcre2_match_data *data;
    const PCRE2_SIZE *found; /* the data's offsets */
    u32 pairs;
    struct buf text; /* a text with its bad bytes replaced */
    VEC(size_t) bad; /* where these stand in the original */
};

static __thread struct scratch *scratch;
static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;

static void scratch_free(void *arg)
{
    struct scratch *s = arg;

    pcre2_match_data_free(s->data);
    pcre2_jit_stack_free(s->stack);
    pcre2_match_context_free(s->context);
    buf_done(&s->text);
    vec_done(&s->bad);
    free(s);
    scratch = NULL;
}

static void scratch_key_make(void)
{
    int rc = pthread_key_create(&scratch_key, scratch_free);

    ASSERT(rc == 0);
}

/* A stack that cannot be had leaves the JIT its 32 KiB of the machine stack, and the interpreter
 * when that is short. */
static struct scratch *scratch_new(void)
{
    struct scratch *s = xnew(struct scratch);

    s->context = pcre2_match_context_create(NULL);
    ASSERT(s->context);
    s->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MAX, NULL);
    if (s->stack) pcre2_jit_stack_assign(s->context, NULL, s->stack);
    pcre2_set_match_limit(s->context, REGEX_MATCH_LIMIT);
    pcre2_set_heap_limit(s->context, REGEX_HEAP_LIMIT);
    buf_init(&s->text, SIZE_MAX / 2);
    return s;
}

static struct scratch *scratch_for(const struct regex *re)
{
    u32 pairs = (u32)re->groups + 1;

    if (!scratch) {
        pthread_once(&scratch_once, scratch_key_make);
        scratch = scratch_new();
        int rc = pthread_setspecific(scratch_key, scratch);
        ASSERT(rc == 0);
    }
    if (scratch->pairs < pairs) {
        pcre2_match_data_free(scratch->data);
        scratch->pairs = MAX(pairs, 16);
        scratch->data = pcre2_match_data_create(scratch->pairs, NULL);
        ASSERT(scratch->data);
        scratch->found = pcre2_get_ovector_pointer(scratch->data);
    }
    return scratch;
}

/* --- texts that are not UTF-8 --- */

/* Each bad byte becomes U+FFFD: one character, as it is to Go. */
static int sanitize(struct scratch *s, struct str text)
{
    size_t at = 0;

    buf_reset(&s->text);
    vec_clear(&s->bad);
    while (at < text.n) {
        bool bad;
        u32 c;
        size_t width = utf8_decode(str_sub(text, at, text.n), &c, &bad);

        if (bad) vec_push(&s->bad, at);
        if (bad)
            buf_cstr(&s->text, "\xEF\xBF\xBD");
        else
            buf_add(&s->text, text.p + at, width);
        at += width;
    }
    return buf_err(&s->text);
}

/* Every bad byte before an offset of the copy takes two bytes more there than in the original. */
static size_t to_original(const struct scratch *s, size_t at)
{
    size_t low = 0, high = s->bad.n;

    while (low < high) {
        size_t half = (low + high) / 2;

        if (s->bad.v[half] + 2 * half < at)
            low = half + 1;
        else
            high = half;
    }
    return at - 2 * low;
}

static size_t to_copy(const struct scratch *s, size_t at)
{
    size_t n = 0;

    while (n < s->bad.n && s->bad.v[n] < at)
        n++;
    return at + 2 * n;
}

/* --- matching --- */

static int run(const struct regex *re, struct scratch *s, struct str text, size_t from)
{
    PCRE2_SPTR p = (PCRE2_SPTR)(text.p ? text.p : "");
    int rc = PCRE2_ERROR_JIT_STACKLIMIT;

    if (re->jit) rc = pcre2_jit_match(re->code, p, text.n, from, 0, s->data, s->context);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(re->code, p, text.n, from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, s->data,
                         s->context);
    if (rc > 0) return 1;
    ASSERT(rc != 0); /* the data has a pair for each group */
    return rc == PCRE2_ERROR_NOMATCH ? 0 : REGEX_LIMIT;
}

/* Groups that the expression does not have are unset; so are those that PCRE2 did not come to: its
 * PCRE2_UNSET is -1. */
static void copy_offsets(const struct regex *re, const struct scratch *s, bool mapped, ssize_t *ov,
                         size_t n_ov)
{
    size_t n = 2 * MIN(n_ov, (size_t)re->groups + 1);

    for (size_t i = 0; i < n; i++)
        ov[i] = (ssize_t)s->found[i];
    for (size_t i = n; i < 2 * n_ov; i++)
        ov[i] = -1;
    for (size_t i = 0; mapped && i < n; i++)
        if (ov[i] >= 0) ov[i] = (ssize_t)to_original(s, (size_t)ov[i]);
}
_Static_assert((ssize_t)PCRE2_UNSET == -1, "unset offsets are copied as they are");

int regex_match(const struct regex *re, struct str text, size_t from, ssize_t *ov, size_t n_ov)
{
    struct scratch *s = scratch_for(re);
    bool mapped = !utf8_valid(text);

    if (from > text.n) return 0;
    if (mapped) {
        if (sanitize(s, text)) return REGEX_LIMIT;
        from = to_copy(s, from);
        text = buf_view(&s->text);
    }
    int rc = run(re, s, text, from);
    if (rc == 1) copy_offsets(re, s, mapped, ov, n_ov);
    return rc;
}
