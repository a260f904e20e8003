/* GET /-/support?duration=N: a ZIP with what a helper needs to see. Collecting takes the time asked
 * for and holds nothing up; one at a time, others wait. Nothing in it is a secret. Spec: runtime.md
 * 15. Control loop. */
#ifndef UI_SUPPORT_H
#define UI_SUPPORT_H

#include "ui/ui_impl.h"

void support_request(struct ui *u, struct http_req *r, struct str rest);
/* Gives up what is being collected or waits. */
void support_end_all(struct ui *u);

#endif
