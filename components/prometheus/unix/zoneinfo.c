/* zoneinfo: pages of the zones of memory. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

static const struct {
    const char *key, *name, *help;
} fields[] = {
    {"high", "node_zoneinfo_high_pages", "Zone watermark pages_high"},
    {"low", "node_zoneinfo_low_pages", "Zone watermark pages_low"},
    {"min", "node_zoneinfo_min_pages", "Zone watermark pages_min"},
    {"managed", "node_zoneinfo_managed_pages", "Present pages managed by the buddy system"},
    {"present", "node_zoneinfo_present_pages", "Physical pages existing within the zone"},
    {"spanned", "node_zoneinfo_spanned_pages", "Total pages spanned by the zone, including holes"},
    {"scanned", "node_zoneinfo_scanned_pages", "Pages scanned since last reclaim"},
    {"nr_active_anon", "node_zoneinfo_nr_active_anon_pages",
     "Number of anonymous pages recently more used"},
    {"nr_active_file", "node_zoneinfo_nr_active_file_pages",
     "Number of active pages with file-backing"},
    {"nr_anon_pages", "node_zoneinfo_nr_anon_pages",
     "Number of anonymous pages currently used by the system"},
    {"nr_anon_transparent_hugepages", "node_zoneinfo_nr_anon_transparent_hugepages",
     "Number of anonymous transparent huge pages currently used by the system"},
    {"nr_dirtied", "node_zoneinfo_nr_dirtied_total", "Page dirtyings since bootup"},
    {"nr_dirty", "node_zoneinfo_nr_dirty_pages", "Number of dirty pages"},
    {"nr_file_pages", "node_zoneinfo_nr_file_pages", "Number of file pages"},
    {"nr_free_pages", "node_zoneinfo_nr_free_pages", "Total number of free pages in the zone"},
    {"nr_inactive_anon", "node_zoneinfo_nr_inactive_anon_pages",
     "Number of anonymous pages recently less used"},
    {"nr_inactive_file", "node_zoneinfo_nr_inactive_file_pages",
     "Number of inactive pages with file-backing"},
    {"nr_isolated_anon", "node_zoneinfo_nr_isolated_anon_pages",
     "Temporary isolated pages from anon lru"},
    {"nr_isolated_file", "node_zoneinfo_nr_isolated_file_pages",
     "Temporary isolated pages from file lru"},
    {"nr_kernel_stack", "node_zoneinfo_nr_kernel_stacks", "Number of kernel stacks"},
    {"nr_mapped", "node_zoneinfo_nr_mapped_pages", "Number of mapped pages"},
    {"nr_shmem", "node_zoneinfo_nr_shmem_pages",
     "Number of shmem pages (included tmpfs/GEM pages)"},
    {"nr_slab_reclaimable", "node_zoneinfo_nr_slab_reclaimable_pages",
     "Number of reclaimable slab pages"},
    {"nr_slab_unreclaimable", "node_zoneinfo_nr_slab_unreclaimable_pages",
     "Number of unreclaimable slab pages"},
    {"nr_unevictable", "node_zoneinfo_nr_unevictable_pages", "Number of unevictable pages"},
    {"nr_writeback", "node_zoneinfo_nr_writeback_pages", "Number of writeback pages"},
    {"nr_written", "node_zoneinfo_nr_written_total", "Page writings since bootup"},
    {"numa_foreign", "node_zoneinfo_numa_foreign_total", "Was intended here, hit elsewhere"},
    {"numa_hit", "node_zoneinfo_numa_hit_total", "Allocated in intended node"},
    {"numa_interleave", "node_zoneinfo_numa_interleave_total", "Interleaver preferred this zone"},
    {"numa_local", "node_zoneinfo_numa_local_total", "Allocation from local node"},
    {"numa_miss", "node_zoneinfo_numa_miss_total", "Allocated in non intended node"},
    {"numa_other", "node_zoneinfo_numa_other_total", "Allocation from other node"},
};

struct zone {
    struct str node, name;
};

static void add_field(struct collect *c, const struct zone *z, struct str key, struct str value)
{
    u64 v;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (str_is(key, fields[i].key) && unix_u64(value, &v) == 0)
            expo_add(expo_family(c->out,
                                 str_ends(str_of(fields[i].name), STR("_total")) ? EXPO_COUNTER
                                                                                 : EXPO_GAUGE,
                                 fields[i].name, fields[i].help),
                     v, EXPO_LS("node", z->node), EXPO_LS("zone", z->name));
}

/* "(0, 3018, 9418)" */
static void add_protection(struct collect *c, const struct zone *z, struct str list)
{
    u64 v;

    list = str_trim(list);
    list = list.n >= 2 ? str_sub(list, 1, list.n - 1) : STR("");
    for (int i = 0; list.n > 0; i++) {
        if (unix_u64(str_trim(str_cut(&list, ',')), &v)) continue;
        const char *name = arena_printf(c->arena, "node_zoneinfo_protection_%d", i);
        const char *help = arena_printf(c->arena, "Protection array %d. field", i);
        expo_gauge1(c->out, expo_keep(c->out, str_of(name)), expo_keep(c->out, str_of(help)), v,
                    EXPO_LS("node", z->node), EXPO_LS("zone", z->name));
    }
}

/* What stands below "pagesets" is by CPU, and has keys of the same names. */
static int collect(struct collect *c)
{
    struct str text, line, part[4];
    struct zone z = {0};
    bool by_cpu = false;
    int r = unix_read(c, &text, ROOT_PROC, "zoneinfo");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "zoneinfo");
    while (unix_line(&text, &line)) {
        size_t n = unix_fields(line, part, 4);

        if (n == 4 && str_is(part[0], "Node") && str_is(part[2], "zone")) {
            part[1].n -= str_ends(part[1], STR(","));
            z = (struct zone){part[1], part[3]};
            by_cpu = false;
        } else if (n > 0 && str_is(part[0], "pagesets")) {
            by_cpu = true;
        } else if (n > 1 && str_is(part[0], "protection:")) {
            add_protection(c, &z, str_sub(line, (size_t)str_chr(line, ':') + 1, line.n));
        } else if (n == 2 && !by_cpu) {
            add_field(c, &z, part[0], part[1]);
        }
    }
    return COLLECT_OK;
}

const struct collector_def collector_zoneinfo = {.name = "zoneinfo", .collect = collect};
