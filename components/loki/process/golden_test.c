/* Cases of whole pipelines as text files: tests/golden/process/CASE.txt. What stands before the
 * first section is a description; then the sections `-- stages --` (inside of loki.process), `-- in
 * --` and `-- out --` (entries as testing.h reads and shows them), and `-- metrics --` (lines that
 * the exposition must hold). A case with a section `-- faults --` is refused with these messages
 * instead. A line that begins with `=== ` begins another case of the same file. */
#include <dirent.h>
#include "components/loki/process/testing.h"

#define FOLDER   "tests/golden/process"
#define FILE_MAX ((size_t)1 << 20)

static char *read_file(const char *path)
{
    struct buf b = BUF_INIT(FILE_MAX);
    FILE *f = fopen(path, "r");
    char piece[4096];
    size_t n;

    assert_non_null(f);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(&b, piece, n);
    fclose(f);
    return buf_take(&b, NULL);
}

/* The text of a section, NULL when there is none. */
static char *section(const char *text, const char *name)
{
    char *head = xprintf("\n-- %s --\n", name), *found = NULL;
    const char *from = strstr(text, head);

    if (from) {
        from += strlen(head);
        const char *to = strncmp(from, "-- ", 3) == 0 ? from - 1 : strstr(from, "\n-- ");
        found = str_dup(str_n(from, to ? (size_t)(to - from) + 1 : strlen(from)));
    }
    free(head);
    return found;
}

static void each_line(const char *text, void (*on)(void *arg, const char *line), void *arg)
{
    struct str rest = str_of(text);

    while (rest.n) {
        char *line = str_dup(str_cut(&rest, '\n'));
        on(arg, line);
        free(line);
    }
}

static void expect_metric(void *w, const char *line)
{
    process_expect_metric(w, line);
}

static void expect_fault(void *stages, const char *line)
{
    process_fault(stages, line);
}

static void run_pipeline(const char *text, const char *stages)
{
    char *in = section(text, "in"), *out = section(text, "out"),
         *metrics = section(text, "metrics");
    struct process w;

    if (!in || !out) fail_msg("a case needs `-- in --` and `-- out --`, or `-- faults --`");
    process_up(&w, stages);
    process_in(&w, in);
    process_expect(&w, out);
    if (metrics) each_line(metrics, expect_metric, &w);
    process_down(&w);
    free(in);
    free(out);
    free(metrics);
}

static void run_case(const char *path, const char *text)
{
    char *stages = section(text, "stages"), *faults = section(text, "faults");

    print_message("%s: %.*s\n", path, (int)strcspn(text, "\n"), text);
    if (!stages) fail_msg("a case needs `-- stages --`");
    if (faults)
        each_line(faults, expect_fault, stages);
    else
        run_pipeline(text, stages);
    free(stages);
    free(faults);
}

static void run_file(const char *path)
{
    char *text = read_file(path), *at = text, *next;

    for (; at; at = next) {
        next = strstr(at, "\n=== ");
        if (next) next[1] = 0; /* the line before keeps its end */
        run_case(path, at);
        if (next) next += strlen("\n=== ");
    }
    free(text);
}

static void test_cases(void **state)
{
    struct dirent **entries;
    int n = scandir(FOLDER, &entries, NULL, alphasort), cases = 0;

    for (int i = 0; i < n; i++) {
        char *path = xprintf(FOLDER "/%s", entries[i]->d_name);
        if (str_ends(str_of(path), STR(".txt"))) {
            run_file(path);
            cases++;
        }
        free(path);
        free(entries[i]);
    }
    free(entries);
    assert_true(cases > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
