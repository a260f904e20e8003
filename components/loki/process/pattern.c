/* Compiled once to a list of parts. */
#include "components/loki/process/pattern.h"

#include <errno.h>

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The length of the capture that text begins with, brackets included; 0: it is a literal. */
static size_t capture_length(struct str text)
{
    size_t i = 1;

    if (text.n < 3 || text.p[0] != '<' || !is_name_start(text.p[1])) return 0;
    while (i < text.n && (is_name_start(text.p[i]) || (text.p[i] >= '0' && text.p[i] <= '9')))
        i++;
    return i < text.n && text.p[i] == '>' ? i + 1 : 0;
}

static size_t literal_length(struct str text)
{
    size_t i = 0;

    while (i < text.n && !capture_length(str_sub(text, i, text.n)))
        i++;
    return i;
}

static struct pattern_part take_part(struct str *text)
{
    size_t n = capture_length(*text);
    struct pattern_part part = {.capture = n > 0};

    if (!n) n = literal_length(*text);
    if (part.capture)
        part.name = str_sub(*text, 1, n - 1);
    else
        part.literal = str_sub(*text, 0, n);
    if (str_is(part.name, "_")) part.name = (struct str){0};
    *text = str_sub(*text, n, text->n);
    return part;
}

/* Whether the last part may stand behind those before it. */
static const char *fault(const struct pattern *p, struct arena *a)
{
    const struct pattern_part *last = &p->parts[p->n - 1];

    if (p->n > 1 && last->capture && last[-1].capture)
        return arena_printf(
            a, "two captures in a row (<" STR_FMT "><" STR_FMT ">): what stands between them?",
            STR_ARG(last[-1].name), STR_ARG(last->name));
    for (u32 i = 0; last->name.n && i + 1 < p->n; i++)
        if (str_eq(p->parts[i].name, last->name))
            return arena_printf(a, "the capture <" STR_FMT "> stands twice", STR_ARG(last->name));
    return NULL;
}

int pattern_compile(struct str text, struct arena *a, struct pattern *ret, const char **ret_err)
{
    const char *err = NULL;

    *ret = (struct pattern){.parts = arena_array(a, struct pattern_part, text.n + 1)};
    while (text.n && !err) {
        ret->parts[ret->n++] = take_part(&text);
        err = fault(ret, a);
        ret->named += ret->parts[ret->n - 1].name.n > 0;
    }
    if (!err && ret->named == 0) err = "at least one capture is required";
    if (!err) return 0;
    *ret_err = err;
    return -EINVAL;
}

static void take(const struct pattern_part *part, struct str value, struct str *values, u32 *n)
{
    if (part->name.n) values[(*n)++] = value;
}

u32 pattern_match(const struct pattern *p, struct str text, struct str *values)
{
    u32 n = 0, i = 0;

    if (text.n == 0) return 0;
    if (!p->parts[0].capture) {
        if (!str_starts(text, p->parts[0].literal)) return 0;
        text = str_sub(text, p->parts[0].literal.n, text.n);
        i++;
    }
    for (; i < p->n; i += 2) { /* a capture, and the literal behind it, if any */
        struct str end = i + 1 < p->n ? p->parts[i + 1].literal : (struct str){0};
        ssize_t at = end.n ? str_find(text, end) : -1;

        take(&p->parts[i], at < 0 ? text : str_sub(text, 0, (size_t)at), values, &n);
        if (at < 0) break;
        text = str_sub(text, (size_t)at + end.n, text.n);
    }
    return n;
}
