/* Rules about answers. */
#include "components/prometheus/blackbox/http_judge.h"

const char *http_judge_status(const struct probe_module *m, int status, struct arena *a)
{
    for (size_t i = 0; i < m->n_status_codes; i++)
        if (m->status_codes[i] == status) return NULL;
    if (m->n_status_codes > 0)
        return arena_printf(a, "the status %d is not among valid_status_codes", status);
    return status / 100 == 2 ? NULL : arena_printf(a, "the status is %d, not 2xx", status);
}

/* How many values the header has, and how many of them match. */
static size_t values_of(const struct header_match *m, const struct http_header *h, size_t n,
                        size_t *ret_matching)
{
    size_t count = 0;

    *ret_matching = 0;
    for (size_t i = 0; i < n; i++) {
        if (!str_ieq(h[i].name, m->header)) continue;
        count++;
        *ret_matching += regex_match(m->re, h[i].value, 0, NULL, 0) == 1;
    }
    return count;
}

static const char *judge_header(const struct header_match *m, const struct http_header *h, size_t n,
                                bool should, struct arena *a)
{
    size_t matching, count = values_of(m, h, n, &matching);

    if (count == 0)
        return m->allow_missing
                   ? NULL
                   : arena_printf(a, "the header \"" STR_FMT "\" is missing", STR_ARG(m->header));
    if ((matching > 0) == should) return NULL;
    return arena_printf(a, "the header \"" STR_FMT "\" %s its expression", STR_ARG(m->header),
                        should ? "does not match" : "matches");
}

const char *http_judge_headers(const struct probe_module *m, const struct http_header *h, size_t n,
                               struct arena *a)
{
    const char *why = NULL;

    for (size_t i = 0; !why && i < m->header_matches.n; i++)
        why = judge_header(&m->header_matches.v[i], h, n, false, a);
    for (size_t i = 0; !why && i < m->header_not_matches.n; i++)
        why = judge_header(&m->header_not_matches.v[i], h, n, true, a);
    return why;
}

static const char *judge_body(const struct regex_list *l, struct str body, bool should,
                              struct arena *a)
{
    for (size_t i = 0; i < l->n; i++) {
        int r = regex_match(l->v[i], body, 0, NULL, 0);
        if (r < 0) return "an expression took more steps than it may for this body";
        if ((r == 1) != should)
            return arena_printf(a, "the body %s expression %zu of fail_if_body_%smatches_regexp",
                                should ? "does not match" : "matches", i + 1, should ? "not_" : "");
    }
    return NULL;
}

const char *http_judge_body(const struct probe_module *m, struct str body, struct arena *a)
{
    const char *why = judge_body(&m->body_matches, body, false, a);

    return why ? why : judge_body(&m->body_not_matches, body, true, a);
}

const char *http_judge_version(const struct probe_module *m, int version, struct arena *a)
{
    const struct str_list *l = &m->args->http.valid_http_versions;
    const char *name = version > 0 ? arena_printf(a, "HTTP/%d.%d", version / 10, version % 10)
                                   : "of no known form";

    for (size_t i = 0; i < l->n; i++)
        if (str_is(l->v[i], name)) return NULL;
    if (l->n == 0) return NULL;
    return arena_printf(a, "the version of HTTP is %s, not among valid_http_versions", name);
}
