/* GELF messages that came in pieces: 0x1e 0x0f, an id of eight bytes, the piece's number, how many
 * there are (128 at most). Pure. What does not become whole in time is forgotten, and so is the
 * oldest when too much waits. */
#ifndef COMPONENTS_LOKI_GELF_CHUNKS_H
#define COMPONENTS_LOKI_GELF_CHUNKS_H

#include "base/buf.h"

#define GELF_CHUNKS     128
#define GELF_CHUNK_TIME (5 * NS_PER_SEC) /* of GELF's description */

struct gelf_chunks;
struct gelf_chunks_conf {
    size_t max_messages, max_bytes;
};
struct gelf_chunks *gelf_chunks_new(const struct gelf_chunks_conf *conf);
void gelf_chunks_free(struct gelf_chunks *c); /* takes NULL */

bool gelf_is_chunk(struct str datagram);
enum gelf_chunk { GELF_WAITS, GELF_WHOLE, GELF_BAD };
/* A piece from `sender`; GELF_WHOLE: *whole (emptied first) holds the message. GELF_BAD: it is no
 * piece, a message cannot have it, or one came twice (which is ignored). *ret_why: what is wrong.
 */
enum gelf_chunk gelf_chunks_add(struct gelf_chunks *c, struct str sender, struct str datagram,
                                i64 now, struct buf *whole, const char **ret_why);
/* Forgets what is too old; how many messages were given up since the last call, for any reason. */
u32 gelf_chunks_expire(struct gelf_chunks *c, i64 now);
bool gelf_chunks_empty(const struct gelf_chunks *c);

#endif
