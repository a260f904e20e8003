/* What `prepare` says about settings. */
#include "components/common/settings.h"

#include <ctype.h>
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

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && (!s.p[i] || !strchr("!#$%&'*+-.^_`|~", s.p[i])))
            return false;
    return s.n > 0;
}

static bool is_field_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (iscntrl((unsigned char)s.p[i]) && s.p[i] != '\t') return false;
    return true;
}

void setting_header(struct prepare *p, struct span at, struct str name, struct str value)
{
    const char *why = !is_token(name)          ? "is not the name of a header"
                      : !is_field_value(value) ? "has a line break or another control character"
                                               : NULL;
    if (!why) return;
    diag_add(p->diags, SEV_WARNING, DIAG_VALUE_INVALID, at,
             "header \"" STR_FMT "\" %s; requests with it will fail", STR_ARG(name), why);
    log_warn(p->log, "requests with this header will fail", F_STR("header", name),
             F_CSTR("reason", why));
}
