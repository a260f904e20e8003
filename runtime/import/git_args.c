/* The arguments of import.git. */
#include <ctype.h>
#include "runtime/import/git.h"

static const struct row basic_auth_rows[] = {
    ATTR(struct git_basic_auth, password, .required = true, .doc = "Password, or access token."),
    ATTR(struct git_basic_auth, username, .required = true, .doc = "User name."),
};
static const struct schema basic_auth_schema = SCHEMA(struct git_basic_auth, basic_auth_rows);

static const struct row ssh_key_rows[] = {
    ATTR(struct git_ssh_key, key, .def = "\"\"", .doc = "Private key (PEM or OpenSSH form)."),
    ATTR(struct git_ssh_key, key_file, .def = "\"\"",
         .doc = "File with the private key, when key is not set."),
    ATTR(struct git_ssh_key, passphrase, .def = "\"\"", .doc = "Passphrase of the private key."),
    ATTR(struct git_ssh_key, username, .required = true, .doc = "User name at the server."),
};
static const struct schema ssh_key_schema = SCHEMA(struct git_ssh_key, ssh_key_rows);

static const struct row rows[] = {
    BLOCK_PTR(struct git_args, basic_auth, &basic_auth_schema,
              .doc = "Name and password for HTTP and HTTPS."),
    ATTR(struct git_args, path, .required = true,
         .doc = "File in the repository, or a directory whose `*.alloy` files are imported."),
    ATTR(struct git_args, pull_frequency, .def = "\"1m\"",
         .doc = "How often the repository is asked for a new state; 0s: never again."),
    ATTR(struct git_args, repository, .required = true, .doc = "URL of the repository."),
    ATTR(struct git_args, revision, .def = "\"main\"",
         .doc = "Branch, tag, or commit hash to use."),
    BLOCK_PTR(struct git_args, ssh_key, &ssh_key_schema, .doc = "Key for SSH."),
};
static void validate(const void *args, const struct span *at, struct diags *diags);
const struct schema git_args_schema = SCHEMA(struct git_args, rows, .validate = validate);

static bool one_line(struct str s)
{
    return !s.n || (!memchr(s.p, '\n', s.n) && !memchr(s.p, '\r', s.n) && !memchr(s.p, 0, s.n));
}

static const char *revision_fault(struct str r)
{
    static const char *const own[] = {"HEAD", "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD",
                                      "CHERRY_PICK_HEAD"};

    if (r.n == 0) return "revision must not be empty";
    if (r.p[0] == '-' || !one_line(r)) return "revision is not a name or hash of git";
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (str_is(r, own[i]))
            return "revision must be a branch, a tag or a commit hash, not a name that is git's "
                   "own";
    return NULL;
}

/* "ext::sh -c ..." runs a program of that name. */
static bool names_helper(struct str r)
{
    ssize_t n = str_find(r, STR("::"));

    if (n <= 0) return false;
    for (ssize_t i = 0; i < n; i++)
        if (!isalnum((u8)r.p[i]) && !strchr("+-.", r.p[i])) return false;
    return true;
}

static const char *repository_fault(struct str r)
{
    if (r.n == 0) return "repository must not be empty";
    if (r.p[0] == '-' || !one_line(r)) return "repository is not a URL";
    return names_helper(r) ? "repository names a helper program of git; only http, https, ssh, git "
                             "and file URLs can be used"
                           : NULL;
}

static const char *path_fault(struct str path)
{
    if (!one_line(path)) return "path is not a file name";
    while (path.p) {
        struct str part = str_cut(&path, '/');
        if (str_is(part, "..")) return "path must not lead out of the repository";
    }
    return NULL;
}

static const char *auth_fault(const struct git_basic_auth *b)
{
    return !b || (one_line(b->username) && one_line(b->password.s))
               ? NULL
               : "username and password must not contain line breaks";
}

static void validate(const void *args, const struct span *at, struct diags *diags)
{
    const struct git_args *a = args;
    const struct {
        const char *row, *fault;
    } checks[] = {
        {"revision", revision_fault(a->revision)},
        {"repository", repository_fault(a->repository)},
        {"path", path_fault(a->path)},
        {"basic_auth", auth_fault(a->basic_auth)},
    };

    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (checks[i].fault)
            diag_error(diags, DIAG_VALUE_INVALID, schema_span(&git_args_schema, at, checks[i].row),
                       "%s", checks[i].fault);
}
