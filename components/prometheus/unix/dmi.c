/* dmi: what the firmware says of the machine. */
#include "components/prometheus/unix/values.h"

static const char *const texts[][2] = {
    {"bios_date", "bios_date"},
    {"bios_release", "bios_release"},
    {"bios_vendor", "bios_vendor"},
    {"bios_version", "bios_version"},
    {"board_asset_tag", "board_asset_tag"},
    {"board_name", "board_name"},
    {"board_serial", "board_serial"},
    {"board_vendor", "board_vendor"},
    {"board_version", "board_version"},
    {"chassis_asset_tag", "chassis_asset_tag"},
    {"chassis_serial", "chassis_serial"},
    {"chassis_vendor", "chassis_vendor"},
    {"chassis_version", "chassis_version"},
    {"product_family", "product_family"},
    {"product_name", "product_name"},
    {"product_serial", "product_serial"},
    {"product_sku", "product_sku"},
    {"product_uuid", "product_uuid"},
    {"product_version", "product_version"},
    {"system_vendor", "sys_vendor"},
};

static int collect(struct collect *c)
{
    struct expo_label labels[ARRAY_LEN(texts)];
    size_t known = 0;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        labels[known] = unix_text_label(c, texts[i][0], "class/dmi/id", texts[i][1]);
        known += labels[known].value.n > 0;
    }
    if (known == 0) return COLLECT_NO_DATA;
    expo_sample(expo_gauge(c->out, "node_dmi_info",
                           "A metric with a constant '1' value labeled by bios_date, bios_release, "
                           "bios_vendor, bios_version, board_asset_tag, board_name, board_serial, "
                           "board_vendor, board_version, chassis_asset_tag, chassis_serial, "
                           "chassis_vendor, chassis_version, product_family, product_name, "
                           "product_serial, product_sku, product_uuid, product_version, "
                           "system_vendor if provided by DMI."),
                NULL, 1, labels, known);
    return COLLECT_OK;
}

const struct collector_def collector_dmi = {.name = "dmi", .default_on = true, .collect = collect};
