/* scrape_failure_log_file: a JSON line for each failed scrape, which programs read that look after
 * many targets. Each worker appends lines of its own. */
#include "base/json.h"
#include "base/rfc3339.h"
#include "components/prometheus/scrape/scrape.h"

#define LINE_MAX ((size_t)64 * 1024)

static void on_room(void *arg) {}

static bool is_open(struct scraper *s)
{
    struct str path = s->plan->args->scrape_failure_log_file;
    char *err = NULL;

    if (s->failures || path.n == 0) return s->failures;
    if (line_writer_open(s->shard->worker->loop, path, on_room, s, &s->failures, &err) == 0) {
        s->failures_said = false;
        return true;
    }
    if (!s->failures_said)
        log_error(s->shard->comp->log,
                  "scrape_failure_log_file cannot be opened, failed scrapes are told here alone; "
                  "it is tried again with the next one",
                  F_CSTR("err", err));
    s->failures_said = true;
    free(err);
    return false;
}

static void member(struct json_out *j, const char *key, struct str value)
{
    json_key(j, str_of(key));
    json_str(j, value);
}

void scraper_log_failure(struct scraper *s, const struct target *t, const char *error)
{
    struct buf line = BUF_INIT(LINE_MAX), time = BUF_INIT(100);
    struct json_out j = {.b = &line};

    if (!is_open(s)) return;
    time_rfc3339(&time, t->tick, true);
    json_obj(&j);
    member(&j, "time", buf_view(&time));
    member(&j, "level", STR("ERROR"));
    member(&j, "msg", str_of(error));
    member(&j, "job_name", s->job);
    member(&j, "target", t->spec.url);
    json_obj_end(&j);
    buf_ch(&line, '\n');
    /* a file that takes nothing any more must not hold the scrapes up */
    if (!buf_err(&line) && !line_writer_full(s->failures))
        line_writer_add(s->failures, buf_view(&line));
    buf_done(&line);
    buf_done(&time);
}

void scraper_reopen_failures(struct scraper *s)
{
    line_writer_free(s->failures);
    s->failures = NULL;
    s->failures_said = false;
}
