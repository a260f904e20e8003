/* import.git with repositories that the tests make. Without a git program only its absence is
 * tested. */
#include "net/child.h"
#include "runtime/import/git.h"
#include "runtime/import/import_kit.h"

struct bench {
    struct import_bench b; /* first */
    int n_done, status;
    char out[256];
};

static int setup(void **state)
{
    struct bench *g = xnew(struct bench);

    *state = g;
    return kit_setup(&g->b);
}

static int teardown(void **state)
{
    struct bench *g = *state;

    kit_teardown(&g->b);
    free(g);
    return 0;
}

static void command_done(void *arg, const struct child_result *r)
{
    struct bench *g = arg;

    g->n_done++;
    g->status = r->status;
    (void)snprintf(g->out, sizeof(g->out), STR_FMT, STR_ARG(str_trim(r->out)));
    if (r->status != 0) print_error(STR_FMT "\n", STR_ARG(r->err));
}

/* A shell script in the test's folder, with a git that knows nobody. */
static const char *sh(struct bench *g, const char *script)
{
    const char *const argv[] = {"sh", "-ec", script, NULL};
    char *path = xprintf("PATH=%s", getenv("PATH"));
    const char *const env[] = {path,
                               "HOME=/nonexistent",
                               "GIT_CONFIG_NOSYSTEM=1",
                               "GIT_AUTHOR_NAME=t",
                               "GIT_AUTHOR_EMAIL=t@example.com",
                               "GIT_COMMITTER_NAME=t",
                               "GIT_COMMITTER_EMAIL=t@example.com",
                               NULL};
    struct child_conf conf = {
        .argv = argv, .env = env, .cwd = g->b.dir, .max_output = 255, .timeout = 60 * NS_PER_SEC};
    struct child *c;
    int n = g->n_done;

    assert_int_equal(child_start(g->b.loop, &conf, command_done, g, &c), 0);
    kit_wait(&g->b, &g->n_done, n);
    if (g->status != 0) fail_msg("failed: %s", script);
    free(path);
    return g->out;
}

#define NEED_GIT                                                                                   \
    if (system("git --version >/dev/null 2>&1") != 0) skip()

/* A repository `origin` with lib/a.alloy ("one") on main, tagged v1. */
static void make_origin(struct bench *g)
{
    sh(g, "git init -q -b main origin; cd origin; mkdir lib; printf one > lib/a.alloy;"
          "printf x > lib/notes.txt; git add .; git commit -q -m one; git tag v1");
}

static char *body(struct bench *g, const char *more)
{
    return xprintf("repository = \"file://%s/origin\"\n%s", g->b.dir, more);
}

static void fetch(struct bench *g, const char *more)
{
    char *text = body(g, more);

    kit_fetch(&g->b, &import_git_kind, text);
    free(text);
}

static void reads_a_file_of_a_branch(void **state)
{
    struct bench *g = *state;

    NEED_GIT;
    make_origin(g);
    fetch(g, "path = \"lib/a.alloy\"");
    kit_expect_text(&g->b, 0, "one");
    char *repo = kit_path(&g->b, "import.test.lib/repo");
    assert_string_equal(g->b.content->module_path, repo);
    free(repo);
}

static void reads_a_folder(void **state)
{
    struct bench *g = *state;

    NEED_GIT;
    make_origin(g);
    sh(g, "cd origin; printf two > lib/b.alloy; git add .; git commit -q -m two");
    fetch(g, "path = \"/lib\"");
    assert_int_equal(g->b.content->files.n, 2);
    kit_expect_text(&g->b, 1, "two");
}

static void reads_tags_and_commits(void **state)
{
    struct bench *g = *state;

    NEED_GIT;
    make_origin(g);
    sh(g, "cd origin; printf two > lib/a.alloy; git commit -q -a -m two;"
          "git tag -a -m annotated v2; printf three > lib/a.alloy; git commit -q -a -m three");
    fetch(g, "path = \"lib/a.alloy\"\nrevision = \"v1\"");
    kit_expect_text(&g->b, 0, "one");
    fetch(g, "path = \"lib/a.alloy\"\nrevision = \"v2\"");
    kit_expect_text(&g->b, 0, "two");
    fetch(g, "path = \"lib/a.alloy\"");
    kit_expect_text(&g->b, 0, "three");
    char *more = xprintf("path = \"lib/a.alloy\"\nrevision = \"%s\"",
                         sh(g, "cd origin; git rev-parse HEAD~1"));
    fetch(g, more);
    kit_expect_text(&g->b, 0, "two");
    free(more);
    fetch(g, "path = \"lib/a.alloy\"\nrevision = \"main~2\"");
    kit_expect_text(&g->b, 0, "one");
}

static void says_what_is_not_there(void **state)
{
    struct bench *g = *state;

    NEED_GIT;
    make_origin(g);
    fetch(g, "path = \"lib/a.alloy\"\nrevision = \"nothing\"");
    kit_expect_error(&g->b, "failed to update module: git: couldn't find remote ref nothing");
    fetch(g, "path = \"lib/none.alloy\"");
    kit_expect_error(&g->b, "lib/none.alloy: no such file or directory");
    sh(g, "rm -rf origin");
    fetch(g, "path = \"lib/a.alloy\"");
    kit_expect_error(&g->b, "failed to update module: git: ");
}

static void links_stay_inside(void **state)
{
    struct bench *g = *state;

    NEED_GIT;
    make_origin(g);
    sh(g, "cd origin; ln -s /etc/passwd out.alloy; ln -s lib/a.alloy in.alloy; ln -s / away;"
          "git add .; git commit -q -m links");
    fetch(g, "path = \"in.alloy\"");
    kit_expect_text(&g->b, 0, "one");
    fetch(g, "path = \"out.alloy\"");
    kit_expect_error(&g->b, "leads out of the repository");
    fetch(g, "path = \"away/etc/passwd\"");
    kit_expect_error(&g->b, "leads out of the repository");
    fetch(g, "path = \"\"");
    kit_expect_error(&g->b, "leads out of the repository"); /* one of its *.alloy files */
}

static void nothing_of_the_users_git_is_used(void **state)
{
    struct bench *g = *state;

    NEED_GIT;
    make_origin(g);
    sh(g, "mkdir -p import.test.lib hooks; printf '#!/bin/sh\\ntouch %s/ran\\n' \"$PWD\" "
          "> hooks/post-checkout; chmod 755 hooks/post-checkout;"
          "printf '[core]\\n\\thooksPath = %s/hooks\\n' \"$PWD\" > import.test.lib/.gitconfig");
    fetch(g, "path = \"lib/a.alloy\"");
    kit_expect_text(&g->b, 0, "one");
    sh(g, "test ! -e ran");
}

static void survives_a_clone_that_was_killed(void **state)
{
    struct bench *g = *state;

    NEED_GIT;
    make_origin(g);
    sh(g, "mkdir -p import.test.lib/repo.new/.git import.test.lib/repo; echo junk > "
          "import.test.lib/repo/a.alloy; echo junk > import.test.lib/repo.new/.git/config");
    fetch(g, "path = \"lib\"");
    kit_expect_text(&g->b, 0, "one");
    sh(g, "touch import.test.lib/repo/.git/index.lock import.test.lib/repo/.git/shallow.lock;"
          "cd origin; printf two > lib/a.alloy; git commit -q -a -m two");
    fetch(g, "path = \"lib\"");
    kit_expect_text(&g->b, 0, "two");
}

static void another_repository_replaces_the_clone(void **state)
{
    struct bench *g = *state;

    NEED_GIT;
    make_origin(g);
    sh(g, "cp -r origin other; cd other; printf other > lib/a.alloy; git commit -q -a -m other");
    fetch(g, "path = \"lib\"");
    char *text = xprintf("repository = \"%s/other\"\npath = \"lib\"", g->b.dir);
    kit_fetch(&g->b, &import_git_kind, text);
    kit_expect_text(&g->b, 0, "other");
    free(text);
}

static void follows_pushes(void **state)
{
    struct bench *g = *state;

    NEED_GIT;
    make_origin(g);
    char *text = body(g, "path = \"lib/a.alloy\"\npull_frequency = \"50ms\"");
    kit_watch(&g->b, &import_git_kind, text);
    kit_expect_health(&g->b, HEALTH_HEALTHY, "module updated");
    sh(g, "cd origin; printf two > lib/a.alloy; git commit -q -a -m two");
    kit_wait(&g->b, &g->b.n_changed, 0);
    kit_expect_text(&g->b, 0, "two");
    sh(g, "mv origin gone");
    kit_wait(&g->b, &g->b.n_health, 1);
    kit_expect_health(&g->b, HEALTH_UNHEALTHY, "failed to update module: git: ");
    sh(g, "mv gone origin");
    kit_wait(&g->b, &g->b.n_health, 2);
    kit_expect_health(&g->b, HEALTH_HEALTHY, "module updated");
    assert_int_equal(g->b.n_changed, 1);
    free(text);
}

/* Two at one clone: the second waits for the first. */
static void attempts_are_one_at_a_time(void **state)
{
    struct bench *g = *state;

    NEED_GIT;
    make_origin(g);
    char *text = body(g, "path = \"lib/a.alloy\"");
    struct plan *p = kit_plan(&import_git_kind, text);
    import_git_kind.fetch(&g->b.ctx, p, kit_fetched, &g->b);
    import_git_kind.fetch(&g->b.ctx, p, kit_fetched, &g->b);
    kit_wait(&g->b, &g->b.n_fetched, 1);
    kit_expect_text(&g->b, 0, "one");
    plan_unref(p);
    free(text);
}

static void names_git_where_it_is_missing(void **state)
{
    struct bench *g = *state;
    char *path = xstrdup(getenv("PATH"));

    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    fetch(g, "path = \"x\"");
    assert_int_equal(setenv("PATH", path, 1), 0);
    kit_expect_error(&g->b, "import.git needs the git program, and none is installed");
    free(path);
}

/* --- hanging --- */

/* A git that never answers: the fetch ends with its time. */
static void a_hanging_git_is_given_up(void **state)
{
    struct bench *g = *state;
    char *path = xstrdup(getenv("PATH"));

    sh(g, "mkdir bin; printf '#!/bin/sh\\necho x > %s/started; exec sleep 1000\\n' \"$PWD\" > "
          "bin/git; chmod 755 bin/git");
    char *fake = xprintf("%s/bin:%s", g->b.dir, path), *text = body(g, "path = \"x\"");
    char *started = kit_path(&g->b, "started");
    assert_int_equal(setenv("PATH", fake, 1), 0);
    struct plan *p = kit_plan(&import_git_kind, text);
    import_git_kind.fetch(&g->b.ctx, p, kit_fetched, &g->b);
    while (access(started, F_OK) != 0)
        loop_turn(g->b.loop, 10 * NS_PER_MS);
    clock_fake_advance(&g->b.clock, 121 * NS_PER_SEC);
    kit_wait(&g->b, &g->b.n_fetched, 0);
    assert_int_equal(setenv("PATH", path, 1), 0);
    kit_expect_error(&g->b, "failed to update module: no answer within 2m");
    sh(g, "while ! flock -n import.test.lib/lock true; do :; done"); /* it tidies up */
    plan_unref(p);
    free(path);
    free(fake);
    free(text);
    free(started);
}

static int setup_fake(void **state)
{
    struct bench *g = xnew(struct bench);

    g->b.fake = true;
    *state = g;
    return kit_setup(&g->b);
}

/* --- the environment --- */

static const char *var(const struct git_env *e, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; e->vars.v[i]; i++)
        if (strncmp(e->vars.v[i], name, n) == 0 && e->vars.v[i][n] == '=')
            return e->vars.v[i] + n + 1;
    return NULL;
}

static void make_env(struct git_env *e, struct plan **ret_plan, const char *text)
{
    struct git_clone c = {.dir = (char[]){"/data"}};

    *ret_plan = kit_plan(&import_git_kind, text);
    git_env_init(e, (*ret_plan)->args, &c);
}

static void credentials_of_the_url_leave_it(void **state)
{
    struct git_env e;
    struct plan *p;

    make_env(&e, &p, "repository = \"https://me:s%40crt@h.example:8443/r.git\"\npath = \"x\"");
    assert_string_equal(e.url, "https://h.example:8443/r.git");
    assert_string_equal(var(&e, "WEIR_GIT_USERNAME"), "me");
    assert_string_equal(var(&e, "WEIR_GIT_PASSWORD"), "s@crt");
    assert_string_equal(var(&e, "GIT_CONFIG_KEY_13"), "credential.https://h.example:8443.helper");
    assert_string_equal(var(&e, "GIT_CONFIG_COUNT"), "14");
    assert_string_equal(var(&e, "GIT_TERMINAL_PROMPT"), "0");
    assert_string_equal(var(&e, "HOME"), "/data");
    char *said = git_env_complaint(&e, STR("hint: x\nfatal: no s@crt, no s%40crt\nbye\n"));
    assert_string_equal(said, "no (secret), no (secret)");
    free(said);
    git_env_done(&e);
    plan_unref(p);
}

static void a_block_of_credentials_goes_before_the_url(void **state)
{
    struct git_env e;
    struct plan *p;

    make_env(&e, &p,
             "repository = \"http://me@h.example/r.git\"\npath = \"x\"\n"
             "basic_auth {\n username = \"you\"\n password = \"pw\"\n}");
    assert_string_equal(e.url, "http://h.example/r.git");
    assert_string_equal(var(&e, "WEIR_GIT_USERNAME"), "you");
    git_env_done(&e);
    plan_unref(p);
    make_env(&e, &p, "repository = \"https://h.example/r.git\"\npath = \"x\"");
    assert_null(var(&e, "WEIR_GIT_USERNAME"));
    assert_string_equal(var(&e, "GIT_CONFIG_COUNT"), "13");
    git_env_done(&e);
    plan_unref(p);
}

static void keys_go_to_ssh_through_variables(void **state)
{
    struct git_env e;
    struct plan *p;

    make_env(&e, &p,
             "repository = \"git@h.example:r.git\"\npath = \"x\"\n"
             "ssh_key {\n username = \"git\"\n key = \"KEY\"\n passphrase = \"open\"\n}");
    assert_string_equal(e.url, "git@h.example:r.git");
    assert_string_equal(var(&e, "WEIR_SSH_KEY"), "/data/ssh_key");
    assert_string_equal(var(&e, "WEIR_SSH_USER"), "git");
    assert_string_equal(var(&e, "SSH_ASKPASS"), "/data/askpass");
    assert_non_null(strstr(var(&e, "GIT_SSH_COMMAND"), " -i \"$WEIR_SSH_KEY\""));
    assert_null(strstr(var(&e, "GIT_SSH_COMMAND"), "BatchMode"));
    git_env_done(&e);
    plan_unref(p);
    make_env(&e, &p, "repository = \"ssh://git:pw@h.example/r.git\"\npath = \"x\"");
    assert_string_equal(e.url, "ssh://git@h.example/r.git");
    assert_non_null(strstr(var(&e, "GIT_SSH_COMMAND"), "BatchMode=yes"));
    git_env_done(&e);
    plan_unref(p);
}

/* The folder holds the key only while git runs, for nobody else. */
static void the_key_file_is_private_and_goes(void **state)
{
    struct bench *g = *state;
    struct git_clone c;
    struct stat st;
    char *err = NULL, *key = kit_path(&g->b, "x/ssh_key");
    struct plan *p =
        kit_plan(&import_git_kind, "repository = \"git@h.example:r.git\"\npath = \"x\"\n"
                                   "ssh_key {\n username = \"git\"\n key = \"KEY\"\n}");

    assert_int_equal(git_clone_open(&c, g->b.dir, "x", p->args, &err), 0);
    assert_int_equal(stat(key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 4); /* ssh wants its last line ended */
    git_clone_close(&c);
    assert_int_equal(stat(key, &st), -1);
    plan_unref(p);
    free(key);
}

static void settings_are_checked(void **state)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"repository = \"x\"\npath = \"p\"\nrevision = \"FETCH_HEAD\"",
         "3:12: revision must be a branch, a tag or a commit hash, not a name that is git's own"},
        {"repository = \"x\"\npath = \"p\"\nrevision = \"\"", "3:12: revision must not be empty"},
        {"repository = \"x\"\npath = \"p\"\nrevision = \"--upload-pack=x\"",
         "3:12: revision is not a name or hash of git"},
        {"path = \"p\"\nrepository = \"--upload-pack=x\"", "2:14: repository is not a URL"},
        {"path = \"p\"\nrepository = \"ext::sh -c x\"",
         "2:14: repository names a helper program of git; only http, https, ssh, git and file URLs "
         "can be used"},
        {"repository = \"x\"\n\npath = \"a/../../b\"",
         "3:8: path must not lead out of the repository"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        kit_refuses(&import_git_kind, cases[i].text, cases[i].fault);
    plan_unref(kit_plan(&import_git_kind, "repository = \"git@[::1]:r\"\npath = \"a..b\""));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_a_file_of_a_branch),
        TEST(reads_a_folder),
        TEST(reads_tags_and_commits),
        TEST(says_what_is_not_there),
        TEST(links_stay_inside),
        TEST(nothing_of_the_users_git_is_used),
        TEST(survives_a_clone_that_was_killed),
        TEST(another_repository_replaces_the_clone),
        TEST(follows_pushes),
        TEST(attempts_are_one_at_a_time),
        TEST(names_git_where_it_is_missing),
        cmocka_unit_test_setup_teardown(a_hanging_git_is_given_up, setup_fake, teardown),
        TEST(credentials_of_the_url_leave_it),
        TEST(a_block_of_credentials_goes_before_the_url),
        TEST(keys_go_to_ssh_through_variables),
        TEST(the_key_file_is_private_and_goes),
        TEST(settings_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
