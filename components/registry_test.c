/* Every registered component: its tables are sound, and say what Alloy's reference says: names,
 * types, required, defaults, allowed values, blocks, exports. components/reference.json holds those
 * facts (made by scripts/reference.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include "base/num.h"
#include "base/xalloc.h"
#include "runtime/component.h"
#include "value/describe.h"

#define REFERENCE "components/reference.json"

static struct arena arena;
static size_t faults;

static void fault(const char *where, const char *fmt, ...) PRINTF(2, 3);
static void fault(const char *where, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s: ", where);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    faults++;
}

/* ---- defaults: both sides as JSON, durations and sizes in their units ---- */

static bool is_zero(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_NULL:
    case JSON_FALSE: return true;
    case JSON_INTEGER: return json_integer_value(v) == 0;
    case JSON_REAL: return json_real_value(v) == 0;
    case JSON_STRING: return json_string_length(v) == 0;
    case JSON_ARRAY: return json_array_size(v) == 0;
    case JSON_OBJECT: return json_object_size(v) == 0;
    case JSON_TRUE: break;
    }
    return false;
}

static bool as_units(const json_t *v, bool duration, i64 *ret)
{
    struct str s = str_of(json_string_value(v));
    if (duration && str_is(s, "infinity")) { /* Go's longest */
        *ret = INT64_MAX;
        return true;
    }
    return s.p && (duration ? dur_parse(s, ret, NULL) : bytesize_parse(s, ret, NULL)) == 0;
}

static bool defaults_equal(const struct row *r, const json_t *want, const json_t *got)
{
    bool duration = r->kind == K_DUR || r->kind == K_OPT_DUR, size = r->kind == K_BYTES;
    i64 a, b;
    if (is_zero(want) && is_zero(got)) return true;
    if ((duration || size) && as_units(got, duration, &b)) {
        if (as_units(want, duration, &a)) return a == b;
        return is_zero(want) && b == 0;
    }
    if (json_is_number(want) && json_is_number(got))
        return json_number_value(want) == json_number_value(got);
    return json_equal(want, got);
}

/* A default that is applied late may be left unset in the table. */
static bool is_unset(const struct row *r, const json_t *got)
{
    i64 ns;
    return is_zero(got) ||
           (json_is_string(got) && as_units(got, r->kind != K_BYTES, &ns) && ns == 0);
}

static void compare_default(const char *where, const struct row *r, const json_t *ref)
{
    const json_t *want = json_object_get(ref, "default");
    if (!want || json_object_get(ref, "computed") || r->def_fn) return;
    json_t *got = r->def ? json_loads(r->def, JSON_DECODE_ANY, NULL) : json_null();
    bool late = json_object_get(ref, "late") != NULL;
    if (!got)
        fault(where, "%s: the default %s cannot be compared", r->name, r->def);
    else if (!defaults_equal(r, want, got) && !(late && is_unset(r, got))) {
        char *text = json_dumps(want, JSON_ENCODE_ANY);
        fault(where, "%s: default is %s, should be %s", r->name, r->def ? r->def : "unset", text);
        free(text);
    }
    json_decref(got);
}

/* ---- attributes ---- */

static bool has_choice(const struct row *r, const char *text)
{
    for (const char *const *c = r->one_of; c && *c; c++)
        if (strcmp(*c, text) == 0) return true;
    return false;
}

static void compare_choices(const char *where, const struct row *r, const json_t *ref)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(ref, "enum"), i, v) if (r->one_of && json_is_string(v) &&
                                                               !has_choice(r, json_string_value(v)))
        fault(where, "%s: \"%s\" is not allowed", r->name, json_string_value(v));
}

static bool types_agree(const char *want, const char *got)
{
    return strcmp(want, got) == 0 ||
           (strcmp(want, "map(secret)") == 0 && strcmp(got, "map(string)") == 0);
}

/* A capsule alone is written by its name in the reference. */
static const char *taken_capsule(const struct row *r)
{
    if (r->kind != K_CAPSULE) return "";
    return r->capsule ? r->capsule->name : r->capsule_name;
}

static void compare_attr(const char *where, const struct schema *s, const json_t *ref)
{
    const char *name = json_string_value(json_object_get(ref, "name")),
               *type = json_string_value(json_object_get(ref, "type"));
    const struct row *r = schema_row(s, str_of(name));
    if (!r) {
        fault(where, "%s is missing", name);
        return;
    }
    const char *got = describe_type(r, &arena);
    if (!types_agree(type, got) && strcmp(type, taken_capsule(r)) != 0)
        fault(where, "%s: type is %s, should be %s", name, got, type);
    if (r->required != json_is_true(json_object_get(ref, "required")))
        fault(where, "%s: required is %d", name, r->required);
    if (!r->required) compare_default(where, r, ref);
    compare_choices(where, r, ref);
}

static bool names_attr(const json_t *refs, const char *name)
{
    size_t i;
    json_t *ref;
    json_array_foreach(refs, i, ref) if (strcmp(json_string_value(json_object_get(ref, "name")),
                                                name) == 0) return true;
    return false;
}

static void compare_attrs(const char *where, const struct schema *s, const json_t *refs)
{
    size_t i;
    json_t *ref;
    json_array_foreach(refs, i, ref) compare_attr(where, s, ref);
    for (i = 0; i < s->n_rows; i++)
        if (!kind_is_block(s->rows[i].kind) && s->rows[i].kind != K_LABEL && !s->rows[i].own &&
            !names_attr(refs, s->rows[i].name))
            fault(where, "%s is not in the reference", s->rows[i].name);
}

/* ---- blocks ---- */

/* "stage.*": the ordered group itself, in a block that holds it again. */
static const struct row *group_row(const struct schema *s, struct str name)
{
    struct str group = str_cut(&name, '.');
    for (size_t i = 0; str_is(name, "*") && i < s->n_rows; i++)
        if (s->rows[i].kind == K_ONE_OF && str_is(group, s->rows[i].name)) return &s->rows[i];
    return NULL;
}

static const struct schema *walk(const struct schema *s, const json_t *path,
                                 const struct row **ret_row)
{
    size_t i;
    json_t *part;
    json_array_foreach(path, i, part)
    {
        const struct one_of_def *variant = NULL;
        struct str name = str_of(json_string_value(part));
        *ret_row = s ? schema_block(s, name, &variant) : NULL;
        if (s && !*ret_row) *ret_row = group_row(s, name);
        if (!*ret_row) return NULL;
        s = variant ? variant->sub : (*ret_row)->sub;
    }
    return s;
}

static char *path_text(const char *component, const json_t *path)
{
    struct buf b = BUF_INIT(4096);
    size_t i;
    json_t *part;
    buf_cstr(&b, component);
    json_array_foreach(path, i, part) buf_printf(&b, " > %s", json_string_value(part));
    return buf_take(&b, NULL);
}

static void compare_block(const char *component, const struct schema *s, const json_t *ref)
{
    const struct row *row = NULL;
    const json_t *path = json_object_get(ref, "path");
    char *where = path_text(component, path);
    const struct schema *sub = walk(s, path, &row);
    if (!row)
        fault(where, "the block is missing");
    else if (row->required != json_is_true(json_object_get(ref, "required")))
        fault(where, "required is %d", row->required);
    else if ((row->kind == K_BLOCKS || row->kind == K_ONE_OF) !=
             json_is_true(json_object_get(ref, "repeatable")))
        fault(where, "repeatable disagrees");
    if (row && sub) compare_attrs(where, sub, json_object_get(ref, "arguments"));
    free(where);
}

static size_t count_blocks(const struct schema *s, const struct row *within, int depth);

/* An ordered group counts as its members; inside one of them, the same group again as one. */
static size_t count_variants(const struct row *r, const struct row *within, int depth)
{
    size_t n = r->n_variants;
    if (within && within->variants == r->variants) return 1;
    for (size_t i = 0; i < r->n_variants; i++)
        n += count_blocks(r->variants[i].sub, r, depth + 1);
    return n;
}

static size_t count_blocks(const struct schema *s, const struct row *within, int depth)
{
    size_t n = 0;
    for (size_t i = 0; s && depth < 8 && i < s->n_rows; i++) {
        const struct row *r = &s->rows[i];
        if (r->kind == K_ONE_OF)
            n += count_variants(r, within, depth);
        else if (kind_is_block(r->kind))
            n += 1 + count_blocks(r->sub, within, depth + 1);
    }
    return n;
}

/* ---- exports ---- */

static void compare_exports(const char *name, const struct schema *s, const json_t *refs)
{
    size_t i;
    json_t *ref;
    json_array_foreach(refs, i, ref)
    {
        const char *export = json_string_value(json_object_get(ref, "name")),
                   *type = json_string_value(json_object_get(ref, "type"));
        const struct row *r = s ? schema_row(s, str_of(export)) : NULL;
        if (!r) {
            fault(name, "export %s is missing", export);
            continue;
        }
        const char *capsule = r->kind == K_CAPSULE
                                  ? (r->capsule ? r->capsule->name : r->capsule_name)
                                  : describe_type(r, &arena);
        const char *wrapped = describe_type(r, &arena);
        if (strcmp(type, capsule) != 0 && strcmp(type, wrapped) != 0)
            fault(name, "export %s: type is %s, should be %s", export, capsule, type);
    }
    if ((s ? s->n_rows : 0) != json_array_size(refs))
        fault(name, "%zu exports, should be %zu", s ? s->n_rows : 0, json_array_size(refs));
}

/* ---- components ---- */

static void compare_component(const struct component_def *d, const json_t *ref)
{
    const char *stability = json_string_value(json_object_get(ref, "stability"));
    size_t i;
    json_t *block;
    if (stability && strcmp(stability, stability_name(d->stability)) != 0)
        fault(d->name, "stability is %s, should be %s", stability_name(d->stability), stability);
    if (d->community != json_is_true(json_object_get(ref, "community")))
        fault(d->name, "community is %d", d->community);
    compare_attrs(d->name, d->args, json_object_get(ref, "arguments"));
    json_array_foreach(json_object_get(ref, "blocks"), i, block)
        compare_block(d->name, d->args, block);
    if (count_blocks(d->args, NULL, 0) != json_array_size(json_object_get(ref, "blocks")))
        fault(d->name, "%zu blocks, should be %zu", count_blocks(d->args, NULL, 0),
              json_array_size(json_object_get(ref, "blocks")));
    compare_exports(d->name, d->exports, json_object_get(ref, "exports"));
}

static void test_reference(void **state)
{
    json_error_t err;
    json_t *reference = json_load_file(REFERENCE, 0, &err);
    assert_non_null(reference);
    faults = 0;
    for (size_t i = 0; i < registry_count; i++) {
        const json_t *ref = json_object_get(reference, registry_all[i]->name);
        if (ref)
            compare_component(registry_all[i], ref);
        else
            fault(registry_all[i]->name, "not in " REFERENCE);
    }
    json_decref(reference);
    assert_int_equal(faults, 0);
}

static void test_sorted_and_found(void **state)
{
    for (size_t i = 0; i < registry_count; i++) {
        if (i > 0) assert_true(strcmp(registry_all[i - 1]->name, registry_all[i]->name) < 0);
        assert_ptr_equal(registry_find(str_of(registry_all[i]->name)), registry_all[i]);
    }
    assert_null(registry_find(STR("nothing.like.it")));
}

static void lint(const struct component_def *d, const char *what, const struct schema *s)
{
    struct buf problems = BUF_INIT(1 << 20);
    char *name = xprintf("%s %s", d->name, what);
    if (s && schema_lint(s, name, &problems) > 0)
        fault(d->name, "problems in the table of %s:\n" STR_FMT, what,
              STR_ARG(buf_view(&problems)));
    free(name);
    buf_done(&problems);
}

static void test_tables(void **state)
{
    faults = 0;
    for (size_t i = 0; i < registry_count; i++) {
        const struct component_def *d = registry_all[i];
        if (!d->summary || !*d->summary || !d->example || !*d->example)
            fault(d->name, "has no summary or no example");
        if (!d->args) fault(d->name, "has no table of arguments");
        lint(d, "arguments", d->args);
        lint(d, "exports", d->exports);
        lint(d, "debug info", d->debug);
    }
    assert_int_equal(faults, 0);
}

static int setup(void **state)
{
    arena_init(&arena, 0);
    return 0;
}

static int teardown(void **state)
{
    arena_done(&arena);
    return 0;
}

/* ---- live debugging: Alloy's kinds that have it, and no other ---- */

static bool is_live_in_alloy(const char *name)
{
    static const char *const prefixes[] = {"otelcol.receiver.", "otelcol.processor.",
                                           "otelcol.connector.", "discovery."};
    static const char *const names[] = {
        "prometheus.scrape", "prometheus.relabel", "prometheus.remote_write", "loki.process",
        "loki.secretfilter", "loki.relabel",       "loki.source.syslog"};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) return true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

static void test_live_debugging(void **state)
{
    (void)state;
    for (size_t i = 0; i < registry_count; i++) {
        const struct component_def *d = registry_all[i];
        if (is_live_in_alloy(d->name) != (d->tap || d->taps_itself))
            fail_msg("%s: live debugging is %s", d->name, d->tap ? "too much" : "missing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorted_and_found),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_live_debugging),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
