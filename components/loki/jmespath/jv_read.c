/* JSON text to a tree. Items of the structures that are open lie on one stack and move to an array
 * of their exact size when theirs closes. */
#include <errno.h>
#include "base/num.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "components/loki/jmespath/jv.h"

struct tree {
    struct json_in *j;
    struct arena *a;
    struct jv_member *stack; /* in the arena; grown by doubling */
    u32 n, cap, values;
};

static int read_value(struct tree *t, struct jv *ret);

static int too_much(struct tree *t, const char *why)
{
    if (!t->j->err) t->j->err = why;
    return -EBADMSG;
}

static void push(struct tree *t, const struct jv_member *m)
{
    if (t->n == t->cap) {
        u32 cap = t->cap ? 2 * t->cap : 32;
        struct jv_member *stack = arena_array(t->a, struct jv_member, cap);

        if (t->n) memcpy(stack, t->stack, t->n * sizeof(*stack));
        t->stack = stack;
        t->cap = cap;
    }
    t->stack[t->n++] = *m;
}

/* --- texts and numbers --- */

static bool all_ascii(struct str s)
{
    u64 high = 0, word;
    size_t i = 0;

    for (; i + 8 <= s.n; i += 8) {
        memcpy(&word, s.p + i, 8);
        high |= word;
    }
    for (; i < s.n; i++)
        high |= (u8)s.p[i];
    return !(high & UINT64_C(0x8080808080808080));
}

static struct str replace_bad(struct str s, struct arena *a)
{
    struct buf b = BUF_INIT(3 * s.n + 8);
    u32 c;

    while (s.n) {
        size_t width = utf8_decode(s, &c, NULL);

        utf8_encode(&b, c);
        s = str_sub(s, width, s.n);
    }
    struct str clean = arena_str(a, buf_view(&b));
    buf_done(&b);
    return clean;
}

struct str jv_clean(struct str s, struct arena *a)
{
    return all_ascii(s) || utf8_valid(s) ? s : replace_bad(s, a);
}

static int read_number(struct tree *t, struct jv *ret)
{
    f64 num;

    if (num_parse_f64(t->j->raw, &num)) return too_much(t, "number out of range");
    *ret = jv_num(num);
    return 0;
}

/* --- structures --- */

static int read_array(struct tree *t, struct jv *ret)
{
    u32 base = t->n;
    bool first = true;
    struct jv_member m = {0};

    while (json_next_elem(t->j, &first)) {
        if (read_value(t, &m.value)) return -EBADMSG;
        push(t, &m);
    }
    if (t->j->err) return -EBADMSG;
    u32 n = t->n - base;
    struct jv *elems = n ? arena_array(t->a, struct jv, n) : NULL;
    for (u32 i = 0; i < n; i++)
        elems[i] = t->stack[base + i].value;
    t->n = base;
    *ret = jv_arr(elems, n);
    return 0;
}

static int read_object(struct tree *t, struct jv *ret)
{
    u32 base = t->n;
    bool first = true;
    struct jv_member m, *members = NULL;

    while (json_next_key(t->j, &m.key, &first)) {
        m.key = jv_clean(json_text(t->j, m.key), t->a);
        if (read_value(t, &m.value)) return -EBADMSG;
        push(t, &m);
    }
    if (t->j->err) return -EBADMSG;
    u32 n = jv_unique(t->stack + base, t->n - base);
    if (n) members = arena_memdup(t->a, t->stack + base, n * sizeof(*members));
    t->n = base;
    *ret = jv_obj(members, n);
    return 0;
}

/* Recursion is bounded by the reader's max_depth. */
static int read_value(struct tree *t, struct jv *ret)
{
    if (++t->values > JV_MAX_VALUES) return too_much(t, "too many values");
    switch (json_value(t->j)) {
    case JSON_ERROR: return -EBADMSG;
    case JSON_END: return too_much(t, "unexpected end");
    case JSON_NULL: *ret = jv_null(); return 0;
    case JSON_BOOL: *ret = jv_bool(t->j->raw.p[0] == 't'); return 0;
    case JSON_STRING: *ret = jv_str(jv_clean(t->j->raw, t->a)); return 0;
    case JSON_NUMBER: return read_number(t, ret);
    case JSON_ARR: return read_array(t, ret);
    case JSON_OBJ: return read_object(t, ret);
    }
    return -EBADMSG;
}

int jv_read(struct json_in *j, struct arena *a, struct jv *ret)
{
    struct tree t = {.j = j, .a = a};

    return read_value(&t, ret);
}

int jv_parse(struct str text, struct arena *a, struct jv *ret, const char **ret_err)
{
    struct json_in j;

    json_in_init(&j, text, a);
    if (jv_read(&j, a, ret) == 0 && json_value(&j) == JSON_END) return 0;
    *ret_err = j.err ? j.err : "text after the value";
    return -EBADMSG;
}
