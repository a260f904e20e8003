/* Lines of StatsD from parsing to the page: mapped by globs and expressions, kept within a small
 * limit, forgotten as time goes. An input is a text of lines; the second byte of each line's name
 * moves the clock. What is written must be as long as the registry says, and empty when all is old.
 */
#include "base/assert.h"
#include "components/prometheus/statsd/cache.h"
#include "components/prometheus/statsd/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char mappings[] = "defaults: {ttl: 20s}\n"
                               "mappings:\n"
                               "- {match: 'a.*.*', name: 'a_$1', labels: {x: $2, y: '${1}-$2'}}\n"
                               "- {match: 'a.b.*', name: ab, honor_labels: true, labels: {t: $1}}\n"
                               "- {match: 'd.*', name: drop, action: drop}\n"
                               "- {match: 'h.*', name: 'h', observer_type: histogram, scale: 2}\n"
                               "- {match: '([a-z]+)-([0-9]*)', match_type: regex, name: 'r_$1', "
                               "labels: {n: '$2'}}\n";

struct run {
    struct statsd_stats stats;
    struct statsd_parser parser;
    struct statsd_mapper *mapper;
    struct statsd_cache *cache;
    struct statsd_registry *registry;
    struct arena scratch;
    i64 now;
};

static void on_event(void *arg, const struct statsd_event *e)
{
    struct run *r = arg;
    struct statsd_mapped is;

    arena_rewind(&r->scratch);
    statsd_cache_match(r->cache, r->mapper, e->name, e->type, &r->scratch, &is, &r->stats);
    if (!is.mapping || !is.mapping->drop)
        statsd_registry_apply(r->registry, e, is.name, e->labels, is.mapping, &r->mapper->unmapped,
                              r->now);
}

static void begin(struct run *r)
{
    char *err = NULL;

    statsd_parser_init(&r->parser, &r->stats);
    r->parser.dogstatsd = r->parser.influxdb = r->parser.librato = r->parser.signalfx = true;
    r->mapper = statsd_mapper_read(str_of(mappings), NULL, NULL, &err);
    ASSERT(r->mapper);
    r->cache = statsd_cache_new(3, false);
    r->registry = statsd_registry_new(32 << 10, &r->stats);
    arena_init(&r->scratch, 0);
}

static void finish(struct run *r)
{
    struct buf page = BUF_INIT(16 << 20);

    statsd_registry_write(r->registry, r->now, &page);
    ASSERT(buf_err(&page) == 0 && (page.n > 0) == (statsd_registry_series(r->registry) > 0));
    ASSERT(statsd_registry_bytes(r->registry) <= 32 << 10);
    statsd_registry_expire(r->registry, r->now + 100 * NS_PER_SEC);
    ASSERT(statsd_registry_series(r->registry) == 0 && statsd_registry_bytes(r->registry) == 0);
    buf_done(&page);
    statsd_registry_free(r->registry);
    statsd_cache_free(r->cache);
    statsd_mapper_unref(r->mapper);
    statsd_parser_done(&r->parser);
    arena_done(&r->scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct run r = {0};

    begin(&r);
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        r.now += line.n > 1 ? (i64)(line.p[1] & 7) * NS_PER_SEC : 0;
        statsd_registry_expire(r.registry, r.now);
        statsd_line(&r.parser, line, on_event, &r);
    }
    finish(&r);
    return 0;
}
