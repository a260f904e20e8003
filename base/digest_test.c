/* Tests of base/digest.h: published vectors, and Go's base64 rules. */
#include "base/digest.h"
#include <errno.h>
#include "base/test.h"

static void assert_hex(const u8 *p, size_t n, const char *want)
{
    struct buf b = BUF_INIT(200);

    hex_encode(&b, p, n);
    assert_buf(&b, want);
    buf_done(&b);
}

static void digests(void **state)
{
    u8 d[32];

    sha256("abc", 3, d);
    assert_hex(d, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256(NULL, 0, d);
    assert_hex(d, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha1("abc", 3, d);
    assert_hex(d, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    md5("abc", 3, d);
    assert_hex(d, 16, "900150983cd24fb0d6963f7d28e17f72");
    hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), d);
    assert_hex(d, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hmac_sha256((struct str){0}, (struct str){0}, d);
    assert_hex(d, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void hexadecimal(void **state)
{
    u8 out[4];
    size_t n = 9;

    assert_int_equal(hex_decode(STR("00fFA5"), out, sizeof(out), &n), 0);
    assert_int_equal(n, 3);
    assert_memory_equal(out, "\x00\xFF\xA5", 3);
    assert_int_equal(hex_decode(STR("0"), out, sizeof(out), &n), -EINVAL);
    assert_int_equal(hex_decode(STR("0g"), out, sizeof(out), &n), -EINVAL);
    assert_int_equal(hex_decode(STR("0011223344"), out, sizeof(out), &n), -E2BIG);
    assert_int_equal(n, 3);
    assert_int_equal(hex_decode(STR(""), out, sizeof(out), &n), 0);
    assert_int_equal(n, 0);
}

static void base64_round_trips(void **state)
{
    static const struct {
        const char *plain, *std, *url, *raw;
    } cases[] = {
        {"", "", "", ""},
        {"f", "Zg==", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v", "Zm9v"},
        {"\xFB\xFF\xFE", "+//+", "-__-", "+//+"},
        {"\xFB\xFF", "+/8=", "-_8=", "+/8"},
    };
    struct buf b = BUF_INIT(100);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *text[] = {[BASE64_STD] = cases[i].std,
                              [BASE64_URL] = cases[i].url,
                              [BASE64_STD_RAW] = cases[i].raw};

        for (int k = BASE64_STD; k <= BASE64_STD_RAW; k++) {
            base64_encode(&b, (enum base64_kind)k, cases[i].plain, strlen(cases[i].plain));
            assert_buf(&b, text[k]);
            assert_int_equal(base64_decode(&b, (enum base64_kind)k, str_of(text[k]), NULL), 0);
            assert_buf(&b, cases[i].plain);
        }
        assert_int_equal(base64_decode(&b, BASE64_STD_RAW, str_of(cases[i].std), NULL), 0);
        assert_buf(&b, cases[i].plain);
    }
    assert_int_equal(base64_decode(&b, BASE64_STD, STR("Zm\r\n9\nvZg=\n=\n"), NULL), 0);
    assert_buf(&b, "foof");
    buf_done(&b);
}

static void base64_faults(void **state)
{
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {{"!", 0},    {"Zm9v!", 4}, {"Z", 0},        {"Zm9vZ", 4}, {"Zg", 0},
                 {"Zg=", 3},  {"Zg==x", 4}, {"Zm8=Zm8=", 4}, {"=", 0},     {"Z===", 1},
                 {"Zg=x", 2}, {"-__-", 0},  {"Zm9v Zm9v", 4}};
    struct buf b = BUF_INIT(100);

    buf_cstr(&b, "kept");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t at = 99;

        assert_int_equal(base64_decode(&b, BASE64_STD, str_of(cases[i].text), &at), -EINVAL);
        if (at != cases[i].at) fail_msg("%s fails at %zu", cases[i].text, at);
        assert_text(buf_view(&b), "kept");
    }
    buf_done(&b);
}

static void secrets(void **state)
{
    assert_true(secret_eq(STR("abc"), STR("abc")));
    assert_false(secret_eq(STR("abc"), STR("abd")));
    assert_false(secret_eq(STR("abc"), STR("ab")));
    assert_true(secret_eq((struct str){0}, STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests),
        cmocka_unit_test(hexadecimal),
        cmocka_unit_test(base64_round_trips),
        cmocka_unit_test(base64_faults),
        cmocka_unit_test(secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
