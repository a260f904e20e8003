/* htpasswd files. */
#include "components/common/htpasswd.h"

#include <crypt.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/map.h"
#include "base/xalloc.h"

#define KEY_LEN      32
#define PASSWORD_MAX 1024 /* longer ones are refused before anything is computed */
#define SHA1_LEN     20

struct user {
    _Atomic u64 proven; /* digest of the password that was right; 0: none yet */
    char hash[];
};

struct htpasswd {
    struct map users;
    u8 key[KEY_LEN]; /* of the digests */
};

struct htpasswd *htpasswd_new(void)
{
    struct htpasswd *h = xnew(struct htpasswd);
    random_bytes(h->key, KEY_LEN);
    return h;
}

void htpasswd_free(struct htpasswd *h)
{
    if (!h) return;
    map_done(&h->users, free);
    free(h);
}

static void add_user(struct htpasswd *h, struct str name, struct str hash)
{
    struct user *u = xcalloc(1, sizeof(*u) + hash.n + 1);
    memcpy(u->hash, hash.p, hash.n);
    free(map_put(&h->users, name, u));
}

bool htpasswd_add(struct htpasswd *h, struct str text, struct str *ret_bad)
{
    while (text.n > 0) {
        struct str line = str_trim(str_cut(&text, '\n'));
        ssize_t colon = str_chr(line, ':');
        if (line.n == 0 || line.p[0] == '#') continue;
        if (colon <= 0) {
            *ret_bad = line;
            return false;
        }
        add_user(h, str_sub(line, 0, (size_t)colon), str_sub(line, (size_t)colon + 1, line.n));
    }
    return true;
}

/* --- the forms of a hash --- */

/* {SHA}base64(sha1(password)), {SSHA}base64(sha1(password salt) salt) */
static bool sha1_matches(struct str encoded, struct str password)
{
    struct buf raw = BUF_INIT(256), input = BUF_INIT(PASSWORD_MAX + 256);
    u8 digest[SHA1_LEN];
    bool ok = base64_decode(&raw, BASE64_STD, encoded, NULL) == 0 && raw.n >= SHA1_LEN;
    if (ok) {
        buf_str(&input, password);
        buf_add(&input, raw.p + SHA1_LEN, raw.n - SHA1_LEN);
        sha1(input.p, input.n, digest);
        ok = secret_eq(str_n(raw.p, SHA1_LEN), str_n((const char *)digest, SHA1_LEN));
    }
    buf_done(&raw);
    buf_done(&input);
    return ok;
}

static void apr1_base64(struct buf *out, u32 v, int digits)
{
    static const char alphabet[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (; digits > 0; digits--, v >>= 6)
        buf_ch(out, alphabet[v & 63]);
}

static void apr1_first(struct str password, struct str salt, u8 digest[16])
{
    struct buf in = BUF_INIT(4 * PASSWORD_MAX);
    buf_str(&in, password);
    buf_str(&in, salt);
    buf_str(&in, password);
    md5(in.p, in.n, digest);
    buf_reset(&in);
    buf_str(&in, password);
    buf_cstr(&in, "$apr1$");
    buf_str(&in, salt);
    for (size_t left = password.n; left > 0; left -= MIN(left, 16u))
        buf_add(&in, digest, MIN(left, 16u));
    for (size_t bits = password.n; bits > 0; bits >>= 1)
        buf_ch(&in, bits & 1 ? '\0' : password.p[0]);
    md5(in.p, in.n, digest);
    buf_done(&in);
}

static void apr1_round(int i, struct str password, struct str salt, u8 digest[16], struct buf *in)
{
    struct str last = str_n((const char *)digest, 16);
    buf_reset(in);
    buf_str(in, i & 1 ? password : last);
    if (i % 3) buf_str(in, salt);
    if (i % 7) buf_str(in, password);
    buf_str(in, i & 1 ? last : password);
    md5(in->p, in->n, digest);
}

void htpasswd_apr1(struct str password, struct str salt, struct buf *out)
{
    static const u8 order[5][3] = {{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}};
    u8 d[16];
    struct buf in = BUF_INIT(4 * PASSWORD_MAX);
    salt.n = MIN(salt.n, 8u);
    apr1_first(password, salt, d);
    for (int i = 0; i < 1000; i++)
        apr1_round(i, password, salt, d, &in);
    buf_printf(out, "$apr1$" STR_FMT "$", STR_ARG(salt));
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        apr1_base64(out, (u32)d[order[i][0]] << 16 | (u32)d[order[i][1]] << 8 | d[order[i][2]], 4);
    apr1_base64(out, d[11], 2);
    buf_done(&in);
}

static bool apr1_matches(struct str hash, struct str password)
{
    struct buf made = BUF_INIT(256);
    struct str salt = str_sub(hash, 6, hash.n);
    salt = str_cut(&salt, '$');
    htpasswd_apr1(password, salt, &made);
    bool ok = secret_eq(buf_view(&made), hash);
    buf_done(&made);
    return ok;
}

static bool crypt_matches(struct str hash, struct str password)
{
    struct crypt_data *data = xnew(struct crypt_data);
    char *clear = str_dup(password);
    const char *made = crypt_r(clear, hash.p, data);
    bool ok = made && secret_eq(str_of(made), hash);
    free(clear);
    free(data);
    return ok;
}

static bool hash_matches(struct str hash, struct str password)
{
    if (str_starts(hash, STR("{SHA}"))) return sha1_matches(str_sub(hash, 5, hash.n), password);
    if (str_starts(hash, STR("{SSHA}"))) return sha1_matches(str_sub(hash, 6, hash.n), password);
    if (str_starts(hash, STR("$apr1$"))) return apr1_matches(hash, password);
    if (hash.n > 0 && hash.p[0] == '$') return crypt_matches(hash, password);
    return secret_eq(hash, password);
}

/* --- checking --- */

static u64 digest_of(const struct htpasswd *h, struct str password)
{
    u8 out[SHA256_LEN];
    u64 v;
    hmac_sha256(str_n((const char *)h->key, KEY_LEN), password, out);
    memcpy(&v, out, sizeof(v));
    return v | 1; /* never the "none" of a user */
}

bool htpasswd_check(struct htpasswd *h, struct str user, struct str password)
{
    struct user *u = map_get(&h->users, user);
    if (!u || password.n > PASSWORD_MAX) return false;
    u64 digest = digest_of(h, password);
    if (atomic_load_explicit(&u->proven, memory_order_relaxed) == digest) return true;
    if (!hash_matches(str_of(u->hash), password)) return false;
    atomic_store_explicit(&u->proven, digest, memory_order_relaxed);
    return true;
}
