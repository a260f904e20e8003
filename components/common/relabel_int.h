/* Relabel rules as they are applied: what relabel.c makes and relabel_apply.c reads. */
#ifndef COMPONENTS_COMMON_RELABEL_INT_H
#define COMPONENTS_COMMON_RELABEL_INT_H

#include "base/regex.h"
#include "components/common/relabel.h"

enum relabel_action {
    RELABEL_REPLACE,
    RELABEL_KEEP,
    RELABEL_DROP,
    RELABEL_HASHMOD,
    RELABEL_LABELMAP,
    RELABEL_LABELDROP,
    RELABEL_LABELKEEP,
    RELABEL_LOWERCASE,
    RELABEL_UPPERCASE,
    RELABEL_KEEPEQUAL,
    RELABEL_DROPEQUAL,
    RELABEL_ACTIONS
};

/* A text that may name groups. Most are one group or none: these need no expansion. */
struct relabel_template {
    struct str text;
    enum { TEMPLATE_FIXED, TEMPLATE_GROUP, TEMPLATE_ANY } kind;
    int group;
};

struct relabel_step {
    enum relabel_action action;
    struct str_list source_labels;
    struct str separator, regex_text;
    struct regex *regex;
    bool any; /* the regex is (.*): matches everything, group 1 is all of it */
    struct relabel_template target, replacement;
    u64 modulus;
};

struct relabel_program {
    struct refs refs;
    struct arena arena; /* texts and steps */
    struct relabel_step *v;
    size_t n;
};

struct relabel {
    struct refs refs;
    enum relabel_names names;
    struct relabel_program *program;
};

/* [A-Za-z_][A-Za-z0-9_]* */
bool relabel_is_classic(struct str name);

#endif
