/* Answers of the Engine API: what is taken, what is skipped, what is refused; hosts, versions. */
#include "base/test.h"

#include <errno.h>
#include "components/common/docker.h"
#include "components/common/docker_json.h"

static struct arena arena;

static void states(void **state)
{
    static const struct {
        const char *body;
        struct docker_state want;
    } good[] = {
        {"{}", {0}},
        {"{\"Config\":null,\"State\":{\"Running\":null}}", {0}},
        {"{\"Id\":\"x\",\"State\":{\"Running\":true,\"Pid\":1,\"FinishedAt\":\"0001-01-01T00:00:"
         "00Z\"},"
         "\"Config\":{\"Env\":[\"A=b\"],\"Tty\":true}}",
         {.tty = true, .running = true}},
        {"{\"State\":{\"FinishedAt\":\"2023-11-14T22:13:20.5Z\",\"Running\":false}}",
         {.finished_at = 1700000000500000000}},
    };
    static const char *const bad[] = {"",         "[]",           "{\"State\":[]}",
                                      "{} {}",    "{\"State\":{", "{\"Config\":{\"Tty\":\"yes\"}}",
                                      "{\"a\":}", "nonsense"};
    const char *err;

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct docker_state got = {0};
        assert_int_equal(docker_read_state(str_of(good[i].body), &arena, &got, &err), 0);
        assert_memory_equal(&got, &good[i].want, sizeof(got));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct docker_state got = {.running = true};
        err = NULL;
        if (docker_read_state(str_of(bad[i]), &arena, &got, &err) != -EBADMSG)
            fail_msg("%s is taken", bad[i]);
        assert_non_null(err);
        assert_true(got.running);
    }
}

static void containers(void **state)
{
    static const char body[] =
        "[{\"Id\":\"a\",\"Names\":[\"/one\",\"/two\"],\"Labels\":{\"k\\u0041\":\"v\",\"e\":\"\"},"
        "\"Ports\":[{\"PrivatePort\":80,\"Type\":\"tcp\"},{\"IP\":\"::\",\"PrivatePort\":53,"
        "\"PublicPort\":5353,\"Type\":\"udp\"}],\"HostConfig\":{\"NetworkMode\":\"host\",\"X\":1},"
        "\"NetworkSettings\":{\"Networks\":{\"n1\":{\"NetworkID\":\"id1\",\"IPAddress\":\"10.0.0."
        "1\","
        "\"Aliases\":null}}},\"Mounts\":[{}]},"
        "{\"Id\":\"b\",\"Names\":null,\"Labels\":null,\"Ports\":null},{}]";
    struct docker_containers got;
    const char *err;

    assert_int_equal(docker_read_containers(str_of(body), &arena, &got, &err), 0);
    assert_int_equal(got.n, 3);
    const struct docker_container *c = got.v;
    assert_text(c->id, "a");
    assert_text(c->name, "/one");
    assert_int_equal(c->labels.n, 2);
    assert_text(c->labels.v[0].name, "kA");
    assert_text(c->labels.v[0].value, "v");
    assert_int_equal(c->ports.n, 2);
    assert_int_equal(c->ports.v[0].private_port, 80);
    assert_int_equal(c->ports.v[0].public_port, 0);
    assert_text(c->ports.v[1].ip, "::");
    assert_int_equal(c->ports.v[1].public_port, 5353);
    assert_text(c->network_mode, "host");
    assert_int_equal(c->networks.n, 1);
    assert_text(c->networks.v[0].name, "n1");
    assert_text(c->networks.v[0].network_id, "id1");
    assert_text(c->networks.v[0].ip, "10.0.0.1");
    assert_int_equal(got.v[1].name.n, 0);
    assert_int_equal(docker_read_containers(STR("[]"), &arena, &got, &err), 0);
    assert_int_equal(got.n, 0);
    assert_int_equal(docker_read_containers(STR("[{\"Labels\":{\"a\":1}}]"), &arena, &got, &err),
                     -EBADMSG);
    assert_int_equal(docker_read_containers(STR("{}"), &arena, &got, &err), -EBADMSG);
    assert_int_equal(docker_read_containers(STR("[{},"), &arena, &got, &err), -EBADMSG);
}

static void networks(void **state)
{
    struct docker_networks got;
    const char *err;

    assert_int_equal(
        docker_read_networks(
            STR("[{\"Name\":\"n\",\"Id\":\"i\",\"Scope\":\"swarm\",\"Internal\":true,"
                "\"Ingress\":false,\"Labels\":{\"l\":\"m\"},\"IPAM\":{\"Config\":[]}}]"),
            &arena, &got, &err),
        0);
    assert_int_equal(got.n, 1);
    assert_text(got.v[0].name, "n");
    assert_text(got.v[0].id, "i");
    assert_text(got.v[0].scope, "swarm");
    assert_true(got.v[0].internal && !got.v[0].ingress);
    assert_text(got.v[0].labels.v[0].value, "m");
}

static void many_elements(void **state)
{
    struct buf b = BUF_INIT(1 << 20);
    struct docker_containers got;
    const char *err;

    buf_ch(&b, '[');
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%s{\"Id\":\"%d\"}", i ? "," : "", i);
    buf_ch(&b, ']');
    assert_int_equal(docker_read_containers(buf_view(&b), &arena, &got, &err), 0);
    assert_int_equal(got.n, 1000);
    assert_text(got.v[0].id, "0");
    assert_text(got.v[512].id, "512");
    assert_text(got.v[999].id, "999");
    buf_done(&b);
}

static void hosts(void **state)
{
    static const struct {
        const char *host, *base, *socket;
        bool settings;
    } good[] = {
        {"unix:///var/run/docker.sock", "http://docker", "/var/run/docker.sock", false},
        {"tcp://10.0.0.1:2375", "http://10.0.0.1:2375", "", false},
        {"http://h:2375/", "http://h:2375", "", true},
        {"https://h/docker", "https://h/docker", "", true},
    };
    static const char *const bad[] = {"",           "h:2375", "unix://x",    "unix://",
                                      "ssh://h",    "tcp://", "http://h:x/", "http://u:p@h/",
                                      "http://h/?q"};

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct docker_host h;
        char *err = NULL;
        if (docker_host_parse(str_of(good[i].host), &arena, &h, &err) != 0) fail_msg("%s", err);
        assert_text(h.base, good[i].base);
        assert_text(h.unix_socket, good[i].socket);
        assert_text(h.shown, good[i].host);
        assert_int_equal(h.takes_settings, good[i].settings);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct docker_host h;
        char *err = NULL;
        if (docker_host_parse(str_of(bad[i]), &arena, &h, &err) != -EINVAL)
            fail_msg("%s is taken", bad[i]);
        assert_non_null(err);
        free(err);
    }
}

static void versions(void **state)
{
    static const struct {
        const char *engines, *want;
    } cases[] = {{"1.47", "1.47"}, {"1.40", "1.40"}, {"1.39", "1.40"}, {"1.99", "1.51"},
                 {"", "1.40"},     {"2.1", "1.40"},  {"1.x", "1.40"},  {"1.-5", "1.40"}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char got[8];
        docker_version(str_of(cases[i].engines), got);
        assert_string_equal(got, cases[i].want);
    }
}

static void escapes(void **state)
{
    struct buf b = BUF_INIT(1000);

    docker_escape(&b, STR("a-Z_0.~/{\"\xff ?"));
    assert_buf(&b, "a-Z_0.~%2F%7B%22%FF%20%3F");
    buf_done(&b);
}

static int begin(void **state)
{
    arena_init(&arena, 0);
    return 0;
}

static int end(void **state)
{
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states),        cmocka_unit_test(containers), cmocka_unit_test(networks),
        cmocka_unit_test(many_elements), cmocka_unit_test(hosts),      cmocka_unit_test(versions),
        cmocka_unit_test(escapes),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
