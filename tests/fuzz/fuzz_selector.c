/* Selectors of stage.match: read or refused with a place, and what was read can be matched. */
#include <stdlib.h>
#include "base/assert.h"
#include "components/loki/process/entry_labels.h"
#include "components/loki/process/selector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match(const struct selector *s, struct str text)
{
    struct label_table *table = label_table_new();
    struct label_memo *memo = label_memo_new(table);
    struct label label = {STR("a"), text};
    struct labels *base = labels_intern(table, &label, 1);
    struct entry_labels labels;
    struct entry e = {.line = text, .labels = &labels};

    entry_labels_init(&labels, memo);
    if (base) {
        entry_labels_begin(&labels, base);
        selector_matches(s, NULL, &e);
    }
    entry_labels_done(&labels);
    labels_unref(base);
    label_memo_free(memo);
    label_table_free(table);
}

/* Up to the first NUL is the selector, the rest a label's value and the line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size), selector = str_cut(&text, '\0');
    char *err = NULL;

    if (selector.n > 1000 || text.n > 500) return 0;
    struct selector *s = selector_parse(selector, &err);
    if (s)
        match(s, text);
    else
        ASSERT(strncmp(err, "parse error at line ", 20) == 0);
    selector_free(s);
    free(err);
    return 0;
}
