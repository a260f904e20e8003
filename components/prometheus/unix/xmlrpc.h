/* Answers of XML-RPC (http://xmlrpc.com/spec.md), as far as tables of plain values go. Views into
 * the text, unescaped copies in an arena. Pure; the text is hostile. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_XMLRPC_H
#define COMPONENTS_PROMETHEUS_UNIX_XMLRPC_H

#include "base/arena.h"

#define XMLRPC_DEPTH 32

enum xml_kind { XML_OPEN, XML_CLOSE, XML_TEXT };
struct xml_token {
    enum xml_kind kind;
    struct str text; /* a name without attributes; or what stands between tags, as written */
};
/* 1; 0 at the end; -EBADMSG. Comments, declarations and instructions are passed over; <a/> comes as
 * XML_OPEN, then XML_CLOSE. */
struct xml_reader {
    struct str rest;
    struct str closing; /* of <a/> */
};
int xml_next(struct xml_reader *r, struct xml_token *ret);
/* With &lt; &#65; and the like replaced. */
struct str xml_unescape(struct arena *a, struct str text);

/* Calls member for each member of each outermost struct of the answer, with its value's text, and
 * end after each struct. 0; -EBADMSG; -EREMOTE: the answer is a fault, whose text is *ret_fault. */
struct xmlrpc_rows {
    void (*member)(void *arg, struct str name, struct str value);
    void (*end)(void *arg);
    void *arg;
};
int xmlrpc_read(struct arena *a, struct str answer, const struct xmlrpc_rows *rows,
                struct str *ret_fault);

#endif
