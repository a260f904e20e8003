/* Globs and paths: nothing but time in proportion; a pattern matches what it is when it has no
 * wildcards. */
#include "base/assert.h"
#include "components/common/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr("*?[]{}\\,./", s.p[i])) return false;
    return s.n > 0;
}

/* Up to the first NUL is the pattern, the rest the path. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str path = str_n((const char *)data, size), pattern = str_cut(&path, '\0');
    const char *why = NULL;

    if (pattern.n > 1000 || path.n > 1000) return 0; /* time, not faults, grows with these */
    struct glob *g = glob_compile(pattern, &why);
    ASSERT(g || why);
    if (!g) return 0;
    glob_match(g, path);
    if (is_plain(pattern)) ASSERT(glob_match(g, pattern));
    glob_free(g);
    return 0;
}
