/* Fingerprints of items, readable where they can be. */
#include "runtime/foreach_id.h"

#include "base/digest.h"
#include "base/utf8.h"
#include "parser/lexer.h"

void foreach_ids_init(struct foreach_ids *ids, const struct foreach_args *args, struct logger *log)
{
    *ids = (struct foreach_ids){.args = args, .log = log};
}

void foreach_ids_done(struct foreach_ids *ids)
{
    map_done(&ids->seen, NULL);
}

bool foreach_id_is_valid(const char *id)
{
    return lex_is_identifier(str_of(id));
}

/* ---- the text of a key ---- */

static void hashed(struct str s, struct buf *out)
{
    u8 digest[SHA256_LEN];
    sha256(s.p, s.n, digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        buf_printf(out, "%02x", digest[i]);
}

static void with_underscores(struct str s, struct buf *out)
{
    while (s.n > 0) {
        u32 rune;
        size_t n = utf8_decode(s, &rune, NULL);
        if (utf8_is_letter(rune) || utf8_is_digit(rune))
            buf_str(out, str_n(s.p, n));
        else
            buf_ch(out, '_');
        s = str_sub(s, n, s.n);
    }
}

static void number(struct value v, struct buf *out)
{
    struct buf text = BUF_INIT(1024);
    if (v.numkind == NUM_FLOAT)
        buf_printf(&text, "%f", v.f);
    else
        value_num_text(v, &text);
    for (size_t i = 0; i < text.n; i++)
        buf_ch(out, text.p[i] == '.' ? '_' : text.p[i]);
    buf_done(&text);
}

/* Lists, objects and the like: any stable digest will do; their JSON names what they hold. */
static void other(struct value v, struct buf *out)
{
    struct buf json = BUF_INIT(SIZE_MAX / 2);
    value_json(v, &json);
    hashed(buf_view(&json), out);
    buf_done(&json);
}

static void fingerprint(const struct foreach_args *a, struct value key, struct buf *out)
{
    switch ((enum vtype)key.type) {
    case V_STRING:
        if (a->hash_string_id)
            hashed(value_text(key), out);
        else
            with_underscores(value_text(key), out);
        return;
    case V_NUMBER: number(key, out); return;
    case V_BOOL: buf_cstr(out, key.b ? "true" : "false"); return;
    case V_NULL:
    case V_ARRAY:
    case V_OBJECT:
    case V_FUNCTION:
    case V_CAPSULE: other(key, out); return;
    }
}

/* ---- which part of an item is its key ---- */

/* An owned value: item[id] when `id` is set and there, else the whole item. */
static struct value key_of(const struct foreach_ids *ids, struct value item)
{
    struct value object;
    if (ids->args->id.n == 0) return value_ref(item);
    if (value_to_object(item, &object)) {
        const struct value *member = value_member(object, ids->args->id);
        struct value key = member ? value_ref(*member) : value_null();
        value_unref(object);
        if (member) return key;
    }
    log_warn(ids->log, "specified id not found in collection item", F_STR("id", ids->args->id));
    return value_ref(item);
}

char *foreach_id(struct foreach_ids *ids, struct value item)
{
    struct buf print = BUF_INIT(SIZE_MAX / 2);
    struct value key = key_of(ids, item);
    fingerprint(ids->args, key, &print);
    value_unref(key);
    uintptr_t n = (uintptr_t)map_get(&ids->seen, buf_view(&print)) + 1;
    map_put(&ids->seen, buf_view(&print), (void *)n);
    char *id = xprintf("foreach_" STR_FMT "_%zu", STR_ARG(buf_view(&print)), (size_t)n);
    buf_done(&print);
    return id;
}
