/* From a message to an entry: labels, time, line. Sets of labels are remembered by what they are
 * made of, since senders repeat themselves. */
#include <errno.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "components/common/log_tap.h"
#include "components/common/targets.h"
#include "components/loki/syslog/serving.h"

#define SHOWN       120 /* bytes of a bad message in the log */
#define QUIET_LINES 10
#define QUIET_TIME  (10 * NS_PER_SEC)

bool syslog_may_log(struct syslog_quiet *q, i64 now, u64 *ret_left_out)
{
    if (now >= q->until) {
        q->n = 0;
        q->until = now + QUIET_TIME;
    }
    if (q->n >= QUIET_LINES) {
        q->left_out++;
        return false;
    }
    q->n++;
    *ret_left_out = q->left_out;
    q->left_out = 0;
    return true;
}

void syslog_complain(struct syslog_serving *sv, struct str peer, const char *what, struct str line)
{
    struct syslog_source *self = sv->self;
    u64 left_out;

    metric_inc(self->shared->errors);
    if (!syslog_may_log(&self->bad, loop_now(self->shard->worker->loop), &left_out)) return;
    log_warn(self->shard->comp->log, "error parsing syslog stream", F_CSTR("err", what),
             F_STR("peer", peer), F_STR("message", str_sub(line, 0, MIN(line.n, (size_t)SHOWN))),
             F_UINT("not_logged", left_out));
}

/* --- labels --- */

/* Values of labels are UTF-8. */
static void put(struct label_set *s, struct str name, struct str value)
{
    struct buf clean = BUF_INIT(value.n * 3 + 8);

    if (!value.p) return;
    if (utf8_valid(value)) {
        label_set_put_view(s, name, value);
        return;
    }
    while (value.n) {
        u32 c;
        bool bad;
        size_t n = utf8_decode(value, &c, &bad);
        utf8_encode(&clean, c);
        value = str_sub(value, n, value.n);
    }
    label_set_put(s, name, buf_view(&clean));
    buf_done(&clean);
}

static char *append(char *to, struct str s)
{
    memcpy(to, s.p, s.n);
    return to + s.n;
}

static struct str sd_name(struct label_set *s, struct str id, struct str param)
{
    const struct str prefix = STR("__syslog_message_sd_");
    char *name = label_set_room(s, prefix.n + id.n + 1 + param.n);

    if (!name) return (struct str){0};
    char *at = append(name, prefix), *end = append(at, id);
    for (; at < end; at++)
        if (*at == '@') *at = '_';
    *end++ = '_';
    end = append(end, param);
    return str_n(name, (size_t)(end - name));
}

static void put_structured(struct label_set *s, struct str elements)
{
    struct syslog_params p = {.rest = elements};
    struct str name, value;

    while (syslog_params_next(&p, &name, &value)) {
        char *plain = label_set_room(s, value.n + 1);
        struct str key = sd_name(s, p.id, name);
        if (!plain || !key.p) return;
        put(s, key, str_n(plain, syslog_unescape(value, plain)));
    }
}

static void put_message(struct label_set *s, const struct syslog_conf *c,
                        const struct syslog_message *m)
{
    put(s, STR("__syslog_message_severity"), str_of(syslog_severity_name(m->pri)));
    put(s, STR("__syslog_message_facility"), str_of(syslog_facility_name(m->pri)));
    put(s, STR("__syslog_message_hostname"), m->hostname);
    put(s, STR("__syslog_message_app_name"), m->app_name);
    put(s, STR("__syslog_message_proc_id"), m->proc_id);
    put(s, STR("__syslog_message_msg_id"), m->msg_id);
    put(s, STR("__syslog_message_msg_counter"), m->counter);
    put(s, STR("__syslog_message_sequence"), m->sequence);
    if (c->label_structured_data && m->structured.p) put_structured(s, m->structured);
}

static void put_connection(struct label_set *s, const struct syslog_conf *c, struct str ip,
                           struct str host)
{
    label_set_reset(s);
    for (size_t i = 0; i < c->n_labels; i++)
        label_set_put_view(s, c->labels[i].name, c->labels[i].value);
    put(s, STR("__syslog_connection_ip_address"), ip);
    put(s, STR("__syslog_connection_hostname"), host);
}

/* Dropped by the rules: the entry is sent all the same, as Alloy does. */
static struct labels *make(struct syslog_serving *sv, const struct syslog_message *m, struct str ip,
                           struct str host)
{
    struct label_set *s = &sv->self->labels;
    bool limited = false;

    put_connection(s, sv->conf, ip, host);
    put_message(s, sv->conf, m);
    (void)relabel_apply(sv->conf->relabel, s, &limited);
    relabel_tell_limited(sv->self->shard->comp->log, limited, &sv->limit_told);
    label_set_strip(s, false);
    return label_set_intern(s, sv->self->shard->comp->host->labels);
}

static struct labels *plain_labels(struct syslog_serving *sv)
{
    static const struct syslog_message none = {.pri = -1};

    if (!sv->plain) sv->plain = make(sv, &none, (struct str){0}, (struct str){0});
    return sv->plain ? labels_ref(sv->plain) : NULL;
}

static void add_key(struct buf *b, struct str s)
{
    u32 n = s.p ? (u32)s.n + 1 : 0;

    buf_add(b, &n, sizeof(n));
    buf_str(b, s);
}

static struct str key_of(struct syslog_serving *sv, const struct syslog_message *m, struct str ip,
                         struct str host)
{
    struct buf *b = &sv->self->key;

    buf_reset(b);
    buf_add(b, &m->pri, sizeof(m->pri));
    const struct str parts[] = {ip,         host,      m->hostname, m->app_name,
                                m->proc_id, m->msg_id, m->counter,  m->sequence};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        add_key(b, parts[i]);
    if (sv->conf->label_structured_data) add_key(b, m->structured);
    return buf_view(b);
}

static void memo_drop(struct syslog_memo *e)
{
    free((char *)e->key.p);
    labels_unref(e->labels);
    *e = (struct syslog_memo){0};
}

void syslog_memo_clear(struct syslog_serving *sv)
{
    for (size_t i = 0; sv->memo && i < SYSLOG_MEMO; i++)
        memo_drop(&sv->memo[i]);
    free(sv->memo);
    sv->memo = NULL;
    labels_unref(sv->plain);
    sv->plain = NULL;
}

/* A new reference; NULL without memory. */
static struct labels *labels_of(struct syslog_serving *sv, const struct syslog_message *m,
                                struct str ip, struct str host)
{
    if (!sv->conf->relabel) return plain_labels(sv);
    if (!sv->memo) sv->memo = xcalloc(SYSLOG_MEMO, sizeof(*sv->memo));
    struct str key = key_of(sv, m, ip, host);
    u64 hash = hash_bytes(key.p, key.n, hash_process_seed());
    struct syslog_memo *e = &sv->memo[hash % SYSLOG_MEMO];
    if (e->labels && e->hash == hash && str_eq(e->key, key)) return labels_ref(e->labels);
    struct labels *l = make(sv, m, ip, host);
    if (!l || buf_err(&sv->self->key)) return l;
    memo_drop(e);
    *e = (struct syslog_memo){hash, str_n(str_dup(key), key.n), labels_ref(l)};
    return l;
}

/* --- entries --- */

static void show(struct syslog_serving *sv, const struct syslog_message *m, struct str ip,
                 struct str host, const struct labels *l, const struct log_entry *e)
{
    struct comp *c = sv->self->shard->comp;
    struct buf text = BUF_INIT(64 << 10);

    if (!comp_tapped(c)) return;
    put_connection(&sv->self->labels, sv->conf, ip, host);
    put_message(&sv->self->labels, sv->conf, m);
    target_text(&sv->self->labels, &text);
    log_tap(c, false, buf_view(&text), e);
    log_tap(c, true, l->text, e);
    buf_done(&text);
}

static int add(struct syslog_serving *sv, const struct syslog_message *m, struct str line,
               struct str ip, struct str host)
{
    struct syslog_source *self = sv->self;
    const struct syslog_conf *c = sv->conf;
    i64 now = clock_real(self->shard->comp->host->clock);
    struct log_entry e = {.time = c->use_incoming_timestamp && m->has_time ? m->time : now,
                          .line = c->whole_message ? line : m->text};
    struct labels *l = labels_of(sv, m, ip, host);
    int r = l ? log_builder_add(log_source_builder(&self->out), l, &e) : -ENOMEM;

    if (r == 0) {
        metric_inc(self->shared->entries);
        show(sv, m, ip, host, l, &e);
        syslog_flush_soon(self);
    }
    labels_unref(l);
    return r;
}

static bool parse(struct syslog_serving *sv, struct str line, struct syslog_message *m)
{
    const struct syslog_conf *c = sv->conf;
    struct syslog_3164 dialect = c->dialect;

    switch (c->format) {
    case SYSLOG_RFC5424: return syslog_parse_5424(line, m);
    case SYSLOG_RFC3164:
        dialect.now = clock_real(sv->self->shard->comp->host->clock);
        return syslog_parse_3164(line, &dialect, m);
    case SYSLOG_RAW: syslog_parse_raw(line, m); return true;
    }
    return false;
}

int syslog_take(struct syslog_serving *sv, struct str line, struct str ip, struct str host)
{
    struct syslog_message m;
    bool is_one = parse(sv, line, &m);
    bool empty = is_one && m.text.n == 0;
    int r = 0;

    if (is_one && (!empty || sv->conf->allow_empty)) r = add(sv, &m, line, ip, host);
    if (r < 0) return r; /* it comes again: nothing is counted */
    if (empty) metric_inc(sv->self->shared->empty);
    if (m.fault) {
        char *what = xprintf("%s (byte %zu)", m.fault, m.fault_at + 1);
        syslog_complain(sv, ip, what, line);
        free(what);
    }
    return 0;
}
