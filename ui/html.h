/* Text into HTML: everything that is not ours is escaped on its way in. */
#ifndef UI_HTML_H
#define UI_HTML_H

#include "base/buf.h"

/* As text or inside a quoted attribute; control characters and broken UTF-8 become U+FFFD. */
void html_text(struct buf *b, struct str s);
/* The same, percent-encoded for the path of a link; slashes stay. */
void html_path(struct buf *b, struct str s);
/* Printf for markup of ours: %s stands for text that is escaped; nothing else is taken. */
void html(struct buf *b, const char *markup, ...);

/* A body in the API's JSON form (an array of statements) as tables. Empty: a word that says so. */
void html_statements(struct buf *b, struct str json);

#endif
