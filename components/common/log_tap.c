/* An entry as one line of live debugging, in the form that Alloy's users know. */
#include "components/common/log_tap.h"

#include "base/json.h"

struct shown {
    bool out;
    struct str labels;
    const struct log_entry *e;
};

static void render_metadata(const struct log_entry *e, struct buf *b)
{
    struct json_out j = {.b = b};

    json_obj(&j);
    for (u32 i = 0; i < e->n_meta; i++) {
        json_key(&j, e->meta[i].name);
        json_str(&j, e->meta[i].value);
    }
    json_obj_end(&j);
}

static int render(const void *what, struct buf *b)
{
    const struct shown *s = what;

    buf_printf(b, "[%s]: timestamp: ", s->out ? "OUT" : "IN");
    time_rfc3339(b, s->e->time, false);
    buf_cstr(b, ", entry: ");
    buf_str(b, s->e->line);
    buf_cstr(b, ", labels: ");
    buf_str(b, s->labels);
    buf_cstr(b, ", structured_metadata: ");
    render_metadata(s->e, b);
    return buf_err(b);
}

void log_tap(struct comp *c, bool out, struct str labels, const struct log_entry *e)
{
    struct shown s = {out, labels, e};

    comp_tap(c,
             &(struct tap_item){.type = TAP_LOKI_LOG, .count = out, .render = render, .what = &s});
}
