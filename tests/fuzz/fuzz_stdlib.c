/* The parsers inside the standard library, reached directly: the first byte picks one, the rest is
 * its text. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "stdlib/document.h"
#include "stdlib/format.h"
#include "stdlib/jsonpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char sample[] =
    "{\"a\": {\"b\": [1, 2.5, \"x\"], \"c\": null}, \"items\": [{\"n\": \"one\", \"v\": 1}, "
    "{\"n\": \"two\", \"v\": 2, \"ok\": true}], \"\": [[[]]]}";

static void use(int rc, struct value v, char *err)
{
    struct buf out = BUF_INIT(1 << 20);
    if (rc == 0) {
        value_json(v, &out);
        value_unref(v);
    } else if (!err) {
        __builtin_trap();
    }
    free(err);
    buf_done(&out);
}

static void fuzz_yaml(struct str text)
{
    struct value v = value_null();
    char *err = NULL;
    int rc = yaml_document(text, &v, &err);
    use(rc, v, err);
}

static void fuzz_json(struct str text)
{
    struct value v = value_null();
    char *err = NULL, *why = NULL;
    int rc = json_document(text, JSON_NUMBERS_KEEP, true, &v, &err);
    struct buf out = BUF_INIT(1 << 20);
    if (rc == 0 && json_encode(v, &out, &why) != 0) __builtin_trap();
    buf_done(&out);
    use(rc, v, err);
}

static void fuzz_path(struct str text)
{
    struct value doc, found;
    char *err = NULL;
    struct jsonpath *path = jsonpath_parse(text, &err);
    if (!path && !err) __builtin_trap();
    free(err);
    if (!path) return;
    if (json_document(str_of(sample), JSON_NUMBERS_KEEP, false, &doc, &err) != 0) __builtin_trap();
    if (jsonpath_get(path, doc, &found) == 0) value_unref(found);
    value_unref(doc);
    jsonpath_free(path);
}

static void fuzz_format(struct str text)
{
    struct buf out = BUF_INIT(1 << 20);
    struct value args[7] = {value_int(-7),    value_float(1234.5678), value_cstr("a\"\xC3\xA9\xFF"),
                            value_bool(true), value_null(),           value_uint(UINT64_MAX),
                            value_null()};
    args[6] = value_array(2);
    args[6].array->v[0] = value_ref(args[2]);
    format_values(&out, text, args, 7);
    value_unref(args[2]);
    value_unref(args[6]);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(struct str) = {fuzz_yaml, fuzz_json, fuzz_path, fuzz_format};
    if (size > 0) targets[data[0] % 4](str_n((const char *)data + 1, size - 1));
    return 0;
}
