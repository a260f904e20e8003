/* Cutting a CRI line at its blanks. */
#include "components/loki/process/cri_line.h"

static void cut_flag(struct str rest, struct cri_line *ret)
{
    bool flag =
        rest.n && (rest.p[0] == 'P' || rest.p[0] == 'F') && (rest.n == 1 || rest.p[1] == ' ');

    ret->partial = flag && rest.p[0] == 'P';
    ret->content = flag ? str_sub(rest, MIN(rest.n, (size_t)2), rest.n) : rest;
}

bool cri_line_cut(struct str line, struct cri_line *ret)
{
    ssize_t at = str_chr(line, ' ');

    if (at <= 0) return false;
    ret->time = str_sub(line, 0, (size_t)at);
    line = str_sub(line, (size_t)at + 1, line.n);
    if (!str_starts(line, STR("stdout ")) && !str_starts(line, STR("stderr "))) return false;
    ret->stream = str_sub(line, 0, 6);
    cut_flag(str_sub(line, 7, line.n), ret);
    return true;
}
