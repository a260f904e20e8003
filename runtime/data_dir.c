/* Folders below the storage path. */
#include "runtime/data_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/xalloc.h"

static int make_dir(const char *path)
{
    return mkdir(path, 0750) == 0 || errno == EEXIST ? 0 : -errno;
}

/* Makes every folder on the way; path is changed and restored. */
static int make_dirs(char *path)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        int rc = make_dir(path);
        *at = '/';
        if (rc < 0) return rc;
    }
    return make_dir(path);
}

char *data_dir_make(const char *storage_path, const char *id, char **ret_err)
{
    char *path = xprintf("%s/%s", storage_path, id);
    int rc = make_dirs(path);

    if (rc == 0) return path;
    *ret_err = xprintf("mkdir %s: %s", path, strerror(-rc));
    free(path);
    return NULL;
}
