/* uname: what the kernel says of itself. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>
#include <sys/utsname.h>

static int collect(struct collect *c)
{
    struct utsname u;

    if (uname(&u) < 0) return -errno;
    expo_gauge1(c->out, "node_uname_info",
                "Labeled system information as provided by the uname system call.", 1,
                EXPO_L("sysname", u.sysname), EXPO_L("release", u.release),
                EXPO_L("version", u.version), EXPO_L("machine", u.machine),
                EXPO_L("nodename", u.nodename), EXPO_L("domainname", u.domainname));
    return COLLECT_OK;
}

const struct collector_def collector_uname = {
    .name = "uname", .default_on = true, .collect = collect};
