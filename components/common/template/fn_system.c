/* The host: environment and names.
 *
 * A template runs on a worker's loop, which may not wait for a name server. getHostByName therefore
 * answers addresses and what the hosts file knows; another name fails, which leaves the entry as it
 * was, and is told in the error. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "components/common/template/run.h"

#define HOSTS_FILE "/etc/hosts"
#define HOSTS_MAX  (1 << 16)

static struct str env_of(struct run *r, struct str name)
{
    const char *v = getenv(arena_strdup(r->arena, name));
    return v ? arena_str(r->arena, str_of(v)) : (struct str){0};
}

FN(env)
{
    return tv_str(env_of(r, a[0].s));
}

/* --- expandenv: $name and ${name} --- */

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool special(char c)
{
    return c && strchr("*#$@!?-0123456789", c);
}

/* Behind a "$": the name and how much of the text it takes. An empty name with a width is bad
 * syntax, which is swallowed; without one the "$" stays. */
static struct str variable(struct str s, size_t *ret_width)
{
    size_t n = 0;
    if (s.n > 0 && s.p[0] == '{') {
        ssize_t end = str_chr(s, '}');
        *ret_width = end < 0 ? 1 : (size_t)end + 1;
        return end <= 0 ? (struct str){0} : str_sub(s, 1, (size_t)end);
    }
    if (s.n > 0 && special(s.p[0])) {
        *ret_width = 1;
        return str_sub(s, 0, 1);
    }
    while (n < s.n && name_char(s.p[n]))
        n++;
    *ret_width = n;
    return str_sub(s, 0, n);
}

FN(expandenv)
{
    struct buf b = run_buf();
    struct str s = a[0].s;
    for (ssize_t at; (at = str_chr(s, '$')) >= 0 && (size_t)at + 1 < s.n;) {
        size_t width;
        struct str rest = str_sub(s, (size_t)at + 1, s.n), name = variable(rest, &width);
        buf_add(&b, s.p, (size_t)at);
        if (name.n > 0)
            buf_str(&b, env_of(r, name));
        else if (width == 0)
            buf_ch(&b, '$');
        s = str_sub(rest, width, rest.n);
    }
    buf_str(&b, s);
    return run_value(r, &b);
}

/* --- getHostByName --- */

static bool is_address(struct str s)
{
    char text[64];
    u8 addr[16];
    if (s.n >= sizeof(text)) return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(AF_INET, text, addr) == 1 || inet_pton(AF_INET6, text, addr) == 1;
}

static struct str next_word(struct str *line)
{
    *line = str_trim(*line);
    size_t n = 0;
    while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
        n++;
    struct str w = str_sub(*line, 0, n);
    *line = str_sub(*line, n, line->n);
    return w;
}

/* The address of a name in the text of a hosts file. */
static struct str in_hosts(struct str text, struct str name)
{
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        line = str_cut(&line, '#');
        struct str addr = next_word(&line);
        for (struct str w; (w = next_word(&line)).n > 0;)
            if (str_ieq(w, name)) return addr;
    }
    return (struct str){0};
}

static struct str hosts_text(struct run *r)
{
    int fd = open(HOSTS_FILE, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return (struct str){0};
    char *p = arena_alloc(r->arena, HOSTS_MAX);
    ssize_t n = read(fd, p, HOSTS_MAX);
    close(fd);
    return str_n(p, n > 0 ? (size_t)n : 0);
}

FN(get_host_by_name)
{
    if (is_address(a[0].s)) return a[0];
    if (!run_room(r, HOSTS_MAX)) return TV_NIL;
    r->steps += STEP_LIMIT / 1000;
    struct str found = in_hosts(hosts_text(r), a[0].s);
    if (found.n) return tv_str(found);
    return run_fail(r,
                    "lookup " STR_FMT ": not in " HOSTS_FILE " (name servers are not asked here)",
                    STR_ARG(a[0].s));
}

static const struct tfunc funcs[] = {
    {"env", "s", env},
    {"expandenv", "s", expandenv},
    {"getHostByName", "s", get_host_by_name},
};
FUNC_TABLE(fn_system, funcs);
