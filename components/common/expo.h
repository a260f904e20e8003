/* The exporter's side of the exposition formats: families are gathered with their samples, then
 * written as text 0.0.4 or OpenMetrics 1.0. Names, types and help are told once a family; samples
 * are added in any order. What comes out is sorted and has no series twice: what would break that
 * is left out, and told (expo_faults).
 *
 *     struct expo_family *f = expo_counter(e, "node_cpu_seconds_total", "Seconds the CPUs ...");
 *     expo_add(f, 12.5, EXPO_L("cpu", "0"), EXPO_L("mode", "idle"));
 *     expo_gauge1(e, "node_load1", "1m load average.", 0.25);
 *
 * Everything lives until expo_reset or expo_free; texts are copied, but for names and help, which
 * are borrowed (use expo_keep for those that do not live as long). One thread at a time. Memory is
 * bounded: past the maximum nothing is added, and expo_err tells. */
#ifndef COMPONENTS_COMMON_EXPO_H
#define COMPONENTS_COMMON_EXPO_H

#include "base/arena.h"
#include "base/buf.h"

enum expo_type { EXPO_UNTYPED, EXPO_COUNTER, EXPO_GAUGE, EXPO_HISTOGRAM, EXPO_SUMMARY };

struct expo_label {
    const char *name;
    struct str value;
};
#define EXPO_L(name_, text)  ((struct expo_label){(name_), str_of(text)})
#define EXPO_LS(name_, str_) ((struct expo_label){(name_), (str_)})

struct expo;
struct expo_family;

/* max: bytes that samples and their texts may take. */
struct expo *expo_new(size_t max);
void expo_free(struct expo *e); /* takes NULL */
void expo_reset(struct expo *e);
/* A terminated copy that lives as long as the families. */
const char *expo_keep(struct expo *e, struct str s);

/* The family of this name, made by the first who asks. One with another type than the first gave is
 * a fault: what is added to it is not shown. Another help is ignored when it is empty, else a fault
 * that is told while the samples are kept. A family without samples is not shown. */
struct expo_family *expo_family(struct expo *e, enum expo_type type, const char *name,
                                const char *help);
static inline struct expo_family *expo_counter(struct expo *e, const char *name, const char *help)
{
    return expo_family(e, EXPO_COUNTER, name, help);
}
static inline struct expo_family *expo_gauge(struct expo *e, const char *name, const char *help)
{
    return expo_family(e, EXPO_GAUGE, name, help);
}
static inline struct expo_family *expo_untyped(struct expo *e, const char *name, const char *help)
{
    return expo_family(e, EXPO_UNTYPED, name, help);
}
/* Whether the family was made, by whomever. */
bool expo_has(const struct expo *e, const char *name);

/* A sample. suffix: "" or NULL; "_bucket", "_sum", "_count" for histograms and summaries. Labels
 * may come in any order; one with an empty value is written as such. Bytes that
 * are no UTF-8 become U+FFFD. */
void expo_sample(struct expo_family *f, const char *suffix, f64 v, const struct expo_label *labels,
                 size_t n);
/* The same with a time, in milliseconds since 1970. */
void expo_sample_at(struct expo_family *f, const char *suffix, f64 v, i64 ms,
                    const struct expo_label *labels, size_t n);
#define EXPO_LABELS_(...) ((const struct expo_label[]){{0}, ##__VA_ARGS__})
#define expo_add(f, v, ...)                                                                        \
    expo_sample((f), NULL, (f64)(v), EXPO_LABELS_(__VA_ARGS__) + 1,                                \
                sizeof(EXPO_LABELS_(__VA_ARGS__)) / sizeof(struct expo_label) - 1)
/* Family and sample in one call. */
#define expo_counter1(e, name, help, v, ...)                                                       \
    expo_add(expo_counter((e), (name), (help)), (v), ##__VA_ARGS__)
#define expo_gauge1(e, name, help, v, ...)                                                         \
    expo_add(expo_gauge((e), (name), (help)), (v), ##__VA_ARGS__)
#define expo_untyped1(e, name, help, v, ...)                                                       \
    expo_add(expo_untyped((e), (name), (help)), (v), ##__VA_ARGS__)

enum expo_format { EXPO_TEXT, EXPO_OPENMETRICS };
/* For a Content-Type header. */
const char *expo_content_type(enum expo_format format);
/* Writes every family that has samples, sorted by name; samples of simple families sorted by their
 * labels, those of histograms and summaries as they were added. In OpenMetrics a counter's family
 * loses `_total`, its samples have it. Series that are there twice are written once. */
void expo_write(struct expo *e, enum expo_format format, struct buf *out);
/* -E2BIG once the maximum was reached, else 0. */
int expo_err(const struct expo *e);
/* What was left out and why, one sentence a line, each fault once, at most 32 (known completely
 * after expo_write); empty: nothing. */
struct str expo_faults(const struct expo *e);
size_t expo_count(const struct expo *e); /* samples */

#endif
