/* Nanoseconds per line of loki.process: the seed's pipeline and its parts, over batches of 1000 lines
 * of about 150 bytes (or as many as the first argument says) that are slices of one root, as a source
 * makes them.
 *
 * Built and run by `make -C bench micro-process`. Usage: process_micro [bytes [rounds [case]]] */
#include <time.h>
#include "components/loki/process/testing.h"

#define LINES 1000

static const struct {
    const char *name, *stages;
} cases[] = {
    {"nothing", ""},
    {"static_labels", "stage.static_labels { values = { cluster = \"main\", env = \"prod\" } }"},
    {"regex", "stage.regex { expression = \"(?i)(?P<level>debug|info|warn|error|fatal)\" }"},
    {"seed", "stage.static_labels { values = { cluster = \"main\", env = \"prod\" } }\n"
             "stage.regex { expression = \"(?i)(?P<level>debug|info|warn|error|fatal)\" }\n"
             "stage.labels { values = { level = \"\" } }"},
};

static struct log_builder *filled(struct process *w, size_t bytes)
{
    static const char *const levels[] = {"DEBUG", "INFO", "info", "warn", "Error"};
    struct label labels[] = {{STR("filename"), STR("/var/log/app.log")}, {STR("job"), STR("app")}};
    struct labels *l = labels_intern(w->host.labels, labels, 2);
    struct log_builder *b = log_builder_new(&w->budget);
    struct blob *root = blob_new(LINES * (bytes + 64), &w->budget);

    log_builder_keep(b, root);
    for (int i = 0; i < LINES; i++) {
        char *at = root->p + root->n;
        int n = snprintf(at, bytes + 64, "2026-11-30T21:00:%02d.%03dZ %s ", i % 60, i,
                         levels[i * 7 % 5]);
        while ((size_t)n < bytes)
            at[n] = "request served path=/api/v1/orders/17 status=200 "[n % 49], n++;
        struct log_entry e = {.time = i, .line = str_n(at, (size_t)n)};
        assert_int_equal(log_builder_add_slice(b, l, &e), 0);
        root->n += (size_t)n;
    }
    blob_unref(root);
    labels_unref(l);
    return b;
}

static f64 now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (f64)t.tv_sec * 1e9 + (f64)t.tv_nsec;
}

static void drop_out(void)
{
    vec_each (&the_fanout->got, b)
        batch_unref(*b);
    vec_clear(&the_fanout->got);
}

static void measure(const char *name, const char *stages, size_t bytes, int rounds)
{
    struct process w;

    process_up(&w, stages);
    struct log_builder *b = filled(&w, bytes);
    struct batch *batch = batch_new(SIGNAL_LOGS);
    assert_int_equal(log_builder_seal(b, batch), 0);
    log_builder_free(b);
    f64 start = now();
    for (int i = 0; i < rounds; i++) {
        assert_int_equal(loki_process.push(&w.shard, 0, batch_ref(batch)), PUSH_TAKEN);
        drop_out();
    }
    printf("%-16s %7.1f ns a line\n", name, (now() - start) / rounds / LINES);
    batch_unref(batch);
    process_down(&w);
}

int main(int argc, char **argv)
{
    size_t bytes = argc > 1 ? (size_t)atoi(argv[1]) : 150;
    int rounds = argc > 2 ? atoi(argv[2]) : 2000;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (argc < 4 || strcmp(argv[3], cases[i].name) == 0)
            measure(cases[i].name, cases[i].stages, bytes, rounds);
    return 0;
}
