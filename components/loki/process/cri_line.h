/* A line of the container runtime interface. Pure. */
#ifndef COMPONENTS_LOKI_PROCESS_CRI_LINE_H
#define COMPONENTS_LOKI_PROCESS_CRI_LINE_H

#include "base/str.h"

struct cri_line {
    struct str time, stream, content;
    bool partial; /* more of the line follows */
};
/* "TIME (stdout|stderr) [F|P ]CONTENT", one blank each; the time is not judged. Without a flag, a
 * letter of its own, the line is whole. False: something else. */
bool cri_line_cut(struct str line, struct cri_line *ret);

#endif
