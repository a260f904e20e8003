/* Any bytes into a fresh cleartext connection of the server. */
#include "tests/fuzz/http_server_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_feed(NULL, 0, data, n);
    return 0;
}
