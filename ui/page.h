/* The pages people see, made on the server: readable without script; ui/assets/app.js adds the
 * filter, refreshing and the live stream. Control loop. */
#ifndef UI_PAGE_H
#define UI_PAGE_H

#include "ui/find.h"
#include "ui/html.h"
#include "ui/ui_impl.h"

struct page {
    const struct ui *u;
    struct http_req *r;
    struct buf *b;
    const struct module *root; /* NULL before the first load */
};

/* Everything before and after the content. nav: path of the entry that is marked; title is shown
 * escaped, behind it `detail` may follow. */
void page_open(struct page *p, const char *nav, struct str title);
void page_close(struct page *p);
/* href="..." below the prefix: path is ours, id is anybody's. */
void page_href(struct page *p, const char *path, struct str id);
void page_health(struct page *p, const struct health_part *h);
/* "2026-11-25 00:49:04 (3 min ago)" as a time element. */
void page_time(struct page *p, i64 when);
/* A link to a component of m, with its id as text. */
void page_component_link(struct page *p, const struct module *m, u32 rank);

/* The pages. rest: of the path. */
void page_components(struct page *p, struct str rest);
void page_component(struct page *p, struct str rest);
void page_graph(struct page *p, struct str rest);
void page_live(struct page *p, struct str rest);
void page_clustering(struct page *p, struct str rest);
void page_remotecfg(struct page *p, struct str rest);
void page_status(struct page *p, struct str rest);
/* A table of the components of one module. */
void page_component_table(struct page *p, const struct module *m);
void page_last_load(struct page *p, bool with_counts);

/* assets.c: a file of ui/assets; false when there is no such one. */
struct asset {
    const char *type;
    struct str text;
};
bool asset_find(struct str name, struct asset *ret);

#endif
