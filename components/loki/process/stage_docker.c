/* stage.docker: the JSON that Docker's json-file driver writes. */
#include "base/json.h"
#include "base/rfc3339.h"
#include "base/utf8.h"
#include "components/loki/process/stage.h"

const struct schema docker_stage_schema = SCHEMA_EMPTY;

struct record {
    struct str log, stream, time;
};

static struct str *member(struct record *d, struct str key)
{
    if (str_ieq(key, STR("log"))) return &d->log;
    if (str_ieq(key, STR("stream"))) return &d->stream;
    return str_ieq(key, STR("time")) ? &d->time : NULL;
}

static bool read_member(struct json_in *j, struct str *to)
{
    if (!to) return json_skip(j) == 0;
    switch (json_value(j)) {
    case JSON_STRING: *to = j->raw; return true;
    case JSON_NULL: return true;
    default: return false;
    }
}

static bool read_record(struct json_in *j, struct record *ret)
{
    bool first = true;
    struct str key;

    if (json_value(j) != JSON_OBJ) return false;
    while (json_next_key(j, &key, &first))
        if (!read_member(j, member(ret, key))) return false;
    return !j->err && json_value(j) == JSON_END;
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    struct record d = {STR(""), STR(""), STR("")};
    struct json_in j;
    i64 time;

    json_in_init(&j, e->line, e->scratch);
    if (!read_record(&j, &d) || d.log.n == 0) return STAGE_PASS;
    e->line = d.log;
    if (utf8_valid(d.stream)) entry_label_put(e, STR("stream"), d.stream);
    ex_put_str(e->extracted, STR("output"), d.log);
    ex_put_str(e->extracted, STR("stream"), d.stream);
    ex_put_str(e->extracted, STR("timestamp"), d.time);
    if (rfc3339_parse(d.time, &time) == 0) e->time = time;
    return STAGE_PASS;
}

const struct stage_ops docker_stage = {.run = run};
