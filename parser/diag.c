/* Collecting diagnostics: messages live in the collector's arena, sources they point into are kept
 * alive with it. */
#include "parser/diag.h"
#include "parser/source.h"

void diags_init(struct diags *d)
{
    *d = (struct diags){0};
    arena_init(&d->arena, 0);
}

void diags_done(struct diags *d)
{
    vec_done(&d->list);
    arena_done(&d->arena);
    d->n_errors = 0;
}

void diags_clear(struct diags *d)
{
    vec_clear(&d->list);
    arena_reset(&d->arena);
    d->n_errors = 0;
}

bool diags_failed(const struct diags *d)
{
    return d->n_errors > 0;
}

static void drop_source(void *s)
{
    source_unref(s);
}

/* Diagnostics may outlive the parse that found them, so they share their source. The count is the
 * only thing written. */
static void keep_source(struct diags *d, const struct source *s)
{
    if (!s) return;
    if (d->list.n > 0 && vec_last(&d->list).span.file == s) return;
    arena_cleanup(&d->arena, drop_source, source_ref((struct source *)(uintptr_t)s));
}

static struct diag *add(struct diags *d, struct diag new)
{
    keep_source(d, new.span.file);
    vec_push(&d->list, new);
    if (new.severity == SEV_ERROR) d->n_errors++;
    return &vec_last(&d->list);
}

/* Longer texts (a quoted label of a broken file) are of no use to a reader. */
#define MESSAGE_MAX 65536

static const char *format(struct diags *d, const char *fmt, va_list ap)
{
    struct buf b = BUF_INIT(MESSAGE_MAX);
    buf_vprintf(&b, fmt, ap);
    const char *text =
        buf_err(&b) ? "(message too long to show)" : arena_strdup(&d->arena, buf_view(&b));
    buf_done(&b);
    return text;
}

struct diag *diag_vadd(struct diags *d, enum severity sev, enum diag_code code, struct span at,
                       const char *fmt, va_list ap)
{
    const char *message = format(d, fmt, ap);
    return add(d, (struct diag){.severity = sev, .code = code, .span = at, .message = message});
}

struct diag *diag_add(struct diags *d, enum severity sev, enum diag_code code, struct span at,
                      const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct diag *new = diag_vadd(d, sev, code, at, fmt, ap);
    va_end(ap);
    return new;
}

struct diag *diag_error(struct diags *d, enum diag_code code, struct span at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct diag *new = diag_vadd(d, SEV_ERROR, code, at, fmt, ap);
    va_end(ap);
    return new;
}

void diag_hint(struct diags *d, struct diag *of, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    of->hint = format(d, fmt, ap);
    va_end(ap);
}

void diags_move(struct diags *dst, struct diags *src)
{
    vec_each (&src->list, p) {
        struct diag copy = *p;
        copy.message = arena_strdup(&dst->arena, str_of(p->message));
        if (p->hint) copy.hint = arena_strdup(&dst->arena, str_of(p->hint));
        add(dst, copy);
    }
}

static const char *const code_names[] = {
#define DIAG(code, text) [DIAG_##code] = #code,
#include "parser/diag.def"
#undef DIAG
};

static const char *const code_texts[] = {
#define DIAG(code, text) [DIAG_##code] = text,
#include "parser/diag.def"
#undef DIAG
};

const char *diag_code_name(enum diag_code code)
{
    return code_names[code];
}

const char *diag_code_text(enum diag_code code)
{
    return code_texts[code];
}

const char *severity_name(enum severity sev)
{
    return sev == SEV_ERROR ? "error" : "warning";
}
