/* Figures of a container's network, by one of its processes. */
#include <math.h>
#include "base/num.h"
#include "components/prometheus/cadvisor/container.h"

static bool is_left_out(struct str interface)
{
    static const char *const prefixes[] = {"lo", "veth", "docker", "nerdctl"};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (str_starts(interface, str_of(prefixes[i]))) return true;
    return false;
}

/* --- interfaces --- */

struct column {
    size_t at; /* in /proc/net/dev */
    const char *name, *help;
};
static const struct column columns[] = {
    {0, "container_network_receive_bytes_total", "Cumulative count of bytes received"},
    {1, "container_network_receive_packets_total", "Cumulative count of packets received"},
    {3, "container_network_receive_packets_dropped_total",
     "Cumulative count of packets dropped while receiving"},
    {2, "container_network_receive_errors_total",
     "Cumulative count of errors encountered while receiving"},
    {8, "container_network_transmit_bytes_total", "Cumulative count of bytes transmitted"},
    {9, "container_network_transmit_packets_total", "Cumulative count of packets transmitted"},
    {11, "container_network_transmit_packets_dropped_total",
     "Cumulative count of packets dropped while transmitting"},
    {10, "container_network_transmit_errors_total",
     "Cumulative count of errors encountered while transmitting"},
};

static void show_interface(const struct cad_show *s, struct str line)
{
    struct str values = line, name = str_trim(str_cut(&values, ':')), v[16] = {{0}};
    size_t n = 0;

    if (!values.p || is_left_out(name)) return;
    while (n < ARRAY_LEN(v) && cad_field(&values, &v[n]))
        n++;
    if (n < ARRAY_LEN(v)) return;
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        cad_add(s, EXPO_COUNTER, columns[i].name, columns[i].help, cad_f64(v[columns[i].at]),
                &EXPO_LS("interface", name), 1);
}

static void show_interfaces(const struct cad_show *s, i64 pid)
{
    struct str lines = cad_read(s->a, "%s/%lld/net/dev", s->roots->proc, (long long)pid), line;

    while (cad_line(&lines, &line))
        show_interface(s, line);
}

/* --- sockets --- */

static const char *const tcp_states[] = {NULL,        "established", "synsent",  "synrecv",
                                         "finwait1",  "finwait2",    "timewait", "close",
                                         "closewait", "lastack",     "listen",   "closing"};

static void show_tcp(const struct cad_show *s, i64 pid, const char *file, const char *name,
                     const char *help)
{
    struct str lines = cad_read(s->a, "%s/%lld/net/%s", s->roots->proc, (long long)pid, file), line,
               f;
    u64 n[ARRAY_LEN(tcp_states)] = {0};

    if (lines.n == 0) return;
    while (cad_line(&lines, &line)) {
        for (int i = 0; i < 4; i++)
            if (!cad_field(&line, &f)) f = (struct str){0};
        /* The state, two hexadecimal digits, 01 to 0B. */
        int state = f.n != 2 || f.p[0] != '0'        ? 0
                    : f.p[1] >= '1' && f.p[1] <= '9' ? f.p[1] - '0'
                    : f.p[1] == 'A' || f.p[1] == 'B' ? f.p[1] - 'A' + 10
                                                     : 0;
        n[state]++;
    }
    for (size_t i = 1; i < ARRAY_LEN(tcp_states); i++)
        cad_add(s, EXPO_GAUGE, name, help, (f64)n[i], &EXPO_L("tcp_state", tcp_states[i]), 1);
}

static f64 hex(struct str t)
{
    f64 v = 0;

    for (size_t i = 0; i < t.n; i++) {
        char c = t.p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 0;
        v = v * 16 + d;
    }
    return v;
}

static void show_udp(const struct cad_show *s, i64 pid, const char *file, const char *name,
                     const char *help)
{
    static const char *const states[] = {"listen", "dropped", "rxqueued", "txqueued"};
    struct str lines = cad_read(s->a, "%s/%lld/net/%s", s->roots->proc, (long long)pid, file), line;
    f64 n[4] = {0};

    if (lines.n == 0) return;
    (void)cad_line(&lines, &line);
    while (cad_line(&lines, &line)) {
        struct str f[13] = {{0}};
        size_t k = 0;
        while (k < ARRAY_LEN(f) && cad_field(&line, &f[k]))
            k++;
        if (k < ARRAY_LEN(f)) continue;
        struct str rx = f[4], tx = str_cut(&rx, ':');
        n[0] += str_is(f[3], "07");
        n[1] += cad_f64(f[12]);
        n[2] += hex(rx);
        n[3] += hex(tx);
    }
    for (int i = 0; i < 4; i++)
        cad_add(s, EXPO_GAUGE, name, help, n[i], &EXPO_L("udp_state", states[i]), 1);
}

/* --- counters of TCP: two lines each, names and numbers --- */

static const char advanced[] =
    " ActiveOpens AttemptFails CurrEstab DelayedACKLocked DelayedACKLost DelayedACKs EmbryonicRsts "
    "EstabResets IPReversePathFilter InCsumErrors InErrs InSegs ListenDrops ListenOverflows "
    "LockDroppedIcmps MaxConn OfoPruned OutOfWindowIcmps OutRsts OutSegs PAWSActive PAWSEstab "
    "PFMemallocDrop PassiveOpens PruneCalled RcvPruned RetransSegs RtoAlgorithm RtoMax RtoMin "
    "SyncookiesFailed SyncookiesRecv SyncookiesSent TCPAbortFailed TCPAbortOnClose TCPAbortOnData "
    "TCPAbortOnLinger TCPAbortOnMemory TCPAbortOnTimeout TCPBacklogDrop TCPDSACKIgnoredNoUndo "
    "TCPDSACKIgnoredOld TCPDSACKOfoRecv TCPDSACKOfoSent TCPDSACKOldSent TCPDSACKRecv TCPDSACKUndo "
    "TCPDeferAcceptDrop TCPFACKReorder TCPFastOpenActive TCPFastOpenActiveFail "
    "TCPFastOpenCookieReqd TCPFastOpenListenOverflow TCPFastOpenPassive TCPFastOpenPassiveFail "
    "TCPFastRetrans TCPFullUndo TCPHPAcks TCPHPHits TCPLossFailures TCPLossProbeRecovery "
    "TCPLossProbes TCPLossUndo TCPLostRetransmit TCPMD5Failure TCPMD5NotFound TCPMD5Unexpected "
    "TCPMemoryPressures TCPMemoryPressuresChrono TCPMinTTLDrop TCPOrigDataSent TCPPartialUndo "
    "TCPPureAcks TCPRcvCollapsed TCPRenoFailures TCPRenoRecovery TCPRenoRecoveryFail "
    "TCPRenoReorder TCPReqQFullDoCookies TCPReqQFullDrop TCPRetransFail TCPSACKDiscard "
    "TCPSACKReneging TCPSACKReorder TCPSackFailures TCPSackMerged TCPSackRecovery "
    "TCPSackRecoveryFail TCPSackShiftFallback TCPSackShifted TCPSlowStartRetrans TCPSpuriousRTOs "
    "TCPSynRetrans TCPTSReorder TCPTimeWaitOverflow TCPTimeouts TW TWKilled TWRecycled ";

static bool is_advanced(struct arena *a, struct str name)
{
    return strstr(advanced, arena_printf(a, " " STR_FMT " ", STR_ARG(name))) != NULL;
}

static struct str lower(struct arena *a, struct str s)
{
    char *p = arena_strdup(a, s);

    for (size_t i = 0; i < s.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] | 0x20);
    return str_n(p, s.n);
}

static void show_pair(const struct cad_show *s, struct str names, struct str values)
{
    struct str name, value;

    while (cad_field(&names, &name) && cad_field(&values, &value))
        if (is_advanced(s->a, name))
            cad_add(s, EXPO_GAUGE, "container_network_advance_tcp_stats_total",
                    "advance tcp connections statistic for container", cad_f64(value),
                    &EXPO_LS("tcp_state", lower(s->a, name)), 1);
}

static void show_advanced(const struct cad_show *s, i64 pid, const char *file, const char *prefix)
{
    struct str lines = cad_read(s->a, "%s/%lld/net/%s", s->roots->proc, (long long)pid, file),
               names, values;

    while (cad_line(&lines, &names))
        if (str_starts(names, str_of(prefix)) && cad_line(&lines, &values))
            show_pair(s, names, values);
}

void cad_show_network(const struct cad_show *s, const struct cad_container *c)
{
    if (c->pid <= 0 || c->shares_network) return;
    if (cad_has(s->sets, CAD_NETWORK)) show_interfaces(s, c->pid);
    if (cad_has(s->sets, CAD_TCP)) {
        show_tcp(s, c->pid, "tcp", "container_network_tcp_usage_total",
                 "tcp connection usage statistic for container");
        show_tcp(s, c->pid, "tcp6", "container_network_tcp6_usage_total",
                 "tcp6 connection usage statistic for container");
    }
    if (cad_has(s->sets, CAD_UDP)) {
        show_udp(s, c->pid, "udp", "container_network_udp_usage_total",
                 "udp connection usage statistic for container");
        show_udp(s, c->pid, "udp6", "container_network_udp6_usage_total",
                 "udp6 connection usage statistic for container");
    }
    if (cad_has(s->sets, CAD_ADVTCP)) {
        show_advanced(s, c->pid, "snmp", "Tcp:");
        show_advanced(s, c->pid, "netstat", "TcpExt:");
    }
}
