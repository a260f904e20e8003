/* Everything the language knows by a name: components (those that this build cannot run too),
 * blocks, functions, constants. What `explain`, the reference pages and completion speak of.
 *
 * Owner: topics_init, topics_done. Topics borrow const tables and what the topics own; tool only.
 */
#ifndef CMD_TOPIC_H
#define CMD_TOPIC_H

#include "cmd/language.h"
#include "value/func.h"

enum topic_kind { TOPIC_COMPONENT, TOPIC_BLOCK, TOPIC_FUNCTION, TOPIC_CONSTANT, TOPIC_KINDS };

struct topic {
    enum topic_kind kind;
    const char *name;    /* "otelcol.exporter.otlp", "logging", "string.join", "constants.os" */
    const char *summary; /* a sentence */
    const struct component_def *def; /* of a component or block, else NULL */
    const struct func *func;         /* of a function, else NULL */
};

struct topics {
    struct language language;
    struct arena arena;
    VEC(struct topic) list; /* by kind, then by name */
};
void topics_init(struct topics *t);
void topics_done(struct topics *t);

const char *topic_kind_name(enum topic_kind k);
const struct topic *topics_find(const struct topics *t, struct str name);
/* The topic whose name, followed by a dot, begins the text; *ret_rest is what stands behind it. */
const struct topic *topics_find_within(const struct topics *t, struct str text,
                                       struct str *ret_rest);
/* Whether the topic is the name's or stands below it: "encoding.to_json" below "encoding". */
bool topic_is_below(const struct topic *t, struct str name);
/* The name most like this one; NULL when none is near. */
const char *topics_near(const struct topics *t, struct str name);

/* A place below a component or block: "client.tls", "output.traces". */
struct part {
    const struct row *row;            /* the block, attribute or export */
    const struct one_of_def *variant; /* of an ordered group: this one of its blocks */
    bool exported;
    const char *near; /* when it is not there: the name most like the missing one, or NULL */
};
/* -ENOENT when there is none; ret->near may then be set. */
int topic_part(const struct topic *t, struct str path, struct part *ret);
/* The table inside a block; NULL when it has none. */
const struct schema *part_schema(const struct part *p);

/* The two forms of an answer. part: NULL for all of the topic. */
void explain_text(const struct topic *t, struct buf *out);
void explain_part_text(const struct topic *t, struct str path, const struct part *p,
                       struct buf *out);
void explain_json(const struct topic *t, struct json_out *j);
void explain_part_json(const struct topic *t, struct str path, const struct part *p,
                       struct json_out *j);

#endif
