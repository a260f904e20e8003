/* What is found in lines and how it is replaced: our own rules, and configurations of gitleaks.
 * Secrets are put together here, so that nobody's scanner takes this file for a leak. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/test.h"
#include "base/xalloc.h"
#include "components/loki/secretfilter/rules.h"

#define HEX40   "0123456789abcdef0123456789abcdef01234567"
#define RANDOM  "a8Jk2lQ9zXc4Vb7Nm1Pw5Rt3Yu6Ho0Fg2DsE"
#define BYTES43 "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9f"

static char warned[1000];

static void warn(void *arg, const char *text)
{
    snprintf(warned, sizeof(warned), "%s", text);
}

/* A set of rules and all that a test needs of it. */
struct filter {
    struct arena a;
    struct rule_set set;
    struct detector *d;
    struct search_state st;
    char path[64];
};

static const char *filter_up(struct filter *f, const char *config)
{
    const char *err = NULL;

    *f = (struct filter){.path = "/tmp/secretfilter_test.XXXXXX"};
    arena_init(&f->a, 0);
    f->set.a = &f->a;
    warned[0] = '\0';
    if (!config) {
        rules_builtin(&f->set);
    } else {
        int fd = mkstemp(f->path);
        assert_true(fd >= 0 && write(fd, config, strlen(config)) == (ssize_t)strlen(config));
        close(fd);
        if (rules_read(&f->set, f->path, warn, NULL, &err)) return err;
    }
    f->d = detector_new(&f->set, &err);
    if (f->d) search_state_init(&f->st, f->d);
    return err;
}

static void filter_down(struct filter *f)
{
    if (f->d) search_state_done(&f->st);
    arena_done(&f->a);
    unlink(f->path);
}

/* The rules that found something, by blanks, then the redacted line. */
static void assert_filtered(struct filter *f, const char *with, i64 percent, const char *line,
                            const char *want)
{
    struct redaction how = {str_of(with), percent};
    struct buf b = BUF_INIT(1 << 20);

    detector_search(f->d, str_of(line), &f->st);
    vec_each (&f->st.found, v)
        buf_printf(&b, STR_FMT " ", STR_ARG(detector_rule_id(f->d, v->rule)));
    buf_cstr(&b, "| ");
    redact(&how, f->d, str_of(line), &f->st, &b);
    if (!str_is(buf_view(&b), want)) print_error("line %s\n", line);
    assert_buf(&b, want);
    buf_done(&b);
}

static void builtin_rules(void **state)
{
    static const struct {
        const char *line, *want; /* redacted with # */
    } rows[] = {
        {"nothing to see here, key to success", "| nothing to see here, key to success"},
        {"", "| "},
        {"id "
         "AKIA"
         "IOSFODNN7QWERTYU"
         " end",
         "aws-access-token | id # end"},
        {"AKIA"
         "aaaaaaaaaaaaaaaa",
         "| AKIA"
         "aaaaaaaaaaaaaaaa"},
        {"gh"
         "p_" RANDOM,
         "github-pat | #"},
        {"pushed with gh"
         "s_" RANDOM ".",
         "github-app-token | pushed with #."},
        {"gl"
         "pat-aB3dE5fG7hJ9kL1mN3pQ x",
         "gitlab-pat | # x"},
        {"url https://hooks.slack"
         ".com/services/" BYTES43 " done",
         "slack-webhook-url | url # done"},
        {"xo"
         "xb-1234567890123-1234567890124-aB3dE5fG7hJ9kL1m",
         "slack-bot-token | #"},
        {"key=AI"
         "zaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
         "gcp-api-key | key=#"},
        {"gl"
         "sa_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY_0a1b2c3d!",
         "grafana-service-account-token | #!"},
        {"sk"
         "_live_aB3dE5fG7hJ9kL1mN3pQ5rS7",
         "stripe-access-token | #"},
        {"n"
         "pm_" RANDOM,
         "npm-access-token | #"},
        {"hf"
         "_aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
         "huggingface-access-token | #"},
        {"do"
         "p_v1_" HEX40 "0123456789abcdef01234567",
         "digitalocean-pat | #"},
        {"Authorization: Bearer ey"
         "JhbGciOiJIUzI1NiJ9abc.ey"
         "JzdWIiOiIxMjM0NTY3ODkwIn0abc."
         "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
         "jwt | Authorization: Bearer #"},
        {"-----BEGIN RSA PRI"
         "VATE KEY-----\\n" BYTES43 BYTES43 "\\n-----END RSA PRI"
         "VATE KEY----- x",
         "private-key | # x"},
        /* what is cut off is still a key */
        {"-----BEGIN PRI"
         "VATE KEY-----\n" BYTES43 BYTES43,
         "private-key | #"},
        {"heroku_key: \"0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f\"",
         "heroku-api-key | heroku_key: \"#\""},
        {"password=\"hT7kQ2mZ9xW4\" user=joe", "generic-api-key | password=\"#\" user=joe"},
        {"{\"api_token\":\"hT7kQ2mZ9xW4\"}", "generic-api-key | {\"api_token\":\"#\"}"},
        {"password=aaaaaaaaaaa1", "| password=aaaaaaaaaaa1"},       /* no entropy */
        {"password=hTkQmZxWvBnP", "| password=hTkQmZxWvBnP"},       /* no digit */
        {"token=exampleQ2mZ9xW4kT7", "| token=exampleQ2mZ9xW4kT7"}, /* a word of examples */
        {"password=${DB_PASSWORD_1}", "| password=${DB_PASSWORD_1}"},
        {"a gh"
         "p_" RANDOM " b gh"
         "p_" RANDOM,
         "github-pat github-pat | a # b #"},
        /* a special rule's finding is no generic one as well */
        {"token=gh"
         "p_" RANDOM " x",
         "github-pat | token=# x"},
    };
    struct filter f;

    assert_null(filter_up(&f, NULL));
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_filtered(&f, "#", 80, rows[i].line, rows[i].want);
    filter_down(&f);
}

static void every_rule_compiles_and_has_words(void **state)
{
    struct filter f;
    u32 n = 0;

    assert_null(filter_up(&f, NULL));
    for (struct rule_def *r = f.set.rules; r; r = r->next, n++) {
        assert_true(r->keywords.n > 0);
        for (size_t i = 0; i < r->keywords.n; i++)
            assert_true(r->keywords.v[i].n > 0);
        assert_ptr_equal(rules_find(&f.set, r->id), r);
    }
    assert_int_equal(n, detector_rules(f.d));
    assert_true(n > 150);
    filter_down(&f);
}

static void replacements(void **state)
{
    static const char config[] = "[[rules]]\nid = 'r'\nregex = 's[0-9]{4}'\n"
                                 "[[rules]]\nid = 'q'\nregex = '4x+'\n";
    struct filter f;

    assert_null(filter_up(&f, config));
    assert_filtered(&f, "", 80, "a s1234 b", "r | a s... b");
    assert_filtered(&f, "", 50, "a s1234 b", "r | a s1... b"); /* 2.5 is rounded to even */
    assert_filtered(&f, "", 100, "a s1234 b", "r | a REDACTED b");
    assert_filtered(&f, "<$SECRET_NAME:$SECRET_HASH:$OTHER>", 80, "s1234",
                    "r | <r:b76bd99a0d97fd69a87dcb0192ccfa04722997b5:$OTHER>");
    /* everywhere in the line, and nothing of what overlaps stays */
    assert_filtered(&f, "#", 80, "s1234s1234", "r r | ##");
    assert_filtered(&f, "#", 80, "s1234xx!", "r q | #...!");
    filter_down(&f);
}

static void configurations(void **state)
{
    static const struct {
        const char *config, *line, *want;
    } rows[] = {
        {"[[rules]]\nid = 'k'\nregex = 'tok_([0-9]+)'\nkeywords = ['TOK_']", "a tok_12 b",
         "k | a tok_# b"},
        {"[[rules]]\nid = 'k'\nregex = '(a)(b)(c)'\nsecretGroup = 2", "abc", "k | a#c"},
        {"[[rules]]\nid = 'k'\nregex = 'x+'\nentropy = 0.5", "xxxx", "| xxxx"},
        {"[[rules]]\nid = 'k'\nregex = 't=(\\w+)'\n[[rules.allowlists]]\nregexes = ['^ok']",
         "t=ok1 t=no", "k | t=ok1 t=#"},
        {"[[rules]]\nid = 'k'\nregex = '\\w=(\\w+)'\n[[rules.allowlists]]\nregexTarget = 'match'\n"
         "regexes = ['^a=']",
         "a=1 b=2", "k | a=1 b=#"},
        {"[[rules]]\nid = 'k'\nregex = 't=(\\w+)'\n[[rules.allowlists]]\ncondition = 'AND'\n"
         "regexes = ['1']\nstopwords = ['Z']",
         "t=41 t=1z9 t=9zz", "k k | t=# t=1z9 t=#"},
        {"[allowlist]\nregexTarget = 'line'\nregexes = ['trust me']\n[[rules]]\nid = 'k'\nregex = "
         "'x+'",
         "x trust me", "| x trust me"},
        {"[[allowlists]]\ntargetRules = ['j']\nregexes = ['x']\n[[rules]]\nid = 'k'\nregex = 'x'\n"
         "[[rules]]\nid = 'j'\nregex = 'xx'",
         "xx", "k k | ##"},
        {"[extend]\nuseDefault = true\n[[rules]]\nid = 'mine'\nregex = 'mine_\\d+'",
         "mine_1 gh"
         "p_" RANDOM,
         "mine github-pat | # #"},
        {"[extend]\nuseDefault = true\ndisabledRules = ['github-pat']",
         "x gh"
         "p_" RANDOM,
         "| x gh"
         "p_" RANDOM},
        {"[extend]\nuseDefault = true\n[[rules]]\nid = 'generic-api-key'\n"
         "[[rules.allowlists]]\nregexTarget = 'secret'\nregexes = ['^hT7']",
         "password=hT7kQ2mZ9xW4 token=\"hU7kQ2mZ9xW4\"",
         "generic-api-key | password=hT7kQ2mZ9xW4 token=\"#\""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct filter f;
        const char *err = filter_up(&f, rows[i].config);

        if (err) fail_msg("%s", err);
        assert_filtered(&f, "#", 80, rows[i].line, rows[i].want);
        filter_down(&f);
    }
}

static void faults(void **state)
{
    static const struct {
        const char *config, *want; /* behind the path */
    } rows[] = {
        {"[[rules]]\nid = 'a'\nregexp = 'x'", ":3: a rule has no key \"regexp\""},
        {"[[rules]]\nregex = 'x'", ":1: a rule needs an id"},
        {"[[rules]]\nid = 'a'", ":1: the rule \"a\" needs a regex"},
        {"[[rules]]\nid = 1", ":2: id is a text"},
        {"[[rules]]\nid = 'a'\nregex = 'x'\n[[rules]]\nid = 'a'\nregex = 'y'",
         ":4: the rule \"a\" is defined on line 1 already"},
        {"[[rules]]\nid = 'a'\nregex = 'x'\nkeywords = [1]",
         ":4: keywords holds something that is no text"},
        {"[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.required]]\nid = 'b'",
         ":1: the rule \"a\" requires others (required), which is not supported"},
        {"[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.allowlists]]\n",
         ":4: an allowlist needs one of commits, paths, regexes or stopwords"},
        {"[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.allowlists]]\nregexes = ['x']\ncondition = "
         "'NOT'",
         ":4: condition is \"AND\" or \"OR\""},
        {"[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.allowlists]]\nregexes = ['x']\nregexTarget = "
         "'file'",
         ":4: regexTarget is"},
        {"nothing = 1", ":1: the file has no key \"nothing\""},
        {"[extend]\nuseDefault = true\npath = 'x'", ":1: extend has either useDefault or path"},
        {"a = ", ": line 1: expected a value"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct filter f;
        const char *err = filter_up(&f, rows[i].config);

        assert_non_null(err);
        assert_memory_equal(err, f.path, strlen(f.path));
        assert_text(str_n(err + strlen(f.path), strlen(rows[i].want)), rows[i].want);
        filter_down(&f);
    }
}

static void compile_faults(void **state)
{
    struct filter f;
    const char *err = filter_up(&f, "[[rules]]\nid = 'a'\nregex = '('");

    assert_string_equal(err, "line 1: error parsing regexp: missing closing ): `(`");
    filter_down(&f);
    err = filter_up(&f, "[[rules]]\nid = 'a'\nregex = 'x'\nsecretGroup = 1");
    assert_string_equal(err, "line 1: secretGroup is 1 and the regex has 0 groups");
    filter_down(&f);
    assert_null(filter_up(&f, "[[rules]]\nid = 'a'\nregex = 'x'\npath = '\\.env$'"));
    assert_non_null(strstr(warned, "log lines have none: it finds nothing"));
    filter_down(&f);
}

/* A file that extends itself. */
static void extends_without_end(void **state)
{
    struct filter f;
    char *config;

    assert_null(filter_up(&f, ""));
    config = xprintf("[extend]\npath = '%s'\n", f.path);
    FILE *out = fopen(f.path, "w");
    assert_true(out && fputs(config, out) >= 0 && fclose(out) == 0);
    const char *err = NULL;
    assert_int_not_equal(rules_read(&f.set, f.path, warn, NULL, &err), 0);
    assert_non_null(strstr(err, "too many files extend one another"));
    free(config);
    filter_down(&f);
}

static bool at_once(void *arg)
{
    return ++*(int *)arg > 1;
}

/* What was found until then is redacted. */
static void stops_when_late(void **state)
{
    struct filter f;
    int asked = 0;

    assert_null(
        filter_up(&f, "[[rules]]\nid = 'a'\nregex = 'x+'\n[[rules]]\nid = 'b'\nregex = 'y+'"));
    f.st.late = at_once;
    f.st.arg = &asked;
    assert_filtered(&f, "#", 80, "xx yy", "a | # yy");
    assert_true(f.st.timed_out);
    filter_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builtin_rules),
        cmocka_unit_test(every_rule_compiles_and_has_words),
        cmocka_unit_test(replacements),
        cmocka_unit_test(configurations),
        cmocka_unit_test(faults),
        cmocka_unit_test(compile_faults),
        cmocka_unit_test(extends_without_end),
        cmocka_unit_test(stops_when_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
