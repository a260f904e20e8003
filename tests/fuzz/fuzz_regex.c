/* Patterns and texts: the translation never yields what PCRE2 finds fault with but for size, and a
 * match lies in the text. */
#include <stdlib.h>
#include "base/assert.h"
#include "base/buf.h"
#include "base/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match(const struct regex *re, struct str text)
{
    ssize_t ov[64];
    struct buf out = BUF_INIT(1 << 20);

    if (regex_groups(re) >= 32) return;
    if (regex_match(re, text, 0, ov, 32) == 1) {
        ASSERT(ov[0] >= 0 && ov[1] >= ov[0] && (size_t)ov[1] <= text.n);
        regex_expand(re, text, text, ov, &out);
    }
    buf_done(&out);
}

/* Up to the first NUL is the pattern, the rest the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size), pattern = str_cut(&text, '\0');
    char *err = NULL;

    if (pattern.n > 500 || text.n > 500) return 0; /* time, not faults, grows with these */
    struct regex *re = regex_compile(pattern, &err);
    if (re)
        match(re, text);
    else
        ASSERT(strncmp(err, "error parsing regexp: ", 22) == 0);
    regex_free(re);
    free(err);
    return 0;
}
