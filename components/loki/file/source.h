/* loki.source.file from inside: what its tailers share. One shard's worker. */
#ifndef COMPONENTS_LOKI_FILE_SOURCE_H
#define COMPONENTS_LOKI_FILE_SOURCE_H

#include "base/map.h"
#include "components/common/ack_window.h"
#include "components/common/log_source.h"
#include "components/common/positions.h"
#include "components/common/target_status.h"
#include "components/loki/file/handle.h"
#include "components/loki/file/watch.h"

/* Bytes read and not yet acknowledged, of all files: reading waits at this many. */
#define SOURCE_IN_FLIGHT ((u64)8 << 20)

enum on_bad_position { RESTART_FROM_BEGINNING, RESTART_FROM_END, SKIP_FILE };

/* What of the arguments tailers go by. */
struct tail_conf {
    bool tail_from_end, unpack, legacy; /* legacy: positions without labels may be there */
    enum unpack_format format;
    i64 initial_delay;
    enum on_bad_position on_bad_position;
};

struct file_source {
    struct shard *shard;
    const struct tail_conf *conf;
    struct log_source out;
    struct reading reading;
    struct positions *positions;
    struct watch *watch;
    u64 in_flight;
    u32 failing; /* files that cannot be read now */
    u32 late;    /* files kept open for late lines, of all tailers */
    struct list all;
    struct list ready;   /* tailers to be stepped */
    struct list waiting; /* until their time has come */
    struct map metrics;  /* path -> struct file_metrics */
    struct metric *active, *gaps;
    bool stopping;
};

/* Steps what is ready, soon. */
void source_pump(struct file_source *s);
/* Somebody waits: time is looked at. */
void source_tick(struct file_source *s);

/* --- series of a path, shared by its tailers --- */
enum { FILE_READ_BYTES, FILE_BYTES, FILE_READ_LINES, FILE_METRICS };
struct file_metrics {
    u32 users;
    struct metric *of[FILE_METRICS];
};
struct file_metrics *source_metrics_get(struct file_source *s, const char *path);
void source_metrics_put(struct file_source *s, const char *path);

#endif
