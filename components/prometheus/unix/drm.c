/* drm: graphics cards of AMD. */
#include "components/prometheus/unix/values.h"

#include <errno.h>

static const struct {
    const char *file, *name, *help;
} numbers[] = {
    {"gpu_busy_percent", "node_drm_gpu_busy_percent", "How busy the GPU is as a percentage."},
    {"mem_info_gtt_total", "node_drm_memory_gtt_size_bytes",
     "The size of the graphics translation table (GTT) block in bytes."},
    {"mem_info_gtt_used", "node_drm_memory_gtt_used_bytes",
     "The used amount of the graphics translation table (GTT) block in bytes."},
    {"mem_info_vram_total", "node_drm_memory_vram_size_bytes", "The size of VRAM in bytes."},
    {"mem_info_vram_used", "node_drm_memory_vram_used_bytes", "The used amount of VRAM in bytes."},
    {"mem_info_vis_vram_total", "node_drm_memory_vis_vram_size_bytes",
     "The size of visible VRAM in bytes."},
    {"mem_info_vis_vram_used", "node_drm_memory_vis_vram_used_bytes",
     "The used amount of visible VRAM in bytes."},
};

/* What a card does not tell is 0, as node_exporter has it. */
static void add_card(struct collect *c, const char *card)
{
    const char *folder = arena_printf(c->arena, "class/drm/%s/device", card);

    expo_gauge1(
        c->out, "node_drm_card_info", "Card information", 1, EXPO_L("card", card),
        unix_text_label(c, "memory_vendor", folder, "mem_info_vram_vendor"),
        unix_text_label(c, "power_performance_level", folder, "power_dpm_force_performance_level"),
        unix_text_label(c, "unique_id", folder, "unique_id"), EXPO_L("vendor", "amd"));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        u64 v = 0;

        unix_read_u64(c, &v, ROOT_SYS, "%s/%s", folder, numbers[i].file);
        expo_gauge1(c->out, numbers[i].name, numbers[i].help, v, EXPO_L("card", card));
    }
}

/* "card0", not the connectors of it ("card0-DP-1"). */
static bool is_card(struct str name)
{
    u64 number;

    return str_starts(name, STR("card")) && unix_u64(str_sub(name, 4, name.n), &number) == 0;
}

static int collect(struct collect *c)
{
    struct unix_names names;
    int r = unix_class(c, &names, "class/drm");

    for (size_t i = 0; !r && i < names.n; i++) {
        if (!is_card(names.v[i])) continue;
        struct str uevent = unix_text(c, ROOT_SYS, "class/drm/%s/device/uevent", names.v[i].p);
        if (str_find(uevent, STR("DRIVER=amdgpu")) >= 0) add_card(c, names.v[i].p);
    }
    return r == COLLECT_NO_DATA ? COLLECT_OK : r; /* no card is no failure */
}

const struct collector_def collector_drm = {.name = "drm", .collect = collect};
