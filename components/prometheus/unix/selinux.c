/* selinux: whether it is enabled, and its modes. */
#include "components/prometheus/unix/collector.h"

/* Mounted, and not there with the policy left out. */
static bool is_enabled(struct collect *c)
{
    return unix_exists(c, ROOT_SYS, "fs/selinux/enforce") &&
           !str_is(unix_text(c, ROOT_PROC, "self/attr/current"), "kernel");
}

/* Enforcing 1, permissive 0, disabled -1. */
static int configured_mode(struct collect *c)
{
    struct str text, line;

    if (unix_read(c, &text, ROOT_FS, "etc/selinux/config")) return -1;
    while (unix_line(&text, &line)) {
        line = str_trim(line);
        if (!str_starts(line, STR("SELINUX="))) continue;
        struct str mode = str_trim(str_sub(line, sizeof("SELINUX=") - 1, line.n));
        if (str_is(mode, "enforcing")) return 1;
        return str_is(mode, "permissive") ? 0 : -1;
    }
    return -1;
}

static int collect(struct collect *c)
{
    bool enabled = is_enabled(c);
    i64 mode;

    expo_gauge1(c->out, "node_selinux_enabled", "SELinux is enabled, 1 is true, 0 is false",
                enabled);
    if (!enabled) return COLLECT_OK;
    if (unix_read_i64(c, &mode, ROOT_SYS, "fs/selinux/enforce")) mode = -1;
    expo_gauge1(c->out, "node_selinux_config_mode", "Configured SELinux enforcement mode",
                configured_mode(c));
    expo_gauge1(c->out, "node_selinux_current_mode", "Current SELinux enforcement mode", mode);
    return COLLECT_OK;
}

const struct collector_def collector_selinux = {
    .name = "selinux", .default_on = true, .collect = collect};
