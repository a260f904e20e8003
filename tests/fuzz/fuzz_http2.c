/* Any bytes after the preface of an HTTP/2 connection. */
#include "tests/fuzz/http_server_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";

    fuzz_feed(preface, sizeof(preface), data,
              n); /* the literal's own NUL ends the SETTINGS frame */
    return 0;
}
