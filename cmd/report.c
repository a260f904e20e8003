/* What every command tells on standard error. */
#include "cmd/report.h"

#include <unistd.h>

int fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("Error: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return 1;
}

/* Judged by standard output, as Alloy does. */
static bool want_color(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(no && *no) && !(term && strcmp(term, "dumb") == 0) && isatty(STDOUT_FILENO);
}

void report_diags(const struct diags *d)
{
    struct buf out = BUF_INIT(SIZE_MAX / 2);
    diags_render(d, &out, want_color());
    fwrite(out.p ? out.p : "", 1, out.n, stderr);
    buf_done(&out);
}
