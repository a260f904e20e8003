/* Reading the files of a process. */
#include "components/prometheus/process/proc_task.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/num.h"

#define TEXT_MAX  ((size_t)1 << 20)
#define SMAPS_MAX ((size_t)64 << 20)

void proc_counts_add(struct proc_counts *to, const struct proc_counts *more)
{
    for (size_t i = 0; i < PROC_COUNTS; i++)
        to->v[i] += more->v[i];
}

struct proc_counts proc_counts_since(const struct proc_counts *now,
                                     const struct proc_counts *before)
{
    struct proc_counts d;

    for (size_t i = 0; i < PROC_COUNTS; i++)
        d.v[i] = now->v[i] > before->v[i] ? now->v[i] - before->v[i] : 0;
    return d;
}

/* --- files --- */

void proc_reader_init(struct proc_reader *r)
{
    buf_init(&r->text, TEXT_MAX);
}

void proc_reader_done(struct proc_reader *r)
{
    buf_done(&r->text);
}

static int read_up_to(struct proc_reader *r, int dir, const char *file, size_t max)
{
    int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);

    buf_reset(&r->text);
    if (fd < 0) return -errno;
    r->text.max = max;
    int err = fd_read_all(fd, &r->text);
    close(fd);
    r->text.max = TEXT_MAX;
    return err == -E2BIG ? -EFBIG : err;
}

int proc_read(struct proc_reader *r, int dir, const char *file)
{
    return read_up_to(r, dir, file, TEXT_MAX);
}

struct str proc_value(const struct proc_reader *r, const char *key)
{
    struct str rest = buf_view(&r->text), name = str_of(key);

    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        if (line.n > name.n && str_starts(line, name) && line.p[name.n] == ':')
            return str_trim(str_sub(line, name.n + 1, line.n));
    }
    return STR("");
}

/* Cuts the next word behind blanks; empty at the end. */
static struct str word(struct str *rest)
{
    struct str w = {0};

    while (rest->n > 0 && w.n == 0) {
        while (rest->n > 0 && (*rest->p == ' ' || *rest->p == '\t'))
            *rest = str_sub(*rest, 1, rest->n);
        size_t n = 0;
        while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t' && rest->p[n] != '\n')
            n++;
        w = str_sub(*rest, 0, n);
        *rest = str_sub(*rest, n, rest->n);
        if (n == 0) break;
    }
    return w;
}

static u64 number(struct str s)
{
    u64 v = 0;

    (void)num_parse_u64(s, &v);
    return v;
}

static u64 count_of(const struct proc_reader *r, const char *key)
{
    struct str rest = proc_value(r, key);

    return number(word(&rest));
}

/* Lines with "kB" behind the number. */
static u64 kib_of(const struct proc_reader *r, const char *key)
{
    return count_of(r, key) * 1024;
}

static void copy_text(char *to, size_t max, struct str s)
{
    size_t n = MIN(s.n, max - 1);

    if (n > 0) memcpy(to, s.p, n);
    to[n] = 0;
}

/* --- stat --- */

/* Places of fields behind the name, which is in parentheses and may have some inside. */
enum { AT_STATE = 0, AT_PARENT, AT_MINOR = 7, AT_MAJOR = 9, AT_USER = 11, AT_SYSTEM };
enum { AT_THREADS = 17, AT_START = 19, AT_VIRTUAL, AT_RESIDENT, STAT_FIELDS };

static enum proc_state state_of(struct str s)
{
    static const char letters[] = "RSDZ";
    const char *at = s.n == 1 ? strchr(letters, *s.p) : NULL;

    return at && *at ? (enum proc_state)(at - letters) : STATE_OTHER;
}

static void take_fields(struct proc_task *t, const struct str *f)
{
    t->state = state_of(f[AT_STATE]);
    t->parent = (i32)number(f[AT_PARENT]);
    t->start = number(f[AT_START]);
    t->n_threads = number(f[AT_THREADS]);
    t->virtual_bytes = number(f[AT_VIRTUAL]);
    t->resident_bytes = number(f[AT_RESIDENT]) * (u64)sysconf(_SC_PAGESIZE);
    t->counts.v[COUNT_USER] = number(f[AT_USER]);
    t->counts.v[COUNT_SYSTEM] = number(f[AT_SYSTEM]);
    t->counts.v[COUNT_MAJOR_FAULTS] = number(f[AT_MAJOR]);
    t->counts.v[COUNT_MINOR_FAULTS] = number(f[AT_MINOR]);
}

int proc_read_stat(struct proc_reader *r, int dir, struct proc_task *t)
{
    struct str f[STAT_FIELDS];
    int err = proc_read(r, dir, "stat");
    struct str text = buf_view(&r->text);
    ssize_t open = str_chr(text, '('), close = str_rchr(text, ')');

    if (err) return err;
    if (open < 0 || close < open) return -EBADMSG;
    *t = (struct proc_task){.id = (i32)number(str_trim(str_sub(text, 0, (size_t)open)))};
    copy_text(t->name, sizeof(t->name), str_sub(text, (size_t)open + 1, (size_t)close));
    text = str_sub(text, (size_t)close + 1, text.n);
    for (size_t i = 0; i < STAT_FIELDS; i++) {
        f[i] = word(&text);
        if (f[i].n == 0) return -EBADMSG;
    }
    take_fields(t, f);
    return 0;
}

/* --- the rest --- */

static u32 uid_of(const struct proc_reader *r)
{
    struct str rest = proc_value(r, "Uid");

    (void)word(&rest);
    return (u32)number(word(&rest));
}

int proc_read_uid(struct proc_reader *r, int dir, u32 *ret)
{
    int err = proc_read(r, dir, "status");

    if (!err) *ret = uid_of(r);
    return err;
}

int proc_read_rest(struct proc_reader *r, int dir, struct proc_task *t, bool *ret_partial)
{
    int err = proc_read(r, dir, "status");

    if (err) return err;
    t->uid = uid_of(r);
    t->swapped_bytes = kib_of(r, "VmSwap");
    t->counts.v[COUNT_VOLUNTARY] = count_of(r, "voluntary_ctxt_switches");
    t->counts.v[COUNT_NONVOLUNTARY] = count_of(r, "nonvoluntary_ctxt_switches");
    if (proc_read(r, dir, "io") == 0) {
        t->counts.v[COUNT_READ] = count_of(r, "read_bytes");
        t->counts.v[COUNT_WRITE] = count_of(r, "write_bytes");
    } else {
        *ret_partial = true;
    }
    if (proc_read(r, dir, "wchan") != 0)
        *ret_partial = true;
    else if (!str_is(str_trim(buf_view(&r->text)), "0"))
        copy_text(t->wchan, sizeof(t->wchan), str_trim(buf_view(&r->text)));
    return 0;
}

static bool count_one(void *arg, int dir, const char *id)
{
    ++*(u64 *)arg;
    return true;
}

int proc_count_fds(int dir, u64 *ret)
{
    *ret = 0;
    return proc_each_id(dir, "fd", count_one, ret);
}

int proc_read_fd_limit(struct proc_reader *r, int dir, u64 *ret)
{
    int err = proc_read(r, dir, "limits");
    struct str text = buf_view(&r->text);
    ssize_t at = err ? -1 : str_find(text, STR("Max open files"));

    if (err) return err;
    if (at < 0) return -EBADMSG;
    struct str rest = str_sub(text, (size_t)at + STR("Max open files").n, text.n);
    struct str soft = word(&rest);
    *ret = str_is(soft, "unlimited") ? UINT64_MAX : number(soft);
    return 0;
}

/* One sum, or (of kernels before 4.14) a number for each mapping. */
int proc_read_shares(struct proc_reader *r, int dir, struct proc_shares *ret)
{
    int err = read_up_to(r, dir, "smaps_rollup", SMAPS_MAX);

    if (err == -ENOENT) err = read_up_to(r, dir, "smaps", SMAPS_MAX);
    if (err) return err;
    *ret = (struct proc_shares){0};
    for (struct str rest = buf_view(&r->text); rest.n > 0;) {
        struct str line = str_cut(&rest, '\n'), key = word(&line);
        if (str_is(key, "Pss:")) ret->resident_bytes += number(word(&line)) * 1024;
        if (str_is(key, "SwapPss:")) ret->swapped_bytes += number(word(&line)) * 1024;
    }
    return 0;
}

static bool is_number(const char *s)
{
    const char *p = s;

    while (*p >= '0' && *p <= '9')
        p++;
    return p > s && !*p;
}

int proc_each_id(int at, const char *folder, bool (*fn)(void *arg, int dir, const char *id),
                 void *arg)
{
    int fd = openat(at, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    int err = d ? 0 : -errno;

    if (!d && fd >= 0) close(fd);
    if (!d) return err;
    errno = 0;
    while ((e = readdir(d)))
        if (is_number(e->d_name) && !fn(arg, dirfd(d), e->d_name)) break;
    err = e ? 0 : -errno;
    closedir(d);
    return err;
}
