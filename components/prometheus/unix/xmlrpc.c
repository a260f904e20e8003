/* XML-RPC: tokens, then structs. */
#include "components/prometheus/unix/xmlrpc.h"

#include <errno.h>
#include "base/num.h"
#include "base/utf8.h"

/* --- tokens --- */

static int pass(struct str *rest, struct str end)
{
    ssize_t at = str_find(*rest, end);

    if (at < 0) return -EBADMSG;
    *rest = str_sub(*rest, (size_t)at + end.n, rest->n);
    return 0;
}

static struct str tag_name(struct str inside)
{
    size_t n = 0;

    while (n < inside.n && !strchr(" \t\r\n/", inside.p[n]))
        n++;
    return str_sub(inside, 0, n);
}

static int read_tag(struct xml_reader *r, struct xml_token *ret)
{
    ssize_t end = str_chr(r->rest, '>');

    if (end < 1) return -EBADMSG;
    struct str inside = str_sub(r->rest, 1, (size_t)end);
    r->rest = str_sub(r->rest, (size_t)end + 1, r->rest.n);
    bool close = str_starts(inside, STR("/"));
    if (close) inside = str_sub(inside, 1, inside.n);
    *ret = (struct xml_token){close ? XML_CLOSE : XML_OPEN, tag_name(inside)};
    if (ret->text.n == 0) return -EBADMSG;
    if (!close && str_ends(inside, STR("/"))) r->closing = ret->text;
    return 1;
}

int xml_next(struct xml_reader *r, struct xml_token *ret)
{
    int failed = 0;

    if (r->closing.n > 0) {
        *ret = (struct xml_token){XML_CLOSE, r->closing};
        r->closing = STR("");
        return 1;
    }
    while (!failed && r->rest.n > 0) {
        if (r->rest.p[0] != '<') {
            ssize_t end = str_chr(r->rest, '<');
            size_t n = end < 0 ? r->rest.n : (size_t)end;

            *ret = (struct xml_token){XML_TEXT, str_sub(r->rest, 0, n)};
            r->rest = str_sub(r->rest, n, r->rest.n);
            return 1;
        }
        if (str_starts(r->rest, STR("<!--")))
            failed = pass(&r->rest, STR("-->"));
        else if (str_starts(r->rest, STR("<?")))
            failed = pass(&r->rest, STR("?>"));
        else if (str_starts(r->rest, STR("<!")))
            failed = pass(&r->rest, STR(">"));
        else
            return read_tag(r, ret);
    }
    return failed;
}

/* --- text --- */

static bool number_of(struct str name, u64 *ret)
{
    if (!str_starts(name, STR("#")) || name.n < 2) return false;
    struct str digits = str_sub(name, 1, name.n);
    int base = 10;

    if (digits.p[0] == 'x') {
        digits = str_sub(digits, 1, digits.n);
        base = 16;
    }
    *ret = 0;
    for (size_t i = 0; i < digits.n; i++) {
        char ch = digits.p[i] | 0x20;
        int d = digits.p[i] <= '9' ? digits.p[i] - '0' : ch - 'a' + 10;

        if (d < 0 || d >= base || *ret > 0x10ffff) return false;
        *ret = *ret * (u64)base + (u64)d;
    }
    return digits.n > 0 && *ret > 0 && *ret <= 0x10ffff;
}

static bool add_named(struct buf *to, struct str name)
{
    static const struct {
        const char *name;
        char ch;
    } known[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    u64 number;

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_is(name, known[i].name)) return buf_ch(to, known[i].ch), true;
    if (!number_of(name, &number)) return false;
    utf8_encode(to, (u32)number);
    return true;
}

struct str xml_unescape(struct arena *a, struct str text)
{
    struct buf b = BUF_INIT(text.n + 1);

    while (text.n > 0) {
        struct str after = text, before = str_cut(&after, '&'), rest = after;

        buf_str(&b, before);
        if (!after.p) break;
        struct str name = str_cut(&rest, ';');
        bool known = rest.p && name.n <= 8 && add_named(&b, name);
        if (!known) buf_ch(&b, '&');
        text = known ? rest : after;
    }
    struct str made = arena_str(a, buf_view(&b));
    buf_done(&b);
    return made;
}

/* --- structs --- */

struct reading {
    struct arena *arena;
    const struct xmlrpc_rows *rows;
    int depth, structs; /* open tags; open structs */
    bool in_name, in_value, fault;
    struct str name, value;
    struct str *ret_fault;
};

static void opened(struct reading *r, struct str tag)
{
    if (str_is(tag, "struct")) r->structs++;
    if (str_is(tag, "fault")) r->fault = true;
    if (r->structs > 1) return;
    if (str_is(tag, "name")) r->in_name = true;
    if (str_is(tag, "value")) r->in_value = true;
    if (str_is(tag, "name") || str_is(tag, "value")) r->value = STR("");
}

static void end_value(struct reading *r)
{
    struct str value = xml_unescape(r->arena, r->value);

    r->in_value = false;
    if (r->structs != 1) return;
    if (!r->fault)
        r->rows->member(r->rows->arg, r->name, value);
    else if (str_is(r->name, "faultString"))
        *r->ret_fault = value;
}

static void closed(struct reading *r, struct str tag)
{
    if (r->structs <= 1 && str_is(tag, "name") && r->in_name) {
        r->name = str_trim(xml_unescape(r->arena, r->value));
        r->in_name = false;
    }
    if (r->structs <= 1 && str_is(tag, "value") && r->in_value) end_value(r);
    if (!str_is(tag, "struct") || r->structs == 0) return;
    r->structs--;
    if (r->structs == 0 && !r->fault) r->rows->end(r->rows->arg);
}

static void text(struct reading *r, struct str t)
{
    if (r->structs == 1 && (r->in_name || r->in_value) && str_trim(t).n > 0) r->value = t;
}

int xmlrpc_read(struct arena *a, struct str answer, const struct xmlrpc_rows *rows,
                struct str *ret_fault)
{
    struct xml_reader x = {.rest = answer};
    struct reading r = {.arena = a, .rows = rows, .ret_fault = ret_fault};
    bool any = false;
    struct xml_token t;
    int got;

    *ret_fault = STR("");
    while ((got = xml_next(&x, &t)) > 0) {
        if (t.kind == XML_TEXT) {
            text(&r, t.text);
            continue;
        }
        if (!any && !str_is(t.text, "methodResponse")) return -EBADMSG;
        any = true;
        r.depth += t.kind == XML_OPEN ? 1 : -1;
        if (r.depth < 0 || r.depth > XMLRPC_DEPTH) return -EBADMSG;
        t.kind == XML_OPEN ? opened(&r, t.text) : closed(&r, t.text);
    }
    if (got < 0 || r.depth != 0 || !any) return -EBADMSG;
    return r.fault ? -EREMOTE : 0;
}
