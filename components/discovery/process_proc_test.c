/* Processes of a hand-made /proc, container ids, and joining. */
#include "base/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "components/discovery/process_proc.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void container_ids(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"0::/docker/" ID "\n", ID},
        {"1:a:/\n0::/system.slice/docker-" ID ".scope\n", ID},
        {"0::/kubepods.slice/pod1.slice/cri-containerd-" ID ".scope\n", ID},
        {"0::/user.slice/session-3.scope\n", ""},
        {"0::/docker/" ID "0\n", ""},
        {"0::/docker/" ID "/more\n", ""},
        {ID, ""},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_text(process_container(str_of(cases[i].text)), cases[i].want);
}

/* --- a /proc --- */

static char root[] = "/tmp/weir-proc-XXXXXX";

static void put_file(const char *name, const char *text, size_t n)
{
    char *path = xprintf("%s/%s", root, name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
    free(path);
}

static void put_link(const char *name, const char *to)
{
    char *path = xprintf("%s/%s", root, name);

    assert_int_equal(symlink(to, path), 0);
    free(path);
}

static void put_folder(const char *name)
{
    char *path = xprintf("%s/%s", root, name);

    assert_int_equal(mkdir(path, 0755), 0);
    free(path);
}

static int make_proc(void **state)
{
    if (!mkdtemp(root)) return -1;
    put_folder("7");
    put_folder("8"); /* a kernel thread: no exe */
    put_folder("self");
    put_link("7/exe", "/bin/x");
    put_link("7/cwd", "/srv");
    put_file("7/cmdline", "x\0-v\0", 5);
    put_file("7/status", "Name:\tx\nUid:\t0\t1\t2\t3\n", 21);
    put_file("7/cgroup", "2:cpu:/a\n0::/docker/" ID "\n", 21 + 64);
    return 0;
}

static int remove_proc(void **state)
{
    char *command = xprintf("rm -rf %s", root);
    int r = system(command);

    free(command);
    return r;
}

static void expect(struct value v, const char *want)
{
    struct buf out = BUF_INIT(1 << 16);
    struct label_set set;

    label_set_init(&set);
    for (size_t i = 0; i < targets_count(v); i++) {
        target_load(v, i, &set);
        target_text(&set, &out);
    }
    label_set_done(&set);
    value_unref(v);
    assert_buf(&out, want);
    buf_done(&out);
}

static struct value processes(const struct process_flags *flags)
{
    struct target_list list = {0};
    atomic_bool given_up = false;

    assert_int_equal(process_targets(root, flags, &given_up, &list), 0);
    return target_list_value(&list);
}

static void reading(void **state)
{
    const struct process_flags all = {true, true, true, true, true, true, true};
    const struct process_flags exe = {.exe = true};

    expect(processes(&all),
           "{\"__container_id__\"=\"" ID "\", \"__meta_cgroup_path\"=\"/a|/docker/" ID
           "\", \"__meta_process_commandline\"=\"x -v\", \"__meta_process_cwd\"=\"/srv\", "
           "\"__meta_process_exe\"=\"/bin/x\", \"__meta_process_uid\"=\"0\", "
           "\"__meta_process_username\"=\"root\", \"__process_pid__\"=\"7\"}");
    expect(processes(&exe), "{\"__meta_process_exe\"=\"/bin/x\", \"__process_pid__\"=\"7\"}");
}

static struct value target(const char *a, const char *b, const char *c, const char *d)
{
    struct target_list list = {0};
    struct label_set set;

    label_set_init(&set);
    label_set_put(&set, str_of(a), str_of(b));
    label_set_put(&set, str_of(c), str_of(d));
    target_list_add(&list, &set);
    label_set_done(&set);
    return target_list_value(&list);
}

static struct value both(struct value a, struct value b)
{
    struct value v = value_array(2);

    v.array->v[0] = value_ref(a.array->v[0]);
    v.array->v[1] = value_ref(b.array->v[0]);
    value_unref(a);
    value_unref(b);
    return v;
}

static void joining(void **state)
{
    struct value join = both(target("pod", "p", "__meta_docker_container_id", "c1"),
                             target("pod", "none", "x", "y"));
    struct value found = both(target("__process_pid__", "1", "__container_id__", "c1"),
                              target("__process_pid__", "2", "__container_id__", "c2"));

    expect(process_join(found, join),
           "{\"pod\"=\"none\", \"x\"=\"y\"}"
           "{\"__container_id__\"=\"c1\", \"__meta_docker_container_id\"=\"c1\", "
           "\"__process_pid__\"=\"1\", \"pod\"=\"p\"}"
           "{\"__container_id__\"=\"c2\", \"__process_pid__\"=\"2\"}"
           "{\"__meta_docker_container_id\"=\"c1\", \"pod\"=\"p\"}");
    value_unref(join);
}

static void container_names(void **state)
{
    struct label_set set;

    label_set_init(&set);
    label_set_put(&set, STR("__meta_kubernetes_pod_container_id"), STR("containerd://abc"));
    assert_text(process_target_container(&set), "abc");
    label_set_put(&set, STR("__meta_kubernetes_pod_container_id"), STR("other://abc"));
    assert_text(process_target_container(&set), "");
    label_set_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(container_ids),
        cmocka_unit_test(reading),
        cmocka_unit_test(joining),
        cmocka_unit_test(container_names),
    };
    return cmocka_run_group_tests(tests, make_proc, remove_proc);
}
