/* Runs a fuzz target over every file of a corpus folder, without a fuzzer: the committed corpora as
 * ordinary tests. Usage: fuzz_NAME FOLDER. Fails when the folder is missing or holds no file; a
 * finding aborts by itself. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The whole file in memory of exactly its size, so that ASan sees a read past it. */
static uint8_t *read_file(const char *path, size_t *ret_size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;

    if (!f) return NULL;
    if (fseek(f, 0, SEEK_END) == 0) {
        long size = ftell(f);

        rewind(f);
        data = size < 0 ? NULL : malloc((size_t)size + (size == 0));
        if (data && fread(data, 1, (size_t)size, f) != (size_t)size) {
            free(data);
            data = NULL;
        }
        *ret_size = (size_t)size;
    }
    fclose(f);
    return data;
}

static int replay_file(const char *folder, const char *name)
{
    char path[4096];
    size_t size = 0;
    int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
    uint8_t *data = n < (int)sizeof(path) ? read_file(path, &size) : NULL;

    if (!data) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return -1;
    }
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *e;
    int n = 0;

    if (!dir) {
        perror(folder);
        return -1;
    }
    while (n >= 0 && (e = readdir(dir))) {
        if (e->d_name[0] != '.') n = replay_file(folder, e->d_name) ? -1 : n + 1;
    }
    closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    int n = argc == 2 ? replay_folder(argv[1]) : -1;

    if (n <= 0) {
        fprintf(stderr, "usage: %s FOLDER (with at least one file)\n", argv[0]);
        return 1;
    }
    printf("%d inputs\n", n);
    return 0;
}
