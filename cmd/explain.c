/* weir explain: what a name of the language takes and gives, from the tables that decode it.
 *
 *     weir explain                         all names, a line each
 *     weir explain otelcol.exporter.otlp   a component, a block, a function, a constant
 *     weir explain otelcol.exporter.otlp.client.tls    a block or argument inside
 *     weir explain otelcol.exporter        all names below
 *
 * Reads const tables only; nothing is evaluated or started. */
#include <stdio.h>

#include "base/json.h"
#include "cmd/command.h"
#include "cmd/report.h"
#include "cmd/topic.h"

#define EXPLAIN_MAX (64u << 20)

struct explain {
    bool json;
};

static const struct flag explain_flags[] = {
    FLAG(struct explain, json, "json", FLAG_BOOL, "false", "The same for machines."),
};

/* ---- lists ---- */

static void put_line(const struct topic *t, int width, struct buf *b)
{
    bool known_only = t->def && t->def->foreign;
    buf_printf(b, "%-*s %s%s\n", width, t->name, known_only ? "(not in this build) " : "",
               t->summary);
}

static int width_below(const struct topics *t, struct str name)
{
    int width = 0;
    for (size_t i = 0; i < t->list.n; i++)
        if (topic_is_below(&t->list.v[i], name))
            width = MAX(width, (int)strlen(t->list.v[i].name) + 1);
    return MIN(width, 44);
}

static void list_text(const struct topics *t, struct str name, struct buf *b)
{
    int width = width_below(t, name);
    for (size_t i = 0; i < t->list.n; i++)
        if (topic_is_below(&t->list.v[i], name)) put_line(&t->list.v[i], width, b);
}

static void list_json(const struct topics *t, struct str name, struct buf *b)
{
    struct json_out j = {.b = b};
    json_arr(&j);
    for (size_t i = 0; i < t->list.n; i++)
        if (topic_is_below(&t->list.v[i], name)) explain_json(&t->list.v[i], &j);
    json_arr_end(&j);
    buf_ch(b, '\n');
}

static bool any_below(const struct topics *t, struct str name)
{
    for (size_t i = 0; i < t->list.n; i++)
        if (topic_is_below(&t->list.v[i], name)) return true;
    return false;
}

/* ---- one ---- */

static void topic_answer(const struct topic *t, bool json, struct buf *b)
{
    struct json_out j = {.b = b};
    if (!json) {
        explain_text(t, b);
        return;
    }
    explain_json(t, &j);
    buf_ch(b, '\n');
}

static int part_answer(const struct topic *t, struct str path, bool json, struct buf *b)
{
    struct json_out j = {.b = b};
    struct part p;
    int rc = topic_part(t, path, &p);
    if (rc < 0) {
        char *hint = p.near ? xprintf("; did you mean \"%s\"?", p.near) : xprintf(" there");
        fail("%s has no \"" STR_FMT "\"%s", t->name, STR_ARG(path), hint);
        free(hint);
        return rc;
    }
    if (json) {
        explain_part_json(t, path, &p, &j);
        buf_ch(b, '\n');
    } else {
        explain_part_text(t, path, &p, b);
    }
    return 0;
}

static int unknown(const struct topics *t, const char *name)
{
    const char *near = topics_near(t, str_of(name)), *all = "`weir explain` lists all names.";
    if (near) return -fail("there is no \"%s\"; did you mean \"%s\"? %s", name, near, all);
    return -fail("there is no \"%s\". %s", name, all);
}

/* 0, or a negative code with the message printed. */
static int answer(const struct topics *t, const char *name, bool json, struct buf *b)
{
    struct str text = str_of(name), rest;
    const struct topic *topic = topics_find(t, text);
    if (topic) return topic_answer(topic, json, b), 0;
    if (any_below(t, text)) return (json ? list_json : list_text)(t, text, b), 0;
    topic = topics_find_within(t, text, &rest);
    if (topic && topic->def) return part_answer(topic, rest, json, b);
    return unknown(t, name);
}

/* ---- the command ---- */

/* All names: everything is below the empty one. */
static void answer_all(const struct topics *t, bool json, struct buf *b)
{
    struct json_out j = {.b = b};
    if (json) json_arr(&j);
    for (size_t i = 0; i < t->list.n; i++)
        if (json)
            explain_json(&t->list.v[i], &j);
        else
            put_line(&t->list.v[i], 44, b);
    if (json) json_arr_end(&j), buf_ch(b, '\n');
}

static int explain(const struct explain *o, const char *name)
{
    struct topics t;
    struct buf b = BUF_INIT(EXPLAIN_MAX);
    int rc = 0;
    topics_init(&t);
    if (name)
        rc = answer(&t, name, o->json, &b);
    else
        answer_all(&t, o->json, &b);
    int code = rc < 0;
    if (rc == 0 && buf_err(&b)) code = fail("the answer is too long");
    if (code == 0) fwrite(b.p, 1, b.n, stdout);
    topics_done(&t);
    buf_done(&b);
    return code;
}

static int cmd_explain(int argc, char **argv)
{
    struct explain o = {0};
    arg_list args = {0};
    int rc = command_parse(&explain_command, argc, argv, &o, &args);
    int code = rc == 0 ? explain(&o, args.n ? args.v[0] : NULL) : rc < 0;
    vec_done(&args);
    return code;
}

static void topic_words(struct buf *out)
{
    struct topics t;
    topics_init(&t);
    vec_each (&t.list, topic)
        buf_printf(out, "%s\t%s\n", topic->name, topic->summary);
    topics_done(&t);
}

const struct command explain_command = {
    .name = "explain",
    .usage = "[flags] [NAME]",
    .summary = "Say what a component, block or function takes and gives, or list them all",
    .about =
        "NAME may lead to a block or argument inside (otelcol.exporter.otlp.client.tls), or be "
        "the\nbeginning of several names (otelcol.exporter).",
    .flags = {explain_flags, ARRAY_LEN(explain_flags)},
    .max_args = 1,
    .words = topic_words,
    .run = cmd_explain,
};
