/* Lines, and the procedures that client and server count alike. */
#include "components/prometheus/unix/nfs_lines.h"

const char *const nfs2_procedures[18] = {
    "Null",   "GetAttr", "SetAttr", "Root", "Lookup",  "ReadLink", "Read",  "WrCache", "Write",
    "Create", "Remove",  "Rename",  "Link", "SymLink", "MkDir",    "RmDir", "ReadDir", "FsStat"};
const char *const nfs3_procedures[22] = {
    "Null",    "GetAttr",     "SetAttr", "Lookup", "Access",   "ReadLink", "Read",   "Write",
    "Create",  "MkDir",       "SymLink", "MkNod",  "Remove",   "RmDir",    "Rename", "Link",
    "ReadDir", "ReadDirPlus", "FsStat",  "FsInfo", "PathConf", "Commit"};

bool nfs_next_line(struct str *text, struct nfs_line *ret, bool *ret_bad)
{
    struct str line, field;

    *ret_bad = false;
    do {
        if (!unix_line(text, &line)) return false;
    } while (!unix_field(&line, &ret->name));
    memset(ret->v, 0, sizeof(ret->v));
    for (ret->n = 0; ret->n < NFS_NUMBERS_MAX && unix_field(&line, &field); ret->n++)
        *ret_bad |= unix_u64(field, &ret->v[ret->n]) != 0;
    return true;
}

void nfs_add_procedures(struct expo_family *f, const struct nfs_line *l, const char *proto,
                        const char *const *names, size_t n, size_t from)
{
    for (size_t i = from; i < n; i++)
        if (names[i]) expo_add(f, l->v[i + 1], EXPO_L("proto", proto), EXPO_L("method", names[i]));
}
