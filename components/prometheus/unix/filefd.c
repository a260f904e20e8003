/* filefd: open files of the machine. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

static int collect(struct collect *c)
{
    struct str text, part[3];
    f64 allocated, most;
    int r = unix_read(c, &text, ROOT_PROC, "sys/fs/file-nr");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "sys/fs/file-nr");
    if (unix_fields(text, part, 3) < 3 || unix_f64(part[0], &allocated) || unix_f64(part[2], &most))
        return collect_fail(c, -EINVAL, "file-nr has no three numbers");
    expo_gauge1(c->out, "node_filefd_allocated", "File descriptor statistics: allocated.",
                allocated);
    expo_gauge1(c->out, "node_filefd_maximum", "File descriptor statistics: maximum.", most);
    return COLLECT_OK;
}

const struct collector_def collector_filefd = {
    .name = "filefd", .default_on = true, .collect = collect};
