/* Digests, passwords, encryption. */
#include <crypt.h>
#include <stdlib.h>
#include "base/cipher.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/xalloc.h"
#include "components/common/template/run.h"

#define BCRYPT_COST 10
#define BCRYPT_MAX  72 /* bytes of a password */

/* --- digests --- */

static struct tval hex(struct run *r, const u8 *bytes, size_t n)
{
    struct buf b = run_buf();
    hex_encode(&b, bytes, n);
    return run_value(r, &b);
}

FN(sha1sum)
{
    u8 out[20];
    sha1(a[0].s.p, a[0].s.n, out);
    return hex(r, out, sizeof(out));
}

FN(sha256sum)
{
    u8 out[32];
    sha256(a[0].s.p, a[0].s.n, out);
    return hex(r, out, sizeof(out));
}

FN(sha512sum)
{
    u8 out[64];
    sha512(a[0].s.p, a[0].s.n, out);
    return hex(r, out, sizeof(out));
}

FN(adler32sum)
{
    u32 x = 1, y = 0;
    for (size_t i = 0; i < a[0].s.n; i++) {
        x = (x + (u8)a[0].s.p[i]) % 65521;
        y = (y + x) % 65521;
    }
    return tv_str(str_of(arena_printf(r->arena, "%u", y << 16 | x)));
}

/* --- passwords --- */

static struct str bcrypt_of(struct run *r, struct str password)
{
    char salt[CRYPT_GENSALT_OUTPUT_SIZE], random[16];
    struct crypt_data *data = xnew(struct crypt_data);
    char *clear = str_dup(password);
    random_bytes(random, sizeof(random));
    const char *made =
        crypt_gensalt_rn("$2a$", BCRYPT_COST, random, sizeof(random), salt, sizeof(salt))
            ? crypt_r(clear, salt, data)
            : NULL;
    struct str out = {0};
    if (!made || made[0] == '*')
        run_fail(r, "bcrypt is not known to this system's crypt(3)");
    else
        out = arena_str(r->arena, str_of(made));
    free(clear);
    free(data);
    return out;
}

FN(bcrypt)
{
    if (a[0].s.n > BCRYPT_MAX)
        return tv_str(STR("failed to encrypt string with bcrypt: bcrypt: password length exceeds "
                          "72 bytes"));
    r->steps += STEP_LIMIT / 50; /* some 60 ms */
    return tv_str(bcrypt_of(r, a[0].s));
}

FN(htpasswd)
{
    if (str_chr(a[0].s, ':') >= 0)
        return tv_str(
            str_of(arena_printf(r->arena, "invalid username: " STR_FMT, STR_ARG(a[0].s))));
    struct tval hash = bcrypt(r, a + 1, 1);
    if (run_failed(r)) return TV_NIL;
    return tv_str(
        str_of(arena_printf(r->arena, STR_FMT ":" STR_FMT, STR_ARG(a[0].s), STR_ARG(hash.s))));
}

/* --- the Master Password algorithm --- */

static const struct {
    const char *type;
    const char *forms; /* separated by blanks */
} password_forms[] = {
    {"maximum", "anoxxxxxxxxxxxxxxxxx axxxxxxxxxxxxxxxxxno"},
    {"long", "CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv "
             "CvccCvcvCvcvno CvcvnoCvccCvcv CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc "
             "CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv CvccCvccCvcvno "
             "CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc "
             "CvccCvcvCvccno"},
    {"medium", "CvcnoCvc CvcCvcno"},
    {"short", "Cvcn"},
    {"basic", "aaanaaan aannaaan aaannaaa"},
    {"pin", "nnnn"},
};

static const char *characters_of(char form)
{
    switch (form) {
    case 'V': return "AEIOU";
    case 'C': return "BCDFGHJKLMNPQRSTVWXYZ";
    case 'v': return "aeiou";
    case 'c': return "bcdfghjklmnpqrstvwxyz";
    case 'a': return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
    case 'n': return "0123456789";
    case 'o': return "@&%?,=[]_:-+*$#!'^~;()/.";
    default: return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()";
    }
}

static const char *forms_of(struct str type)
{
    for (size_t i = 0; i < ARRAY_LEN(password_forms); i++)
        if (str_is(type, password_forms[i].type)) return password_forms[i].forms;
    return NULL;
}

static struct str pick_form(const char *forms, u8 seed)
{
    size_t n = 1;
    for (const char *p = forms; *p; p++)
        n += *p == ' ';
    struct str rest = str_of(forms), form = str_cut(&rest, ' ');
    for (size_t i = seed % n; i > 0; i--)
        form = str_cut(&rest, ' ');
    return form;
}

static void add_be32(struct buf *b, u32 v)
{
    u8 bytes[4] = {(u8)(v >> 24), (u8)(v >> 16), (u8)(v >> 8), (u8)v};
    buf_add(b, bytes, 4);
}

static void seed_text(struct buf *b, struct str name)
{
    buf_reset(b);
    buf_cstr(b, "com.lyndir.masterpassword");
    add_be32(b, (u32)name.n);
    buf_str(b, name);
}

/* COUNTER TYPE PASSWORD USER SITE */
FN(derive_password)
{
    const char *forms = forms_of(a[1].s);
    struct buf b = run_buf();
    u8 key[64], seed[SHA256_LEN];
    char out[32];
    if (!forms)
        return tv_str(str_of(
            arena_printf(r->arena, "cannot find password template " STR_FMT, STR_ARG(a[1].s))));
    if (a[0].i < 0 || a[0].i > UINT32_MAX) return run_fail(r, "the counter does not fit uint32");
    r->steps += STEP_LIMIT / 20;
    seed_text(&b, a[3].s);
    int err = scrypt_key(a[2].s, buf_view(&b), 32768, 8, 2, key, sizeof(key));
    seed_text(&b, a[4].s);
    add_be32(&b, (u32)a[0].i);
    hmac_sha256(str_n((const char *)key, sizeof(key)), buf_view(&b), seed);
    buf_done(&b);
    if (err) return run_fail(r, "failed to derive password");
    struct str form = pick_form(forms, seed[0]);
    for (size_t i = 0; i < form.n; i++) {
        const char *set = characters_of(form.p[i]);
        out[i] = set[seed[i + 1] % strlen(set)];
    }
    return tv_str(arena_str(r->arena, str_n(out, form.n)));
}

/* --- AES --- */

static void key_of(struct str password, u8 key[32])
{
    memset(key, 0, 32);
    if (password.n) memcpy(key, password.p, MIN(password.n, 32u));
}

FN(encrypt_aes)
{
    struct buf b = run_buf(), plain = run_buf();
    u8 key[32], iv[AES_BLOCK];
    size_t pad = AES_BLOCK - a[1].s.n % AES_BLOCK;
    if (a[1].s.n == 0) return a[1];
    key_of(a[0].s, key);
    random_bytes(iv, sizeof(iv));
    buf_str(&plain, a[1].s);
    for (size_t i = 0; i < pad; i++)
        buf_ch(&plain, (char)pad);
    char *out = buf_err(&plain) ? NULL : arena_alloc(r->arena, sizeof(iv) + plain.n);
    if (out) {
        memcpy(out, iv, sizeof(iv));
        aes256_cbc(true, key, iv, (u8 *)plain.p, plain.n, (u8 *)out + sizeof(iv));
        base64_encode(&b, BASE64_STD, out, sizeof(iv) + plain.n);
    }
    buf_done(&plain);
    return out ? run_value(r, &b) : run_too_big(r);
}

static struct tval decrypted(struct run *r, struct str password, const struct buf *in)
{
    u8 key[32];
    size_t n = in->n - AES_BLOCK;
    key_of(password, key);
    u8 *out = arena_alloc(r->arena, n + 1);
    aes256_cbc(false, key, (u8 *)in->p, (u8 *)in->p + AES_BLOCK, n, out);
    if (out[n - 1] > n) return run_fail(r, "runtime error: slice bounds out of range");
    return tv_str(str_n((char *)out, n - out[n - 1]));
}

FN(decrypt_aes)
{
    struct buf b = run_buf();
    size_t at = 0;
    struct tval v;
    if (a[1].s.n == 0) return a[1];
    if (base64_decode(&b, BASE64_STD, a[1].s, &at))
        v = run_fail(r, "illegal base64 data at input byte %zu", at);
    else if (b.n < 2 * AES_BLOCK || b.n % AES_BLOCK)
        v = run_fail(r, "crypto/cipher: input not full blocks");
    else
        v = decrypted(r, a[0].s, &b);
    buf_done(&b);
    return v;
}

static const struct tfunc funcs[] = {
    {"sha1sum", "s", sha1sum},
    {"sha256sum", "s", sha256sum},
    {"sha512sum", "s", sha512sum},
    {"adler32sum", "s", adler32sum},
    {"bcrypt", "s", bcrypt},
    {"htpasswd", "ss", htpasswd},
    {"derivePassword", "issss", derive_password},
    {"encryptAES", "ss", encrypt_aes},
    {"decryptAES", "ss", decrypt_aes},
};
FUNC_TABLE(fn_crypto, funcs);
