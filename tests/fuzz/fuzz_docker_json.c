/* Answers of the Engine API: the last byte chooses which. */
#include "base/assert.h"
#include "components/common/docker_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int read_one(struct str body, u8 kind, struct arena *a, const char **err)
{
    struct docker_containers containers;
    struct docker_networks networks;
    struct docker_state state;

    if (kind % 3 == 0) return docker_read_state(body, a, &state, err);
    if (kind % 3 == 1) return docker_read_containers(body, a, &containers, err);
    return docker_read_networks(body, a, &networks, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *err = NULL;
    struct arena a;

    if (n == 0) return 0;
    arena_init(&a, 0);
    int r = read_one(str_n((const char *)data, n - 1), data[n - 1], &a, &err);
    ASSERT((r != 0) == (err != NULL));
    arena_done(&a);
    return 0;
}
