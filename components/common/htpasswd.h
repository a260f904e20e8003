/* htpasswd files: users and password hashes, as web servers read them: bcrypt, {SHA}, {SSHA},
 * $apr1$, crypt(3), plain text.
 *
 * Immutable once read, except for what it remembers of passwords that were right: slow hashes are
 * then computed once per user, not once per request. htpasswd_check may run on any thread. */
#ifndef COMPONENTS_COMMON_HTPASSWD_H
#define COMPONENTS_COMMON_HTPASSWD_H

#include "base/buf.h"

struct htpasswd;

struct htpasswd *htpasswd_new(void);
/* Adds the users of a text: "name:hash" lines; empty ones and comments are skipped. False when a
 * line is neither (text of *ret_bad borrowed). */
bool htpasswd_add(struct htpasswd *h, struct str text, struct str *ret_bad);
bool htpasswd_check(struct htpasswd *h, struct str user, struct str password);
void htpasswd_free(struct htpasswd *h); /* takes NULL */

/* $apr1$ with this salt (at most 8 bytes), appended to out. */
void htpasswd_apr1(struct str password, struct str salt, struct buf *out);

#endif
