/* ntp and supervisord, with servers of the test's own at the other end; XML-RPC, good and bad. */
#include "components/prometheus/unix/testing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "components/prometheus/unix/xmlrpc.h"

extern const struct collector_def collector_ntp, collector_supervisord;

static struct unix_test t;
static struct arena arena;
static pthread_t thread;
static int fd;

static int setup(void **state)
{
    (void)state;
    unix_test_begin(&t);
    arena_init(&arena, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    unix_test_end(&t);
    return 0;
}

/* --- NTP: the clock of the test stands still, the server is half a second ahead of it --- */

#define NOW 1700000000
#define SEC ((u64)1 << 32)

static u8 head[4]; /* leap, version and mode; stratum; poll; precision */
static u64 reference_age;

static void put64(u8 *to, u64 v)
{
    for (int i = 0; i < 8; i++)
        to[i] = (u8)(v >> (56 - 8 * i));
}

static void *tell_time(void *arg)
{
    u64 now = ((u64)NOW + 2208988800u) << 32;
    struct sockaddr_in from;
    socklen_t n = sizeof(from);
    u8 p[48], out[48] = {0};

    (void)arg;
    assert_int_equal(recvfrom(fd, p, sizeof(p), 0, (struct sockaddr *)&from, &n), 48);
    assert_int_equal(p[0], 4 << 3 | 3);
    /* One that answers another question is not listened to. */
    memcpy(out, head, sizeof(head));
    sendto(fd, out, sizeof(out), 0, (struct sockaddr *)&from, n);
    out[6] = 0x80;  /* root delay: half a second */
    out[10] = 0x40; /* dispersion: a quarter */
    put64(out + 16, now - reference_age * SEC);
    memcpy(out + 24, p + 40, 8);
    put64(out + 32, now + SEC / 2);
    put64(out + 40, now + SEC / 2);
    sendto(fd, out, sizeof(out), 0, (struct sockaddr *)&from, n);
    return NULL;
}

static int run_ntp(u8 first, u8 stratum, u64 age, struct unix_args *args)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int r;

    memcpy(head, (u8[]){first, stratum, 6, 0xe8}, 4);
    reference_age = age;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    char *server = xprintf("127.0.0.1:%d", ntohs(at.sin_port));
    args->ntp.server = str_of(server);
    assert_int_equal(pthread_create(&thread, NULL, tell_time, NULL), 0);
    r = unix_test_run(&t, &collector_ntp, args);
    pthread_join(thread, NULL);
    close(fd);
    free(server);
    return r;
}

static void test_ntp(void **state)
{
    struct unix_args args = unix_test_args(&t);

    (void)state;
    args.ntp.local_offset_tolerance.ns = NS_PER_SEC;
    assert_int_equal(run_ntp(0x24, 2, 60, &args), 0);
    unix_test_line(&t, "node_ntp_stratum 2");
    unix_test_line(&t, "node_ntp_leap 0");
    unix_test_line(&t, "node_ntp_offset_seconds 0.5");
    unix_test_line(&t, "node_ntp_rtt_seconds 0");
    unix_test_line(&t, "node_ntp_root_delay_seconds 0.5");
    unix_test_line(&t, "node_ntp_root_dispersion_seconds 0.25");
    unix_test_line(&t, "node_ntp_reference_timestamp_seconds 1.69999994e+09");
    unix_test_line(&t, "node_ntp_sanity 1");
}

static void expect_insane(u8 first, u8 stratum, u64 age, const struct unix_args *base)
{
    struct unix_args args = *base;

    assert_int_equal(run_ntp(first, stratum, age, &args), 0);
    unix_test_line(&t, "node_ntp_sanity 0");
}

static void test_ntp_sanity(void **state)
{
    struct unix_args args = unix_test_args(&t);

    (void)state;
    expect_insane(0x24, 2, 60, &args); /* the offset */
    args.ntp.local_offset_tolerance.ns = NS_PER_SEC;
    expect_insane(0x24, 0, 60, &args);
    expect_insane(0x24, 16, 60, &args);
    expect_insane(0xe4, 2, 60, &args);
    expect_insane(0x24, 2, 200000, &args);
    args.ntp.max_distance.ns = NS_PER_MS;
    expect_insane(0x24, 2, 60, &args);
    /* A second is leapt at midnight: half a second off is no wonder. */
    args = unix_test_args(&t);
    assert_int_equal(run_ntp(0x64, 2, 60, &args), 0);
    unix_test_line(&t, "node_ntp_sanity 1");
    assert_int_equal(run_ntp(0x24, 2, 60, &args), 0);
    unix_test_line(&t, "node_ntp_sanity 1");
}

static void expect_fault(const struct unix_args *args)
{
    struct prepare p = {.arena = &t.arena, .diags = &t.diags};
    struct collector_prepare pr = {.p = &p, .arena = &t.arena, .args = args};
    void *plan = arena_alloc(&t.arena, collector_ntp.plan_size);

    assert_int_equal(collector_ntp.prepare(&pr, plan), -EINVAL);
}

static void test_ntp_settings(void **state)
{
    struct unix_args args = unix_test_args(&t);

    (void)state;
    args.ntp.server = STR("192.0.2.1");
    expect_fault(&args);
    args.ntp.server = STR("localhost");
    expect_fault(&args);
    args = unix_test_args(&t);
    args.ntp.protocol_version = 5;
    expect_fault(&args);
    args = unix_test_args(&t);
    args.ntp.ip_ttl = 256;
    expect_fault(&args);
    args = unix_test_args(&t);
    args.ntp.local_offset_tolerance.ns = -1;
    expect_fault(&args);
}

/* --- supervisord --- */

static const char *answer_text;

static void *answer_http(void *arg)
{
    char question[4096];
    int to = accept(fd, NULL, NULL);
    size_t n = 0;

    (void)arg;
    while (!memmem(question, n, "</methodCall>", 13)) {
        ssize_t got = read(to, question + n, sizeof(question) - n);

        if (got <= 0) break;
        n += (size_t)got;
    }
    if (!memmem(question, n, "supervisor.getAllProcessInfo", 28))
        answer_text = "HTTP/1.1 400 no\r\n\r\n";
    if (write(to, answer_text, strlen(answer_text)) < 0) answer_text = NULL;
    close(to);
    return NULL;
}

static int run_supervisord(const char *text)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct unix_args args = unix_test_args(&t);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s/supervisor.sock", t.dir);
    unlink(at.sun_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    answer_text = text;
    char *url = xprintf("unix://%s", at.sun_path);
    args.supervisord.url = str_of(url);
    assert_int_equal(pthread_create(&thread, NULL, answer_http, NULL), 0);
    int r = unix_test_run(&t, &collector_supervisord, &args);
    pthread_join(thread, NULL);
    close(fd);
    free(url);
    return r;
}

#define OK_HEAD    "HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n"
#define INT(n, v)  "<member>\n<name>" n "</name>\n<value><int>" v "</int></value>\n</member>\n"
#define TEXT(n, v) "<member><name>" n "</name><value><string>" v "</string></value></member>"
#define ROWS(inner)                                                                                \
    "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>" inner       \
    "</data></array></value>\n</param>\n</params>\n</methodResponse>\n"

static void test_supervisord(void **state)
{
    (void)state;
    assert_int_equal(
        run_supervisord(OK_HEAD ROWS(
            "<value><struct>" TEXT("name", "web&amp;&#x61;") TEXT("group", "g") INT("state", "20")
                INT("start", "1700000000") INT("exitstatus", "0")
                    TEXT("spawnerr", "") "</struct>"
                                         "</value><value><struct>" TEXT("name", "cron")
                                             TEXT("group", "g") INT("state", "100")
                                                 INT("start", "1600000000")
                                                     INT("exitstatus", "3") "</struct></value>")),
        0);
    unix_test_line(&t, "node_supervisord_up{group=\"g\",name=\"web&a\"} 1");
    unix_test_line(&t, "node_supervisord_start_time_seconds{group=\"g\",name=\"web&a\"} 1.7e+09");
    unix_test_line(&t, "node_supervisord_up{group=\"g\",name=\"cron\"} 0");
    unix_test_line(&t, "node_supervisord_exit_status{group=\"g\",name=\"cron\"} 3");
    unix_test_line(&t, "node_supervisord_state{group=\"g\",name=\"cron\"} 100");
    assert_int_equal(str_find(unix_test_text(&t), STR("1.6e+09")), -1);
}

static void test_supervisord_faults(void **state)
{
    (void)state;
    assert_int_equal(run_supervisord("HTTP/1.0 401 Unauthorized\r\n\r\n"), -EACCES);
    assert_true(str_find(str_of(t.c.error), STR("user and password")) > 0);
    assert_int_equal(run_supervisord("HTTP/1.0 500 no\r\n\r\n"), -EBADMSG);
    assert_int_equal(run_supervisord(OK_HEAD "<html><body>hello</body></html>"), -EBADMSG);
    assert_int_equal(
        run_supervisord(OK_HEAD "<methodResponse><fault><value><struct>" INT("faultCode", "1") TEXT(
            "faultString", "UNKNOWN_METHOD") "</struct></value></fault></methodResponse>"),
        -EREMOTE);
    assert_true(str_find(str_of(t.c.error), STR("UNKNOWN_METHOD")) > 0);
    assert_int_equal(run_supervisord("no HTTP at all"), -EIO);
}

/* --- XML --- */

static void take_member(void *arg, struct str name, struct str value)
{
    (void)name, (void)value;
    ++*(int *)arg;
}

static void take_end(void *arg)
{
    *(int *)arg += 100;
}

static int read_xml(const char *text, int *n)
{
    const struct xmlrpc_rows rows = {take_member, take_end, n};
    struct str fault;

    *n = 0;
    return xmlrpc_read(&arena, str_of(text), &rows, &fault);
}

static void test_xml(void **state)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "<",
                                      "<a",
                                      "<methodResponse>",
                                      "<methodResponse/></a>",
                                      "<methodResponse><!-- </methodResponse>",
                                      "<>",
                                      "</>",
                                      "<methodResponse><?x</methodResponse>"};
    int n;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(read_xml(bad[i], &n), -EBADMSG);
    /* Structs within a value are passed over; empty values count. */
    assert_int_equal(
        read_xml(
            "<methodResponse><struct>" INT(
                "a",
                "1") "<member><name>in</name>"
                     "<value><struct>" INT(
                         "b",
                         "2") "</struct></value></member>"
                              "<member><name>c</name><value/></member></struct></methodResponse>",
            &n),
        0);
    assert_int_equal(n, 103);
    assert_text(xml_unescape(&arena, STR("a&lt;b&amp&#65;&#xe9;&nbsp;&#0;&")),
                "a<b&ampA\xc3\xa9&nbsp;&#0;&");
    char deep[4096] = "<methodResponse>";
    for (int i = 0; i < 100; i++)
        memcpy(deep + strlen(deep), "<value>", 8);
    assert_int_equal(read_xml(deep, &n), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ntp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ntp_sanity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ntp_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_supervisord, setup, teardown),
        cmocka_unit_test_setup_teardown(test_supervisord_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_xml, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
