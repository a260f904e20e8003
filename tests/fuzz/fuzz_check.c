/* Any text through the checker with everything that the program has: the registry, the components
 * it only knows, the config blocks, the standard library. What it finds is rendered. */
#include "base/assert.h"
#include "cmd/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct language *l, struct tree_set *trees, struct diags *diags)
{
    struct compile_opts o = language_opts(l, STABILITY_EXPERIMENTAL, true, true);
    struct template *t = NULL;
    int rc = template_compile(&o, trees, diags, &t);
    ASSERT((rc == 0) == !diags_failed(diags));
    if (rc == 0) template_unref(t);
}

static void render(const struct diags *d)
{
    struct buf b = BUF_INIT(SIZE_MAX / 2);
    diags_render(d, &b, true);
    diags_json(d, &b);
    buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct language lang; /* takes longer to make than most inputs to check */
    static bool made;
    if (!made) language_init(&lang, NULL, NULL, NULL);
    made = true;

    struct source_set files = {0};
    struct tree_set trees;
    struct diags diags;
    char *err = NULL;
    diags_init(&diags);
    if (source_set_add(&files, "f", str_n((const char *)data, size), &err) == 0 &&
        source_set_parse(&files, &trees, &diags) == 0)
        check(&lang, &trees, &diags);
    render(&diags);
    free(err);
    source_set_done(&files);
    diags_done(&diags);
    return 0;
}
