/* Loading libcurl. The handle is kept until the process ends: handles of curl may live as long. */
#include "net/curl_lib.h"

#include <dlfcn.h>
#include <pthread.h>
#include "base/common.h"

#define LIBRARY "libcurl.so.4" /* the soname since 2006 */

struct curl_lib curl_lib;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *failure;

static const struct {
    const char *name;
    size_t at; /* in struct curl_lib */
} functions[] = {
#define ROW(name) {"curl_" #name, offsetof(struct curl_lib, name)},
    CURL_LIB_FUNCTIONS(ROW)
#undef ROW
};

static void load(void)
{
    void *lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

    if (!lib) {
        failure = LIBRARY " cannot be loaded: HTTP requests need libcurl 7.87 or newer";
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        void *fn = dlsym(lib, functions[i].name);
        if (!fn) failure = LIBRARY " lacks a function that is needed";
        memcpy((char *)&curl_lib + functions[i].at, &fn, sizeof(fn));
    }
}

const char *curl_lib_load(void)
{
    pthread_once(&once, load);
    return failure;
}
