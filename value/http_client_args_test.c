/* The settings of HTTP clients: the tables hold together, rules speak, values arrive in net/. */
#include <errno.h>
#include "base/test.h"
#include "parser/parser.h"
#include "value/decode.h"
#include "value/http_client_args.h"

struct bench {
    struct arena arena;
    struct http_client_args args;
};

static int setup(void **state)
{
    struct bench *b = xnew(struct bench);

    arena_init(&b->arena, 0);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    arena_done(&b->arena);
    free(b);
    return 0;
}

/* want: the faults on one line, "" for none. */
static void decodes(struct bench *b, const char *text, const char *want)
{
    struct diags diags;
    struct buf got = BUF_INIT(1 << 16);

    diags_init(&diags);
    struct source *src = source_new(NULL, str_of(text));
    struct tree *tree = parse_file(src, &diags);
    assert_non_null(tree);
    (void)decode_body(&http_client_args_schema, NULL, &tree->body, NULL, &b->arena, &b->args,
                      &diags); /* its faults are in diags */
    if (diags.list.n) diags_line(&diags, &got);
    assert_buf(&got, want);
    buf_done(&got);
    tree_free(tree);
    source_unref(src);
    diags_done(&diags);
}

static void tables_hold_together(void **state)
{
    struct buf out = BUF_INIT(1 << 16);

    assert_int_equal(schema_lint(&http_client_args_schema, "client", &out), 0);
    buf_done(&out);
}

static void defaults(void **state)
{
    struct bench *b = *state;
    struct http_target_conf conf;
    struct http_auth_conf auth;

    decodes(b, "", "");
    http_client_args_target(&b->args, &b->arena, &conf);
    assert_true(conf.http2 && conf.follow_redirects);
    assert_false(conf.proxy_from_env || conf.tls.skip_verify);
    http_client_args_auth(&b->args, &b->arena, &auth);
    assert_int_equal(auth.kind, HTTP_AUTH_NONE);
}

static void all_of_it_arrives(void **state)
{
    struct bench *b = *state;
    struct http_target_conf conf;
    const struct http_header *h = NULL;

    decodes(b,
            "follow_redirects = false\nproxy_url = \"http://p:1\"\nno_proxy = \"h\"\n"
            "proxy_connect_header = {\"X-A\" = [\"1\", \"2\"]}\n"
            "http_headers = {\"X-B\" = [\"3\"]}\n"
            "tls_config {\n ca_pem = \"CA\"\n min_version = \"TLS13\"\n server_name = \"n\"\n}",
            "");
    http_client_args_target(&b->args, &b->arena, &conf);
    assert_false(conf.follow_redirects);
    assert_text(conf.proxy_url, "http://p:1");
    assert_text(conf.no_proxy, "h");
    assert_int_equal(conf.n_proxy_headers, 2);
    assert_text(conf.proxy_headers[1].name, "X-A");
    assert_text(conf.proxy_headers[1].value, "2");
    assert_text(conf.tls.ca_pem, "CA");
    assert_text(conf.tls.server_name, "n");
    assert_int_equal(conf.tls.min, TLS_1_3);
    assert_int_equal(http_client_args_headers(&b->args, &b->arena, &h), 1);
    assert_text(h->value, "3");
}

static void oauth2_arrives(void **state)
{
    struct bench *b = *state;
    struct http_auth_conf auth;
    struct http_target_conf conf;

    decodes(b,
            "oauth2 {\n client_id = \"id\"\n client_secret = \"s\"\n token_url = \"http://t/x\"\n"
            " scopes = [\"a\", \"b\"]\n endpoint_params = {p = \"q\"}\n"
            " tls_config {\n insecure_skip_verify = true\n }\n}",
            "");
    http_client_args_auth(&b->args, &b->arena, &auth);
    assert_int_equal(auth.kind, HTTP_AUTH_OAUTH2);
    assert_text(auth.scope, "a b");
    assert_int_equal(auth.n_params, 1);
    assert_text(auth.params[0].value, "q");
    http_client_args_token_target(&b->args, &b->arena, &conf);
    assert_true(conf.tls.skip_verify);
}

static void rules_speak(void **state)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"bearer_token = \"t\"\nbasic_auth {\n username = \"u\"\n}",
         "at most one of basic_auth, authorization, oauth2, bearer_token & bearer_token_file must "
         "be configured"},
        {"basic_auth {\n password = \"a\"\n password_file = \"b\"\n}",
         "at most one of password and password_file must be configured"},
        {"authorization {\n type = \"Basic\"\n}",
         "authorization type cannot be \"basic\": use a basic_auth block"},
        {"oauth2 {\n client_id = \"i\"\n token_url = \"http://t\"\n}",
         "exactly one of client_secret and client_secret_file must be configured"},
        {"oauth2 {\n client_secret = \"i\"\n token_url = \"http://t\"\n}",
         "client_id must be configured"},
        {"no_proxy = \"x\"", "no_proxy needs proxy_url"},
        {"proxy_from_environment = true\nproxy_url = \"http://p\"",
         "proxy_from_environment excludes proxy_url and no_proxy"},
        {"proxy_connect_header = {\"A\" = [\"b\"]}",
         "proxy_connect_header needs proxy_url or proxy_from_environment"},
        {"http_headers = {\"A\" = \"b\"}", "\"b\" should be array, got string"},
        {"http_headers = {\"A\" = [\"b\\r\\nC: d\"]}",
         "should be a map of header names to lists of their values"},
        {"tls_config {\n cert_file = \"c\"\n}",
         "a client certificate needs its key, and a key its certificate"},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct diags diags;
        diags_init(&diags);
        struct source *src = source_new(NULL, str_of(cases[i].text));
        struct tree *tree = parse_file(src, &diags);
        assert_int_equal(decode_body(&http_client_args_schema, NULL, &tree->body, NULL, &b->arena,
                                     &b->args, &diags),
                         -EINVAL);
        if (strcmp(diags.list.v[0].message, cases[i].fault) != 0)
            fail_msg("%s: %s", cases[i].text, diags.list.v[0].message);
        tree_free(tree);
        source_unref(src);
        diags_done(&diags);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tables_hold_together), TEST(defaults),    TEST(all_of_it_arrives),
        TEST(oauth2_arrives),       TEST(rules_speak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
