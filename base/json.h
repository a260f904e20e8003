/* JSON: a writer, and a pull reader that never builds a tree (for hot or large input; tested
 * against jansson). The reader borrows its input; strings come back as views, decoded into scratch
 * only when they hold escapes. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"

/* --- writer: compact, commas by itself. Depth is bounded by JSON_DEPTH. --- */
#define JSON_DEPTH 512
struct json_out {
    struct buf *b;
    bool html;  /* escape < > & as \u003c, bytes that are no UTF-8 as \ufffd (Go's manner) */
    bool comma; /* internal: a value stands before */
};
void json_obj(struct json_out *j);
void json_obj_end(struct json_out *j);
void json_arr(struct json_out *j);
void json_arr_end(struct json_out *j);
void json_key(struct json_out *j, struct str key);
/* A key that is already text with quotes and colon: for names from tables. */
void json_key_quoted(struct json_out *j, struct str quoted);
void json_str(struct json_out *j, struct str s); /* bytes that are not UTF-8 become U+FFFD */
void json_i64(struct json_out *j, i64 v);
void json_u64(struct json_out *j, u64 v);
void json_f64(struct json_out *j, f64 v); /* NaN and Inf as strings */
void json_bool(struct json_out *j, bool v);
/* Under a linker name of its own: libjansson has a json_null too, and calls it through the dynamic
 * linker. */
void json_null(struct json_out *j) __asm__("json_out_null");
void json_raw(struct json_out *j, struct str s); /* already JSON */

/* --- reader --- */
enum json_type {
    JSON_ERROR,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_OBJ,
    JSON_ARR,
    JSON_END
};
struct json_in {
    const char *p, *end, *start;
    struct arena *scratch; /* decoded strings live here */
    int depth, max_depth;
    const char *err; /* static text, set with JSON_ERROR */
    struct str raw;  /* number text; string contents (decoded); for JSON_BOOL "true"/"false" */
};
void json_in_init(struct json_in *j, struct str text, struct arena *scratch);
/* Starts the next value: after JSON_OBJ iterate with json_next_key, after JSON_ARR with
 * json_next_elem, each with a `first` that starts as true, and take every value they announce.
 * JSON_END: nothing but white space is left at the top; callers that want one value only ask for
 * it. Once JSON_ERROR, always JSON_ERROR. */
enum json_type json_value(struct json_in *j);
/* True and *ret_key (raw text between the quotes, escapes unresolved) while there is another
 * member; false at } or on error (j->err). */
bool json_next_key(struct json_in *j, struct str *ret_key, bool *first);
bool json_next_elem(struct json_in *j, bool *first);
/* A key as json_next_key gave it, with its escapes resolved (in scratch when it has any). */
struct str json_text(struct json_in *j, struct str raw);
/* Skips a whole value. 0 or -EBADMSG. */
int json_skip(struct json_in *j);
/* Byte offset reached, for messages. */
size_t json_offset(const struct json_in *j);

#endif
