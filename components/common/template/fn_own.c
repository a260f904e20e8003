/* The functions that are the stage's own. */
#include "base/digest.h"
#include "base/utf8.h"
#include "components/common/template/pattern.h"
#include "components/common/template/text.h"

static struct tval mapped(struct run *r, struct str s, u32 (*fn)(u32))
{
    struct buf b = run_buf();
    text_map(&b, s, fn);
    return run_value(r, &b);
}

FN(to_lower)
{
    return mapped(r, a[0].s, utf8_lower);
}

FN(to_upper)
{
    return mapped(r, a[0].s, utf8_upper);
}

FN(replace)
{
    struct buf b = run_buf();
    text_replace(&b, a[0].s, a[1].s, a[2].s, a[3].i);
    return run_value(r, &b);
}

FN(trim)
{
    return tv_str(text_trim(a[0].s, a[1].s, TRIM_LEFT | TRIM_RIGHT));
}

FN(trim_left)
{
    return tv_str(text_trim(a[0].s, a[1].s, TRIM_LEFT));
}

FN(trim_right)
{
    return tv_str(text_trim(a[0].s, a[1].s, TRIM_RIGHT));
}

FN(trim_prefix)
{
    return tv_str(str_sub(a[0].s, str_starts(a[0].s, a[1].s) ? a[1].s.n : 0, a[0].s.n));
}

FN(trim_suffix)
{
    return tv_str(str_sub(a[0].s, 0, a[0].s.n - (str_ends(a[0].s, a[1].s) ? a[1].s.n : 0)));
}

FN(trim_space)
{
    return tv_str(text_trim_space(a[0].s));
}

/* Salt, then input. */
static struct tval hashed(struct run *r, struct tval *a, void (*fn)(const void *, size_t, u8 *))
{
    struct buf b = run_buf();
    u8 out[SHA256_LEN];
    buf_str(&b, a[0].s);
    buf_str(&b, a[1].s);
    fn(b.p, b.n, out);
    if (!buf_err(&b)) buf_reset(&b);
    hex_encode(&b, out, sizeof(out));
    return run_value(r, &b);
}

FN(hash)
{
    return hashed(r, a, sha3_256);
}

FN(sha2_hash)
{
    return hashed(r, a, sha256);
}

FN(regex_replace_all)
{
    return pattern_replace(r, a[0].s, a[1].s, a[2].s, true);
}

FN(regex_replace_all_literal)
{
    return pattern_replace(r, a[0].s, a[1].s, a[2].s, false);
}

static const struct tfunc funcs[] = {
    {"ToLower", "s", to_lower},
    {"ToUpper", "s", to_upper},
    {"Replace", "sssi", replace},
    {"Trim", "ss", trim},
    {"TrimLeft", "ss", trim_left},
    {"TrimRight", "ss", trim_right},
    {"TrimPrefix", "ss", trim_prefix},
    {"TrimSuffix", "ss", trim_suffix},
    {"TrimSpace", "s", trim_space},
    {"Hash", "ss", hash},
    {"Sha2Hash", "ss", sha2_hash},
    {"regexReplaceAll", "sss", regex_replace_all},
    {"regexReplaceAllLiteral", "sss", regex_replace_all_literal},
};
FUNC_TABLE(fn_own, funcs);
