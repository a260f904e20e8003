/* Reading is libyaml's; writing is by hand: keys that are mappings need the explicit form, which is
 * only a few characters. A scalar is written plain where no reader could take it for anything but
 * this text, single-quoted where it is printable, with escapes otherwise, and as !!binary when it
 * is not UTF-8 (paths need not be). Lines are not folded. */
#include "components/common/positions_text.h"

#include <errno.h>
#include "base/digest.h"
#include "base/utf8.h"
#include "base/yaml.h"

#define BINARY "tag:yaml.org,2002:binary"

/* --- reading --- */

struct reading {
    struct arena *a;
    const char **ret_err;
    position_fn fn;
    void *arg;
};

static int bad(struct reading *r, const struct yaml_node *n, const char *what)
{
    *r->ret_err = arena_printf(r->a, "yaml: line %u: %s", n->line, what);
    return -EBADMSG;
}

static bool is_null(const struct yaml_node *n)
{
    return n->kind == YAML_SCALAR && n->style == YAML_PLAIN &&
           (n->text.n == 0 || str_is(n->text, "~") || str_is(n->text, "null"));
}

static int read_binary(struct reading *r, const struct yaml_node *n, struct str *ret)
{
    struct buf b = BUF_INIT(POSITIONS_TEXT_MAX);
    int err = base64_decode(&b, BASE64_STD, n->text, NULL);

    if (!err) *ret = arena_str(r->a, buf_view(&b));
    buf_done(&b);
    return err ? bad(r, n, "a !!binary value is not base64") : 0;
}

static int read_scalar(struct reading *r, const struct yaml_node *n, struct str *ret)
{
    if (n->kind != YAML_SCALAR) return bad(r, n, "a text is expected here");
    if (str_is(n->tag, BINARY)) return read_binary(r, n, ret);
    *ret = is_null(n) ? STR("") : n->text;
    return 0;
}

static int read_member(struct reading *r, const struct yaml_node *key, struct str name,
                       struct str *ret)
{
    const struct yaml_node *n = yaml_get(key, name);

    *ret = STR("");
    return n ? read_scalar(r, n, ret) : 0;
}

static int read_key(struct reading *r, const struct yaml_node *key, struct position *p)
{
    if (key->kind != YAML_MAP)
        return bad(r, key, "the key of a position must be a mapping of path and labels");
    int err = read_member(r, key, STR("path"), &p->path);
    return err ? err : read_member(r, key, STR("labels"), &p->labels);
}

static int read_legacy_key(struct reading *r, const struct yaml_node *key, struct position *p)
{
    p->labels = STR("{}");
    return read_scalar(r, key, &p->path);
}

typedef int (*key_fn)(struct reading *r, const struct yaml_node *key, struct position *p);

static int read_entries(struct reading *r, const struct yaml_node *map, key_fn read_one)
{
    struct position p;
    int err = 0;

    for (size_t i = 0; !err && i < map->n; i += 2) {
        err = read_one(r, map->items[i], &p);
        if (!err) err = read_scalar(r, map->items[i + 1], &p.value);
        if (!err) r->fn(r->arg, &p);
    }
    return err;
}

static int read_root(struct reading *r, const struct yaml_node *root, key_fn read_one)
{
    if (!root || is_null(root)) return 0;
    if (root->kind != YAML_MAP) return bad(r, root, "a mapping with the key `positions` is expected");
    const struct yaml_node *map = yaml_get(root, STR("positions"));
    if (!map || is_null(map)) return 0;
    if (map->kind != YAML_MAP) return bad(r, map, "`positions` must be a mapping");
    return read_entries(r, map, read_one);
}

static int read_text(struct str text, struct reading *r, key_fn read_one)
{
    struct yaml_node *root = NULL;
    int err = yaml_parse(text, r->a, &root, r->ret_err);

    return err ? err : read_root(r, root, read_one);
}

int positions_text_read(struct str text, struct arena *a, position_fn fn, void *arg,
                        const char **ret_err)
{
    struct reading r = {a, ret_err, fn, arg};

    return read_text(text, &r, read_key);
}

int positions_text_read_legacy(struct str text, struct arena *a, position_fn fn, void *arg,
                               const char **ret_err)
{
    struct reading r = {a, ret_err, fn, arg};

    return read_text(text, &r, read_legacy_key);
}

/* --- writing --- */

static bool is_plain_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("/._-=+;@%~()", c));
}

/* Words that YAML 1.1 reads as a truth value or as nothing are short and made of letters alone. */
static bool may_be_a_word(struct str s)
{
    if (s.n > 5) return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_plain_byte(s.p[i]) || strchr("/._-=+;@%~()0123456789", s.p[i])) return false;
    return true;
}

/* A colon counts only in front of a space or at the end, which is where none is allowed. */
static bool is_plain(struct str s)
{
    bool starts = s.n > 0 && (s.p[0] == '/' || (is_plain_byte(s.p[0]) && !may_be_a_word(s) &&
                                                !strchr("._-=+;@%~()0123456789", s.p[0])));

    for (size_t i = 0; starts && i < s.n; i++)
        if (!is_plain_byte(s.p[i]) && (s.p[i] != ':' || i + 1 == s.n)) return false;
    return starts;
}

static bool is_printable(struct str s)
{
    for (u32 c; s.n > 0;) {
        size_t width = utf8_decode(s, &c, NULL);
        if (!utf8_is_print(c)) return false;
        s = str_sub(s, width, s.n);
    }
    return true;
}

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return true;
}

static void write_single(struct buf *b, struct str s)
{
    buf_ch(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'') buf_ch(b, '\'');
        buf_ch(b, s.p[i]);
    }
    buf_ch(b, '\'');
}

static void write_escaped(struct buf *b, u32 c)
{
    if (c == '"' || c == '\\')
        buf_printf(b, "\\%c", (int)c);
    else if (utf8_is_print(c))
        utf8_encode(b, c);
    else
        buf_printf(b, c <= 0xff ? "\\x%02X" : c <= 0xffff ? "\\u%04X" : "\\U%08X", c);
}

static void write_double(struct buf *b, struct str s)
{
    buf_ch(b, '"');
    for (u32 c; s.n > 0;) {
        size_t width = utf8_decode(s, &c, NULL);
        write_escaped(b, c);
        s = str_sub(s, width, s.n);
    }
    buf_ch(b, '"');
}

static void write_binary(struct buf *b, struct str s)
{
    buf_cstr(b, "!!binary ");
    base64_encode(b, BASE64_STD, s.p, s.n);
}

static void write_scalar(struct buf *b, struct str s)
{
    if (!utf8_valid(s))
        write_binary(b, s);
    else if (is_plain(s))
        buf_str(b, s);
    else if (is_number(s) || !is_printable(s)) /* the empty text, too */
        write_double(b, s);
    else
        write_single(b, s);
    buf_ch(b, '\n');
}

void positions_text_head(struct buf *out, bool empty)
{
    buf_cstr(out, empty ? "positions: {}\n" : "positions:\n");
}

void positions_text_entry(struct buf *out, const struct position *p)
{
    buf_cstr(out, "  ? path: ");
    write_scalar(out, p->path);
    buf_cstr(out, "    labels: ");
    write_scalar(out, p->labels);
    buf_cstr(out, "  : ");
    write_scalar(out, p->value);
}
