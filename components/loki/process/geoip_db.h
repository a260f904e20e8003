/* A MaxMind database on disk, mapped into memory; replaced files are noticed. Built with
 * libmaxminddb only (HAVE_LIBMAXMINDDB). */
#ifndef COMPONENTS_LOKI_PROCESS_GEOIP_DB_H
#define COMPONENTS_LOKI_PROCESS_GEOIP_DB_H

#include "components/loki/jmespath/jv.h"

struct geoip_db;
/* -errno with an owned *ret_err; blocking, but for the disk only. */
int geoip_db_open(const char *path, struct geoip_db **ret, char **ret_err);
void geoip_db_close(struct geoip_db *db); /* takes NULL */
/* Whether the file at the path is another one now, or was written. False when it is gone. */
bool geoip_db_stale(const struct geoip_db *db);
/* The record of an address: 1 and *ret (in the arena), 0 none, -EINVAL the text is no address,
 * -EBADMSG the database is damaged there. */
int geoip_db_find(const struct geoip_db *db, struct str address, struct arena *a, struct jv *ret);

#endif
