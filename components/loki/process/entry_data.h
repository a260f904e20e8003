/* What templates of stages see of an entry: its extracted values as texts, and names of the stage's
 * own (Value, Entry). */
#ifndef COMPONENTS_LOKI_PROCESS_ENTRY_DATA_H
#define COMPONENTS_LOKI_PROCESS_ENTRY_DATA_H

#include "components/loki/process/stage.h"
#include "components/common/template/template.h"

#define OUTPUT_MAX ((size_t)16 << 20) /* of a template, and of a line made by one */

struct entry_data {
    struct entry *e;
    struct str value; /* .Value; .p NULL: what is extracted under this name */
    bool with_line;   /* .Entry is the line */
};
/* Runs the template over the entry; the text lives until the entry has left. False when execution
 * fails (told at debug). */
bool entry_template(struct stage_run *r, const struct template *t, struct entry_data *d,
                    struct buf *work, struct str *ret);
/* In prepare: the template, which lives as long as the plan; a fault is said. NULL then. */
const struct template *stage_template(struct prepare *p, const struct span *span, struct str text);

#endif
