/* Inside of gRPC: what server and client share. */
#ifndef NET_GRPC_PRIVATE_H
#define NET_GRPC_PRIVATE_H

#include "net/grpc.h"

#define GRPC_FRAME 5 /* flag and length before each message */

enum grpc_code grpc_code_of(u64 n); /* unknown numbers are GRPC_UNKNOWN */
/* grpc-message: every byte outside 0x20..0x7E, and '%', as %XX. */
void grpc_message_encode(struct buf *out, struct str text);
void grpc_message_decode(struct buf *out, struct str text);
void grpc_frame(u8 frame[GRPC_FRAME], bool compressed, size_t n);
u32 grpc_frame_length(const u8 frame[GRPC_FRAME]);
bool grpc_encoding_parse(struct str name, enum codec *ret);
const char *grpc_encoding_name(enum codec c);
/* As codec_decompress. */
int grpc_decompress(enum codec c, struct str in, size_t limit, struct buf *out,
                    const char **ret_err);

#endif
