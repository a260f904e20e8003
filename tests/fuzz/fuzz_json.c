/* The JSON reader: whatever it accepts, jansson accepts as well (but for what the header says), and
 * it can be skipped and walked to the same place. */
/* The two share names; jansson's step aside. */
#define json_null   jansson_null
#define JSON_NULL   JANSSON_NULL
#define JSON_STRING JANSSON_STRING
#include <jansson.h>
#undef json_null
#undef JSON_NULL
#undef JSON_STRING
#include "base/assert.h"
#include "base/json.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct json_in *j)
{
    bool first = true;
    struct str key;

    switch (json_value(j)) {
    case JSON_OBJ:
        while (json_next_key(j, &key, &first))
            walk(j);
        break;
    case JSON_ARR:
        while (json_next_elem(j, &first))
            walk(j);
        break;
    case JSON_STRING: ASSERT(j->raw.n == 0 || j->raw.p); break;
    case JSON_END:
        if (!j->err) j->err = "no value";
        break;
    case JSON_ERROR:
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_NUMBER: break;
    }
}

/* Reads one value and the end behind it; the offset reached, or SIZE_MAX on an error. */
static size_t read_all(struct str text, struct arena *a, bool skip)
{
    struct json_in j;

    json_in_init(&j, text, a);
    if (skip)
        json_skip(&j);
    else
        walk(&j);
    return j.err || json_value(&j) != JSON_END ? SIZE_MAX : json_offset(&j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct arena a;

    arena_init(&a, 0);
    size_t walked = read_all(text, &a, false), skipped = read_all(text, &a, true);
    ASSERT(walked == skipped);
    /* jansson refuses bad UTF-8, lone surrogates and numbers out of range, so it may only be the
     * stricter one; but it takes a NUL byte for the end of the text. */
    json_t *oracle = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    ASSERT(!oracle || walked == size || str_chr(text, '\0') >= 0);
    json_decref(oracle);
    arena_done(&a);
    return 0;
}
