/* Errors of functions. */
#include "value/func.h"

#include <errno.h>
#include <stdlib.h>

int func_error_set(struct func_error *e, int arg, const char *fmt, ...)
{
    struct buf text = BUF_INIT(1 << 20);
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    if (buf_err(&text)) {
        buf_reset(&text);
        buf_cstr(&text, "refused its arguments");
    }
    free(e->text);
    *e = (struct func_error){.text = buf_take(&text, NULL), .arg = arg};
    return -EINVAL;
}

void func_error_done(struct func_error *e)
{
    free(e->text);
    *e = (struct func_error){.arg = -1};
}
