/* xfs: statistics of each XFS file system. */
#include "components/prometheus/unix/values.h"

#include <errno.h>

#define COUNTER(line_, at_, name_, help_)                                                          \
    {                                                                                              \
        line_, at_, "node_xfs_" name_ "_total", help_                                              \
    }
static const struct {
    const char *line;
    size_t at; /* number in the line, from 0 */
    const char *name, *help;
} counters[] = {
    COUNTER("extent_alloc", 0, "extent_allocation_extents_allocated",
            "Number of extents allocated for a filesystem."),
    COUNTER("extent_alloc", 1, "extent_allocation_blocks_allocated",
            "Number of blocks allocated for a filesystem."),
    COUNTER("extent_alloc", 2, "extent_allocation_extents_freed",
            "Number of extents freed for a filesystem."),
    COUNTER("extent_alloc", 3, "extent_allocation_blocks_freed",
            "Number of blocks freed for a filesystem."),
    COUNTER("abt", 0, "allocation_btree_lookups",
            "Number of allocation B-tree lookups for a filesystem."),
    COUNTER("abt", 1, "allocation_btree_compares",
            "Number of allocation B-tree compares for a filesystem."),
    COUNTER("abt", 2, "allocation_btree_records_inserted",
            "Number of allocation B-tree records inserted for a filesystem."),
    COUNTER("abt", 3, "allocation_btree_records_deleted",
            "Number of allocation B-tree records deleted for a filesystem."),
    COUNTER("blk_map", 0, "block_mapping_reads",
            "Number of block map for read operations for a filesystem."),
    COUNTER("blk_map", 1, "block_mapping_writes",
            "Number of block map for write operations for a filesystem."),
    COUNTER("blk_map", 2, "block_mapping_unmaps",
            "Number of block unmaps (deletes) for a filesystem."),
    COUNTER("blk_map", 3, "block_mapping_extent_list_insertions",
            "Number of extent list insertions for a filesystem."),
    COUNTER("blk_map", 4, "block_mapping_extent_list_deletions",
            "Number of extent list deletions for a filesystem."),
    COUNTER("blk_map", 5, "block_mapping_extent_list_lookups",
            "Number of extent list lookups for a filesystem."),
    COUNTER("blk_map", 6, "block_mapping_extent_list_compares",
            "Number of extent list compares for a filesystem."),
    COUNTER("bmbt", 0, "block_map_btree_lookups",
            "Number of block map B-tree lookups for a filesystem."),
    COUNTER("bmbt", 1, "block_map_btree_compares",
            "Number of block map B-tree compares for a filesystem."),
    COUNTER("bmbt", 2, "block_map_btree_records_inserted",
            "Number of block map B-tree records inserted for a filesystem."),
    COUNTER("bmbt", 3, "block_map_btree_records_deleted",
            "Number of block map B-tree records deleted for a filesystem."),
    COUNTER("dir", 0, "directory_operation_lookup",
            "Number of file name directory lookups which miss the operating systems directory name "
            "lookup cache."),
    COUNTER("dir", 1, "directory_operation_create",
            "Number of times a new directory entry was created for a filesystem."),
    COUNTER("dir", 2, "directory_operation_remove",
            "Number of times an existing directory entry was created for a filesystem."),
    COUNTER("dir", 3, "directory_operation_getdents",
            "Number of times the directory getdents operation was performed for a filesystem."),
    COUNTER("ig", 0, "inode_operation_attempts",
            "Number of times the OS looked for an XFS inode in the inode cache."),
    COUNTER("ig", 1, "inode_operation_found",
            "Number of times the OS looked for and found an XFS inode in the inode cache."),
    COUNTER("ig", 2, "inode_operation_recycled",
            "Number of times the OS found an XFS inode in the cache, but could not use it as it "
            "was being recycled."),
    COUNTER("ig", 3, "inode_operation_missed",
            "Number of times the OS looked for an XFS inode in the cache, but did not find it."),
    COUNTER("ig", 4, "inode_operation_duplicates",
            "Number of times the OS tried to add a missing XFS inode to the inode cache, but found "
            "it had already been added by another process."),
    COUNTER("ig", 5, "inode_operation_reclaims",
            "Number of times the OS reclaimed an XFS inode from the inode cache to free memory for "
            "another purpose."),
    COUNTER("ig", 6, "inode_operation_attribute_changes",
            "Number of times the OS explicitly changed the attributes of an XFS inode."),
    COUNTER("rw", 0, "write_calls",
            "Number of write(2) system calls made to files in a filesystem."),
    COUNTER("rw", 1, "read_calls", "Number of read(2) system calls made to files in a filesystem."),
    COUNTER("vnodes", 0, "vnode_active", "Number of vnodes not on free lists for a filesystem."),
    COUNTER("vnodes", 1, "vnode_allocate", "Number of times vn_alloc called for a filesystem."),
    COUNTER("vnodes", 2, "vnode_get", "Number of times vn_get called for a filesystem."),
    COUNTER("vnodes", 3, "vnode_hold", "Number of times vn_hold called for a filesystem."),
    COUNTER("vnodes", 4, "vnode_release", "Number of times vn_rele called for a filesystem."),
    COUNTER("vnodes", 5, "vnode_reclaim", "Number of times vn_reclaim called for a filesystem."),
    COUNTER("vnodes", 6, "vnode_remove", "Number of times vn_remove called for a filesystem."),
};

#define VALUES_MAX 7
/* The numbers of one line; 0 where there are fewer. False: there is no such line. */
static bool find_line(struct str text, const char *name, u64 ret[VALUES_MAX])
{
    struct str line, fields[VALUES_MAX + 1];

    while (unix_line(&text, &line)) {
        size_t n = unix_fields(line, fields, ARRAY_LEN(fields));
        if (n == 0 || !str_is(fields[0], name)) continue;
        for (size_t i = 0; i < VALUES_MAX; i++)
            if (i + 1 >= n || unix_u64(fields[i + 1], &ret[i])) ret[i] = 0;
        return true;
    }
    return false;
}

/* Counters that the kernel does not tell of are 0. */
static int collect_one(struct collect *c, struct str device)
{
    u64 values[VALUES_MAX] = {0};
    const char *line = "";
    struct str text;
    int r = unix_read(c, &text, ROOT_SYS, "fs/xfs/%s/stats/stats", device.p);

    if (r == -ENOENT || r == -ENOTDIR) return 0; /* "stats" itself, for all of them */
    if (r) return unix_read_failed(c, r, ROOT_SYS, "fs/xfs/%s/stats/stats", device.p);
    for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
        if (strcmp(line, counters[i].line) != 0) {
            line = counters[i].line;
            if (!find_line(text, line, values)) memset(values, 0, sizeof(values));
        }
        expo_counter1(c->out, counters[i].name, counters[i].help, values[counters[i].at],
                      EXPO_LS("device", device));
    }
    return 0;
}

static int collect(struct collect *c)
{
    struct unix_names names;
    int r = unix_list(c, &names, ROOT_SYS, "fs/xfs");

    if (r == -ENOENT) return COLLECT_OK;
    if (r) return unix_read_failed(c, r, ROOT_SYS, "fs/xfs");
    for (size_t i = 0; r == 0 && i < names.n; i++)
        r = collect_one(c, names.v[i]);
    return r;
}

const struct collector_def collector_xfs = {.name = "xfs", .default_on = true, .collect = collect};
