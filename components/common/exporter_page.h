/* The page of a built-in exporter whose metrics are read from the machine when they are asked for.
 * Reading may block, so a scrape runs on a pool thread; one at a time, and all who ask meanwhile
 * get the same answer. A scrape that hangs (a thread that is in the kernel cannot be called back)
 * is told to those who wait, and goes on.
 *
 * Embedded in comp->shared; control loop, but for `collect`. */
#ifndef COMPONENTS_COMMON_EXPORTER_PAGE_H
#define COMPONENTS_COMMON_EXPORTER_PAGE_H

#include "base/list.h"
#include "components/common/expo.h"
#include "runtime/component.h"

#define EXPORTER_PAGE_MAX ((size_t)64 << 20)

struct exporter_page;
struct exporter_page_rules {
    const char *what; /* "the machine's metrics are served" */
    /* What a scrape needs: owned by it, freed by release. It must not refer to the instance, which
     * may end before the scrape does. */
    void *(*begin)(struct comp *c);
    /* Pool thread: reads and adds families. What is left out of them is logged (expo_faults). */
    void (*collect)(void *work, struct expo *out);
    void (*release)(void *work);
    /* Optional: where a scrape that hangs is, a sentence without its end ("it reads ..."); owned.
     */
    char *(*at)(void *work);
    /* Optional, after collect: why the instance is not healthy; owned, NULL: it is. */
    char *(*trouble)(void *work);
};

struct page_scrape;
struct exporter_page {
    struct comp *comp;
    const struct exporter_page_rules *rules;
    struct list waiting;         /* of those who asked */
    struct page_scrape *running; /* NULL: none */
    struct timer *patience;
    u64 served, failed; /* answers */
};

/* In create. */
void exporter_page_init(struct exporter_page *p, struct comp *c,
                        const struct exporter_page_rules *rules);
/* A scrape that nobody asked for, unless one runs: those who count from a first look on begin so.
 */
void exporter_page_look(struct exporter_page *p);
/* Serves /metrics. */
void exporter_page_http(struct exporter_page *p, struct http_req *r, struct str rest);
/* In destroy; takes what was never begun. */
void exporter_page_done(struct exporter_page *p);

#endif
