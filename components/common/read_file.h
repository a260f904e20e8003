/* Whole small files (secrets, credentials) as a setting's value. Blocking: for the control loop. */
#ifndef COMPONENTS_COMMON_READ_FILE_H
#define COMPONENTS_COMMON_READ_FILE_H

#include "base/buf.h"

#define READ_FILE_MAX ((size_t)32 << 20)

/* Appends the contents to out (made with a maximum). 0; or -errno with an owned *ret_err: "open
 * PATH: no such file or directory". */
int read_file(const char *path, struct buf *out, char **ret_err);

#endif
