/* pcidevice: what is on the PCI bus, and how its links run. */
#include "components/prometheus/unix/values.h"

#include <errno.h>

#define FOLDER   "bus/pci/devices"
#define LOCATION 4

/* "0000:04:00.1" */
struct place {
    struct str part[LOCATION];
};

static bool hex_only(struct str s, size_t max)
{
    u64 v;

    return s.n > 0 && s.n <= max && unix_hex(s, &v) == 0;
}

static bool place_of(struct str text, struct place *ret)
{
    static const size_t digits[LOCATION] = {8, 2, 2, 1};

    ret->part[0] = str_cut(&text, ':');
    ret->part[1] = str_cut(&text, ':');
    ret->part[2] = str_cut(&text, '.');
    ret->part[3] = text;
    for (size_t i = 0; i < LOCATION; i++)
        if (!hex_only(ret->part[i], digits[i])) return false;
    return true;
}

static struct str last_of(struct str path, struct str *ret_before)
{
    ssize_t slash = str_rchr(path, '/');

    if (slash < 0) return *ret_before = STR(""), path;
    *ret_before = str_sub(path, 0, (size_t)slash);
    return str_sub(path, (size_t)slash + 1, path.n);
}

/* What stands over it in the tree of devices; a root bus ("pci0000:00") is none. */
static void parent_of(struct collect *c, const char *name, struct place *ret)
{
    struct str path = unix_link(c, ROOT_SYS, FOLDER "/%s", name), before;

    last_of(path, &before);
    if (place_of(last_of(before, &path), ret)) return;
    for (size_t i = 0; i < LOCATION; i++)
        ret->part[i] = STR("*");
}

/* Files that each device has; the width of the label's number. */
static const struct {
    const char *file, *label;
    int digits;
} ids[] = {
    {"class", "class_id", 6},
    {"vendor", "vendor_id", 4},
    {"device", "device_id", 4},
    {"subsystem_vendor", "subsystem_vendor_id", 4},
    {"subsystem_device", "subsystem_device_id", 4},
    {"revision", "revision", 2},
};
#define N_LABELS (2 * LOCATION + ARRAY_LEN(ids))

static const char *const parts[LOCATION] = {"segment", "bus", "device", "function"};
static const char *const parent_parts[LOCATION] = {"parent_segment", "parent_bus", "parent_device",
                                                   "parent_function"};

static int add_ids(struct collect *c, const char *name, struct expo_label *to)
{
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct str text = unix_text(c, ROOT_SYS, FOLDER "/%s/%s", name, ids[i].file);
        u64 v;

        if (unix_hex(text, &v) < 0)
            return collect_fail(c, -EINVAL, "%s of the device %s is \"" STR_FMT "\", no number",
                                ids[i].file, name, STR_ARG(text));
        to[i] = EXPO_L(ids[i].label,
                       arena_printf(c->arena, "0x%0*llx", ids[i].digits, (unsigned long long)v));
    }
    return 0;
}

static int add_info(struct collect *c, const char *name, const struct expo_label *where)
{
    struct expo_label labels[N_LABELS];
    struct place parent;

    parent_of(c, name, &parent);
    memcpy(labels, where, LOCATION * sizeof(*where));
    for (size_t i = 0; i < LOCATION; i++)
        labels[LOCATION + i] = EXPO_LS(parent_parts[i], parent.part[i]);
    int r = add_ids(c, name, labels + 2 * LOCATION);
    if (r) return r;
    expo_sample(expo_gauge(c->out, "node_pcidevice_info",
                           "Non-numeric data from /sys/bus/pci/devices/<location>, value is always "
                           "1."),
                NULL, 1, labels, N_LABELS);
    return 0;
}

/* The number at the beginning: "8.0 GT/s PCIe", "16". "Unknown", an empty file and none are
 * `without`. */
static const struct {
    const char *file, *name, *help;
    f64 factor, without;
} numbers[] = {
    {"max_link_speed", "node_pcidevice_max_link_transfers_per_second",
     "Value of maximum link's transfers per second (T/s)", 1e9, -1},
    {"max_link_width", "node_pcidevice_max_link_width",
     "Value of maximum link's width (number of lanes)", 1, -1},
    {"current_link_speed", "node_pcidevice_current_link_transfers_per_second",
     "Value of current link's transfers per second (T/s)", 1e9, -1},
    {"current_link_width", "node_pcidevice_current_link_width",
     "Value of current link's width (number of lanes)", 1, -1},
    {"d3cold_allowed", "node_pcidevice_d3cold_allowed",
     "Whether the PCIe device supports D3cold power state (0/1).", 1, 0},
    {"sriov_drivers_autoprobe", "node_pcidevice_sriov_drivers_autoprobe",
     "Whether SR-IOV drivers autoprobe is enabled for the device (0/1).", 1, 0},
    {"sriov_numvfs", "node_pcidevice_sriov_numvfs",
     "Number of Virtual Functions (VFs) currently enabled for SR-IOV.", 1, 0},
    {"sriov_totalvfs", "node_pcidevice_sriov_totalvfs",
     "Total number of Virtual Functions (VFs) supported by the device.", 1, 0},
    {"sriov_vf_total_msix", "node_pcidevice_sriov_vf_total_msix",
     "Total number of MSI-X vectors for Virtual Functions.", 1, 0},
};

static f64 number_of(struct collect *c, const char *name, const char *file, f64 factor, f64 without)
{
    struct str text = unix_text(c, ROOT_SYS, FOLDER "/%s/%s", name, file), first;
    f64 v;

    return unix_field(&text, &first) && unix_f64(first, &v) == 0 ? v * factor : without;
}

static void add_power_state(struct collect *c, const char *name, const struct expo_label *where)
{
    static const char *const states[] = {"D0", "D1", "D2", "D3hot", "D3cold", "unknown", "error"};
    struct str state = unix_text(c, ROOT_SYS, FOLDER "/%s/power_state", name);
    struct expo_label labels[LOCATION + 1];

    if (state.n == 0) return; /* kernels before 5.11 */
    memcpy(labels, where, LOCATION * sizeof(*where));
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        labels[LOCATION] = EXPO_L("state", states[i]);
        expo_sample(expo_gauge(c->out, "node_pcidevice_power_state",
                               "PCIe device power state, one of: D0, D1, D2, D3hot, D3cold, "
                               "unknown or error."),
                    NULL, str_is(state, states[i]), labels, LOCATION + 1);
    }
}

static int add_device(struct collect *c, const char *name)
{
    struct expo_label where[LOCATION];
    struct place place;

    if (!place_of(str_of(name), &place))
        return collect_fail(c, -EINVAL, "\"%s\" in " FOLDER " is no place on a bus", name);
    for (size_t i = 0; i < LOCATION; i++)
        where[i] = EXPO_LS(parts[i], place.part[i]);
    int r = add_info(c, name, where);
    if (r) return r;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        expo_sample(expo_gauge(c->out, numbers[i].name, numbers[i].help), NULL,
                    number_of(c, name, numbers[i].file, numbers[i].factor, numbers[i].without),
                    where, LOCATION);
    add_power_state(c, name, where);
    f64 node = number_of(c, name, "numa_node", 1, -1);
    if (node != -1)
        expo_sample(expo_gauge(c->out, "node_pcidevice_numa_node",
                               "NUMA node number for the PCI device. -1 indicates unknown or not "
                               "available."),
                    NULL, node, where, LOCATION);
    return 0;
}

static int collect(struct collect *c)
{
    struct unix_names names;
    int r = unix_class(c, &names, FOLDER);

    for (size_t i = 0; !r && i < names.n; i++)
        r = add_device(c, names.v[i].p);
    return r;
}

const struct collector_def collector_pcidevice = {.name = "pcidevice", .collect = collect};
