/* supervisord: its programs, asked by XML-RPC over HTTP or the socket of its configuration. */
#include <errno.h>
#include <stdlib.h>
#include "base/num.h"
#include "components/common/settings.h"
#include "components/prometheus/unix/collector.h"
#include "components/prometheus/unix/xmlrpc.h"
#include "net/http_ask.h"

#define ANSWER_MAX ((size_t)8 << 20)
#define PATIENCE   (5 * NS_PER_SEC)
#define QUESTION                                                                                   \
    "<?xml version=\"1.0\"?><methodCall><methodName>supervisor.getAllProcessInfo</methodName>"     \
    "<params></params></methodCall>"

struct plan {
    struct str url, socket;
};

/* Of http://supervisord.org/subprocess.html */
enum { STARTING = 10, RUNNING = 20, STOPPING = 40 };

static int prepare(struct collector_prepare *pr, void *to)
{
    struct str url = pr->args->supervisord.url;
    struct plan *plan = to;
    struct url parts;
    char *why = NULL;

    if (str_starts(url, STR("unix://"))) {
        plan->socket = arena_str(pr->arena, str_sub(url, 7, url.n));
        plan->url = STR("http://unix/RPC2");
        return 0;
    }
    plan->url = arena_str(pr->arena, url);
    if (url_parse(url, &parts, &why) == 0) return 0;
    int r = setting_fault(pr->p, "supervisord/url", "%s", why);
    free(why);
    return r;
}

/* --- programs --- */

struct program {
    struct collect *c;
    struct str name, group;
    i64 state, exit_status, start;
};

static void member(void *arg, struct str name, struct str value)
{
    struct program *p = arg;
    i64 number = 0;

    num_parse_i64(str_trim(value), &number);
    if (str_is(name, "name")) p->name = value;
    if (str_is(name, "group")) p->group = value;
    if (str_is(name, "state")) p->state = number;
    if (str_is(name, "exitstatus")) p->exit_status = number;
    if (str_is(name, "start")) p->start = number;
}

static void end(void *arg)
{
    struct program *p = arg;
    struct expo *out = p->c->out;
    const struct expo_label name = EXPO_LS("name", p->name), group = EXPO_LS("group", p->group);
    bool up = p->state == STARTING || p->state == RUNNING || p->state == STOPPING;

    expo_gauge1(out, "node_supervisord_state", "Process State", p->state, name, group);
    expo_gauge1(out, "node_supervisord_exit_status", "Process Exit Status", p->exit_status, name,
                group);
    expo_gauge1(out, "node_supervisord_up", "Process Up", up, name, group);
    if (up) /* a counter, as node_exporter has it */
        expo_counter1(out, "node_supervisord_start_time_seconds", "Process start time", p->start,
                      name, group);
    *p = (struct program){.c = p->c};
}

/* --- the question --- */

static int read_answer(struct collect *c, struct str answer)
{
    struct program program = {.c = c};
    const struct xmlrpc_rows rows = {.member = member, .end = end, .arg = &program};
    struct str fault;
    int r = xmlrpc_read(c->arena, answer, &rows, &fault);

    if (r == -EREMOTE)
        return collect_fail(c, r, "supervisord refuses to tell its programs: " STR_FMT,
                            STR_ARG(fault));
    return r ? collect_fail(c, r, "what answers at the URL does not speak XML-RPC") : 0;
}

static int check_status(struct collect *c, int status)
{
    if (status == 200) return 0;
    if (status == 401)
        return collect_fail(c, -EACCES,
                            "supervisord asks for user and password: \"http://user:password@host"
                            "...\" in url gives them");
    return collect_fail(c, -EBADMSG, "supervisord answers with status %d", status);
}

static int collect(struct collect *c)
{
    const struct plan *plan = c->plan;
    struct buf answer = BUF_INIT(ANSWER_MAX);
    char *why = NULL;
    int status;
    int r = http_ask(&(struct http_ask){.url = plan->url,
                                        .unix_socket = plan->socket,
                                        .content_type = STR("text/xml"),
                                        .body = STR(QUESTION),
                                        .timeout = PATIENCE},
                     &status, &answer, &why);

    if (r)
        collect_fail(c, r, "ask supervisord: %s", why);
    else
        r = check_status(c, status);
    if (!r) r = read_answer(c, buf_view(&answer));
    buf_done(&answer);
    free(why);
    return r;
}

const struct collector_def collector_supervisord = {.name = "supervisord",
                                                    .plan_size = sizeof(struct plan),
                                                    .prepare = prepare,
                                                    .collect = collect};
