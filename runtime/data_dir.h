/* A node's folder below the storage path: <storage.path>/<global id>. */
#ifndef RUNTIME_DATA_DIR_H
#define RUNTIME_DATA_DIR_H

/* Makes it, with every folder on the way (mode 0750). Owned path, or NULL with an owned *ret_err.
 * Any thread. */
char *data_dir_make(const char *storage_path, const char *id, char **ret_err);

#endif
