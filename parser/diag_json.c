/* Diagnostics as JSON, for editors and scripts: positions are [line, column] from 1, `end` is the
 * last byte. */
#include "parser/diag.h"
#include "parser/source.h"
#include "base/json.h"

static void text(struct json_out *j, const char *key, const char *value)
{
    json_key(j, str_of(key));
    json_str(j, str_of(value));
}

static void position(struct json_out *j, const char *key, struct pos at)
{
    if (at.line == 0) return;
    json_key(j, str_of(key));
    json_arr(j);
    json_u64(j, at.line);
    json_u64(j, at.col);
    json_arr_end(j);
}

static void one(struct json_out *j, const struct diag *d)
{
    json_obj(j);
    text(j, "severity", severity_name(d->severity));
    text(j, "code", diag_code_name(d->code));
    text(j, "message", d->message);
    struct span at = source_shown(d->span);
    if (at.file && at.file->name) text(j, "file", at.file->name);
    position(j, "start", at.start);
    position(j, "end", at.end);
    if (d->hint) text(j, "hint", d->hint);
    json_obj_end(j);
}

void diags_json(const struct diags *d, struct buf *out)
{
    struct json_out j = {.b = out};
    json_arr(&j);
    for (size_t i = 0; i < d->list.n; i++)
        one(&j, &d->list.v[i]);
    json_arr_end(&j);
}
