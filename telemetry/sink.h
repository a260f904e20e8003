/* The face between a producer and a consumer of batches on one worker. */
#ifndef TELEMETRY_SINK_H
#define TELEMETRY_SINK_H

#include "telemetry/batch.h"

enum push {
    PUSH_TAKEN, /* the reference moved; all else comes back through the acks */
    PUSH_FULL,  /* the caller keeps the reference and is woken when there is room */
};

#endif
