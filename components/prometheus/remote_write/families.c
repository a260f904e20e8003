/* What is known of metric families: type, help, unit. Producers tell it when it is new or changed,
 * and again now and then; a file beside the log keeps it for the next start. Bounded: beyond that,
 * families are not learnt. 1.0 sends all of them every send_interval, 2.0 with each series. */
#include "base/xalloc.h"
#include "components/prometheus/remote_write/family_record.h"
#include "components/prometheus/remote_write/write.h"

#define FAMILIES_MAX ((size_t)100000)
#define BYTES_MAX    ((u64)32 << 20)
#define LONGEST_END  8u /* _created */

/* --- what is known --- */

static u64 size_of(const struct metric_meta *m)
{
    return sizeof(struct family) + 2 * m->family.n + m->help.n + m->unit.n;
}

static void family_free(void *p)
{
    struct family *f = p;

    free((char *)(uintptr_t)f->meta.family.p);
    free((char *)(uintptr_t)f->meta.help.p);
    free((char *)(uintptr_t)f->meta.unit.p);
    free(f);
}

static struct str own(struct str s)
{
    return (struct str){str_dup(s), s.n};
}

static bool is_same(const struct metric_meta *a, const struct metric_meta *b)
{
    return a->type == b->type && str_eq(a->help, b->help) && str_eq(a->unit, b->unit);
}

bool families_add(struct write *w, const struct metric_meta *m)
{
    struct family *f = map_get(&w->families, m->family);

    if (f && is_same(&f->meta, m)) return false;
    if (!m->family.n || w->families_bytes + size_of(m) > BYTES_MAX ||
        (!f && w->families.live >= FAMILIES_MAX))
        return false;
    if (f) w->families_bytes -= size_of(&f->meta);
    struct family *fresh = xnew(struct family);
    fresh->meta = (struct metric_meta){own(m->family), own(m->help), own(m->unit), m->type};
    w->families_bytes += size_of(m);
    (void)map_put(&w->families, m->family, fresh);
    if (f) family_free(f);
    return true;
}

void families_learn(struct write *w, const struct samples *s)
{
    struct buf fresh = BUF_INIT(SIZE_MAX / 2);

    for (u32 i = 0; i < s->n_meta; i++) {
        if (!families_add(w, &s->meta[i])) continue;
        family_record_add(&fresh, &s->meta[i]);
        metric_inc(write_own(w, OWN_METADATA));
    }
    if (buf_err(&fresh))
        w->families_file = UINT32_MAX; /* the next one writes all of them */
    else
        families_keep(w, buf_view(&fresh));
    buf_done(&fresh);
}

void families_free(struct write *w)
{
    map_done(&w->families, family_free);
    w->families_bytes = 0;
}

/* Of x_bucket: that of x, if x is a histogram. */
const struct metric_meta *family_of(const struct write *w, const struct series *s)
{
    struct str name = series_name(s);
    const struct family *f = map_get(&w->families, name);

    for (size_t n = name.n; !f && n > 0;) {
        while (--n > 0 && name.p[n] != '_') {
        }
        if (n == 0 || name.n - n > LONGEST_END) return NULL;
        f = map_get(&w->families, str_n(name.p, n));
        if (f && !family_has(&f->meta, name)) f = NULL;
    }
    return f ? &f->meta : NULL;
}

/* --- sending --- */

static void over(struct attempt *a, enum verdict verdict, const char *text)
{
    struct endpoint *e = a->endpoint;

    if (verdict == REFUSED) {
        remote_meters_failed(e, &a->counts);
        log_error(write_log(e->write), "non-recoverable error while sending metadata",
                  F_CSTR("remote_name", e->conf->remote), F_CSTR("url", e->conf->url),
                  F_UINT("count", a->counts.metadata), F_CSTR("err", text));
    }
    attempt_clear(a);
}

void metadata_init(struct endpoint *e)
{
    e->metadata = (struct attempt){.endpoint = e, .over = over, .metadata = true};
    e->metadata_at = write_now(e->write) + e->conf->args->metadata_config.send_interval.ns;
}

/* The next families; false: there is none left, or no memory. */
static bool load(struct endpoint *e)
{
    const struct map *m = &e->write->families;
    i64 max = e->conf->args->metadata_config.max_samples_per_send, n = 0;

    rw_request_reset(e->request);
    for (; e->next_family < m->n && n < max; e->next_family++) {
        const struct map_entry *entry = &m->entries[e->next_family];
        if (map_entry_dead(entry)) continue;
        if (rw_request_meta(e->request, &((const struct family *)entry->value)->meta)) break;
        n++;
    }
    return n > 0 && attempt_load(&e->metadata, e->request) == 0;
}

static bool begin(struct endpoint *e, i64 now, i64 *ret_at)
{
    if (e->next_family == 0 && now < e->metadata_at) {
        *ret_at = MIN(*ret_at, e->metadata_at);
        return false;
    }
    if (load(e)) return true;
    e->next_family = 0;
    e->metadata_at = now + MAX(e->conf->args->metadata_config.send_interval.ns, NS_PER_SEC);
    *ret_at = MIN(*ret_at, e->metadata_at);
    return false;
}

void metadata_pump(struct endpoint *e, i64 now, i64 *ret_at)
{
    struct attempt *a = &e->metadata;

    if (!e->conf->args->metadata_config.send || e->conf->version != RW_V1 || a->asked) return;
    if (e->write->stopping) return;
    if (a->active && now < a->retry_at) {
        *ret_at = MIN(*ret_at, a->retry_at);
        return;
    }
    if (!a->active && (!e->write->families.live || !begin(e, now, ret_at))) return;
    attempt_send(a);
}
