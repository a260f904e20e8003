/* encoding.*: base64, URL escapes, JSON, YAML. */
#include <errno.h>
#include <stdlib.h>

#include "base/digest.h"
#include "stdlib/document.h"
#include "stdlib/tables.h"

/* --- base64 --- */

static int to_base64_kind(enum base64_kind kind, struct str s, struct value *ret,
                          struct func_error *err)
{
    struct buf text = BUF_INIT(VALUE_TEXT_MAX);
    base64_encode(&text, kind, s.p, s.n);
    return result_text(&text, ret, err);
}

static int to_base64(CALL_ARGS)
{
    return to_base64_kind(BASE64_STD, value_text(args[0]), ret, err);
}

static int to_urlbase64(CALL_ARGS)
{
    return to_base64_kind(BASE64_URL, value_text(args[0]), ret, err);
}

/* The result is a list of bytes, which turns into a string wherever one is taken. */
static int from_base64_kind(enum base64_kind kind, struct str s, struct value *ret,
                            struct func_error *err)
{
    struct buf bytes = BUF_INIT(VALUE_ARRAY_MAX);
    size_t at = 0;
    int rc = base64_decode(&bytes, kind, s, &at);
    if (rc == -EINVAL)
        func_error_set(err, -1, "illegal base64 data at input byte %zu", at);
    else if (rc || buf_err(&bytes))
        rc = result_too_long(err);
    else
        *ret = value_bytes(buf_view(&bytes));
    buf_done(&bytes);
    return rc ? -EINVAL : 0;
}

static int from_base64(CALL_ARGS)
{
    return from_base64_kind(BASE64_STD, value_text(args[0]), ret, err);
}

static int from_urlbase64(CALL_ARGS)
{
    return from_base64_kind(BASE64_URL, value_text(args[0]), ret, err);
}

/* --- URL query escapes --- */

static bool is_unreserved(u8 c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static int url_encode(CALL_ARGS)
{
    struct buf text = BUF_INIT(VALUE_TEXT_MAX);
    struct str s = value_text(args[0]);
    for (size_t i = 0; i < s.n && !buf_err(&text); i++) {
        u8 c = (u8)s.p[i];
        if (is_unreserved(c))
            buf_ch(&text, (char)c);
        else if (c == ' ')
            buf_ch(&text, '+');
        else
            buf_printf(&text, "%%%02X", c);
    }
    return result_text(&text, ret, err);
}

static int bad_escape(struct buf *text, struct str rest, struct func_error *err)
{
    buf_done(text);
    return func_error_set(err, -1, "invalid URL escape \"" STR_FMT "\"",
                          STR_ARG(str_sub(rest, 0, MIN(rest.n, 3u))));
}

static int url_decode(CALL_ARGS)
{
    struct buf text = BUF_INIT(VALUE_TEXT_MAX);
    struct str s = value_text(args[0]);
    for (size_t i = 0; i < s.n; i++) {
        u8 byte;
        size_t width;
        if (s.p[i] != '%') {
            buf_ch(&text, s.p[i] == '+' ? ' ' : s.p[i]);
            continue;
        }
        if (s.n - i < 3 || hex_decode(str_sub(s, i + 1, i + 3), &byte, 1, &width))
            return bad_escape(&text, str_sub(s, i, s.n), err);
        buf_ch(&text, (char)byte);
        i += 2;
    }
    return result_text(&text, ret, err);
}

/* --- documents --- */

static int owned_error(struct func_error *err, char *text)
{
    func_error_set(err, -1, "%s", text);
    free(text);
    return -EINVAL;
}

static int to_json(CALL_ARGS)
{
    struct buf text = BUF_INIT(VALUE_TEXT_MAX);
    struct value object;
    char *why;
    if (!value_to_object(args[0], &object))
        return func_error_set(err, -1, "jsonEncode only supports map");
    int rc = json_encode(object, &text, &why);
    value_unref(object);
    if (!rc) return result_text(&text, ret, err);
    buf_done(&text);
    return owned_error(err, why);
}

static int from_json(CALL_ARGS)
{
    char *why;
    return json_document(value_text(args[0]), JSON_NUMBERS_FLOAT, false, ret, &why)
               ? owned_error(err, why)
               : 0;
}

static int from_yaml(CALL_ARGS)
{
    char *why;
    return yaml_document(value_text(args[0]), ret, &why) ? owned_error(err, why) : 0;
}

/* --- rows --- */

#define ROW(nm, fn, doc_, returns_, ...)                                                           \
    {                                                                                              \
        .name = nm, .doc = doc_, .call = fn, .param_names = "string", .returns = returns_,         \
        __VA_ARGS__                                                                                \
    }

static const struct func rows[] = {
    ROW("encoding.from_base64", from_base64,
        "Decodes standard base64; usable wherever a string is.", "string", PARAMS(P_STRING)),
    ROW("base64_decode", from_base64, "Decodes standard base64; usable wherever a string is.",
        "string", PARAMS(P_STRING), .deprecated = true),
    ROW("encoding.from_URLbase64", from_urlbase64,
        "Decodes URL-safe base64; usable wherever a string is.", "string", PARAMS(P_STRING)),
    ROW("encoding.to_base64", to_base64, "Encodes as standard base64.", "string", PARAMS(P_STRING)),
    ROW("encoding.to_URLbase64", to_urlbase64, "Encodes as URL-safe base64.", "string",
        PARAMS(P_STRING)),
    ROW("encoding.url_encode", url_encode, "Escapes a text for the query of a URL.", "string",
        PARAMS(P_STRING)),
    ROW("encoding.url_decode", url_decode, "Undoes the escapes of a URL's query.", "string",
        PARAMS(P_STRING)),
    {.name = "encoding.to_json",
     .doc = "An object as JSON text.",
     .call = to_json,
     .param_names = "object",
     .returns = "string",
     PARAMS(P_ANY)},
    ROW("encoding.from_json", from_json, "Decodes a JSON text.", "any", PARAMS(P_STRING)),
    ROW("json_decode", from_json, "Decodes a JSON text.", "any", PARAMS(P_STRING),
        .deprecated = true),
    ROW("encoding.from_yaml", from_yaml, "Decodes the first document of a YAML text.", "any",
        PARAMS(P_STRING)),
    ROW("yaml_decode", from_yaml, "Decodes the first document of a YAML text.", "any",
        PARAMS(P_STRING), .deprecated = true),
};
const struct func_table funcs_encoding = {rows, ARRAY_LEN(rows)};
