/* Go's basic types under a verb: which verbs each knows. */
#include "base/gofmt_int.h"

#include "base/utf8.h"

void gofmt_bad_verb(struct gofmt_directive *d, u32 verb, const char *type)
{
    buf_cstr(d->out, "%!");
    utf8_encode(d->out, verb);
    buf_printf(d->out, "(%s=", type);
}

void gofmt_show_nil(struct gofmt_directive *d, u32 verb)
{
    if (verb == 'v' || verb == 'T') {
        gofmt_pad(d, STR("<nil>"));
        return;
    }
    buf_cstr(d->out, "%!");
    utf8_encode(d->out, verb);
    buf_cstr(d->out, "(<nil>)");
}

bool gofmt_show_bool(struct gofmt_directive *d, bool b, u32 verb)
{
    if (verb != 't' && verb != 'v') return false;
    gofmt_pad(d, b ? STR("true") : STR("false"));
    return true;
}

bool gofmt_show_float(struct gofmt_directive *d, f64 f, u32 verb)
{
    switch (verb) {
    case 'v': gofmt_float(d, f, 'g', -1); return true;
    case 'b':
    case 'g':
    case 'G':
    case 'x':
    case 'X': gofmt_float(d, f, verb, -1); return true;
    case 'f':
    case 'e':
    case 'E': gofmt_float(d, f, verb, 6); return true;
    case 'F': gofmt_float(d, f, 'f', 6); return true;
    default: return false;
    }
}

/* %#v shows unsigned numbers in hexadecimal. */
static void plain(struct gofmt_directive *d, u64 u, bool is_signed, u32 verb)
{
    bool hex = d->sharp_v && !is_signed, sharp = d->sharp;

    d->sharp = hex || sharp;
    gofmt_integer(d, u, is_signed, hex ? 16 : 10, verb, false);
    d->sharp = sharp;
}

bool gofmt_show_whole(struct gofmt_directive *d, u64 u, bool is_signed, u32 verb)
{
    switch (verb) {
    case 'v': plain(d, u, is_signed, verb); return true;
    case 'd': gofmt_integer(d, u, is_signed, 10, verb, false); return true;
    case 'b': gofmt_integer(d, u, is_signed, 2, verb, false); return true;
    case 'o':
    case 'O': gofmt_integer(d, u, is_signed, 8, verb, false); return true;
    case 'x': gofmt_integer(d, u, is_signed, 16, verb, false); return true;
    case 'X': gofmt_integer(d, u, is_signed, 16, verb, true); return true;
    case 'c': gofmt_char(d, u); return true;
    case 'q': gofmt_quoted_char(d, u); return true;
    case 'U': gofmt_unicode(d, u); return true;
    default: return false;
    }
}

bool gofmt_show_text(struct gofmt_directive *d, struct str s, u32 verb)
{
    switch (verb) {
    case 'v':
        if (d->sharp_v)
            gofmt_quoted(d, s);
        else
            gofmt_string(d, s);
        return true;
    case 's': gofmt_string(d, s); return true;
    case 'x': gofmt_hex(d, s, false); return true;
    case 'X': gofmt_hex(d, s, true); return true;
    case 'q': gofmt_quoted(d, s); return true;
    default: return false;
    }
}
