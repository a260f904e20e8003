/* weir eval 'EXPR': the value of an expression of the configuration language, as JSON; faults are
 * shown as everywhere. With '-' one expression a line from standard input (--lines=json: each line
 * a JSON string), one result a line; then a failure is {"error": text, "start": [line, column],
 * "end": ...} and the others go on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cmd/command.h"
#include "cmd/report.h"
#include "parser/parser.h"
#include "stdlib/stdlib.h"
#include "value/limits.h"

#define OUTPUT_MAX (VALUE_TEXT_MAX * 8) /* escapes make a text longer */

/* --- one expression --- */

static void put_pos(struct json_out *j, const char *key, struct pos p)
{
    if (p.line == 0) return;
    json_key(j, str_of(key));
    json_arr(j);
    json_u64(j, p.line);
    json_u64(j, p.col);
    json_arr_end(j);
}

static void put_error(const struct diag *d, struct buf *out)
{
    struct json_out j = {.b = out};
    json_obj(&j);
    json_key(&j, STR("error"));
    json_str(&j, str_of(d->message));
    put_pos(&j, "start", d->span.start);
    put_pos(&j, "end", d->span.end.line ? d->span.end : d->span.start);
    if (d->hint) {
        json_key(&j, STR("hint"));
        json_str(&j, str_of(d->hint));
    }
    json_obj_end(&j);
}

static int eval_text(struct source *src, const struct scope *scope, struct diags *diags,
                     struct buf *out)
{
    struct expr *e;
    struct value v;
    struct tree *tree = parse_expr(src, diags, &e);
    if (!tree) return -EINVAL;
    int rc = eval_expr(e, scope, &v, diags);
    tree_free(tree);
    if (rc) return rc;
    value_json(v, out);
    value_unref(v);
    return 0;
}

static int put_result(struct buf *out)
{
    buf_ch(out, '\n');
    if (buf_err(out)) return fail("the value is too large to print");
    fwrite(out->p, 1, out->n, stdout);
    return 0;
}

/* The exit code. */
static int eval_one(struct str text, const struct scope *scope)
{
    struct diags diags;
    struct buf out = BUF_INIT(OUTPUT_MAX);
    int code = 1;
    diags_init(&diags);
    struct source *src = source_new("expression", text);
    if (eval_text(src, scope, &diags, &out))
        report_diags(&diags);
    else
        code = put_result(&out);
    source_unref(src);
    diags_done(&diags);
    buf_done(&out);
    return code;
}

/* --- many --- */

/* Appends the result's line. */
static void eval_line(struct str text, const struct scope *scope, struct buf *out)
{
    struct diags diags;
    diags_init(&diags);
    struct source *src = source_new(NULL, text);
    if (eval_text(src, scope, &diags, out)) put_error(&diags.list.v[0], out);
    buf_ch(out, '\n');
    source_unref(src);
    diags_done(&diags);
}

static void print_line(struct str text, const struct scope *scope)
{
    struct buf out = BUF_INIT(OUTPUT_MAX);
    eval_line(text, scope, &out);
    if (buf_err(&out)) {
        buf_reset(&out);
        buf_cstr(&out, "{\"error\":\"the value is too large to print\"}\n");
    }
    fwrite(out.p, 1, out.n, stdout);
    buf_done(&out);
}

static void print_json_line(struct str line, const struct scope *scope)
{
    struct arena scratch;
    struct json_in in;
    arena_init(&scratch, 0);
    json_in_init(&in, line, &scratch);
    bool string = json_value(&in) == JSON_STRING;
    struct str text = in.raw;
    bool fine = string && json_value(&in) == JSON_END;
    if (fine)
        print_line(text, scope);
    else
        puts("{\"error\":\"the line is not a JSON string\"}");
    arena_done(&scratch);
}

/* Until the end of the input, or nobody listens. The exit code. */
static int print_lines(const struct scope *scope, bool json)
{
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t n; (n = getline(&line, &cap, stdin)) >= 0;) {
        struct str s = str_n(line, (size_t)n);
        if (s.n > 0 && s.p[s.n - 1] == '\n') s.n--;
        if (json)
            print_json_line(s, scope);
        else
            print_line(s, scope);
        if (fflush(stdout) != 0) break; /* main() tells */
    }
    free(line);
    return ferror(stdin) ? fail("cannot read standard input: %s", strerror(errno)) : 0;
}

/* --- the command --- */

struct eval {
    const char *lines;
};

static const struct flag eval_flags[] = {
    FLAG(struct eval, lines, "lines", FLAG_TEXT, "text",
         "With -: each line is an expression, or a JSON string that holds one.",
         .one_of = (const char *const[]){"text", "json", NULL}),
};

static int run(const struct eval *o, const char *expr)
{
    struct func_env env;
    char host[STDLIB_HOST_MAX];
    int code = 0;
    func_env_process(&env, host, "v" WEIR_VERSION);
    struct stdlib *lib = stdlib_new(&env);
    if (str_is(str_of(expr), "-"))
        code = print_lines(stdlib_scope(lib), str_is(str_of(o->lines), "json"));
    else
        code = eval_one(str_of(expr), stdlib_scope(lib));
    stdlib_free(lib);
    return code;
}

static int cmd_eval(int argc, char **argv)
{
    struct eval o = {0};
    arg_list args = {0};
    int rc = command_parse(&eval_command, argc, argv, &o, &args);
    int code = rc == 0 ? run(&o, args.v[0]) : rc < 0;
    vec_done(&args);
    return code;
}

const struct command eval_command = {
    .name = "eval",
    .usage = "[flags] EXPRESSION|-",
    .summary = "Print the value of an expression as JSON",
    .about = "With - expressions are read from standard input, one a line, and each is answered by "
             "a\nline at once. An expression that fails is answered by {\"error\": ...} with its "
             "place, and\nthe others go on.",
    .flags = {eval_flags, ARRAY_LEN(eval_flags)},
    .min_args = 1,
    .max_args = 1,
    .run = cmd_eval,
};
