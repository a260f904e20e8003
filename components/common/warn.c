/* Settings that are accepted and have no effect in this build. */
#include "components/common/warn.h"

#include "components/common/spans.h"

static void dotted(struct buf *out, const char *path)
{
    for (; *path; path++)
        buf_ch(out, *path == '/' ? '.' : *path);
}

void warn_no_effect(struct prepare *p, const char *path, const char *why)
{
    struct buf name = BUF_INIT(256);
    dotted(&name, path);
    diag_add(p->diags, SEV_WARNING, DIAG_VALUE_NO_EFFECT, span_at(p->block, path), "%s: %s", name.p, why);
    log_warn(p->log, "a setting has no effect", F_CSTR("setting", name.p), F_CSTR("reason", why));
    buf_done(&name);
}
