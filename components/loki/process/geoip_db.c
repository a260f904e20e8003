/* needs: libmaxminddb */
/* Records become JSON trees, so that paths and JMESPath work on them. */
#include "components/loki/process/geoip_db.h"

#include <arpa/inet.h>
#include <errno.h>
#include <maxminddb.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/xalloc.h"

/* Nesting of a record, and values in it: files come from outside. */
#define MAX_DEPTH  32
#define MAX_VALUES 10000

struct geoip_db {
    MMDB_s mmdb;
    char *path;
    struct stat st; /* of the file when it was opened */
};

int geoip_db_open(const char *path, struct geoip_db **ret, char **ret_err)
{
    struct geoip_db *db = xcalloc(1, sizeof(*db));
    int rc = stat(path, &db->st) < 0 ? -errno : 0, status;

    if (rc) {
        *ret_err = xprintf("open %s: %s", path, strerror(-rc));
        free(db);
        return rc;
    }
    status = MMDB_open(path, MMDB_MODE_MMAP, &db->mmdb);
    if (status == MMDB_SUCCESS) {
        db->path = xstrdup(path);
        *ret = db;
        return 0;
    }
    *ret_err =
        xprintf("%s is no MaxMind database that can be read: %s", path, MMDB_strerror(status));
    free(db);
    return -EBADMSG;
}

void geoip_db_close(struct geoip_db *db)
{
    if (!db) return;
    MMDB_close(&db->mmdb);
    free(db->path);
    free(db);
}

bool geoip_db_stale(const struct geoip_db *db)
{
    struct stat now;

    if (stat(db->path, &now) < 0) return false;
    return now.st_ino != db->st.st_ino || now.st_dev != db->st.st_dev ||
           now.st_size != db->st.st_size || now.st_mtim.tv_sec != db->st.st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != db->st.st_mtim.tv_nsec;
}

/* --- records to trees --- */

struct walk {
    const MMDB_entry_data_list_s *at;
    struct arena *a;
    u32 values, depth;
};

static bool read_value(struct walk *w, struct jv *ret);

static struct str text_of(struct walk *w, const MMDB_entry_data_s *d)
{
    return jv_clean(arena_str(w->a, str_n(d->utf8_string, d->data_size)), w->a);
}

static bool take(struct walk *w, MMDB_entry_data_s *ret)
{
    if (!w->at || ++w->values > MAX_VALUES) return false;
    *ret = w->at->entry_data;
    w->at = w->at->next;
    return true;
}

static bool read_map(struct walk *w, u32 n, struct jv *ret)
{
    struct jv_member *m;
    MMDB_entry_data_s key;

    if (n > MAX_VALUES) return false;
    m = arena_array(w->a, struct jv_member, n + 1);
    for (u32 i = 0; i < n; i++) {
        if (!take(w, &key) || key.type != MMDB_DATA_TYPE_UTF8_STRING) return false;
        m[i].key = text_of(w, &key);
        if (!read_value(w, &m[i].value)) return false;
    }
    *ret = jv_obj(m, jv_unique(m, n));
    return true;
}

static bool read_array(struct walk *w, u32 n, struct jv *ret)
{
    struct jv *v;

    if (n > MAX_VALUES) return false;
    v = arena_array(w->a, struct jv, n + 1);
    for (u32 i = 0; i < n; i++)
        if (!read_value(w, &v[i])) return false;
    *ret = jv_arr(v, n);
    return true;
}

static struct jv scalar(struct walk *w, const MMDB_entry_data_s *d)
{
    switch (d->type) {
    case MMDB_DATA_TYPE_UTF8_STRING: return jv_str(text_of(w, d));
    case MMDB_DATA_TYPE_DOUBLE: return jv_num(d->double_value);
    case MMDB_DATA_TYPE_FLOAT: return jv_num((f64)d->float_value);
    case MMDB_DATA_TYPE_UINT16: return jv_num(d->uint16);
    case MMDB_DATA_TYPE_UINT32: return jv_num(d->uint32);
    case MMDB_DATA_TYPE_INT32: return jv_num(d->int32);
    case MMDB_DATA_TYPE_UINT64: return jv_num((f64)d->uint64);
    case MMDB_DATA_TYPE_BOOLEAN: return jv_bool(d->boolean);
    default: return jv_null(); /* raw bytes, 128 bits: nothing that a label could hold */
    }
}

static bool read_value(struct walk *w, struct jv *ret)
{
    MMDB_entry_data_s d;
    bool ok = true;

    if (!take(w, &d) || ++w->depth > MAX_DEPTH) return false;
    if (d.type == MMDB_DATA_TYPE_MAP)
        ok = read_map(w, d.data_size, ret);
    else if (d.type == MMDB_DATA_TYPE_ARRAY)
        ok = read_array(w, d.data_size, ret);
    else
        *ret = scalar(w, &d);
    w->depth--;
    return ok;
}

static int read_record(MMDB_entry_s *entry, struct arena *a, struct jv *ret)
{
    MMDB_entry_data_list_s *list = NULL;
    int status = MMDB_get_entry_data_list(entry, &list);
    struct walk w = {.at = list, .a = a};
    bool ok = status == MMDB_SUCCESS && read_value(&w, ret);

    MMDB_free_entry_data_list(list);
    return ok ? 1 : -EBADMSG;
}

/* --- look-up --- */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool read_address(struct str text, union address *ret)
{
    char s[INET6_ADDRSTRLEN];

    if (text.n >= sizeof(s)) return false;
    memcpy(s, text.p, text.n);
    s[text.n] = '\0';
    *ret = (union address){.v4.sin_family = AF_INET};
    if (inet_pton(AF_INET, s, &ret->v4.sin_addr) == 1) return true;
    *ret = (union address){.v6.sin6_family = AF_INET6};
    return inet_pton(AF_INET6, s, &ret->v6.sin6_addr) == 1;
}

int geoip_db_find(const struct geoip_db *db, struct str address, struct arena *a, struct jv *ret)
{
    MMDB_lookup_result_s found;
    union address addr;
    int status;

    if (!read_address(address, &addr)) return -EINVAL;
    found = MMDB_lookup_sockaddr(&db->mmdb, &addr.any, &status);
    if (status == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR) return 0;
    if (status != MMDB_SUCCESS) return -EBADMSG;
    return found.found_entry ? read_record(&found.entry, a, ret) : 0;
}
