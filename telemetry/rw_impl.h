/* Inside remote write: what the parts of telemetry/remote_write.h share. */
#ifndef TELEMETRY_RW_IMPL_H
#define TELEMETRY_RW_IMPL_H

#include "telemetry/pb.h"
#include "telemetry/remote_write.h"

/* Numbers of fields; both versions use the same ones for what is inside a sample or histogram. */
enum { V1_SERIES = 1, V1_METADATA = 3 };
enum { V1_LABEL = 1, V1_SAMPLE = 2, V1_EXEMPLAR = 3, V1_HISTOGRAM = 4 };
enum { META1_TYPE = 1, META1_FAMILY = 2, META1_HELP = 4, META1_UNIT = 5 };
enum { V2_SYMBOL = 4, V2_SERIES = 5 };
enum { V2_REFS = 1, V2_SAMPLE = 2, V2_HISTOGRAM = 3, V2_EXEMPLAR = 4, V2_METADATA = 5 };
enum { META2_TYPE = 1, META2_HELP = 3, META2_UNIT = 4 };
enum { LABEL_NAME = 1, LABEL_VALUE = 2 };
enum { SAMPLE_VALUE = 1, SAMPLE_TIME = 2, SAMPLE_START = 3 };
enum { EXEMPLAR_LABELS = 1, EXEMPLAR_VALUE = 2, EXEMPLAR_TIME = 3 };
enum { SPAN_OFFSET = 1, SPAN_LENGTH = 2 };
enum {
    HIST_COUNT_INT = 1,
    HIST_COUNT_FLOAT = 2,
    HIST_SUM = 3,
    HIST_SCHEMA = 4,
    HIST_ZERO_THRESHOLD = 5,
    HIST_ZERO_INT = 6,
    HIST_ZERO_FLOAT = 7,
    HIST_NEG_SPANS = 8,
    HIST_NEG_DELTAS = 9,
    HIST_NEG_COUNTS = 10,
    HIST_POS_SPANS = 11,
    HIST_POS_DELTAS = 12,
    HIST_POS_COUNTS = 13,
    HIST_RESET_HINT = 14,
    HIST_TIME = 15,
    HIST_CUSTOM = 16,
    HIST_START = 17
};
#define SCHEMA_CUSTOM (-53)

/* --- external labels (rw_external.c) --- */

/* What a shape lacks, by name: external label `ext` stands before the shape's own label `before`
 * (before == n: at the end). */
struct rw_plan {
    u64 serial; /* of the shape */
    u32 n;
    size_t wire; /* bytes of the added labels in 1.0 */
    struct rw_add {
        u32 before, ext;
    } v[];
};
struct rw_external {
    struct label *v;  /* by name */
    struct str *wire; /* each as a field of a 1.0 TimeSeries */
    u32 n;
    struct rw_plan **plans; /* by shape id */
    u32 n_plans;
    struct arena *arena;
};
/* e may be NULL. */
const struct rw_plan *rw_plan_of(struct rw_external *e, const struct series_shape *shape);

/* --- pieces of messages (rw_encode.c) --- */

static inline size_t rw_text_size(size_t n)
{
    return 1 + pb_varint_size(n) + n;
}
static inline size_t rw_label_body(size_t name, size_t value)
{
    return rw_text_size(name) + rw_text_size(value);
}
/* A label as field 1: of a 1.0 TimeSeries, of a 1.0 Exemplar. */
char *rw_put_label(char *p, struct str name, struct str value);
void rw_add_label(struct buf *b, struct str name, struct str value);
/* Contents of a Sample; at most RW_SAMPLE_MAX bytes. */
#define RW_SAMPLE_MAX 20
char *rw_put_sample(char *p, i64 time, u64 bits);
size_t rw_sample_size(i64 time, u64 bits);
/* Contents of a Histogram. */
void rw_add_histogram(struct buf *b, const struct histogram_sample *h, enum rw_version v);

/* --- a packed 1.0 request (rw_pack.c) ---
 *
 * As of rw_request, with one difference: series must live until the reset. `max`: bytes of text,
 * at most UINT32_MAX. */
struct rw_pack *rw_pack_new(void);
void rw_pack_free(struct rw_pack *k); /* takes NULL */
void rw_pack_reset(struct rw_pack *k);
int rw_pack_sample(struct rw_pack *k, const struct series *s, struct rw_external *ext, i64 time,
                   u64 bits, size_t max);
/* With the one member `num`, whose contents are these. */
int rw_pack_member(struct rw_pack *k, const struct series *s, struct rw_external *ext, u32 num,
                   struct str contents, size_t max);
/* Bytes of the text. */
size_t rw_pack_size(const struct rw_pack *k);
/* Elements of snappy's block format, valid until the next call; nothing is added behind them before
 * a reset. */
struct str rw_pack_bytes(struct rw_pack *k);

/* --- the symbols of a 2.0 request (rw_symbols.c) --- */

struct rw_symbols {
    struct buf wire; /* as fields of a Request */
    struct rw_symbol {
        u32 at, n; /* of the text in wire */
    } * v;
    u32 n, cap;
    u64 *slots; /* hash (upper half) and reference + 1; 0: free */
    u32 n_slots, used;
    struct rw_recent *recent; /* by address of the text */
};
void rw_symbols_init(struct rw_symbols *s);
void rw_symbols_done(struct rw_symbols *s);
/* Leaves the empty symbol. */
void rw_symbols_reset(struct rw_symbols *s);
/* The reference of a text, which is entered when it is new; errors stay in s->wire. */
u32 rw_symbols_ref(struct rw_symbols *s, struct str text);
/* Forgets those from n on, and the error. */
void rw_symbols_cut(struct rw_symbols *s, u32 n);

#endif
