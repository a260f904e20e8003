/* Walks a scalar as it is written and its value side by side. The value is libyaml's, so the rules
 * of YAML are not applied a second time: they only say where to look next, and every run is a piece
 * that was compared. */
#include "base/yaml_places.h"

#include "base/utf8.h"

struct walk {
    struct str doc, value;
    size_t d, v; /* cursors */
    yaml_runs *out;
};

static void add_run(struct walk *w, size_t len)
{
    vec_push(w->out, ((struct yaml_run){(u32)w->v, (u32)w->d, (u32)len}));
    w->d += len;
    w->v += len;
}

static int doc_at(const struct walk *w, size_t at)
{
    return at < w->doc.n ? (u8)w->doc.p[at] : -1;
}

static int value_at(const struct walk *w, size_t at)
{
    return at < w->value.n ? (u8)w->value.p[at] : -1;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t';
}

static bool is_break(int c)
{
    return c == '\n' || c == '\r';
}

static void skip_blanks(struct walk *w)
{
    while (is_blank(doc_at(w, w->d)))
        w->d++;
}

static size_t next_line(const struct walk *w)
{
    ssize_t n = str_chr(str_sub(w->doc, w->d, w->doc.n), '\n');
    return n < 0 ? w->doc.n : w->d + (size_t)n + 1;
}

static void skip_line(struct walk *w)
{
    w->d = next_line(w);
}

/* Anchor and tag stand in front of the text, on lines of their own perhaps. */
static void skip_properties(struct walk *w)
{
    while (doc_at(w, w->d) == '&' || doc_at(w, w->d) == '!') {
        while (w->d < w->doc.n && !is_blank(doc_at(w, w->d)) && !is_break(doc_at(w, w->d)))
            w->d++;
        skip_blanks(w);
        while (w->d < w->doc.n && (is_break(doc_at(w, w->d)) || doc_at(w, w->d) == '#')) {
            skip_line(w);
            skip_blanks(w);
        }
    }
}

/* ---- block scalars: | and > ---- */

/* The line under the cursor without its end. */
static struct str doc_line(const struct walk *w)
{
    struct str rest = str_sub(w->doc, w->d, w->doc.n);
    ssize_t n = str_chr(rest, '\n');
    struct str line = str_sub(rest, 0, n < 0 ? rest.n : (size_t)n);
    return str_ends(line, STR("\r")) ? str_sub(line, 0, line.n - 1) : line;
}

static struct str value_line(const struct walk *w)
{
    struct str rest = str_sub(w->value, w->v, w->value.n);
    ssize_t n = str_chr(rest, '\n');
    return str_sub(rest, 0, n < 0 ? rest.n : (size_t)n);
}

static size_t leading_blanks(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] == ' ')
        n++;
    return n;
}

/* The indentation that the block's lines lose: told by its first line that is not empty. */
static size_t indentation(struct walk w)
{
    while (value_at(&w, w.v) == '\n')
        w.v++;
    struct str first = value_line(&w), line = doc_line(&w);
    while (w.d < w.doc.n && leading_blanks(line) == line.n && first.n > 0 &&
           leading_blanks(first) < first.n) {
        skip_line(&w);
        line = doc_line(&w);
    }
    size_t shown = leading_blanks(line), kept = leading_blanks(first);
    return shown >= kept ? shown - kept : 0;
}

/* Line for line. An empty line is a run of its own, so that faults on it are shown there. */
static void walk_literal(struct walk *w)
{
    size_t indent = indentation(*w);
    while (w->d < w->doc.n && w->v < w->value.n) {
        struct str line = doc_line(w), value = value_line(w);
        size_t cut = MIN(indent, line.n), next = next_line(w);
        if (!str_eq(str_sub(line, cut, line.n), value)) return; /* a break that only YAML knows */
        w->d += cut;
        add_run(w, value.n);
        w->d = next;
        w->v++;
    }
}

/* The words of a line follow in the value, behind blanks and line breaks of the folding. */
static void walk_folded(struct walk *w)
{
    size_t indent = indentation(*w);
    while (w->d < w->doc.n && w->v < w->value.n) {
        struct str line = doc_line(w);
        struct str text = str_sub(line, MIN(indent, line.n), line.n);
        size_t next = next_line(w);
        while (text.n > 0 && !str_starts(str_sub(w->value, w->v, w->value.n), text)) {
            int c = value_at(w, w->v);
            if (c != ' ' && c != '\n') return;
            w->v++;
        }
        w->d += line.n - text.n;
        if (text.n > 0) add_run(w, text.n);
        w->d = next;
    }
}

/* ---- flow scalars: plain, '...' and "..." ---- */

/* Blanks and the line breaks between them: one break is a blank in the value, more are one less. An
 * escaped break is nothing. */
static void walk_fold(struct walk *w, bool escaped)
{
    size_t breaks = 0;
    for (int c; is_blank(c = doc_at(w, w->d)) || is_break(c); w->d++)
        breaks += c == '\n';
    if (!escaped && breaks == 1 && value_at(w, w->v) == ' ') w->v++;
    for (size_t i = 1; i < breaks && value_at(w, w->v) == '\n'; i++)
        w->v++;
}

/* True when only blanks are left on the line of the document. */
static bool at_line_end(const struct walk *w)
{
    size_t at = w->d;
    while (is_blank(doc_at(w, at)))
        at++;
    return is_break(doc_at(w, at));
}

/* How many characters an escape has behind its letter. */
static size_t escape_digits(int letter)
{
    return letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
}

static void walk_escape(struct walk *w)
{
    if (is_break(doc_at(w, w->d + 1)) ||
        (is_blank(doc_at(w, w->d + 1)) && !is_blank(value_at(w, w->v)))) {
        w->d++;
        walk_fold(w, true);
        return;
    }
    u32 c;
    size_t width = utf8_decode(str_sub(w->value, w->v, w->value.n), &c, NULL);
    add_run(w, 0);
    w->v += width;
    w->d += 2 + escape_digits(doc_at(w, w->d + 1));
}

/* A stretch that is the same in both. */
static size_t plain_length(const struct walk *w, char quote)
{
    size_t n = 0;
    for (;; n++) {
        struct walk at = {.doc = w->doc, .d = w->d + n};
        int c = doc_at(&at, at.d);
        if (c < 0 || c != value_at(w, w->v + n) || is_break(c)) return n;
        if ((quote && c == quote) || (quote == '"' && c == '\\')) return n;
        if (is_blank(c) && (n == 0 || !is_blank(doc_at(w, at.d - 1))) && at_line_end(&at)) return n;
    }
}

/* quote: 0 for plain text. Ends with the value; where the two part, the rest stays with the run
 * before. */
static void walk_flow(struct walk *w, char quote)
{
    if (quote && doc_at(w, w->d) == quote) w->d++;
    while (w->v < w->value.n && w->d < w->doc.n) {
        size_t d = w->d, v = w->v, n = plain_length(w, quote);
        if (n > 0)
            add_run(w, n);
        else if (quote == '"' && doc_at(w, w->d) == '\\')
            walk_escape(w);
        else if (quote == '\'' && doc_at(w, w->d) == quote && doc_at(w, w->d + 1) == quote) {
            add_run(w, 1);
            w->d++;
        } else if (is_break(doc_at(w, w->d)) || at_line_end(w)) {
            walk_fold(w, false);
        }
        if (w->d == d && w->v == v) return;
    }
}

void yaml_places(struct str document, size_t at, const struct yaml_node *scalar, yaml_runs *out)
{
    struct walk w = {.doc = document, .value = scalar->text, .d = MIN(at, document.n), .out = out};
    size_t before = out->n;
    skip_properties(&w);
    size_t start = w.d;
    switch (scalar->style) {
    case YAML_LITERAL:
        skip_line(&w);
        walk_literal(&w);
        break;
    case YAML_FOLDED:
        skip_line(&w);
        walk_folded(&w);
        break;
    case YAML_SINGLE: walk_flow(&w, '\''); break;
    case YAML_DOUBLE: walk_flow(&w, '"'); break;
    case YAML_PLAIN: walk_flow(&w, 0); break;
    }
    if (out->n == before) vec_push(out, ((struct yaml_run){0, (u32)start, 0}));
}
