/* Searching, cutting and comparing borrowed byte runs. */
#include "base/str.h"

#include "base/xalloc.h"

int str_cmp(struct str a, struct str b)
{
    size_t n = MIN(a.n, b.n);
    int c = n ? memcmp(a.p, b.p, n) : 0;

    return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq(str_n(s.p, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || str_eq(str_sub(s, s.n - suffix.n, s.n), suffix));
}

static unsigned char ascii_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_ieq(struct str a, struct str b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) {
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i])) return false;
    }
    return true;
}

ssize_t str_find(struct str s, struct str needle)
{
    if (needle.n == 0) return 0;
    if (s.n < needle.n) return -1;
    const char *at = memmem(s.p, s.n, needle.p, needle.n);
    return at ? at - s.p : -1;
}

ssize_t str_chr(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    return at ? at - s.p : -1;
}

ssize_t str_rchr(struct str s, char c)
{
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

    return at ? at - s.p : -1;
}

static bool ascii_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.n && ascii_space(s.p[0]))
        s.p++, s.n--;
    while (s.n && ascii_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct str str_cut(struct str *s, char sep)
{
    struct str head = *s;
    ssize_t at = str_chr(*s, sep);

    if (at < 0) {
        *s = (struct str){NULL, 0};
        return head;
    }
    head.n = (size_t)at;
    *s = str_sub(*s, head.n + 1, s->n);
    return head;
}

/* Names longer than this are never "meant": they answer max + 1. */
#define DISTANCE_LONGEST 255

/* What two texts begin and end with alike does not change their distance: names of components,
 * which are long, differ in a few bytes. */
static void cut_common(struct str *a, struct str *b)
{
    size_t n = MIN(a->n, b->n), head = 0, tail = 0;

    while (head < n && a->p[head] == b->p[head])
        head++;
    while (tail < n - head && a->p[a->n - 1 - tail] == b->p[b->n - 1 - tail])
        tail++;
    *a = str_sub(*a, head, a->n - tail);
    *b = str_sub(*b, head, b->n - tail);
}

struct matrix { /* the last three rows of the edit matrix */
    int above[DISTANCE_LONGEST + 1], last[DISTANCE_LONGEST + 1], row[DISTANCE_LONGEST + 1];
};

static bool swapped(struct str a, struct str b, size_t i, size_t j)
{
    return i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
}

/* Row i from those before it; returns its least entry. */
static int next_row(struct matrix *m, struct str a, struct str b, size_t i)
{
    int least = m->row[0] = (int)i;

    for (size_t j = 1; j <= b.n; j++) {
        int d = m->last[j - 1] + (a.p[i - 1] != b.p[j - 1]);

        d = MIN(d, 1 + MIN(m->last[j], m->row[j - 1]));
        if (swapped(a, b, i, j)) d = MIN(d, 1 + m->above[j - 2]);
        m->row[j] = d;
        least = MIN(least, d);
    }
    return least;
}

/* A row whose least entry passes max ends the search: a swap of letters costs no less than what the
 * row between has. */
int str_distance(struct str a, struct str b, int max)
{
    struct matrix m;

    if (a.n > DISTANCE_LONGEST || b.n > DISTANCE_LONGEST) return max + 1;
    cut_common(&a, &b);
    if (MAX(a.n, b.n) - MIN(a.n, b.n) > (size_t)MAX(max, 0)) return max + 1;
    for (size_t j = 0; j <= b.n; j++)
        m.last[j] = (int)j;
    for (size_t i = 1; i <= a.n; i++) {
        if (next_row(&m, a, b, i) > max) return max + 1;
        memcpy(m.above, m.last, (b.n + 1) * sizeof(int));
        memcpy(m.last, m.row, (b.n + 1) * sizeof(int));
    }
    return MIN(m.last[b.n], max + 1);
}

char *str_dup(struct str s)
{
    char *copy = xmalloc(s.n + 1);

    if (s.n) memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}
