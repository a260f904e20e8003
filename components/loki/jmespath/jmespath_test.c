/* Tests of the JMESPath interpreter by tables: expression, document, compact JSON of the result, or
 * "!..." for what the failure says at run time, "?..." at compile time. */
#include <stdlib.h>
#include "base/test.h"
#include "components/loki/jmespath/jmespath.h"

struct row {
    const char *expr, *doc, *want;
};

static char *search(struct jmespath *p, const char *doc, struct arena *a)
{
    struct buf b = BUF_INIT(1 << 20);
    struct jv in, out;
    const char *err = NULL;

    assert_int_equal(jv_parse(str_of(doc), a, &in, &err), 0);
    if (jmespath_search(p, &in, a, &out, &err)) return arena_printf(a, "!%s", err);
    if (!jv_write(&out, false, &b)) buf_cstr(&b, "!not finite");
    char *text = arena_strdup(a, buf_view(&b));
    buf_done(&b);
    return text;
}

static void check(const struct row *r)
{
    char *err = NULL, *got;
    struct jmespath *p = jmespath_new(str_of(r->expr), &err);
    struct arena a;
    size_t n = r->want[0] == '!' || r->want[0] == '?' ? strlen(r->want) : SIZE_MAX;

    arena_init(&a, 0);
    got = p ? search(p, r->doc, &a) : arena_printf(&a, "?%s", err);
    if (n == SIZE_MAX ? strcmp(got, r->want) : strncmp(got, r->want, n)) {
        print_error("%s on %s\n", r->expr, r->doc);
        assert_text(str_of(got), r->want);
    }
    jmespath_free(p);
    free(err);
    arena_done(&a);
}

#define CHECK(rows)                                                                                \
    for (size_t i_ = 0; i_ < sizeof(rows) / sizeof(*(rows)); i_++)                                 \
    check(&(rows)[i_])

static const char doc[] =
    "{\"a\":{\"b\":{\"c\":\"deep\"},\"n\":null},\"list\":[3,1,2],\"t\":\"t\\u00e9xt\","
    "\"e\":\"\",\"none\":null,\"yes\":true,\"no\":false,"
    "\"people\":[{\"name\":\"ann\",\"age\":30,\"tags\":[\"x\",\"y\"]},"
    "{\"name\":\"bob\",\"age\":20,\"tags\":[\"z\"]},{\"name\":\"cy\",\"age\":25}],"
    "\"words\":[\"b\",\"c\",\"a\"],\"x y\":1}";

static void paths_and_indices(void **state)
{
    static const struct row rows[] = {
        {"a.b.c", doc, "\"deep\""},
        {"a.n.c", doc, "null"},
        {"list.b", doc, "null"},
        {"missing", doc, "null"},
        {"\"x y\"", doc, "1"},
        {"\"\\u0061\".b", doc, "{\"c\":\"deep\"}"},
        {"list[0]", doc, "3"},
        {"list[-1]", doc, "2"},
        {"list[3]", doc, "null"},
        {"list[-4]", doc, "null"},
        {"t[0]", doc, "null"},
        {"@.list", doc, "[3,1,2]"},
        {"a.b | $.list", doc, "[3,1,2]"},
        {"k", "{\"k\":1,\"k\":2}", "2"},
        {"@", "{\"z\":1,\"k\":1,\"z\":2}", "{\"z\":2,\"k\":1}"},
    };
    CHECK(rows);
}

static void slices(void **state)
{
    static const struct row rows[] = {
        {"list[1:]", doc, "[1,2]"},
        {"list[:1]", doc, "[3]"},
        {"list[::-1]", doc, "[2,1,3]"},
        {"list[-2:5]", doc, "[1,2]"},
        {"list[5:0:-2]", doc, "[2]"},
        {"list[1:1]", doc, "[]"},
        {"people[:2].name", doc, "[\"ann\",\"bob\"]"},
        {"t[1:2]", doc, "\"\xC3\xA9\""},
        {"t[::-1]", doc, "\"tx\xC3\xA9t\""},
        {"yes[:1]", doc, "null"},
        {"list[::0]", doc, "?the step of a slice is 0"},
        {"list[1:2:3:4]", doc, "?too many :"},
        {"list[99999999999]", doc, "?the index is too large"},
    };
    CHECK(rows);
}

static void projections(void **state)
{
    static const struct row rows[] = {
        {"people[*].name", doc, "[\"ann\",\"bob\",\"cy\"]"},
        {"people[*].tags", doc, "[[\"x\",\"y\"],[\"z\"]]"},
        {"people[*].tags[0]", doc, "[\"x\",\"z\"]"},
        {"people[*].tags | [0]", doc, "[\"x\",\"y\"]"},
        {"people[].tags[]", doc, "[\"x\",\"y\",\"z\"]"},
        {"a.*.c", doc, "[\"deep\"]"},
        {"*", "{\"p\":1,\"q\":null,\"r\":2}", "[1,2]"},
        {"a[*]", doc, "null"},
        {"list.*", doc, "null"},
        {"[[1,[2]],3][]", doc, "?expected a number, : or ]"},
        {"`[[1,[2]],3]`[]", doc, "[1,[2],3]"},
        {"people[?age > `22`].name", doc, "[\"ann\",\"cy\"]"},
        {"people[?tags].name | [1]", doc, "\"bob\""},
        {"people[?contains(name, 'n') && age != `1`].age", doc, "[30]"},
        {"people[?!tags].name", doc, "[\"cy\"]"},
        {"t[?@]", doc, "null"},
        {"people[*].[name,age]", doc, "[[\"ann\",30],[\"bob\",20],[\"cy\",25]]"},
        {"people[1].{who: name, \"old\": age}", doc, "{\"who\":\"bob\",\"old\":20}"},
        {"missing.[a]", doc, "null"},
        {"[missing, t]", doc, "[null,\"t\xC3\xA9xt\"]"},
    };
    CHECK(rows);
}

static void operators(void **state)
{
    static const struct row rows[] = {
        {"missing || t", doc, "\"t\xC3\xA9xt\""},
        {"e || none || no || yes", doc, "true"},
        {"yes && list[0]", doc, "3"},
        {"e && t", doc, "\"\""},
        {"!e", doc, "true"},
        {"!list", doc, "false"},
        {"list == `[3,1,2]`", doc, "true"},
        {"a == `{\"n\":null,\"b\":{\"c\":\"deep\"}}`", doc, "true"},
        {"t != 'x'", doc, "true"},
        {"t < 'x'", doc, "null"},
        {"list[0] >= `3`", doc, "true"},
        {"list[0] + list[1] * list[2]", doc, "5"},
        {"(list[0] + list[1]) * list[2]", doc, "8"},
        {"list[0] - `1` - `1`", doc, "1"},
        {"`7` // `2`", doc, "3"},
        {"`-7` // `2`", doc, "-4"},
        {"`7` % `4` / `2`", doc, "1.5"},
        {"`2` \xC3\x97 `3` \xC3\xB7 `4` \xE2\x88\x92 `1`", doc, "0.5"},
        {"-list[0]", doc, "-3"},
        {"+t", doc, "null"},
        {"t + `1`", doc, "null"},
        {"`1` / `0`", doc, "!not finite"},
        {"yes ? t : e", doc, "\"t\xC3\xA9xt\""},
        {"no ? t : none ? t : 'else'", doc, "\"else\""},
        {"'it\\'s \\\\ \\n'", doc, "\"it's \\\\ \\\\n\""},
        {"`\"a\\`b\"`", doc, "\"a`b\""},
    };
    CHECK(rows);
}

static void bindings(void **state)
{
    static const struct row rows[] = {
        {"let $x = list[0] in $x", doc, "3"},
        {"let $x = t, $y = list in {a: $x, b: $y}", doc, "{\"a\":\"t\xC3\xA9xt\",\"b\":[3,1,2]}"},
        {"let $x = `1` in let $x = `2` in $x", doc, "2"},
        {"[let $x = `1` in $x, $x]", doc, "!the variable $x is not bound"},
        {"let $min = `22` in people[?age > $min].name", doc, "[\"ann\",\"cy\"]"},
        {"let $f = &age in sort_by(people, $f)[0].name", doc, "\"bob\""},
        {"let $f = &map($f, @) in map($f, list)", doc, "!the variable $f is not bound"},
        {"let $f = &age in $f", doc, "!$f is an expression"},
        {"let", "{\"let\":1}", "1"},
        {"in", "{\"in\":2}", "2"},
        {"let $x in $x", doc, "?expected $name"},
        {"let $x = t", doc, "?expected , or `in`"},
    };
    CHECK(rows);
}

static void functions_of_numbers(void **state)
{
    static const struct row rows[] = {
        {"[abs(`-1.5`), ceil(`1.2`), floor(`-1.2`)]", doc, "[1.5,2,-2]"},
        {"[sum(list), avg(list), max(list), min(list)]", doc, "[6,2,3,1]"},
        {"[sum(`[]`), avg(`[]`), max(`[]`), min(`[]`)]", doc, "[0,null,null,null]"},
        {"[max(words), min(words)]", doc, "[\"c\",\"a\"]"},
        {"[to_number('0x1p4'), to_number(' 1'), to_number(yes), to_number(`2`)]", doc,
         "[16,null,null,2]"},
        {"[type(t), type(list), type(a), type(none), type(yes), type(`1`)]", doc,
         "[\"string\",\"array\",\"object\",\"null\",\"boolean\",\"number\"]"},
        {"not_null(none, missing, t)", doc, "\"t\xC3\xA9xt\""},
        {"not_null(none)", doc, "null"},
        {"[to_array(t), to_array(list)]", doc, "[[\"t\xC3\xA9xt\"],[3,1,2]]"},
        {"abs(t)", doc, "!argument 1 of abs() has the wrong type"},
        {"sum(words)", doc, "!argument 1 of sum() has the wrong type"},
        {"abs()", doc, "!abs() got 0 arguments and takes at least 1"},
        {"abs(`1`, `2`)", doc, "!abs() got 2 arguments and takes at most 1"},
        {"nobody(t)", doc, "!there is no function named nobody"},
        {"\"abs\"(t)", doc, "?the name of a function is not quoted"},
    };
    CHECK(rows);
}

static void functions_of_texts(void **state)
{
    static const struct row rows[] = {
        {"[starts_with(t,'t'), ends_with(t,'x'), contains(t,'x'), contains(t,`1`)]", doc,
         "[true,false,true,false]"},
        {"contains(list, `2`)", doc, "true"},
        {"[find_first('abcab','ab'), find_last('abcab','ab')]", doc, "[0,3]"},
        {"[find_first(t,'x'), find_first('abcab','ab',`1`), find_last('abcab','ab',`0`,`4`)]", doc,
         "[2,3,0]"},
        {"[find_first('a',''), find_first('','a'), find_first('a','b')]", doc, "[null,null,null]"},
        {"find_first('a','a',`0.5`)", doc, "!argument 3 is not a whole number"},
        {"[lower('A\xC3\x89'), upper(t)]", doc, "[\"a\xC3\xA9\",\"T\xC3\x89XT\"]"},
        {"[pad_left('7',`3`,'0'), pad_right(t,`6`), pad_left('long',`2`)]", doc,
         "[\"007\",\"t\xC3\xA9xt  \",\"long\"]"},
        {"pad_left('7',`-1`)", doc, "!argument 2 is negative"},
        {"pad_left('7',`5`,'ab')", doc, "!padding is one character"},
        {"pad_left('7',`1e14`)", doc, "!the expression takes too much memory"},
        {"[replace('aXbX','X','--'), replace('aXbX','X','',`1`), replace('ab','','-')]", doc,
         "[\"a--b--\",\"abX\",\"-a-b-\"]"},
        {"replace('ab','','-',`2`)", doc, "\"-a-b\""},
        {"[reverse(t), reverse(list)]", doc, "[\"tx\xC3\xA9t\",[2,1,3]]"},
        {"[split('a,b,c',','), split('a,b,c',',',`1`), split('','x'), split('abc','')]", doc,
         "[[\"a\",\"b\",\"c\"],[\"a\",\"b,c\"],[],[\"a\",\"b\",\"c\"]]"},
        {"split('a,',',')", doc, "[\"a\",\"\"]"},
        {"join('-', words)", doc, "\"b-c-a\""},
        {"join('-', list)", doc, "!argument 2 of join()"},
        {"[trim('  a '), trim_left('xxa','x'), trim_right('axyx','xy'), "
         "trim('\xC3\xA9q','\xC3\xA9')]",
         doc, "[\"a\",\"a\",\"a\",\"q\"]"},
        {"[to_string(list), to_string(t), to_string('<'), to_string(`[\"<\"]`)]", doc,
         "[\"[3,1,2]\",\"t\xC3\xA9xt\",\"<\",\"[\\\"\\\\u003c\\\"]\"]"},
        {"[length(t), length(list), length(a)]", doc, "[4,3,2]"},
    };
    CHECK(rows);
}

static void functions_of_lists(void **state)
{
    static const struct row rows[] = {
        {"map(&name, people)", doc, "[\"ann\",\"bob\",\"cy\"]"},
        {"map(&nope, `[1]`)", doc, "[null]"},
        {"[sort(list), sort(words)]", doc, "[[1,2,3],[\"a\",\"b\",\"c\"]]"},
        {"sort_by(people, &age)[*].name", doc, "[\"bob\",\"cy\",\"ann\"]"},
        {"sort_by(people, &tags)", doc, "!the expression gives no number or text"},
        {"[max_by(people,&age).name, min_by(people,&name).name]", doc, "[\"ann\",\"ann\"]"},
        {"max_by(`[]`, &a)", doc, "null"},
        {"group_by(`[{\"k\":\"b\",\"v\":1},{\"k\":\"a\",\"v\":2},{\"k\":\"b\",\"v\":3}]`, &k)", doc,
         "{\"b\":[{\"k\":\"b\",\"v\":1},{\"k\":\"b\",\"v\":3}],\"a\":[{\"k\":\"a\",\"v\":2}]}"},
        {"group_by(people, &age)", doc, "!groups are by texts"},
        {"[keys(a), values(a.b), items(a.b)]", doc,
         "[[\"b\",\"n\"],[\"deep\"],[[\"c\",\"deep\"]]]"},
        {"from_items(`[[\"a\",1],[\"b\",2],[\"a\",3]]`)", doc, "{\"a\":3,\"b\":2}"},
        {"from_items(`[[\"a\"]]`)", doc, "!an item is a pair"},
        {"merge(`{\"a\":1,\"b\":1}`, `{\"b\":2}`)", doc, "{\"a\":1,\"b\":2}"},
        {"zip(list, words, `[9]`)", doc, "[[3,\"b\",9]]"},
        {"zip(list)", doc, "!zip() got 1 arguments and takes at least 2"},
        {"map(name, people)", doc, "!argument 1 of map()"},
        {"abs(&name)", doc, "!argument 1 of abs()"},
        {"&name", doc, "!an expression (&...) is an argument"},
    };
    CHECK(rows);
}

static void faults_of_syntax(void **state)
{
    static const struct row rows[] = {
        {"", doc, "?the expression ends too early, at character 1"},
        {"a.", doc, "?expected a name"},
        {"a..b", doc, "?expected a name"},
        {".a", doc, "?unexpected token"},
        {"a b", doc, "?unexpected token behind the expression, at character 3"},
        {"list[", doc, "?expected an index"},
        {"list[1", doc, "?expected a number, : or ]"},
        {"a.1", doc, "?expected a name"},
        {"'open", doc, "?text without its closing delimiter"},
        {"`open", doc, "?text without its closing delimiter"},
        {"`no json`", doc, "?the literal is not JSON"},
        {"\"\\q\"", doc, "?the quoted name is no JSON text"},
        {"{a}", doc, "?expected : behind"},
        {"{a: b", doc, "?expected , or }"},
        {"{}", doc, "?expected the name of a member"},
        {"[]x", doc, "?unexpected token"},
        {"(a", doc, "?expected )"},
        {"abs(a", doc, "?expected , or )"},
        {"a ~ b", doc, "?unexpected character"},
        {"a ? b", doc, "?expected : behind what"},
        {"\xFF", doc, "?the expression is not UTF-8"},
    };
    CHECK(rows);
}

/* n times `part`, with `mid` in the middle. */
static char *repeat(const char *part, size_t n, const char *mid, const char *end)
{
    struct buf b = BUF_INIT(1 << 20);

    for (size_t i = 0; i < n; i++)
        buf_cstr(&b, part);
    buf_cstr(&b, mid);
    for (size_t i = 0; i < n; i++)
        buf_cstr(&b, end);
    return buf_take(&b, NULL);
}

static void limits(void **state)
{
    struct {
        const char *part, *mid, *end, *want;
        size_t n;
    } rows[] = {
        {"(", "a", ")", "?nested too deeply", 250},
        {"!", "a", "", "?nested too deeply", 250},
        {"[@]|", "a", "", "?nested too deeply", 1000},
        {"a.", "b", "", "?nested too deeply", 1000},
        {"[", "a", "]", "?nested too deeply", 1000},
        {"a", "b", "", "?the expression is longer", 70000},
        {"a||", "b", "", "null", 100},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char *expr = repeat(rows[i].part, rows[i].n, rows[i].mid, rows[i].end);

        check(&(struct row){expr, "{}", rows[i].want});
        free(expr);
    }
}

/* Each pipe squares the work or doubles the text: stopped, not done. */
static void runaways(void **state)
{
    static const struct row rows[] = {
        {"let $l = @ in map(&let $a = @ in map(&map(&@, $l), $l), @)[]", NULL,
         "!the expression takes too"},
        {"let $s = 'aaaaaaaaaaaaaaaaaaaaaaaa' in let $t = replace($s, 'a', $s) in "
         "let $u = replace($t, 'a', $t) in let $v = replace($u, 'a', $u) in $v",
         NULL, "!the expression takes too"},
    };
    char *list = repeat("1,", 300, "0]", ""), *text = repeat("[", 1, list, "");

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        check(&(struct row){rows[i].expr, text, rows[i].want});
    free(list);
    free(text);
}

static void tells_what_it_is(void **state)
{
    const struct str *names;
    char *err = NULL;
    struct jmespath *path = jmespath_new(STR("a.\"b c\".d"), &err),
                    *call = jmespath_new(STR("a[?nobody(@)].b"), &err);

    assert_int_equal(jmespath_path(path, &names), 3);
    assert_text(names[0], "a");
    assert_text(names[1], "b c");
    assert_text(names[2], "d");
    assert_int_equal(jmespath_path(call, &names), 0);
    assert_text(jmespath_unknown(call), "nobody");
    assert_null(jmespath_unknown(path).p);
    jmespath_free(path);
    jmespath_free(call);
    jmespath_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_and_indices),  cmocka_unit_test(slices),
        cmocka_unit_test(projections),        cmocka_unit_test(operators),
        cmocka_unit_test(bindings),           cmocka_unit_test(functions_of_numbers),
        cmocka_unit_test(functions_of_texts), cmocka_unit_test(functions_of_lists),
        cmocka_unit_test(faults_of_syntax),   cmocka_unit_test(limits),
        cmocka_unit_test(runaways),           cmocka_unit_test(tells_what_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
