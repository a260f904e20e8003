/* Arguments of prometheus.exporter.unix. Collectors read theirs in `prepare`. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_ARGS_H
#define COMPONENTS_PROMETHEUS_UNIX_ARGS_H

#include "value/schema.h"

struct unix_args {
    struct str procfs_path, sysfs_path, rootfs_path, udev_data_path;
    struct str_list set_collectors, enable_collectors, disable_collectors;
    bool include_exporter_metrics;

    struct {
        struct str device_include, device_exclude;
        bool netlink;
    } arp;
    struct {
        bool priority_stats;
    } bcache;
    struct {
        struct str bugs_include, flags_include;
        bool guest, info;
    } cpu;
    struct {
        struct str device_include, device_exclude;
    } disk;
    struct {
        struct str device_include, device_exclude, metrics_include;
    } ethtool;
    struct {
        struct str fs_types_exclude, mount_points_exclude;
        struct dur mount_timeout;
    } filesystem;
    struct {
        struct str chip_include, chip_exclude;
    } hwmon;
    struct {
        struct str_list backend_labels; /* none: all */
    } ipvs;
    struct {
        i64 ip_ttl, protocol_version;
        struct dur local_offset_tolerance, max_distance;
        bool server_is_local;
        struct str server;
    } ntp;
    struct {
        bool ignore_invalid_speed_device;
        struct str ignored_devices;
    } netclass;
    struct {
        bool address_info;
        struct str device_include, device_exclude;
    } netdev;
    struct {
        struct str fields;
    } netstat;
    struct {
        struct str_list cache_profilers, hardware_profilers, software_profilers, tracepoint;
        struct str cpus;
        bool disable_cache_profilers, disable_hardware_profilers, disable_software_profilers;
    } perf;
    struct {
        struct str ignored_supplies;
    } powersupply;
    struct {
        struct str service_dir;
    } runit;
    struct {
        struct str url;
    } supervisord;
    struct {
        struct str_list include, include_info;
    } sysctl;
    struct {
        bool enable_restarts, start_time, task_metrics;
        struct str unit_exclude, unit_include;
    } systemd;
    struct {
        struct str ignored_devices;
    } tapestats;
    struct {
        struct str directory;
    } textfile;
    struct {
        struct str fields;
    } vmstat;
};

extern const struct schema unix_args_schema;

#endif
