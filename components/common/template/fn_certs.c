/* Keys and certificates (PEM). */
#include <errno.h>
#include <stdlib.h>
#include "base/digest.h"
#include "components/common/template/run.h"
#include "net/certs.h"

#define KEY_STEPS (STEP_LIMIT / 20) /* making one is dear */

FN(private_key)
{
    struct buf b = run_buf();
    r->steps += KEY_STEPS;
    int err = certs_private_key(a[0].s, &b);
    if (err == -EINVAL) buf_printf(&b, "Unknown type " STR_FMT, STR_ARG(a[0].s));
    if (err == -EIO) return run_fail(r, "failed to generate private key");
    return run_value(r, &b);
}

static struct tval made(struct run *r, const struct cert_request *q)
{
    struct buf cert = run_buf(), key = run_buf();
    char *err = NULL;
    struct tval v = TV_NIL;
    r->steps += KEY_STEPS;
    if (run_failed(r)) return v;
    if (certs_make(q, &cert, &key, &err)) {
        run_fail(r, "%s", err);
        free(err);
    } else {
        v = (struct tval){.type = T_CERT, .cert = arena_new(r->arena, struct tcert)};
        v.cert->cert = run_text(r, &cert);
        v.cert->key = run_text(r, &key);
    }
    buf_done(&cert);
    buf_done(&key);
    return v;
}

static const struct str *texts(struct run *r, struct tval l, const char *what, size_t *ret_n)
{
    struct str *out = arena_array(r->arena, struct str, l.list.n + 1);
    for (size_t i = 0; i < l.list.n; i++) {
        if (l.list.v[i].type != T_STRING) run_fail(r, "%s: it is not a string", what);
        out[i] = l.list.v[i].type == T_STRING ? l.list.v[i].s : (struct str){0};
    }
    *ret_n = l.list.n;
    return out;
}

static void set_names(struct run *r, struct cert_request *q, struct tval ips, struct tval names)
{
    q->ips = texts(r, ips, "error parsing ip", &q->n_ips);
    q->names = texts(r, names, "error processing alternate dns name", &q->n_names);
}

/* CN DAYS [KEY] */
FN(ca)
{
    struct cert_request q = {.cn = a[0].s, .days = a[1].i, .ca = true};
    if (n > 2) q.key = a[2].s;
    return made(r, &q);
}

/* CN IPS NAMES DAYS [KEY] */
FN(self_signed)
{
    struct cert_request q = {.cn = a[0].s, .days = a[3].i};
    set_names(r, &q, a[1], a[2]);
    if (n > 4) q.key = a[4].s;
    return made(r, &q);
}

/* CN IPS NAMES DAYS CA [KEY] */
FN(signed_by)
{
    struct cert_request q = {.cn = a[0].s, .days = a[3].i};
    if (a[4].type != T_CERT)
        return run_fail(r, "wrong type for value; expected sprig.certificate; got %s",
                        tv_go_type(a[4]));
    set_names(r, &q, a[1], a[2]);
    q.ca_cert = a[4].cert->cert;
    q.ca_key = a[4].cert->key;
    if (n > 5) q.key = a[5].s;
    return made(r, &q);
}

static bool decoded(struct run *r, struct str s, const char *what, struct str *ret)
{
    struct buf b = run_buf();
    bool ok = base64_decode(&b, BASE64_STD, s, NULL) == 0;
    if (ok)
        *ret = run_text(r, &b);
    else
        run_fail(r, "unable to decode base64 %s", what);
    buf_done(&b);
    return ok;
}

/* Both as base64 of PEM. */
FN(custom)
{
    struct tval v = {.type = T_CERT, .cert = arena_new(r->arena, struct tcert)};
    char *err = NULL;
    if (!decoded(r, a[0].s, "certificate", &v.cert->cert) ||
        !decoded(r, a[1].s, "private key", &v.cert->key))
        return TV_NIL;
    if (!certs_check(v.cert->cert, v.cert->key, &err)) return v;
    run_fail(r, "%s", err);
    free(err);
    return TV_NIL;
}

static const struct tfunc funcs[] = {
    {"genPrivateKey", "s", private_key},
    {"genCA", "si", ca},
    {"genCAWithKey", "sis", ca},
    {"genSelfSignedCert", "svvi", self_signed},
    {"genSelfSignedCertWithKey", "svvis", self_signed},
    {"genSignedCert", "svvia", signed_by},
    {"genSignedCertWithKey", "svvias", signed_by},
    {"buildCustomCert", "ss", custom},
};
FUNC_TABLE(fn_certs, funcs);
