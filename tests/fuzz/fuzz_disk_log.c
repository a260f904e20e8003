/* Any bytes as a segment of the log on disk, the mark from the first byte: reading ends, what it
 * gives lies in order inside the segment, and appending goes on behind it. */
#include "components/common/disk_log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[32];

static void remove_folder(void)
{
    (void)rmdir(dir);
}

static void make_folder(void)
{
    if (dir[0]) return;
    (void)snprintf(dir, sizeof(dir), "/tmp/fuzz-disk-XXXXXX");
    ASSERT(mkdtemp(dir));
    (void)atexit(remove_folder);
}

static void write_file(const char *name, const void *p, size_t n)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ASSERT(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    (void)close(fd);
}

static void remove_file(const char *name)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    (void)unlink(path);
}

static size_t read_all(struct disk_log *l, struct disk_reader *r, bool *ret_last_is_ours)
{
    struct disk_place after, before = {0};
    struct str payload;
    u8 kind;
    size_t n = 0;

    while (disk_reader_next(r, &kind, &payload, &after) == 1) {
        ASSERT(after.segment > before.segment || after.offset > before.offset);
        *ret_last_is_ours = str_is(payload, "appended") && kind == 200;
        before = after;
        n++;
    }
    (void)l;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct disk_log *l = NULL;
    char *err = NULL, mark[32];
    struct iovec v = {(void *)(uintptr_t) "appended", 8};
    bool ours = false;

    if (size < 1) return 0;
    make_folder();
    int n = snprintf(mark, sizeof(mark), "1 %u\n", data[0] & 127u);
    if (data[0] & 128) write_file("r.mark", mark, (size_t)n);
    write_file("00000001.seg", data + 1, size - 1);
    ASSERT(disk_log_open(&(struct disk_log_conf){.dir = dir}, &l, &err) == 0);
    struct disk_reader *r = disk_reader_open(l, "r", true);
    ASSERT(r && disk_log_append(l, 200, &v, 1, NULL) == 0);
    size_t first = read_all(l, r, &ours);
    ASSERT(first >= 1 && ours);
    disk_reader_rewind(r);
    ASSERT(read_all(l, r, &ours) == first);
    disk_log_close(l);
    remove_file("00000001.seg");
    remove_file("00000002.seg");
    remove_file("r.mark");
    return 0;
}
