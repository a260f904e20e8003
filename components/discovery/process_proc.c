/* Reading processes, and joining them. */
#include "components/discovery/process_proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <unistd.h>

#include "base/map.h"
#include "base/num.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#define TEXT_MAX ((size_t)1 << 20) /* of a command line, a cgroup file */

struct reader {
    const struct process_flags *flags;
    int dir; /* of the process */
    struct label_set set;
    struct buf text;
    struct map users; /* names by uid */
};

/* --- files of a process --- */

static void put(struct reader *r, const char *name, struct str value)
{
    if (value.n > 0 && utf8_valid(value)) label_set_put(&r->set, str_of(name), value);
}

static bool put_link(struct reader *r, const char *file, const char *label)
{
    char path[PATH_MAX];
    ssize_t n = readlinkat(r->dir, file, path, sizeof(path));

    if (n < 0) return false;
    put(r, label, str_n(path, (size_t)n));
    return true;
}

static bool read_text(struct reader *r, const char *file)
{
    int fd = openat(r->dir, file, O_RDONLY | O_CLOEXEC);
    char chunk[4096];
    ssize_t n = 0;

    buf_reset(&r->text);
    if (fd < 0) return false;
    while (r->text.n < TEXT_MAX - sizeof(chunk) && (n = read(fd, chunk, sizeof(chunk))) > 0)
        buf_str(&r->text, str_n(chunk, (size_t)n));
    close(fd);
    return n >= 0 && !buf_err(&r->text);
}

/* Arguments with a blank between them. */
static bool put_commandline(struct reader *r)
{
    if (!read_text(r, "cmdline")) return false;
    while (r->text.n > 0 && r->text.p[r->text.n - 1] == 0)
        r->text.n--;
    for (size_t i = 0; i < r->text.n; i++)
        if (r->text.p[i] == 0) r->text.p[i] = ' ';
    put(r, "__meta_process_commandline", buf_view(&r->text));
    return true;
}

static struct str user_of(struct reader *r, struct str uid)
{
    const char *known = map_get(&r->users, uid);
    char room[16384], *name;
    struct passwd entry, *found = NULL;
    i64 id;

    if (known) return str_of(known);
    if (num_parse_i64(uid, &id) != 0) return STR("");
    (void)getpwuid_r((uid_t)id, &entry, room, sizeof(room), &found);
    name = xstrdup(found ? found->pw_name : "");
    map_put(&r->users, uid, name);
    return str_of(name);
}

static bool put_owner(struct reader *r)
{
    if (!read_text(r, "status")) return false;
    struct str text = buf_view(&r->text);
    ssize_t at = str_find(text, STR("\nUid:\t"));
    if (at < 0) return true;
    struct str rest = str_sub(text, (size_t)at + 6, text.n), uid = str_cut(&rest, '\t');
    if (r->flags->uid) put(r, "__meta_process_uid", uid);
    if (r->flags->username) put(r, "__meta_process_username", user_of(r, uid));
    return true;
}

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'))) return false;
    return true;
}

/* "/docker/<id>", "/x/cri-containerd-<id>.scope": the last that has 64 digits behind a slash or a
 * dash, and nothing or a dot after them. */
static struct str container_of_line(struct str line)
{
    for (size_t i = line.n; i >= 65; i--) {
        struct str id = str_sub(line, i - 64, i);
        char before = line.p[i - 65];
        bool ends = i == line.n || line.p[i] == '.';
        if (ends && (before == '/' || before == '-') && is_hex(id) &&
            str_chr(str_sub(line, 0, i - 64), '/') >= 0)
            return id;
    }
    return STR("");
}

struct str process_container(struct str cgroup)
{
    while (cgroup.n > 0) {
        struct str id = container_of_line(str_trim(str_cut(&cgroup, '\n')));
        if (id.n > 0) return id;
    }
    return STR("");
}

/* Of version 1 the paths of all controllers, with "|" between them. */
static void put_cgroup_path(struct reader *r, struct str cgroup)
{
    struct buf paths = BUF_INIT(TEXT_MAX);

    while (cgroup.n > 0) {
        struct str line = str_cut(&cgroup, '\n');
        (void)str_cut(&line, ':');
        (void)str_cut(&line, ':');
        if (line.n == 0) continue;
        if (paths.n > 0) buf_ch(&paths, '|');
        buf_str(&paths, line);
    }
    if (!buf_err(&paths)) put(r, "__meta_cgroup_path", buf_view(&paths));
    buf_done(&paths);
}

static bool put_cgroup(struct reader *r)
{
    if (!read_text(r, "cgroup")) return false;
    if (r->flags->container_id) put(r, "__container_id__", process_container(buf_view(&r->text)));
    if (r->flags->cgroup_path) put_cgroup_path(r, buf_view(&r->text));
    return true;
}

/* False: it is gone, a kernel thread, or somebody else's. */
static bool read_process(struct reader *r, struct str pid)
{
    const struct process_flags *f = r->flags;

    label_set_reset(&r->set);
    put(r, "__process_pid__", pid);
    if (f->exe && !put_link(r, "exe", "__meta_process_exe")) return false;
    if (f->cwd && !put_link(r, "cwd", "__meta_process_cwd")) return false;
    if (f->commandline && !put_commandline(r)) return false;
    if ((f->uid || f->username) && !put_owner(r)) return false;
    if ((f->container_id || f->cgroup_path) && !put_cgroup(r)) return false;
    return r->set.err == 0;
}

static void add_process(struct reader *r, int proc, const char *pid, struct target_list *into)
{
    r->dir = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->dir < 0) return;
    if (read_process(r, str_of(pid))) target_list_add(into, &r->set);
    close(r->dir);
}

static bool is_pid(const char *name)
{
    i64 pid;

    return name[0] >= '1' && name[0] <= '9' && num_parse_i64(str_of(name), &pid) == 0;
}

int process_targets(const char *proc, const struct process_flags *flags,
                    const atomic_bool *given_up, struct target_list *into)
{
    struct reader r = {.flags = flags, .text = BUF_INIT(TEXT_MAX)};
    DIR *d = opendir(proc);
    struct dirent *e;

    if (!d) return -errno;
    label_set_init(&r.set);
    while (into->n < PROCESSES_MAX && (e = readdir(d))) {
        if (atomic_load_explicit(given_up, memory_order_relaxed)) break;
        if (is_pid(e->d_name)) add_process(&r, dirfd(d), e->d_name, into);
    }
    closedir(d);
    label_set_done(&r.set);
    buf_done(&r.text);
    map_done(&r.users, free);
    return 0;
}

/* --- joining --- */

struct str process_target_container(const struct label_set *target)
{
    static const char *const runtimes[] = {"docker://", "containerd://", "cri-o://"};
    struct str own = label_set_get(target, STR("__container_id__"));
    struct str pod = label_set_get(target, STR("__meta_kubernetes_pod_container_id"));

    if (own.n > 0) return own;
    if (pod.n == 0) return label_set_get(target, STR("__meta_docker_container_id"));
    for (size_t i = 0; i < ARRAY_LEN(runtimes); i++)
        if (str_starts(pod, str_of(runtimes[i]))) return str_sub(pod, strlen(runtimes[i]), pod.n);
    return STR("");
}

struct joiner {
    struct value join;
    size_t n;         /* of join */
    struct map by_id; /* container to 1 + its place in join; the last of several counts */
    struct target_list out;
    struct label_set a, b;
};

static void index_containers(struct joiner *j)
{
    for (size_t i = 0; i < j->n; i++) {
        target_load(j->join, i, &j->a);
        struct str id = process_target_container(&j->a);
        if (id.n > 0)
            map_put(&j->by_id, id, (void *)(uintptr_t)(i + 1));
        else
            target_list_add(&j->out, &j->a);
    }
}

static void join_process(struct joiner *j, struct value processes, size_t i)
{
    target_load(processes, i, &j->a);
    struct str id = process_target_container(&j->a);
    uintptr_t at = id.n > 0 ? (uintptr_t)map_get(&j->by_id, id) : 0;

    if (at > 0) {
        target_load(j->join, at - 1, &j->b);
        for (u32 k = 0; k < j->b.n; k++)
            label_set_put(&j->a, j->b.v[k].name, j->b.v[k].value);
    }
    target_list_add(&j->out, &j->a);
}

static void add_containers(struct joiner *j)
{
    for (size_t i = 0; i < j->n; i++) {
        target_load(j->join, i, &j->a);
        struct str id = process_target_container(&j->a);
        if (id.n > 0 && (uintptr_t)map_get(&j->by_id, id) == i + 1) target_list_add(&j->out, &j->a);
    }
}

struct value process_join(struct value processes, struct value join)
{
    struct joiner j = {.join = join, .n = targets_count(join)};

    if (j.n == 0) return processes;
    label_set_init(&j.a);
    label_set_init(&j.b);
    index_containers(&j);
    for (size_t i = 0; i < targets_count(processes); i++)
        join_process(&j, processes, i);
    add_containers(&j);
    label_set_done(&j.a);
    label_set_done(&j.b);
    map_done(&j.by_id, NULL);
    value_unref(processes);
    return target_list_value(&j.out);
}
