/* What `prepare` says about settings. */
#include "components/common/settings.h"

#include <errno.h>

int setting_fault(struct prepare *p, const char *path, const char *fmt, ...)
{
    struct buf text = BUF_INIT(2048);
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    diag_error(p->diags, DIAG_VALUE_INVALID, span_at(p->block, path), "%s",
               text.p ? text.p : "invalid");
    buf_done(&text);
    return -EINVAL;
}

static void dotted(struct buf *out, const char *path)
{
    for (; *path; path++)
        buf_ch(out, *path == '/' ? '.' : *path);
}

void setting_no_effect(struct prepare *p, const char *path, const char *why)
{
    struct buf name = BUF_INIT(256);
    dotted(&name, path);
    diag_add(p->diags, SEV_WARNING, DIAG_VALUE_NO_EFFECT, span_at(p->block, path), "%s: %s", name.p,
             why);
    log_warn(p->log, "a setting has no effect", F_CSTR("setting", name.p), F_CSTR("reason", why));
    buf_done(&name);
}
