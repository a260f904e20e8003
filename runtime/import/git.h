/* How import.git uses the git program: its arguments, the environment of every command, and the
 * clone on disk. Nothing of the user's or the system's configuration is used; credentials travel in
 * the environment only. */
#ifndef RUNTIME_GIT_H
#define RUNTIME_GIT_H

#include "base/vec.h"
#include "runtime/import/import_impl.h"

struct git_basic_auth {
    struct secret password;
    struct str username;
};
struct git_ssh_key {
    struct secret key;
    struct str key_file;
    struct secret passphrase;
    struct str username;
};
struct git_args {
    struct git_basic_auth *basic_auth;
    struct str path;
    struct dur pull_frequency;
    struct str repository, revision;
    struct git_ssh_key *ssh_key;
};
extern const struct schema git_args_schema;

/* --- the clone: <dir>/repo, and <dir>/repo.new while it is made for the first time --- */

/* Everything blocks: offload pool. */
struct git_clone {
    char *dir;  /* absolute */
    char *tree; /* where git works in this attempt */
    char *git_dir;
    int lock;   /* descriptor; -1: not held */
    bool fresh; /* tree is repo.new: git init is needed */
};
/* Makes the folder and takes its lock. 0; -EAGAIN: somebody else works there; or -errno with an
 * owned *ret_err. */
int git_clone_open(struct git_clone *c, const char *storage_path, const char *id,
                   const struct git_args *a, char **ret_err);
/* After a checkout: puts a fresh clone in its place, and reads a->path. NULL with an owned
 * *ret_err. */
struct import_content *git_clone_read(struct git_clone *c, const struct git_args *a,
                                      char **ret_err);
/* Removes what only a running command needs, and gives the lock up. */
void git_clone_close(struct git_clone *c);
/* Files for ssh in c->dir. */
#define GIT_KEY_FILE "ssh_key"
#define GIT_ASKPASS  "askpass"

/* --- the environment --- */

struct git_env {
    VEC(char *) vars;   /* NULL-terminated */
    char *url;          /* without credentials */
    VEC(char *) hidden; /* texts that must not be shown */
};
void git_env_init(struct git_env *e, const struct git_args *a, const struct git_clone *c);
void git_env_done(struct git_env *e); /* wipes it; zeroed is fine */
/* What git said, for people: its last complaint, on one line, without secrets. Owned. */
char *git_env_complaint(const struct git_env *e, struct str said);

#endif
