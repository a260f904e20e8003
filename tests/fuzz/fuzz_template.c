/* Templates: what compiles runs within its limits, and leaves no text behind when it fails. */
#include <errno.h>
#include <stdlib.h>
#include "base/assert.h"
#include "components/common/template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str get(void *arg, struct str name)
{
    return str_is(name, "a") ? *(struct str *)arg : (struct str){0};
}

static size_t all(void *arg, struct arena *a, struct str **ret_names, struct str **ret_values)
{
    *ret_names = arena_array(a, struct str, 1);
    *ret_values = arena_array(a, struct str, 1);
    (*ret_names)[0] = STR("a");
    (*ret_values)[0] = *(struct str *)arg;
    return 1;
}

/* These make keys, or wait on purpose: seconds for one input. */
static bool is_slow(struct str text)
{
    static const char *const slow[] = {"gen", "bcrypt", "htpasswd", "derivePassword"};
    for (size_t i = 0; i < ARRAY_LEN(slow); i++)
        if (str_find(text, str_of(slow[i])) >= 0) return true;
    return false;
}

static void run(const struct template *t, struct str value)
{
    const struct template_data d = {.get = get, .all = all, .arg = &value};
    struct buf out = BUF_INIT(1 << 20);
    struct arena scratch;
    const char *why = NULL;
    arena_init(&scratch, 0);
    buf_cstr(&out, "before");
    int code = template_run(t, &d, 1796072679000000000, &scratch, &out, &why);
    ASSERT(code == 0 || code == -EINVAL || code == -E2BIG);
    ASSERT(code == 0 ? out.n >= 6 : out.n == 6 && why != NULL);
    arena_done(&scratch);
    buf_done(&out);
}

/* Up to the first NUL is the template, the rest the text of .a */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str value = str_n((const char *)data, size), text = str_cut(&value, '\0');
    char *err = NULL;
    if (is_slow(text) || text.n > 2000) return 0;
    if (!value.p) value = STR("");
    struct template *t = template_new(text, &err);
    ASSERT((t == NULL) == (err != NULL));
    if (t)
        run(t, value);
    else
        ASSERT(strncmp(err, "template: pipeline_template:", 28) == 0);
    template_free(t);
    free(err);
    return 0;
}
