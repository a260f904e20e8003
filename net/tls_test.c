/* TLS of the server by itself: bad material, certificates that change on disk, plain HTTP on a TLS
 * port. */
#include "net/server_kit.h"
#include "net/tls_kit.h"
#include <openssl/ssl.h>

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void bad_material_is_refused(void **state)
{
    struct tls_kit a = tls_kit_new("DNS:a"), b = tls_kit_new("DNS:b");
    const struct tls_conf bad[] = {
        {.cert_pem = STR("x"), .key_pem = str_of(a.key)},
        {.cert_pem = str_of(a.cert), .key_pem = STR("x")},
        {.cert_pem = str_of(a.cert), .key_pem = str_of(b.key)},
        {.cert_file = STR("/nonexistent"), .key_pem = str_of(a.key)},
        {.cert_pem = str_of(a.cert), .key_pem = str_of(a.key), .client_ca_pem = STR("x")},
        {.cert_pem = str_of(a.cert), .key_pem = str_of(a.key), .min = TLS_1_3, .max = TLS_1_0},
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char *err = NULL;
        assert_null(tls_server_new(&bad[i], true, &err));
        assert_non_null(err);
        free(err);
    }
    tls_kit_free(&a);
    tls_kit_free(&b);
}

static void versions_have_names(void **state)
{
    enum tls_version v;

    assert_true(tls_version_parse(STR("1.3"), &v) && v == TLS_1_3);
    assert_true(tls_version_parse((struct str){0}, &v) && v == TLS_VERSION_UNSET);
    assert_false(tls_version_parse(STR("2"), &v));
}

/* A handshake with the server of the kit; the serial number of its certificate. */
static long serial_seen(struct kit *k)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    int fd = kit_connect(k), r;

    SSL_set_fd(ssl, fd);
    for (int i = 0; i < 100 && (r = SSL_connect(ssl)) != 1; i++)
        kit_turn(k, 2);
    assert_int_equal(r, 1);
    X509 *x = SSL_get1_peer_certificate(ssl);
    long serial = ASN1_INTEGER_get(X509_get_serialNumber(x));
    X509_free(x);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    kit_turn(k, 3);
    return serial;
}

static void certificates_are_read_again(void **state)
{
    struct tls_kit a = tls_kit_new("DNS:a"), b = tls_kit_new("DNS:b");
    struct kit k = {0};
    char *err = NULL, dir[] = "/tmp/weir-tls-XXXXXX";

    assert_non_null(mkdtemp(dir));
    char *cert = xprintf("%s/cert.pem", dir), *key = xprintf("%s/key.pem", dir);
    put(cert, a.cert);
    put(key, a.key);
    struct tls_server *t = tls_server_new(
        &(struct tls_conf){.cert_file = str_of(cert), .key_file = str_of(key)}, true, &err);
    assert_non_null(t);
    kit_open(&k, &(struct http_conf){.tls = t});
    long first = serial_seen(&k);
    clock_fake_advance(&k.clock, 2 * NS_PER_SEC);
    assert_int_equal(serial_seen(&k), first);
    put(cert, b.cert); /* only half of the change: the old pair stays in use */
    clock_fake_advance(&k.clock, 2 * NS_PER_SEC);
    assert_int_equal(serial_seen(&k), first);
    put(key, b.key);
    clock_fake_advance(&k.clock, 2 * NS_PER_SEC);
    assert_int_not_equal(serial_seen(&k), first);
    tls_server_unref(t);
    kit_close(&k);
    unlink(cert);
    unlink(key);
    rmdir(dir);
    free(cert);
    free(key);
    tls_kit_free(&a);
    tls_kit_free(&b);
}

static void plain_http_is_told_so(void **state)
{
    struct tls_kit a = tls_kit_new("DNS:a");
    struct kit k = {0};
    char *err = NULL;
    struct tls_server *t = tls_server_new(
        &(struct tls_conf){.cert_pem = str_of(a.cert), .key_pem = str_of(a.key)}, true, &err);

    kit_open(&k, &(struct http_conf){.tls = t});
    int fd = kit_connect(&k);
    kit_put(&k, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    kit_expect(&k, fd, "Client sent an HTTP request to an HTTPS server.", true);
    close(fd);
    fd = kit_connect(&k);
    kit_put(&k, fd, "complete and utter nonsense, that no TLS stack would take for a hello");
    bool closed;
    free(kit_read(&k, fd, &closed));
    assert_true(closed);
    close(fd);
    tls_server_unref(t);
    kit_close(&k);
    tls_kit_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_material_is_refused),
        cmocka_unit_test(versions_have_names),
        cmocka_unit_test(certificates_are_read_again),
        cmocka_unit_test(plain_http_is_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
