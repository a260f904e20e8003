/* file.*: paths as text; nothing here touches the file system. */
#include "stdlib/tables.h"

/* Appends one element of a path to the cleaned path so far; `floor` is the part ".." may not climb
 * over. */
static void add_element(struct buf *path, struct str element, bool rooted, size_t *floor)
{
    if (element.n == 0 || str_is(element, ".")) return;
    if (!str_is(element, "..")) {
        if (path->n > rooted) buf_ch(path, '/');
        buf_str(path, element);
        return;
    }
    if (path->n > *floor) {
        ssize_t slash = str_rchr(str_sub(buf_view(path), *floor, path->n), '/');
        buf_truncate(path, *floor + (slash > 0 ? (size_t)slash : 0));
        return;
    }
    if (rooted) return;
    if (path->n > 0) buf_ch(path, '/');
    buf_cstr(path, "..");
    *floor = path->n;
}

/* Lexically the shortest path: no double slashes, no ".", ".." only at the start. */
static void clean(struct str s, struct buf *out)
{
    bool rooted = s.n > 0 && s.p[0] == '/';
    size_t floor = rooted;
    if (rooted) buf_ch(out, '/');
    while (s.p)
        add_element(out, str_cut(&s, '/'), rooted, &floor);
    if (out->n == 0) buf_ch(out, '.');
}

static int path_join(CALL_ARGS)
{
    struct buf joined = BUF_INIT(VALUE_TEXT_MAX), path = BUF_INIT(VALUE_TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        struct str part = value_text(args[i]);
        if (part.n > 0 && joined.n > 0) buf_ch(&joined, '/');
        buf_str(&joined, part);
    }
    if (joined.n > 0) clean(buf_view(&joined), &path);
    if (buf_err(&joined)) path.err = buf_err(&joined);
    buf_done(&joined);
    return result_text(&path, ret, err);
}

static const struct func rows[] = {
    {.name = "file.path_join",
     .doc = "Joins path elements with slashes and cleans the result.",
     .call = path_join,
     .param_names = "elements...",
     .returns = "string",
     .variadic = true,
     PARAMS(P_STRING)},
};
const struct func_table funcs_file = {rows, ARRAY_LEN(rows)};
