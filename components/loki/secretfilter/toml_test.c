/* The TOML reader by tables: a text, and its tree as a line of JSON's kind; "!..." the error. */
#include <errno.h>
#include "base/num.h"
#include "base/test.h"
#include "components/loki/secretfilter/toml.h"

static void show(struct buf *b, const struct toml *t)
{
    bool table = t->type == TOML_TABLE;

    switch (t->type) {
    case TOML_STRING: buf_printf(b, "'" STR_FMT "'", STR_ARG(t->str)); return;
    case TOML_INT: buf_printf(b, "%lld", (long long)t->i); return;
    case TOML_FLOAT: num_f64_g(b, t->f); return;
    case TOML_BOOL: buf_cstr(b, t->b ? "yes" : "no"); return;
    case TOML_TABLE:
    case TOML_ARRAY: break;
    }
    buf_ch(b, table ? '{' : '[');
    for (const struct toml *e = t->first; e; e = e->next) {
        if (table) buf_printf(b, STR_FMT ":", STR_ARG(e->key));
        show(b, e);
        if (e->next) buf_ch(b, ',');
    }
    buf_ch(b, table ? '}' : ']');
}

static void reads(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", "{}"},
        {"# only\n\n", "{}"},
        {"a = 1 # one\r\nb-2 = \"x\"\n\"c d\" = 'y'", "{a:1,b-2:'x',c d:'y'}"},
        {"a.b.c = 1\na.d = 2", "{a:{b:{c:1},d:2}}"},
        {"[a]\nx = 1\n[a.b]\ny = 2\n[c]\n", "{a:{x:1,b:{y:2}},c:{}}"},
        {"[[r]]\nid = 'a'\n[[r.s]]\nk = 1\n[[r.s]]\nk = 2\n[[r]]\nid = 'b'",
         "{r:[{id:'a',s:[{k:1},{k:2}]},{id:'b'}]}"},
        {"a = [ 1, # one\n 2,\n]\nb = []\nc = [['x'], [{k = 1}]]",
         "{a:[1,2],b:[],c:[['x'],[{k:1}]]}"},
        {"a = {x = 1, y.z = 'q'}\nb = {}", "{a:{x:1,y:{z:'q'}},b:{}}"},
        {"a = \"q\\\"\\n\\t\\\\\\u00e9\\U0001F600\"", "{a:'q\"\n\t\\\xC3\xA9\xF0\x9F\x98\x80'}"},
        {"a = '''\nraw \\d 'x' \nend'''\nb = \"\"\"one \\\n   two\"\"\"",
         "{a:'raw \\d 'x' \nend',b:'one two'}"},
        {"a = ''''x'''''", "{a:''x'''}"},
        {"a = -1_000\nb = 3.5\nc = 1e3\nd = true\ne = false\nf = +7",
         "{a:-1000,b:3.5,c:1000,d:yes,e:no,f:7}"},
        {"a", "!line 1: expected = behind the key"},
        {"\na = ", "!line 2: expected a value"},
        {"a = 1 b = 2", "!line 1: expected the end of the line"},
        {"a = 1\na = 2", "!line 2: a is set already, on line 1"},
        {"[a]\n[a]", "!line 2: [a] is defined already, on line 1"},
        {"a = 1\n[a]", "!line 2: a is no table to add to (see line 1)"},
        {"a = {}\n[a.b]", "!line 2: a is no table to add to"},
        {"a = [1]\n[[a]]", "!line 2: a is something else already"},
        {"a = word", "!line 1: no value: word (texts stand in quotes)"},
        {"a = 2021-01-02", "!line 1: no value of a kind known here: 2021-01-02"},
        {"a = \"x\ny\"", "!line 1: the text does not end on its line"},
        {"a = '''x", "!line 1: the text does not end"},
        {"a = \"\\q\"", "!line 1: there is no escape \\q"},
        {"a = \"\\ud800\"", "!line 1: the escape is no character"},
        {"a = [1 2]", "!line 1: expected , or ] in the array"},
        {"a = [1,", "!line 1: expected a value"},
        {"a = {x = 1", "!line 1: expected , or } in { }"},
        {"[a", "!line 1: expected ] behind the name"},
        {"[[a]", "!line 1: expected ]] behind the name"},
        {"= 1", "!line 1: expected a key"},
        {"a = \"\x01\"", "!line 1: a text holds the control character 0x01"},
        {"a = '\xFF'", "!line 1: the file is not UTF-8"},
        {"a=[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "!line 1: nested too deeply"},
        {"a.b.c.d.e.f.g.h.i = 1", "!line 1: the key has too many parts"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf b = BUF_INIT(10000);
        const char *err = NULL;
        struct toml *top;
        struct arena a;

        arena_init(&a, 0);
        if (toml_parse(str_of(rows[i].text), &a, &top, &err) == 0)
            show(&b, top);
        else
            buf_printf(&b, "!%.*s", (int)strlen(rows[i].want) - 1, err);
        assert_text(buf_view(&b), rows[i].want);
        buf_done(&b);
        arena_done(&a);
    }
}

static void tells_lines(void **state)
{
    const char *err;
    struct toml *top;
    struct arena a;

    arena_init(&a, 0);
    assert_int_equal(
        toml_parse(STR("a = '''\n1\n2'''\n[[r]]\nx = [\n1,\n2]\ny = 1"), &a, &top, &err), 0);
    struct toml *r = toml_get(top, STR("r"))->first;
    assert_int_equal(r->line, 4);
    assert_int_equal(toml_get(r, STR("x"))->last->line, 7);
    assert_int_equal(toml_get(r, STR("y"))->line, 8);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(tells_lines)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
