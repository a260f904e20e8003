/* needs: libsystemd */
/* The calls of libsystemd. */
#include "components/loki/journal/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-journal.h>
#include <time.h>

#include "base/arena.h"
#include "base/xalloc.h"

#define FIELD_MAX ((size_t)16 << 20) /* longer ones are cut by the library */

struct journal {
    sd_journal *sd;
    int fd;
    bool at_entry; /* the entry at hand was not read yet */
};

/* --- opening --- */

static int fail(char **ret_err, int err, const char *what)
{
    *ret_err = xprintf("%s: %s", what, strerror(-err));
    return err;
}

static struct str next_term(struct str *rest)
{
    size_t n = 0;

    *rest = str_trim(*rest);
    while (n < rest->n && !strchr(" \t\r\n\v\f", rest->p[n]))
        n++;
    struct str term = str_sub(*rest, 0, n);
    *rest = str_sub(*rest, n, rest->n);
    return term;
}

struct str journal_bad_match(struct str matches)
{
    for (struct str term; (term = next_term(&matches)).n > 0;)
        if (str_chr(term, '=') <= 0) return term;
    return STR("");
}

static int add_matches(struct journal *j, struct str matches, char **ret_err)
{
    struct str bad = journal_bad_match(matches), term;

    if (bad.n > 0) {
        *ret_err = xprintf("matches: \"" STR_FMT "\" is not FIELD=value", STR_ARG(bad));
        return -EINVAL;
    }
    while ((term = next_term(&matches)).n > 0) {
        int err = sd_journal_add_match(j->sd, term.p, term.n);
        if (err < 0) {
            *ret_err = xprintf("matches: \"" STR_FMT "\": %s", STR_ARG(term), strerror(-err));
            return err;
        }
    }
    return 0;
}

static int open_files(struct journal *j, struct str path, char **ret_err)
{
    char *folder = str_dup(path);
    int err = path.n ? sd_journal_open_directory(&j->sd, folder, 0)
                     : sd_journal_open(&j->sd, SD_JOURNAL_LOCAL_ONLY);

    free(folder);
    return err < 0 ? fail(ret_err, err, "failed to open the journal") : 0;
}

/* --- placing --- */

static int seek_since(struct journal *j, u64 since)
{
    j->at_entry = false;
    return since ? sd_journal_seek_realtime_usec(j->sd, since) : sd_journal_seek_head(j->sd);
}

static bool is_older(struct journal *j, u64 since)
{
    uint64_t time;

    return sd_journal_get_realtime_usec(j->sd, &time) >= 0 && time < since;
}

/* After the cursor's own entry; at the entry that stands in its place. */
static int seek_cursor(struct journal *j, const char *cursor, u64 since)
{
    int err = sd_journal_seek_cursor(j->sd, cursor);

    if (err >= 0) err = sd_journal_next(j->sd);
    if (err <= 0 || is_older(j, since)) return seek_since(j, since);
    j->at_entry = sd_journal_test_cursor(j->sd, cursor) <= 0;
    return 0;
}

static int seek(struct journal *j, const struct journal_place *at)
{
    char *cursor = str_dup(at->cursor);
    int err = at->cursor.n ? seek_cursor(j, cursor, at->since) : seek_since(j, at->since);

    free(cursor);
    return err;
}

static int prepare(struct journal *j, const struct journal_place *at, char **ret_err)
{
    int err = open_files(j, at->path, ret_err);

    if (!err) err = add_matches(j, at->matches, ret_err);
    if (err) return err;
    err = sd_journal_set_data_threshold(j->sd, FIELD_MAX);
    if (err < 0) return fail(ret_err, err, "failed to set the size of fields");
    j->fd = sd_journal_get_fd(j->sd); /* before reading: nothing is missed from here on */
    if (j->fd < 0) return fail(ret_err, j->fd, "failed to watch the journal");
    err = seek(j, at);
    return err < 0 ? fail(ret_err, err, "failed to find the place to read from") : 0;
}

int journal_open(const struct journal_place *at, struct journal **ret, char **ret_err)
{
    struct journal *j = xnew(struct journal);
    int err = prepare(j, at, ret_err);

    if (err)
        journal_close(j);
    else
        *ret = j;
    return err;
}

void journal_close(struct journal *j)
{
    if (!j) return;
    sd_journal_close(j->sd);
    free(j);
}

/* --- waiting --- */

int journal_fd(const struct journal *j)
{
    return j->fd;
}

/* The library's deadline is a monotonic time. */
i64 journal_due(const struct journal *j)
{
    uint64_t at;
    struct timespec now;

    if (sd_journal_get_timeout(j->sd, &at) < 0 || at == UINT64_MAX) return -1;
    clock_gettime(CLOCK_MONOTONIC, &now);
    i64 wait = (i64)at * 1000 - (now.tv_sec * NS_PER_SEC + now.tv_nsec);
    return MAX(wait, 0);
}

void journal_process(struct journal *j)
{
    sd_journal_process(j->sd); /* what it says shows in the next call */
}

/* --- reading --- */

int journal_next(struct journal *j)
{
    if (j->at_entry) {
        j->at_entry = false;
        return 1;
    }
    return sd_journal_next(j->sd);
}

void journal_stay(struct journal *j)
{
    j->at_entry = true;
}

static int read_fields(struct journal *j, struct journal_fields *fields)
{
    const void *data;
    size_t n;
    int rc;

    sd_journal_restart_data(j->sd);
    while ((rc = sd_journal_enumerate_available_data(j->sd, &data, &n)) > 0)
        journal_fields_add(fields, str_n(data, n));
    return rc;
}

int journal_read(struct journal *j, struct journal_fields *fields, u64 *ret_time, char **ret_cursor)
{
    uint64_t time;
    char *cursor = NULL;
    int err = sd_journal_get_realtime_usec(j->sd, &time);

    if (err >= 0) err = read_fields(j, fields);
    if (err >= 0) err = sd_journal_get_cursor(j->sd, &cursor);
    if (err < 0) return err;
    *ret_time = time;
    *ret_cursor = cursor;
    return 0;
}
