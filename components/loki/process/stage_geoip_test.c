/* stage.geoip over databases that the test writes itself: the tree of one network and its record.
 * Format: MaxMind DB 2.0. */
#include <math.h>
#include <stdio.h>
#include <unistd.h>
#include "components/loki/jmespath/jv.h"
#include "components/loki/process/stage_cases.h"

#ifdef HAVE_LIBMAXMINDDB

/* --- writing a database --- */

enum { TEXT = 2, DOUBLE = 3, UINT16 = 5, UINT32 = 6, MAP = 7, UINT64 = 9, ARRAY = 11, BOOL = 14 };

static void put_control(struct buf *b, int type, size_t size)
{
    size_t low = size < 29 ? size : 29;

    assert_true(size < 29 + 256);
    buf_ch(b, (char)((type > 7 ? 0 : type << 5) | (int)low));
    if (type > 7) buf_ch(b, (char)(type - 7));
    if (size >= 29) buf_ch(b, (char)(size - 29));
}

static void put_number(struct buf *b, f64 v)
{
    u64 bits, n = v == floor(v) && v >= 0 && v <= UINT32_MAX ? (u64)v : 0;
    bool whole = n > 0 || v == 0;

    memcpy(&bits, &v, 8);
    put_control(b, whole ? UINT32 : DOUBLE, whole ? 4 : 8);
    for (int i = whole ? 3 : 7; i >= 0; i--)
        buf_ch(b, (char)((whole ? n : bits) >> (8 * i)));
}

static void put_text(struct buf *b, struct str s)
{
    put_control(b, TEXT, s.n);
    buf_str(b, s);
}

static void put_value(struct buf *b, const struct jv *v)
{
    switch (v->type) {
    case JV_STRING: put_text(b, v->str); return;
    case JV_NUMBER: put_number(b, v->num); return;
    case JV_BOOL: put_control(b, BOOL, v->b); return;
    case JV_ARRAY:
        put_control(b, ARRAY, v->n);
        for (u32 i = 0; i < v->n; i++)
            put_value(b, &v->elems[i]);
        return;
    case JV_OBJECT:
        put_control(b, MAP, v->n);
        for (u32 i = 0; i < v->n; i++) {
            put_text(b, v->members[i].key);
            put_value(b, &v->members[i].value);
        }
        return;
    case JV_NULL: fail();
    }
}

static void put_json(struct buf *b, const char *text)
{
    const char *err;
    struct arena a;
    struct jv v;

    arena_init(&a, 0);
    assert_int_equal(jv_parse(str_of(text), &a, &v, &err), 0);
    put_value(b, &v);
    arena_done(&a);
}

static void put_uint(struct buf *b, const char *key, int type, int bytes, u64 v)
{
    put_text(b, str_of(key));
    put_control(b, type, (size_t)bytes);
    for (int i = bytes - 1; i >= 0; i--)
        buf_ch(b, (char)(v >> (8 * i)));
}

static void put_metadata(struct buf *b)
{
    put_control(b, MAP, 9);
    put_uint(b, "binary_format_major_version", UINT16, 2, 2);
    put_uint(b, "binary_format_minor_version", UINT16, 2, 0);
    put_uint(b, "build_epoch", UINT64, 8, 1);
    put_uint(b, "ip_version", UINT16, 2, 4);
    put_uint(b, "node_count", UINT32, 4, 8);
    put_uint(b, "record_size", UINT16, 2, 24);
    put_text(b, STR("database_type"));
    put_text(b, STR("test"));
    put_text(b, STR("languages"));
    put_control(b, ARRAY, 0);
    put_text(b, STR("description"));
    put_control(b, MAP, 0);
}

static void put_record(struct buf *b, u32 v)
{
    for (int i = 2; i >= 0; i--)
        buf_ch(b, (char)(v >> (8 * i)));
}

/* The network is 10.0.0.0/8: eight nodes, one for each bit. */
static void write_db(const char *path, const char *record)
{
    struct buf b = BUF_INIT(1 << 20);
    const u32 nodes = 8, none = nodes, data = nodes + 16;

    for (u32 i = 0; i < nodes; i++) {
        bool bit = 10 >> (7 - i) & 1;
        u32 on = i + 1 == nodes ? data : i + 1;
        put_record(&b, bit ? none : on);
        put_record(&b, bit ? on : none);
    }
    buf_add(&b, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    put_json(&b, record);
    buf_add(&b, "\xab\xcd\xefMaxMind.com", 14);
    put_metadata(&b);
    FILE *f = fopen(path, "w");
    assert_true(f && fwrite(b.p, 1, b.n, f) == b.n && fclose(f) == 0);
    buf_done(&b);
}

/* --- cases --- */

static char path[] = "/tmp/stage_geoip_test.XXXXXX";

static const char city[] =
    "{\"city\":{\"names\":{\"de\":\"K\\u00f6ln\",\"en\":\"Cologne\"}},"
    "\"country\":{\"names\":{\"en\":\"Germany\"},\"iso_code\":\"DE\"},"
    "\"continent\":{\"names\":{\"en\":\"Europe\"},\"code\":\"EU\"},\"postal\":{\"code\":\"50667\"},"
    "\"location\":{\"time_zone\":\"Europe/Berlin\",\"latitude\":50.9,\"longitude\":6.95},"
    "\"subdivisions\":[{\"iso_code\":\"X\",\"names\":{\"en\":\"X\"}},"
    "{\"iso_code\":\"NW\",\"names\":{\"en\":\"North Rhine\"}}],"
    "\"autonomous_system_number\":64500,\"autonomous_system_organization\":\"Test\",\"is\":true}";

/* The stage over the file, and how it goes on; entries have their address in a label. */
static void check(const char *args, const char *names, const char *in, const char *want)
{
    struct buf stages = BUF_INIT(1 << 16);

    buf_printf(&stages, "stage.geoip {\nsource = \"ip\"\ndb = \"%s\"\n%s\n}\n", path, args);
    show_names(&stages, str_of(names));
    buf_cstr(&stages, "stage.static_labels { values = { ip = \"-\" } }");
    process_case(stages.p, in, want);
    buf_done(&stages);
}

#define ALL                                                                                        \
    "geoip_city_name,geoip_country_name,geoip_country_code,geoip_continent_name,"                  \
    "geoip_continent_code,geoip_postal_code,geoip_timezone,geoip_location_latitude,"               \
    "geoip_location_longitude,geoip_subdivision_name,geoip_subdivision_code,"                      \
    "geoip_autonomous_system_number,geoip_autonomous_system_organization"

static void extracts(void **state)
{
    write_db(path, city);
    check("db_type = \"city\"", ALL, "{ip=\"10.1.2.3\"} x",
          "{geoip_city_name=\"Cologne\", geoip_continent_code=\"EU\", "
          "geoip_continent_name=\"Europe\", geoip_country_code=\"DE\", "
          "geoip_country_name=\"Germany\", geoip_location_latitude=\"50.9\", "
          "geoip_location_longitude=\"6.95\", geoip_postal_code=\"50667\", "
          "geoip_subdivision_code=\"NW\", geoip_subdivision_name=\"North Rhine\", "
          "geoip_timezone=\"Europe/Berlin\", ip=\"-\"} x\n");
    check("db_type = \"country\"", ALL, "{ip=\"10.1.2.3\"} x",
          "{geoip_continent_code=\"EU\", geoip_continent_name=\"Europe\", "
          "geoip_country_code=\"DE\", geoip_country_name=\"Germany\", ip=\"-\"} x\n");
    check("db_type = \"asn\"", ALL, "{ip=\"10.255.0.0\"} x",
          "{geoip_autonomous_system_number=\"64500\", "
          "geoip_autonomous_system_organization=\"Test\", ip=\"-\"} x\n");
    check("custom_lookups = { koeln = \"city.names.de\", n = \"length(subdivisions)\", is = \"\", "
          "all = \"city\", gone = \"a.b\" }",
          "koeln,n,is,all,gone", "{ip=\"10.0.0.0\"} x",
          "{ip=\"-\", is=\"true\", koeln=\"K\xC3\xB6ln\", n=\"2\"} x\n");
}

static void passes_what_is_unknown(void **state)
{
    write_db(path, "{\"country\":{\"iso_code\":\"DE\",\"names\":{\"en\":\"\"}},"
                   "\"location\":{\"latitude\":0,\"longitude\":0},\"autonomous_system_number\":0}");
    check("db_type = \"city\"", ALL, "{ip=\"10.1.2.3\"} x",
          "{geoip_country_code=\"DE\", ip=\"-\"} x\n");
    check("db_type = \"asn\"", ALL, "{ip=\"10.1.2.3\"} x", "{ip=\"-\"} x\n");
    check("db_type = \"city\"", ALL, "{ip=\"11.1.2.3\"} x\n{ip=\"::1\"} x\nno address",
          "{ip=\"-\"} x\n{ip=\"-\"} x\n{ip=\"-\"} no address\n");
    write_db(path, "{\"location\":{\"latitude\":0,\"longitude\":1.5}}");
    check("db_type = \"city\"", ALL, "{ip=\"10.1.2.3\"} x",
          "{geoip_location_latitude=\"0\", geoip_location_longitude=\"1.5\", ip=\"-\"} x\n");
}

/* Another file in its place counts from the next look on. */
static void notices_another_file(void **state)
{
    char *stages = xprintf("stage.geoip {\nsource = \"ip\"\ndb = \"%s\"\ndb_type = \"country\"\n}\n"
                           "stage.labels { values = { geoip_country_code = \"\" } }",
                           path);
    char *other = xprintf("%s.new", path);
    struct process w;

    write_db(path, "{\"country\":{\"iso_code\":\"DE\"}}");
    process_up(&w, stages);
    process_in(&w, "{ip=\"10.0.0.1\"} x");
    process_expect(&w, "{geoip_country_code=\"DE\", ip=\"10.0.0.1\"} x\n");
    write_db(other, "{\"country\":{\"iso_code\":\"FR\"}}");
    assert_int_equal(rename(other, path), 0);
    process_in(&w, "!wait 11s\n{ip=\"10.0.0.1\"} x");
    process_expect(&w, "{geoip_country_code=\"FR\", ip=\"10.0.0.1\"} x\n");
    assert_int_equal(unlink(path), 0);
    process_in(&w, "!wait 11s\n{ip=\"10.0.0.1\"} x");
    process_expect(&w, "{geoip_country_code=\"FR\", ip=\"10.0.0.1\"} x\n");
    process_down(&w);
    free(other);
    free(stages);
}

static void faults(void **state)
{
    FILE *f = fopen(path, "w");
    char *stage, *want = xprintf("%s is no MaxMind database that can be read: The MaxMind DB "
                                 "file contains invalid metadata",
                                 path);

    assert_true(f && fputs("no database, but long enough to be looked through", f) > 0);
    fclose(f);
    process_fault("stage.geoip {\nsource = \"ip\"\ndb = \"\"\ndb_type = \"asn\"\n}",
                  "db path cannot be empty");
    process_fault("stage.geoip {\nsource = \"\"\ndb = \"x\"\ndb_type = \"asn\"\n}",
                  "source cannot be empty");
    process_fault("stage.geoip {\nsource = \"ip\"\ndb = \"x\"\n}",
                  "db type or values need to be set");
    process_fault("stage.geoip {\nsource = \"ip\"\ndb = \"/nowhere/x\"\ndb_type = \"asn\"\n}",
                  "open /nowhere/x: No such file or directory");
    stage = xprintf("stage.geoip {\nsource = \"ip\"\ndb = \"%s\"\ndb_type = \"asn\"\n}", path);
    process_fault(stage, want);
    free(stage);
    free(want);
}

static int setup(void **state)
{
    int fd = mkstemp(path);

    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    unlink(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extracts),
        cmocka_unit_test(passes_what_is_unknown),
        cmocka_unit_test(faults),
        cmocka_unit_test(notices_another_file),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

#else

static void is_refused(void **state)
{
    process_fault("stage.geoip {\nsource = \"ip\"\ndb = \"x\"\ndb_type = \"asn\"\n}",
                  "stage.geoip is not in this build, which was made without libmaxminddb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
