/* Decoding, defaults, encoding and the static check of one table that has every kind. */
#include "value/testing.h"

#include <errno.h>
#include "base/json.h"
#include "value/check.h"
#include "value/decode.h"
#include "value/encode.h"

/* --- the table --- */

struct inner {
    struct str label;
    i64 n;
    struct str mode;
    bool present;
    struct span span;
};
static const struct row inner_rows[] = {
    LABEL_ROW(struct inner, label),
    ATTR(struct inner, n, .doc = "A number.", .def = "7", .min = 1, .has_min = true, .max = 100,
         .has_max = true),
    ATTR(struct inner, mode, .doc = "A mode.", .def = "\"basic\"",
         .one_of = ONE_OF_TEXT("basic", "full")),
};
static const struct schema inner_schema =
    SCHEMA(struct inner, inner_rows, .present_off = offsetof(struct inner, present),
           .span_off = offsetof(struct inner, span));

struct plain {
    i64 n;
    struct dur every;
};
static const struct row plain_rows[] = {
    ATTR(struct plain, n, .doc = "A number.", .def = "3"),
    ATTR(struct plain, every, .doc = "An interval.", .def = "\"1m\"", .min = 1e9, .has_min = true),
};
static const struct schema plain_schema = SCHEMA(struct plain, plain_rows);

static const struct schema described_only = {.span_off = -1, .present_off = -1};
static const struct one_of_def stages[] = {{.name = "stage.a", .doc = "One stage.", .sub = &plain_schema},
                                           {.name = "stage.b", .doc = "Another stage.", .sub = &plain_schema},
                                           {.name = "stage.later", .sub = &described_only}};

static const struct capsule_type sink = {.name = "test.Sink"}, other = {.name = "test.Other"};

struct args {
    bool flag;
    i64 count;
    f64 ratio;
    struct str name, host;
    struct dur timeout;
    struct bytesize size;
    struct secret password;
    struct opt_secret_text token;
    struct opt_str os;
    struct opt_i64 oi;
    struct opt_f64 of;
    struct opt_bool ob;
    struct opt_dur od;
    struct str_list list;
    struct str_map map;
    struct secret_map headers;
    struct capsule_ref to;
    struct capsule_list forward_to;
    struct value any;
    struct plain block, blk_default;
    struct plain *ptr;
    struct {
        struct inner *v;
        size_t n;
    } many;
    struct one_of_list stage;
    struct value extra;
    i64 small;
};

static void host_name(struct arena *a, void *member)
{
    *(struct str *)member = arena_str(a, STR("box"));
}

static void other_interval(struct arena *a, void *member)
{
    ((struct plain *)member)->n = 99;
}

static const struct row rows[] = {
    ATTR(struct args, flag, .doc = "A flag.", .def = "true"),
    ATTR(struct args, count, .doc = "How many.", .required = true),
    ATTR(struct args, ratio, .doc = "A ratio.", .def = "0.5"),
    ATTR(struct args, name, .doc = "A name.", .one_of = ONE_OF_TEXT("x", "y"),
         .one_of_error = "unrecognized name \"%s\""),
    ATTR_AS(struct args, name, "old_name", .doc = "A name.", .alias_of = "name"),
    ATTR(struct args, host, .doc = "The host.", .def_fn = host_name),
    ATTR(struct args, timeout, .doc = "A timeout.", .def = "\"500ms\""),
    ATTR(struct args, size, .doc = "A size.", .def = "\"1MiB\""),
    ATTR(struct args, password, .doc = "A password."),
    ATTR(struct args, token, .doc = "A token."),
    ATTR(struct args, os, .doc = "Text."),
    ATTR(struct args, oi, .doc = "Integer."),
    ATTR(struct args, of, .doc = "Float."),
    ATTR(struct args, ob, .doc = "Bool."),
    ATTR(struct args, od, .doc = "Duration."),
    ATTR(struct args, list, .doc = "Texts.", .def = "[\"a\", \"b\"]"),
    ATTR(struct args, map, .doc = "Texts by key."),
    ATTR(struct args, headers, .doc = "Secrets by key."),
    ATTR(struct args, to, .doc = "A receiver.", .capsule = &sink, .signals = SIGNALS_LOGS),
    ATTR(struct args, forward_to, .doc = "Receivers.", .capsule = &sink, .signals = SIGNALS_LOGS),
    ATTR(struct args, any, .doc = "Anything."),
    ATTR(struct args, small, .doc = "A small number.", .unsigned_bits = 32),
    BLOCK(struct args, block, &plain_schema, .doc = "A block."),
    BLOCK(struct args, blk_default, &plain_schema, .doc = "A block.", .def_fn = other_interval),
    BLOCK_PTR(struct args, ptr, &plain_schema, .doc = "A block."),
    BLOCKS(struct args, many, &inner_schema, .doc = "Blocks."),
    ONE_OF_BLOCKS(struct args, stage, "stage", stages),
    {.name = "extra",
     .doc = "Free form.",
     .kind = K_MAP_BLOCK,
     .off = offsetof(struct args, extra),
     .size = sizeof(struct value)},
};
static const struct rule rules[] = {
    {.kind = RULE_AT_MOST_ONE,
     .names = {"password", "token"},
     .message = "at most one of password and token may be given"},
    {.kind = RULE_REQUIRES, .names = {"od", "oi"}, .message = "od needs oi"},
};

static void validate(const void *p, const struct span *at, struct diags *diags);
static const struct schema schema =
    SCHEMA(struct args, rows, .rules = rules, .n_rules = ARRAY_LEN(rules), .validate = validate);

static void validate(const void *p, const struct span *at, struct diags *diags)
{
    const struct args *a = p;
    if (a->count == 13)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&schema, at, "count"),
                   "13 brings bad luck");
    if (a->count == 14)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&schema, at, "ratio"), "no ratio for 14");
}

/* --- fixture --- */

static bool lookup(const struct scope *s, struct str name, struct value *ret)
{
    if (str_is(name, "sink"))
        *ret = value_capsule(&sink, NULL);
    else if (str_is(name, "other"))
        *ret = value_capsule(&other, NULL);
    else if (str_is(name, "sec"))
        *ret = value_secret(STR("shh"));
    else if (str_is(name, "plain"))
        *ret = value_opt_secret(STR("12"), false);
    else if (str_is(name, "flagged"))
        *ret = value_opt_secret(STR("12"), true);
    else
        return false;
    return true;
}
static const struct scope scope = {.lookup = lookup};

struct fixture {
    struct tree *tree;
    struct arena arena;
    struct diags diags;
    struct args args;
    int rc;
};

static void decode(struct fixture *f, const char *text)
{
    f->tree = parse_text(text);
    arena_init(&f->arena, 0);
    diags_init(&f->diags);
    memset(&f->args, 0xAA, sizeof(f->args));
    f->rc = decode_body(&schema, NULL, &f->tree->body, &scope, &f->arena, &f->args, &f->diags);
}

static void done(struct fixture *f)
{
    arena_done(&f->arena);
    diags_done(&f->diags);
    tree_free(f->tree);
}

static void assert_faults(const char *text, const char *want)
{
    struct fixture f;
    decode(&f, text);
    assert_diags(&f.diags, want);
    assert_int_equal(f.rc, *want ? -EINVAL : 0);
    done(&f);
}

#define assert_str(s, lit)                                                                         \
    (assert_int_equal((s).n, sizeof(lit) - 1), assert_string_equal((s).p, lit))

/* --- decoding --- */

static void defaults_are_set(void **state)
{
    struct fixture f;
    decode(&f, "count = 1");
    assert_int_equal(f.rc, 0);
    assert_true(f.args.flag);
    assert_true(f.args.ratio == 0.5);
    assert_str(f.args.name, "");
    assert_str(f.args.host, "box");
    assert_int_equal(f.args.timeout.ns, 500 * NS_PER_MS);
    assert_int_equal(f.args.size.n, 1 << 20);
    assert_false(f.args.token.set || f.args.os.set || f.args.oi.set || f.args.of.set ||
                 f.args.ob.set || f.args.od.set);
    assert_int_equal(f.args.list.n, 2);
    assert_str(f.args.list.v[1], "b");
    assert_null(f.args.to.c);
    assert_int_equal(f.args.block.n, 3);
    assert_int_equal(f.args.blk_default.n, 99);
    assert_null(f.args.ptr);
    assert_int_equal(f.args.many.n, 0);
    done(&f);
}

static void every_kind_decodes(void **state)
{
    struct fixture f;
    decode(
        &f,
        "flag = false\ncount = \"12\"\nratio = 2\nold_name = \"y\"\nhost = 1.5\ntimeout = "
        "\"1h30m\"\nsize = \"2KiB\"\n"
        "token = sec\nos = \"\"\noi = 3.9\nof = \"1.5\"\nob = false\nod = \"1s\"\nlist = [1, "
        "\"z\"]\nmap = {b = 2, a = \"one\"}\n"
        "headers = {k = sec}\nto = sink\nforward_to = [sink, null, sink]\nany = {x = [1, 2.5]}\n");
    assert_diags(&f.diags, "");
    assert_false(f.args.flag);
    assert_int_equal(f.args.count, 12);
    assert_true(f.args.ratio == 2);
    assert_str(f.args.name, "y");
    assert_str(f.args.host, "1.5");
    assert_int_equal(f.args.timeout.ns, 5400 * NS_PER_SEC);
    assert_int_equal(f.args.size.n, 2048);
    assert_true(f.args.token.set && f.args.token.is_secret);
    assert_str(f.args.token.s, "shh");
    assert_true(f.args.os.set && f.args.oi.set && f.args.oi.v == 3 && f.args.of.v == 1.5 &&
                f.args.ob.set && !f.args.ob.v);
    assert_str(f.args.list.v[0], "1");
    assert_str(f.args.map.v[0].key, "a");
    assert_str(f.args.map.v[1].value, "2");
    assert_str(f.args.headers.v[0].value, "shh");
    assert_non_null(f.args.to.c);
    assert_int_equal(f.args.forward_to.n, 2);
    const struct value *x = value_member(f.args.any, STR("x"));
    assert_int_equal(x->array->v[0].numkind, NUM_INT);
    assert_int_equal(x->array->v[1].numkind, NUM_FLOAT);
    done(&f);
}

static void blocks_decode_in_order(void **state)
{
    struct fixture f;
    decode(&f, "count = 1\nblock { }\nblk_default { every = \"2s\" }\nptr { n = 5 }\nmany \"a\" { "
               "n = 1 }\nstage.b { n = 1 }\n"
               "many \"b\" { mode = \"full\" }\nstage.a { }\nstage.b { n = 2 }\nextra { k = 1\nl = "
               "[true] }\n");
    assert_diags(&f.diags, "");
    assert_int_equal(f.args.blk_default.n, 3);
    assert_int_equal(f.args.blk_default.every.ns, 2 * NS_PER_SEC);
    assert_int_equal(f.args.ptr->n, 5);
    assert_int_equal(f.args.many.n, 2);
    assert_str(f.args.many.v[0].label, "a");
    assert_str(f.args.many.v[1].label, "b");
    assert_str(f.args.many.v[1].mode, "full");
    assert_int_equal(f.args.many.v[1].n, 7);
    assert_true(f.args.many.v[1].present);
    assert_int_equal(f.args.many.v[1].span.start.line, 7);
    assert_int_equal(f.args.stage.n, 3);
    assert_string_equal(f.args.stage.v[0].def->name, "stage.b");
    assert_string_equal(f.args.stage.v[1].def->name, "stage.a");
    assert_int_equal(((struct plain *)f.args.stage.v[2].args)->n, 2);
    assert_true(value_member(f.args.extra, STR("k"))->i == 1);
    done(&f);
}

static void null_is_zero_and_satisfies_required(void **state)
{
    struct fixture f;
    decode(&f, "count = null\nflag = null\noi = null\nlist = null\nto = null\ntimeout = null\nname "
               "= null\npassword = null\ntoken = \"t\"");
    assert_diags(&f.diags, "");
    assert_int_equal(f.args.count, 0);
    assert_false(f.args.flag || f.args.oi.set);
    assert_int_equal(f.args.list.n, 0);
    assert_int_equal(f.args.timeout.ns, 0);
    done(&f);
}

static void assert_numbers(const char *text, i64 count, i64 small)
{
    struct fixture f;
    decode(&f, text);
    assert_diags(&f.diags, "");
    assert_int_equal(f.args.count, count);
    assert_int_equal(f.args.small, small);
    done(&f);
}

static void integers_have_no_range(void **state)
{
    assert_numbers("count = -3.9\nsmall = 3.9", -3, 3);
    assert_numbers("count = 18446744073709551615\nsmall = -1", -1, 4294967295);
    assert_numbers("count = \"18446744073709551615\"\nsmall = 4294967297", -1, 1);
    assert_numbers("count = \"-7\"\nsmall = \"1e3\"", -7, 1000);
}

/* Texts that are numbers: -INTEGER, with a point or an exponent a float, else an unsigned one. */
static void texts_as_numbers(void **state)
{
    assert_faults("count = \"\"\nratio = \"-1.5\"\noi = \" 5\"\nof = \"0x10\"",
                  "1:9 \"\" should be number, got string\n"
                  "2:9 \"-1.5\" should be number, got string\n"
                  "3:6 \" 5\" should be number, got string\n"
                  "4:6 \"0x10\" should be number, got string\n");
    assert_faults("count = \"1_000\"\nratio = \"5 \"\noi = \"+5\"\nof = true",
                  "1:9 \"1_000\" should be number, got string\n"
                  "2:9 \"5 \" should be number, got string\n"
                  "3:6 \"+5\" should be number, got string\n"
                  "4:6 true should be number, got bool\n");
    assert_faults("count = \"18446744073709551616\"\nratio = \"1.5\"\noi = \"1e3\"\nof = \".5\"",
                  "1:9 \"18446744073709551616\" should be number, got string\n");
}

/* Units are ns us ms s m h; a number is its digits first. */
static void texts_as_durations(void **state)
{
    assert_faults("count = 1\ntimeout = \"1d\"\nod = 5\noi = 1",
                  "2:11 \"1d\" time: unknown unit \"d\" in duration \"1d\"\n"
                  "3:6 5 time: missing unit in duration \"5\"\n");
    assert_faults("count = 1\ntimeout = \"\"\nod = \"1\"\noi = 1",
                  "2:11 \"\" time: invalid duration \"\"\n"
                  "3:6 \"1\" time: missing unit in duration \"1\"\n");
    assert_faults("count = 1\ntimeout = 0\nod = \"-1h1m1.5s1ms1us1ns\"\noi = 1", "");
}

/* Secrets go where secrets go, and what is no secret everywhere. */
static void secrets_are_kept_secret(void **state)
{
    assert_faults("count = plain\nhost = plain\nos = plain\npassword = plain\nob = plain",
                  "5:6 plain should be bool, got capsule\n");
    assert_faults("count = sec\nhost = sec\nlist = [sec]\nmap = {a = flagged}",
                  "1:9 sec should be number, got capsule\n"
                  "2:8 sec secrets may not be converted into strings\n"
                  "3:9 sec secrets may not be converted into strings\n"
                  "4:12 flagged secrets may not be converted into strings\n");
    assert_faults("count = 1\npassword = 5\nlist = \"a\"\nmap = []\nforward_to = sink",
                  "2:12 5 should be capsule, got number\n"
                  "3:8 \"a\" should be array, got string\n"
                  "4:7 [] should be object, got array\n"
                  "5:14 sink should be array, got capsule\n");
    assert_faults("count = 1\npassword = flagged\nheaders = {a = plain, b = sec, c = \"t\"}", "");
    assert_faults("count = 1\nhost = true\nflag = \"true\"\nob = 1",
                  "2:8 true should be string, got bool\n"
                  "3:8 \"true\" should be bool, got string\n"
                  "4:6 1 should be bool, got number\n");
}

/* --- faults: all of a body at once --- */

static void every_fault_is_reported(void **state)
{
    assert_faults("cuont = 1\nflag = 1\nflag = true\nblock = 1\nlist { }\nstage.c { }\nratio = "
                  "nope\ntimeout = 5\n",
                  "1:1 unrecognized attribute name \"cuont\" +did you mean `count`?\n"
                  "2:8 1 should be bool, got number\n"
                  "3:1 attribute \"flag\" may only be provided once\n"
                  "4:1 \"block\" must be a block, but is used as an attribute\n"
                  "5:1 \"list\" must be an attribute, but is used as a block\n"
                  "6:1 unrecognized block name \"stage.c\" +did you mean `stage.a`?\n"
                  "7:9 identifier \"nope\" does not exist\n"
                  "8:11 5 time: missing unit in duration \"5\"\n"
                  "0:0 missing required attribute \"count\"\n");
}

static void faults_point_at_the_element(void **state)
{
    assert_faults("count = 1\nlist = [\"a\", {}]\nmap = {k = true}\nto = other\nforward_to = "
                  "[sink, other, 1]\n"
                  "many \"a\" {\n  n = 0\n  mode = \"fulll\"\n}\nname = \"q\"\nblock {\n  every = "
                  "\"1ms\"\n}\n",
                  "2:14 {} should be string, got object\n"
                  "3:12 true should be string, got bool\n"
                  "4:6 other expected capsule(\"test.Sink\"), got capsule(\"test.Other\")\n"
                  "5:21 other expected capsule(\"test.Sink\"), got capsule(\"test.Other\")\n"
                  "7:7 0 should be at least 1\n"
                  "8:10 \"fulll\" should be one of \"basic\", \"full\", got \"fulll\"\n"
                  "10:8 \"q\" unrecognized name \"q\"\n"
                  "12:11 \"1ms\" should be at least 1s\n");
}

static void labels_and_rules(void **state)
{
    assert_faults("count = 1\nmany { }\nblock \"x\" { }\nblock { }\nextra \"x\" {\n  b { "
                  "}\n}\npassword = \"a\"\ntoken = \"b\"\nod = \"1s\"\n",
                  "2:1 block \"many\" requires non-empty label\n"
                  "3:1 block \"block\" does not support specifying labels\n"
                  "4:1 block \"block\" may only be specified once\n"
                  "5:1 block \"extra\" requires empty label\n"
                  "6:3 nested blocks not supported here\n"
                  "0:0 at most one of password and token may be given\n"
                  "0:0 od needs oi\n");
}

static void blocks_without_code_are_refused(void **state)
{
    assert_faults("count = 1\nstage.a { }\nstage.later { }\n",
                  "3:1 block \"stage.later\" is not supported by this build\n");
}

static void validation_runs_last(void **state)
{
    assert_faults("count = 13", "1:9 13 brings bad luck\n");
    assert_faults("count = 14", "0:0 no ratio for 14\n");
    assert_faults("count = 13\nflag = 1", "2:8 1 should be bool, got number\n");
}

/* --- objects --- */

static void assert_object(const char *text, const char *want)
{
    struct fixture f;
    struct value v;
    struct expr *e;
    f.tree = NULL;
    arena_init(&f.arena, 0);
    diags_init(&f.diags);
    struct source *src = source_new(NULL, str_of(text));
    struct tree *tree = parse_expr(src, &f.diags, &e);
    assert_int_equal(eval_expr(e, &scope, &v, &f.diags), 0);
    f.rc = decode_object(&schema, v, e->span, &f.arena, &f.args, &f.diags);
    assert_diags(&f.diags, want);
    if (!*want) assert_int_equal(f.args.many.v[1].n, 9);
    value_unref(v);
    tree_free(tree);
    source_unref(src);
    done(&f);
}

static void objects_decode_by_the_same_table(void **state)
{
    assert_object("{count = 1, block = {n = 4}, ptr = null, many = [{}, {n = 9}], extra = {a = 1}, "
                  "old_name = \"x\"}",
                  "");
    assert_object("{count = 1, bloc = 1, many = [{}, {n = true}], block = {evry = 1}, ptr = 2}",
                  "1:1 does not have field named \"bloc\" (did you mean `block`?)\n"
                  "1:1 block does not have field named \"evry\" (did you mean `every`?)\n"
                  "1:1 many[1].n should be number, got bool\n"
                  "1:1 ptr should be object, got number\n");
}

/* --- encoding --- */

static void assert_encoded(const char *text, const char *want)
{
    struct fixture f;
    struct buf b = BUF_INIT(1 << 16);
    struct json_out j = {.b = &b, .html = true};
    decode(&f, text);
    assert_diags(&f.diags, "");
    encode_json(&schema, &f.args, &j);
    assert_string_equal(b.p, want);
    buf_done(&b);
    done(&f);
}

static void encoding_leaves_out_defaults(void **state)
{
    assert_encoded(
        "count = 0",
        "[{\"name\":\"count\",\"type\":\"attr\",\"value\":{\"type\":\"number\",\"value\":0}},"
        "{\"name\":\"list\",\"type\":\"attr\",\"value\":{\"type\":\"array\",\"value\":["
        "{\"type\":\"string\",\"value\":\"a\"},{\"type\":\"string\",\"value\":\"b\"}]}}]");
    assert_encoded(
        "count = 1\nlist = []\ntimeout = \"500ms\"\npassword = \"hunter2\"\nptr { }\nmany \"l\" { "
        "n = 2 }\nstage.b { n = 3 }\n"
        "block { n = 4 }\nextra { k = true }",
        "[{\"name\":\"count\",\"type\":\"attr\",\"value\":{\"type\":\"number\",\"value\":1}},"
        "{\"name\":\"password\",\"type\":\"attr\",\"value\":{\"type\":\"capsule\",\"value\":\"("
        "secret)\"}},"
        "{\"name\":\"list\",\"type\":\"attr\",\"value\":{\"type\":\"array\",\"value\":[]}},"
        "{\"name\":\"block\",\"type\":\"block\",\"body\":[{\"name\":\"n\",\"type\":\"attr\","
        "\"value\":{\"type\":\"number\",\"value\":4}}]},"
        "{\"name\":\"ptr\",\"type\":\"block\",\"body\":[]},"
        "{\"name\":\"many\",\"type\":\"block\",\"label\":\"l\",\"body\":[{\"name\":\"n\",\"type\":"
        "\"attr\",\"value\":{\"type\":\"number\",\"value\":2}}]},"
        "{\"name\":\"stage.b\",\"type\":\"block\",\"body\":[]},"
        "{\"name\":\"extra\",\"type\":\"block\",\"body\":[{\"name\":\"k\",\"type\":\"attr\","
        "\"value\":{\"type\":\"bool\",\"value\":true}}]}]");
}

static void encoded_values_have_every_field(void **state)
{
    struct fixture f;
    decode(&f, "count = 5\nmany \"x\" { }");
    struct value v = encode_value(&schema, &f.args);
    assert_true(v.object->ordered);
    assert_string_equal(v.object->m[0].key->p, "flag");
    assert_true(value_member(v, STR("count"))->i == 5);
    assert_string_equal(value_member(v, STR("timeout"))->text->p, "500ms");
    assert_string_equal(value_member(v, STR("os"))->text->p, "");
    assert_null(value_member(v, STR("old_name")));
    const struct value *many = value_member(v, STR("many"));
    assert_true(value_member(many->array->v[0], STR("n"))->i == 7);
    value_unref(v);
    done(&f);
}

static void no_data_is_an_empty_list(void **state)
{
    struct buf b = BUF_INIT(16);
    struct json_out j = {.b = &b};
    encode_json(&schema, NULL, &j);
    assert_string_equal(b.p, "[]");
    buf_done(&b);
}

/* --- checking --- */

static struct static_type type_of(void *arg, const struct expr *e)
{
    struct static_type t = {.known = true};
    if (e->kind != EXPR_IDENT) return (struct static_type){0};
    if (str_is(e->s, "sink"))
        t = (struct static_type){
            .known = true, .type = V_CAPSULE, .capsule = "test.Sink", .signals = SIGNALS_LOGS};
    else if (str_is(e->s, "other"))
        t = (struct static_type){.known = true, .type = V_CAPSULE, .capsule = "test.Other"};
    else if (str_is(e->s, "traces"))
        t = (struct static_type){
            .known = true, .type = V_CAPSULE, .capsule = "test.Sink", .signals = SIGNALS_TRACES};
    else if (str_is(e->s, "sec"))
        t = (struct static_type){.known = true, .type = V_CAPSULE, .capsule = "alloytypes.Secret"};
    else if (str_is(e->s, "others"))
        t = (struct static_type){.known = true,
                                 .type = V_ARRAY,
                                 .is_list = true,
                                 .elem = V_CAPSULE,
                                 .elem_capsule = "test.Other"};
    else if (str_is(e->s, "num"))
        t.type = V_NUMBER;
    else
        t.known = false;
    return t;
}

static void assert_checked(const char *text, const char *want)
{
    struct diags diags;
    struct type_env env = {.type_of = type_of};
    struct tree *tree = parse_text(text);
    diags_init(&diags);
    check_body(&schema, NULL, &tree->body, &env, &diags);
    assert_diags(&diags, want);
    diags_done(&diags);
    tree_free(tree);
}

static void constant_bodies_are_judged_like_a_load(void **state)
{
    assert_checked("count = 13", "1:9 13 brings bad luck\n");
    assert_checked("count = 1 / 0\nold_name = \"x\"\nblock { n = \"x\" }\n",
                   "1:13 0 divide by zero error\n"
                   "2:1 warning: \"old_name\" is deprecated +use `name`\n"
                   "3:13 \"x\" should be number, got string\n");
}

static void types_of_references_are_judged(void **state)
{
    assert_checked("count = unknown.ref\nflag = num\nname = sec\nto = other\nforward_to = [sink, "
                   "traces, other, num]\nhost = (1 == num)\n"
                   "map = {a = sink, b = 1, c = num == 1}\nheaders = {h = num}\nlist = num\n",
                   "2:8 num should be bool, got number\n"
                   "3:8 sec secrets may not be converted into strings\n"
                   "4:6 other expected capsule(\"test.Sink\"), got capsule(\"test.Other\")\n"
                   "5:21 traces does not take logs\n"
                   "5:29 other expected capsule(\"test.Sink\"), got capsule(\"test.Other\")\n"
                   "5:36 num should be capsule, got number\n"
                   "6:9 1 == num should be string, got bool\n"
                   "7:29 num == 1 should be string, got bool\n"
                   "8:16 num should be capsule, got number\n"
                   "9:8 num should be array, got number\n");
    assert_checked("count = num\nforward_to = others\n",
                   "2:14 others expected capsule(\"test.Sink\"), got capsule(\"test.Other\")\n");
}

static void blocks_are_checked_inside(void **state)
{
    assert_checked("count = ref\nmany \"a\" {\n  n = 0\n  m = ref\n}\nstage.a {\n  n = [1]\n  "
                   "every = f(1 / 0)\n}\nextra {\n  a = 1 / 0\n  b { }\n}\n",
                   "3:7 0 should be at least 1\n"
                   "4:3 unrecognized attribute name \"m\" +did you mean `n`?\n"
                   "7:7 [1] should be number, got array\n"
                   "8:17 0 divide by zero error\n"
                   "11:11 0 divide by zero error\n"
                   "12:3 nested blocks not supported here\n");
}

static void missing_is_reported_at_the_block(void **state)
{
    struct diags diags;
    struct tree *tree = parse_text("comp \"x\" {\n  flag = ref\n}\n");
    const struct block *b = tree->body.stmts[0].block;
    diags_init(&diags);
    check_body(&schema, b, &b->body, NULL, &diags);
    assert_diags(&diags, "1:1 missing required attribute \"count\"\n");
    diags_done(&diags);
    tree_free(tree);
}

/* --- the self-test --- */

static void a_good_table_passes(void **state)
{
    struct buf out = BUF_INIT(4096);
    size_t n = schema_lint(&schema, "test", &out);
    if (n > 0) fail_msg("%s", out.p);
    buf_done(&out);
}

static const struct row bad_rows[] = {
    ATTR(struct plain, n, .doc = "A number.", .def = "\"x\""),
    ATTR(struct plain, n, .doc = "No sentence", .def = "[", .required = true),
    {.name = "wide", .doc = "Too wide.", .kind = K_STR, .off = 8, .size = 8, .alias_of = "nobody"},
    {.name = "sub", .doc = "No table.", .kind = K_BLOCK, .size = 1, .sub = NULL},
    {.name = "other", .doc = "Other struct.", .kind = K_BLOCK, .size = 1, .sub = &plain_schema},
};
static const struct rule bad_rules[] = {
    {.kind = RULE_AT_MOST_ONE, .names = {"n", "ghost"}, .message = "m"}};
static const struct schema bad_schema =
    SCHEMA(struct plain, bad_rows, .rules = bad_rules, .n_rules = 1);

static void a_bad_table_is_found_out(void **state)
{
    struct buf out = BUF_INIT(4096);
    schema_lint(&bad_schema, "bad", &out);
    assert_string_equal(out.p, "bad: n: its default does not decode: should be number, got string\n"
                               "bad: n: its documentation is no sentence\n"
                               "bad: n: appears twice\n"
                               "bad: n: its default does not parse: [\n"
                               "bad: n: is required and has a default\n"
                               "bad: wide: its kind needs 16 bytes, the member has 8\n"
                               "bad: wide: is an alias of no row\n"
                               "bad: sub: is a block without a table\n"
                               "bad: other: its struct has 16 bytes, the member 1\n"
                               "bad: ghost: a rule names no row\n");
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_set),
        cmocka_unit_test(every_kind_decodes),
        cmocka_unit_test(blocks_decode_in_order),
        cmocka_unit_test(null_is_zero_and_satisfies_required),
        cmocka_unit_test(integers_have_no_range),
        cmocka_unit_test(texts_as_numbers),
        cmocka_unit_test(texts_as_durations),
        cmocka_unit_test(secrets_are_kept_secret),
        cmocka_unit_test(every_fault_is_reported),
        cmocka_unit_test(faults_point_at_the_element),
        cmocka_unit_test(labels_and_rules),
        cmocka_unit_test(blocks_without_code_are_refused),
        cmocka_unit_test(validation_runs_last),
        cmocka_unit_test(objects_decode_by_the_same_table),
        cmocka_unit_test(encoding_leaves_out_defaults),
        cmocka_unit_test(encoded_values_have_every_field),
        cmocka_unit_test(no_data_is_an_empty_list),
        cmocka_unit_test(constant_bodies_are_judged_like_a_load),
        cmocka_unit_test(types_of_references_are_judged),
        cmocka_unit_test(blocks_are_checked_inside),
        cmocka_unit_test(missing_is_reported_at_the_block),
        cmocka_unit_test(a_good_table_passes),
        cmocka_unit_test(a_bad_table_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
