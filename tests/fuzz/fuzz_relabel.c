/* Relabel rules and label sets: what comes out is sorted, without doubles, and of nothing but live
 * memory. */
#include <stdlib.h>
#include "base/assert.h"
#include "components/common/relabel_testing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load(struct label_set *s, struct str text)
{
    while (text.n > 0) {
        struct str value = str_cut(&text, '\n');
        struct str name = str_cut(&value, '=');
        label_set_put(s, name, value);
    }
}

static void judge(const struct label_set *s)
{
    for (u32 i = 0; i < s->n; i++) {
        ASSERT(s->v[i].value.p);
        ASSERT(i == 0 || str_cmp(s->v[i - 1].name, s->v[i].name) < 0);
    }
}

/* Up to the first NUL are the rules, the rest are labels, one a line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str labels = str_n((const char *)data, size), rules = str_cut(&labels, '\0');
    struct relabel_case c;
    struct label_set set;
    bool limited = false;

    if (rules.n > 2000 || labels.n > 2000) return 0; /* time, not faults, grows with these */
    relabel_case_init(&c, rules, RELABEL_NAMES_ANY);
    ASSERT(c.rules || diags_failed(&c.diags));
    if (c.rules) {
        label_set_init(&set);
        load(&set, labels);
        if (relabel_apply(c.rules, &set, &limited)) judge(&set);
        label_set_done(&set);
    }
    relabel_case_done(&c);
    return 0;
}
