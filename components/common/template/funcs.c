/* Functions and methods by name. */
#include "components/common/template/run.h"

/* The stage's own win, then Sprig's, then Go's. */
static const struct tfunc_table *const tables[] = {
    &fn_own,   &fn_strings,  &fn_words,  &fn_numbers, &fn_lists,  &fn_dicts,   &fn_logic,
    &fn_dates, &fn_encoding, &fn_crypto, &fn_certs,   &fn_regex,  &fn_paths,   &fn_semver,
    &fn_url,   &fn_json,     &fn_types,  &fn_random,  &fn_system, &fn_builtin, &fn_compare,
};

static const struct tfunc *in_table(const struct tfunc_table *t, struct str name)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_is(name, t->v[i].name)) return &t->v[i];
    return NULL;
}

/* Only when a template is compiled. */
const struct tfunc *func_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        const struct tfunc *f = in_table(tables[i], name);
        if (f) return f;
    }
    return NULL;
}

const struct tfunc *method_find(struct tval receiver, struct str name)
{
    if (receiver.type == T_TIME) return in_table(&methods_time, name);
    if (receiver.type == T_VERSION) return in_table(&methods_version, name);
    if (receiver.type == T_INT && receiver.sub == INT_DURATION)
        return in_table(&methods_duration, name);
    return NULL;
}
