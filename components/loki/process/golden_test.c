/* Cases of whole pipelines as text files: tests/golden/process/CASE.txt. What stands before the
 * first section is a description; then the sections `-- stages --` (inside of loki.process), `-- in
 * --` and
 * `-- out --` (entries as testing.h reads and shows them), and `-- metrics --` (lines that the
 * exposition must hold). */
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

/* The text of a section, "" when there is none. */
static char *section(const char *text, const char *name)
{
    char *head = xprintf("-- %s --\n", name);
    const char *from = strstr(text, head);
    char *found = xstrdup("");

    if (from) {
        from += strlen(head);
        const char *to = strstr(from, "\n-- ");
        free(found);
        found = str_dup(str_n(from, to ? (size_t)(to - from) + 1 : strlen(from)));
    }
    free(head);
    return found;
}

static void expect_metrics(struct process *w, const char *lines)
{
    struct str rest = str_of(lines);

    while (rest.n) {
        char *line = str_dup(str_cut(&rest, '\n'));
        process_expect_metric(w, line);
        free(line);
    }
}

static void run_case(const char *path)
{
    char *text = read_file(path), *stages = section(text, "stages"), *in = section(text, "in"),
         *out = section(text, "out"), *metrics = section(text, "metrics");
    struct process w;

    print_message("%s\n", path);
    process_up(&w, stages);
    process_in(&w, in);
    process_expect(&w, out);
    expect_metrics(&w, metrics);
    process_down(&w);
    free(text);
    free(stages);
    free(in);
    free(out);
    free(metrics);
}

static void test_cases(void **state)
{
    struct dirent **entries;
    int n = scandir(FOLDER, &entries, NULL, alphasort), cases = 0;

    for (int i = 0; i < n; i++) {
        char *path = xprintf(FOLDER "/%s", entries[i]->d_name);
        if (str_ends(str_of(path), STR(".txt"))) {
            run_case(path);
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
