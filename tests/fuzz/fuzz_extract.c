/* Any text as a YAML file with configurations inside: places lie in the file and ascend, runs hold
 * what they say, and faults anywhere in the extracted text are shown without trouble. */
#include "base/assert.h"
#include "parser/parser.h"
#include "runtime/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_runs(const struct source *s)
{
    ASSERT(s->outer && s->n_runs > 0);
    for (size_t i = 0; i < s->n_runs; i++) {
        struct source_run r = s->runs[i];
        struct str in = str_sub(s->text, r.inner, r.inner + r.len);
        struct str out = str_sub(s->outer->text, r.outer, r.outer + r.len);
        ASSERT(in.n == r.len && out.n == r.len && str_eq(in, out));
        ASSERT(i == 0 || r.inner >= s->runs[i - 1].inner + s->runs[i - 1].len);
        ASSERT(i == 0 || r.outer >= s->runs[i - 1].outer + s->runs[i - 1].len);
    }
}

/* Every line from its first character to behind its last. */
static void look_at_places(struct source *s, struct diags *diags)
{
    for (u32 line = 1; line <= MIN(s->n_lines, 50u); line++) {
        struct pos end = {line, (u32)source_line(s, line).n + 1};
        struct span at = {.file = s, .start = {line, 1}, .end = end};
        struct span shown = source_shown(at);
        ASSERT(shown.file == s->outer && shown.start.line > 0 &&
               shown.end.line <= s->outer->n_lines);
        diag_error(diags, DIAG_PARSE_TOKEN, at, "here");
    }
    tree_free(parse_file(s, diags));
}

static void render(const struct diags *d)
{
    struct buf b = BUF_INIT(SIZE_MAX / 2);
    diags_render(d, &b, true);
    diags_json(d, &b);
    ASSERT(d->list.n == 0 || b.n > 0);
    buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source_set file = {0};
    source_sets found = {0};
    struct diags diags;
    char *err = NULL;
    diags_init(&diags);
    if (source_set_add(&file, "f.yaml", str_n((const char *)data, size), &err) == 0) {
        int rc = extract_yaml(&file, &found, &diags);
        ASSERT((rc == 0) == !diags_failed(&diags) && (rc < 0 || found.n > 0));
        vec_each (&found, set)
            for (size_t i = 0; i < set->files.n; i++) {
                look_at_runs(set->files.v[i]);
                look_at_places(set->files.v[i], &diags);
            }
    }
    render(&diags);
    free(err);
    extract_done(&found);
    source_set_done(&file);
    diags_done(&diags);
    return 0;
}
