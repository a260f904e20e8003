/* stage.geoip: what a MaxMind database says of an address becomes extracted values. Each shard maps
 * the file for itself and looks now and then whether another one lies in its place. */
#include <errno.h>
#include <stdlib.h>
#include "components/loki/jmespath/jmespath.h"
#include "components/loki/process/geoip_db.h"
#include "components/loki/process/stage.h"

/* Between looks at the file, and between complaints. */
#define LOOK_NS     (10 * NS_PER_SEC)
#define COMPLAIN_NS (60 * NS_PER_SEC)

struct args {
    struct str db, source;
    struct str_map custom_lookups;
    struct str db_type;
};
struct lookup {
    struct str name;
    struct jmespath *expr;
};
/* One field of a kind of database: a path in its records. */
struct field {
    const char *name, *path[4];
};
#define LAST "-1" /* in a path: of a list the last, which is the most specific */
struct plan {
    const struct args *args;
    const struct field *fields; /* NULL: none */
    struct lookup *lookups;
    size_t n;
};
struct state {
    struct geoip_db *db;
    i64 next_look, next_complaint;
};

static const struct row rows[] = {
    ATTR(struct args, db, .doc = "Path of the database.", .required = true),
    ATTR(struct args, source, .doc = "Extracted value that holds the address.", .required = true),
    ATTR(struct args, custom_lookups,
         .doc = "JMESPath expressions over the record, by the name they are extracted to.",
         .def = "null"),
    ATTR(struct args, db_type, .doc = "Which fields are extracted; none when empty.",
         .one_of = ONE_OF_TEXT("", "city", "asn", "country")),
};
const struct schema geoip_stage_schema = SCHEMA(struct args, rows);

/* --- fields --- */

#define FIELD(name_, ...)                                                                          \
    {                                                                                              \
        .name = "geoip_" name_, .path = { __VA_ARGS__ }                                            \
    }
#define COUNTRY_FIELDS                                                                             \
    FIELD("country_name", "country", "names", "en"), FIELD("country_code", "country", "iso_code"), \
        FIELD("continent_name", "continent", "names", "en"),                                       \
        FIELD("continent_code", "continent", "code")

static const struct field country_fields[] = {COUNTRY_FIELDS, {0}};
static const struct field city_fields[] = {
    COUNTRY_FIELDS,
    FIELD("city_name", "city", "names", "en"),
    FIELD("postal_code", "postal", "code"),
    FIELD("timezone", "location", "time_zone"),
    FIELD("location_latitude", "location", "latitude"),
    FIELD("location_longitude", "location", "longitude"),
    FIELD("subdivision_name", "subdivisions", LAST, "names", "en"),
    FIELD("subdivision_code", "subdivisions", LAST, "iso_code"),
    {0},
};
static const struct field asn_fields[] = {
    FIELD("autonomous_system_number", "autonomous_system_number"),
    FIELD("autonomous_system_organization", "autonomous_system_organization"),
    {0},
};
static const struct {
    const char *type;
    const struct field *fields;
} kinds[] = {{"city", city_fields}, {"country", country_fields}, {"asn", asn_fields}};

/* --- compiling --- */

static int compile_lookups(struct prepare *p, const struct span *span, struct plan *plan)
{
    const struct str_map *m = &plan->args->custom_lookups;

    plan->lookups = arena_array(p->arena, struct lookup, m->n + 1);
    for (size_t i = 0; i < m->n; i++) {
        char *err = NULL;
        struct str text = m->v[i].value.n ? m->v[i].value : m->v[i].key;
        struct jmespath *expr = jmespath_new(text, &err);

        if (!expr)
            stage_fault(p, stage_at(p, span, "custom_lookups"),
                        "could not compile JMES expression of \"" STR_FMT "\": %s",
                        STR_ARG(m->v[i].key), err);
        free(err);
        if (!expr) return -EINVAL;
        arena_cleanup(p->arena, (void (*)(void *))jmespath_free, expr);
        plan->lookups[plan->n++] = (struct lookup){m->v[i].key, expr};
    }
    return 0;
}

static int check_args(struct prepare *p, const struct args *a, const struct span *span)
{
    if (a->db.n == 0) return stage_fault(p, stage_at(p, span, "db"), "db path cannot be empty");
    if (a->source.n == 0)
        return stage_fault(p, stage_at(p, span, "source"), "source cannot be empty");
    if (a->db_type.n == 0 && a->custom_lookups.n == 0)
        return stage_fault(p, span, "db type or values need to be set");
    return 0;
}

#ifdef HAVE_LIBMAXMINDDB

/* At `check` the file may lie on another machine. */
static int try_file(struct prepare *p, const struct args *a, const struct span *span)
{
    struct geoip_db *db = NULL;
    char *err = NULL;
    int rc = p->host ? geoip_db_open(a->db.p, &db, &err) : 0;

    if (rc) stage_fault(p, span, "%s", err);
    free(err);
    geoip_db_close(db);
    return rc ? -EINVAL : 0;
}

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    struct plan *out = plan;

    out->args = args;
    if (check_args(p, args, span)) return -EINVAL;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (str_is(out->args->db_type, kinds[i].type)) out->fields = kinds[i].fields;
    if (compile_lookups(p, span, out)) return -EINVAL;
    return try_file(p, args, span);
}

/* --- the file --- */

static bool may_complain(struct stage_run *r)
{
    struct state *st = r->state;
    i64 now = clock_mono(r->clock);

    if (now < st->next_complaint) return false;
    st->next_complaint = now + COMPLAIN_NS;
    return true;
}

/* What is open stays in use until another can be opened. */
static void reopen(struct stage_run *r)
{
    const struct plan *plan = r->plan;
    struct state *st = r->state;
    struct geoip_db *db;
    char *err = NULL;

    if (geoip_db_open(plan->args->db.p, &db, &err) == 0) {
        geoip_db_close(st->db);
        st->db = db;
    } else if (may_complain(r)) {
        log_warn(r->comp->log, "cannot open the database of stage.geoip",
                 F_STR("error", str_of(err)),
                 F_STR("meanwhile",
                       st->db ? STR("the old one is used") : STR("entries pass without it")));
    }
    free(err);
}

static void look_at_file(struct stage_run *r)
{
    struct state *st = r->state;
    i64 now = clock_mono(r->clock);

    if (now < st->next_look) return;
    st->next_look = now + LOOK_NS;
    if (!st->db || geoip_db_stale(st->db)) reopen(r);
}

static void close_state(struct stage_run *r)
{
    geoip_db_close(((struct state *)r->state)->db);
}

/* --- entries --- */

static void extract(struct entry *e, struct str name, const struct jv *v)
{
    struct ex_value x = {.type = EX_OTHER};

    switch (v->type) {
    case JV_NULL: return;
    case JV_BOOL: x = (struct ex_value){.type = EX_BOOL, .b = v->b}; break;
    case JV_NUMBER: x = (struct ex_value){.type = EX_FLOAT, .f = v->num}; break;
    case JV_STRING:
        if (v->str.n == 0) return;
        x = (struct ex_value){.type = EX_STRING, .s = v->str};
        break;
    case JV_ARRAY:
    case JV_OBJECT: break; /* not convertible to a text, as in Alloy */
    }
    ex_put(e->extracted, name, x);
}

static const struct jv *follow(const struct jv *v, const struct field *f)
{
    for (int i = 0; v && i < 4 && f->path[i]; i++)
        if (strcmp(f->path[i], LAST) == 0)
            v = v->type == JV_ARRAY && v->n ? &v->elems[v->n - 1] : NULL;
        else
            v = jv_get(v, str_of(f->path[i]));
    return v;
}

static bool is_zero(const struct jv *v)
{
    return v->type == JV_NUMBER && v->num == 0;
}

/* A place of 0, 0, or a number of 0, is none. */
static bool at_nowhere(const struct jv *record)
{
    const struct jv *at = jv_get(record, STR("location")),
                    *lat = at ? jv_get(at, STR("latitude")) : NULL,
                    *lon = at ? jv_get(at, STR("longitude")) : NULL;

    return (!lat || is_zero(lat)) && (!lon || is_zero(lon));
}

static void extract_fields(const struct plan *plan, struct entry *e, const struct jv *record)
{
    bool nowhere = at_nowhere(record);

    for (const struct field *f = plan->fields; f && f->name; f++) {
        const struct jv *v = follow(record, f);
        bool place = strncmp(f->name, "geoip_location_", 15) == 0;

        if (!v && place && !nowhere) v = &(struct jv){.type = JV_NUMBER};
        if (v && !(place ? nowhere : is_zero(v))) extract(e, str_of(f->name), v);
    }
}

static void extract_lookups(const struct plan *plan, struct entry *e, const struct jv *record)
{
    const char *err;
    struct jv v;

    for (size_t i = 0; i < plan->n; i++)
        if (jmespath_search(plan->lookups[i].expr, record, e->scratch, &v, &err) == 0)
            extract(e, plan->lookups[i].name, &v);
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    const struct state *st = r->state;
    const struct ex_value *source = ex_get(e->extracted, plan->args->source);
    struct str address;
    struct jv record;

    if (!source || !ex_string(source, e->scratch, &address)) return STAGE_PASS;
    look_at_file(r);
    if (!st->db) return STAGE_PASS;
    int rc = geoip_db_find(st->db, address, e->scratch, &record);
    if (rc == 1) {
        extract_fields(plan, e, &record);
        extract_lookups(plan, e, &record);
    } else if (rc < 0 && may_complain(r)) {
        log_warn(r->comp->log, "stage.geoip cannot look up an address; the entry passes",
                 F_STR("value", address),
                 F_STR("why", rc == -EINVAL ? STR("it is no IP address")
                                            : STR("the database is damaged there")));
    }
    return STAGE_PASS;
}

const struct stage_ops geoip_stage = {
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .prepare = prepare,
    .run = run,
    .close = close_state,
};

#else

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    if (check_args(p, args, span)) return -EINVAL;
    (void)compile_lookups;
    (void)kinds;
    return stage_fault(p, span,
                       "stage.geoip is not in this build, which was made without "
                       "libmaxminddb");
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    return STAGE_PASS; /* never: prepare refuses */
}

const struct stage_ops geoip_stage = {
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .run = run,
};

#endif
