/* Levels of an OTLP request and counting. */
#include "telemetry/otlp_walk.h"

static bool has_scopes(struct str resource)
{
    struct pb_field f;
    for (struct pb_in in = pb_in(resource); pb_next(&in, &f);)
        if (f.num == OTLP_SCOPES) return true;
    return false;
}

u32 otlp_children(enum otlp_level level, struct str msg)
{
    static const u32 sets[LEVEL_MAX] = {
        [LEVEL_REQUEST] = 1u << OTLP_RESOURCES,
        [LEVEL_RESOURCE] = 1u << OTLP_SCOPES,
        [LEVEL_SCOPE] = 1u << OTLP_RECORDS,
        [LEVEL_METRIC] = 1u << OTLP_metric_gauge | 1u << OTLP_metric_sum |
                         1u << OTLP_metric_histogram | 1u << OTLP_metric_exponential_histogram |
                         1u << OTLP_metric_summary,
        [LEVEL_DATA] = 1u << OTLP_POINTS,
    };
    return level == LEVEL_RESOURCE && !has_scopes(msg) ? 1u << 31 : sets[level];
}

u32 otlp_items_in(enum signal s, enum otlp_level level, struct str msg)
{
    if (level == otlp_item_level(s)) return 1;
    u32 n = 0, children = otlp_children(level, msg);
    struct pb_field f;
    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);)
        if (otlp_is_child(children, &f)) n += otlp_items_in(s, level + 1, f.b);
    return n;
}
