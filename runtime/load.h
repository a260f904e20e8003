/* Configuration text from disk: one file, a directory of *.alloy and *.river, or standard input
 * ("-").
 *
 * A source_set is what was read (owned, immutable afterwards); a tree_set what was parsed of it.
 * Reading has limits and plain error texts; parsing collects diagnostics. Control loop or tool;
 * reads block, files are small. */
#ifndef RUNTIME_LOAD_H
#define RUNTIME_LOAD_H

#include "base/digest.h"
#include "base/vec.h"
#include "parser/ast.h"
#include "parser/source.h"

#define CONFIG_FILE_MAX ((size_t)64 << 20) /* bytes of one file */

struct source_set {
    VEC(struct source *) files; /* byte order of their names */
    char sha256[2 * SHA256_LEN +
                1];    /* of the raw contents in that order; zeros when nothing was read */
    char *module_path; /* absolute directory of the file, or the directory itself */
};
/* 0, or -errno with an owned *ret_err ("stat P: no such file or directory"). */
int source_set_read(const char *path, struct source_set *ret, char **ret_err);
/* Text given by a caller instead of a file (tests, standard input). -EINVAL when it is not UTF-8 or
 * UTF-16. */
int source_set_add(struct source_set *s, const char *name, struct str raw, char **ret_err);
void source_set_done(struct source_set *s);
bool is_config_name(const char *name); /* whether a folder's entry is read */
/* The text of raw bytes: UTF-16 with its mark becomes UTF-8, all else is kept as it is. Appends to
 * out, whose maximum decides what is too large. */
void config_decode(struct str raw, struct buf *out);
/* "open P: no such file or directory", owned: Go's words start lower case, scripts compare them. */
char *file_fault(const char *verb, const char *path, int err);

struct tree_set {
    VEC(struct tree *) trees; /* one per file, same order */
};
/* Attributes at the top of a file, which only blocks may fill, count as faults of its syntax:
 * -EINVAL with each in diags, else 0. */
int tree_check_top(const struct tree *t, struct diags *diags);
/* 0, or -EINVAL when any file has a fault of syntax; those of all files are in diags. */
int source_set_parse(const struct source_set *s, struct tree_set *ret, struct diags *diags);
void tree_set_done(struct tree_set *t);

#endif
