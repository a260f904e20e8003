/* Lines of the container runtime interface: what is cut out lies in the line, and put together
 * again it is the line. */
#include "base/assert.h"
#include "components/loki/process/cri_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str line = str_n((const char *)data, size);
    struct cri_line c;

    if (!cri_line_cut(line, &c)) return 0;
    ASSERT(c.time.n > 0 && c.stream.n == 6 && str_chr(c.time, ' ') < 0);
    ASSERT(c.time.p == line.p && c.stream.p == line.p + c.time.n + 1);
    ASSERT(c.content.p + c.content.n == line.p + line.n);
    ASSERT(!c.partial || line.p[c.time.n + 8] == 'P');
    return 0;
}
