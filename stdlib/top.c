/* Functions without a namespace: coalesce and json_path. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "stdlib/document.h"
#include "stdlib/jsonpath.h"
#include "stdlib/tables.h"

/* --- coalesce --- */

static bool is_zero_number(struct value v)
{
    return v.numkind == NUM_FLOAT ? v.f == 0 && !signbit(v.f) : v.u == 0;
}

static bool is_empty_capsule(struct value v)
{
    struct value o;
    if (!value_to_object(v, &o)) return false;
    bool empty = o.object->n == 0;
    value_unref(o);
    return empty;
}

static bool is_empty(struct value v)
{
    switch ((enum vtype)v.type) {
    case V_NULL: return true;
    case V_NUMBER: return is_zero_number(v);
    case V_STRING: return v.text->n == 0;
    case V_BOOL: return !v.b;
    case V_ARRAY: return v.array->n == 0;
    case V_OBJECT: return v.object->n == 0;
    case V_FUNCTION: return false;
    case V_CAPSULE: return is_empty_capsule(v);
    }
    UNREACHABLE();
}

static int coalesce(CALL_ARGS)
{
    size_t i = 0;
    while (i + 1 < n && is_empty(args[i]))
        i++;
    *ret = n > 0 ? value_ref(args[i]) : value_null();
    return 0;
}

/* --- json_path --- */

static int failed(struct func_error *err, char *why)
{
    func_error_set(err, -1, "%s", why);
    free(why);
    return -EINVAL;
}

/* An empty path names nothing, not the document. */
static int none(struct value *ret)
{
    *ret = value_array(0);
    return 0;
}

static int json_path(CALL_ARGS)
{
    struct value doc;
    char *why = NULL;
    struct str text = value_text(args[1]);
    struct jsonpath *path = jsonpath_parse(text, &why);
    if (!path) return failed(err, why);
    int rc = json_document(value_text(args[0]), JSON_NUMBERS_KEEP, true, &doc, &why);
    if (!rc) {
        rc = text.n > 0 ? jsonpath_get(path, doc, ret) : none(ret);
        if (rc) why = xstrdup("the path finds more than can be returned");
        value_unref(doc);
    }
    jsonpath_free(path);
    return rc ? failed(err, why) : 0;
}

static const struct func rows[] = {
    {.name = "coalesce",
     .doc = "The first argument that is not null, zero or empty; else the last.",
     .call = coalesce,
     .param_names = "values...",
     .returns = "any",
     .variadic = true,
     PARAMS(P_ANY)},
    {.name = "json_path",
     .doc = "All matches of a JSONPath in a JSON text, as a list.",
     .call = json_path,
     .param_names = "json, path",
     .returns = "list(any)",
     PARAMS(P_STRING, P_STRING)},
};
const struct func_table funcs_top = {rows, ARRAY_LEN(rows)};
