/* What every command tells on standard error. */
#include "cmd/report.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

/* The last line that Alloy writes when it fails, for scripts that look for it. */
static void repeat_dated(const char *fmt, va_list ap)
{
    char date[sizeof("2006/01/02 15:04:05")];
    time_t now = time(NULL);
    struct tm tm;
    strftime(date, sizeof(date), "%Y/%m/%d %H:%M:%S", localtime_r(&now, &tm));
    fprintf(stderr, "%s collector server run finished with error: ", date);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
}

int fail(const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    fputs("Error: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    if (strcmp(program_invocation_short_name, "alloy") == 0) repeat_dated(fmt, again);
    va_end(again);
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
