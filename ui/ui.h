/* The HTTP face of the agent: readiness, health, reload, metrics, the component API, the
 * pages for people, the support bundle. One listener on the control loop, opened after the first
 * load has succeeded; the http block sets authentication and TLS. Spec: runtime.md 12 and 13. */
#ifndef UI_UI_H
#define UI_UI_H

#include "runtime/controller.h"
#include "runtime/reload.h"

struct ui_conf {
    const struct host *host;
    struct loop *loop;
    const char *prefix;         /* --server.http.ui-path-prefix */
    const char *version, *arch; /* as Go names it */
    const char *flags;          /* all flags as name=value lines, the last without LF; borrowed */
    bool no_support_bundle;
};
struct ui;
struct ui *ui_new(const struct ui_conf *conf);
void ui_free(struct ui *u); /* after ui_close is done, or never opened; takes NULL */
/* What it shows; before it listens. node_name: of the peers list. All borrowed. */
void ui_attach(struct ui *u, struct controller *c, struct reloader *r, const char *node_name);
/* 0, or -errno and an owned *ret_err. */
int ui_listen(struct ui *u, const char *addr, char **ret_err);
/* No new connections; running answers have until grace_ns. done(arg), at once when it never
 * listened. */
void ui_close(struct ui *u, i64 grace_ns, void (*done)(void *arg), void *arg);

extern const struct config_def http_block_def; /* self: struct ui * */

#endif
