/* Targets of containers: whose network, which port, what address, which labels. */
#include "base/test.h"

#include "components/discovery/docker_targets.h"

static struct arena arena;

static struct docker_containers parse(const char *json)
{
    struct docker_containers c;
    const char *err;

    if (docker_read_containers(str_of(json), &arena, &c, &err) != 0) fail_msg("%s", err);
    return c;
}

/* The addresses and a label of all targets, "10.0.0.1:80=value ...". */
static void expect(const char *containers, const struct docker_targets_conf *conf,
                   const char *label, const char *want)
{
    const struct docker_containers c = parse(containers);
    struct docker_label team[] = {{STR("a.b-c"), STR("x")}};
    struct docker_network known[] = {{.id = STR("i1"), .name = STR("net1"), .labels = {team, 1}}};
    const struct docker_networks networks = {known, 1};
    struct target_list list = {0};
    struct buf out = BUF_INIT(1 << 16);
    struct label_set set;

    assert_int_equal(docker_targets(&c, &networks, conf, &list), 0);
    struct value targets = target_list_value(&list);
    label_set_init(&set);
    for (size_t i = 0; i < targets_count(targets); i++) {
        target_load(targets, i, &set);
        struct str address = label_set_get(&set, STR("__address__")),
                   value = label_set_get(&set, str_of(label));
        buf_printf(&out, "%s" STR_FMT "=" STR_FMT, i ? " " : "", STR_ARG(address), STR_ARG(value));
    }
    label_set_done(&set);
    value_unref(targets);
    if (!out.p) buf_cstr(&out, "");
    assert_buf(&out, want);
    buf_done(&out);
}

static const struct docker_targets_conf usual = {
    .port = 80, .host_networking_host = STR("localhost"), .match_first_network = true};
static const struct docker_targets_conf every = {.port = 9, .host_networking_host = STR("h")};

#define NETS(x) "\"NetworkSettings\":{\"Networks\":{" x "}}"
#define N1      "\"b\":{\"NetworkID\":\"i1\",\"IPAddress\":\"10.0.0.1\"}"
#define N2      "\"a\":{\"NetworkID\":\"i2\",\"IPAddress\":\"fd00::2\"}"
#define TCP(p)  "{\"PrivatePort\":" #p ",\"Type\":\"tcp\"}"

static void ports(void **state)
{
    expect("[{\"Names\":[\"/c\"],\"Ports\":[" TCP(80) "," TCP(81) ",{\"PrivatePort\":5,\"Type\":"
                                                                  "\"udp\"}]," NETS(N1) "}]",
           &usual, "__meta_docker_port_private", "10.0.0.1:80=80 10.0.0.1:81=81");
    expect("[{\"Names\":[\"/c\"],\"Ports\":[{\"PrivatePort\":5,\"Type\":\"udp\"}]," NETS(N1) "}]",
           &usual, "__meta_docker_port_private", "10.0.0.1:80=");
}

static void networks(void **state)
{
    expect("[{\"Names\":[\"/c\"]," NETS(N1 "," N2) "}]", &usual, "__meta_docker_network_ip",
           "[fd00::2]:80=fd00::2");
    expect("[{\"Names\":[\"/c\"]," NETS(N1 "," N2) "}]", &every,
           "__meta_docker_network_label_a_b_c", "10.0.0.1:9=x [fd00::2]:9=");
    expect("[{\"Names\":[\"/c\"]," NETS("") "}]", &every, "x", "");
    expect("[{" NETS(N1) "}]", &every, "x", ""); /* no name */
}

static void networks_of_others(void **state)
{
    expect("[{\"Id\":\"1\",\"Names\":[\"/a\"]," NETS(
               N1) "},"
                   "{\"Id\":\"2\",\"Names\":[\"/"
                   "b\"],\"HostConfig\":{\"NetworkMode\":\"container:1\"}},"
                   "{\"Id\":\"3\",\"Names\":[\"/"
                   "c\"],\"HostConfig\":{\"NetworkMode\":\"container:2\"}},"
                   "{\"Id\":\"4\",\"Names\":[\"/"
                   "d\"],\"HostConfig\":{\"NetworkMode\":\"container:x\"}},"
                   "{\"Id\":\"5\",\"Names\":[\"/"
                   "e\"],\"HostConfig\":{\"NetworkMode\":\"container:5\"}}]",
           &usual, "__meta_docker_container_name", "10.0.0.1:80=/a 10.0.0.1:80=/b 10.0.0.1:80=/c");
}

static void host_network(void **state)
{
    expect(
        "[{\"Names\":[\"/c\"],\"HostConfig\":{\"NetworkMode\":\"host\"}," NETS("\"host\":{}") "}]",
        &usual, "__meta_docker_container_network_mode", "localhost=host");
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
        cmocka_unit_test(ports),
        cmocka_unit_test(networks),
        cmocka_unit_test(networks_of_others),
        cmocka_unit_test(host_network),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
