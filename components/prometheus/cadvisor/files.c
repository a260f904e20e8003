/* Small files of the kernel, and what stands in them. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/num.h"
#include "components/prometheus/cadvisor/container.h"

#define FILE_MAX ((size_t)1 << 20)

static struct str read_path(struct arena *a, const char *path)
{
    struct buf b = BUF_INIT(FILE_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct str text = {0};

    if (fd < 0) return text;
    if (fd_read_all(fd, &b) == 0) text = arena_str(a, buf_view(&b));
    close(fd);
    buf_done(&b);
    return text;
}

struct str cad_read(struct arena *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *path = xvprintf(fmt, ap);
    va_end(ap);
    struct str text = read_path(a, path);
    free(path);
    return text;
}

f64 cad_f64(struct str text)
{
    f64 v;

    if (str_is(text, "max")) return INFINITY;
    return num_parse_f64(text, &v) == 0 ? v : NAN;
}

f64 cad_number(struct arena *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *path = xvprintf(fmt, ap);
    va_end(ap);
    struct str text = str_trim(read_path(a, path));
    free(path);
    return cad_f64(text);
}

bool cad_line(struct str *rest, struct str *ret)
{
    if (rest->n == 0) return false;
    *ret = str_cut(rest, '\n');
    return true;
}

bool cad_field(struct str *line, struct str *ret)
{
    size_t i = 0, from;

    while (i < line->n && (line->p[i] == ' ' || line->p[i] == '\t'))
        i++;
    for (from = i; i < line->n && line->p[i] != ' ' && line->p[i] != '\t';)
        i++;
    if (i == from) return false;
    *ret = str_sub(*line, from, i);
    *line = str_sub(*line, i, line->n);
    return true;
}

f64 cad_key(struct str text, const char *key)
{
    struct str line, k, v;

    while (cad_line(&text, &line))
        if (cad_field(&line, &k) && str_is(k, key) && cad_field(&line, &v)) return cad_f64(v);
    return NAN;
}
