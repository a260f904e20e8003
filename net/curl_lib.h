/* libcurl, loaded with the first call instead of with the process: with what it pulls in (gnutls,
 * ldap, krb5, ssh) it costs 4.5 MB of memory and 4 ms of start-up, which an agent that only
 * receives, or is just starting, need not pay. Every file of net/ that uses curl includes this
 * header, and none <curl/curl.h>; the macros lead the usual names to the table. */
#ifndef NET_CURL_LIB_H
#define NET_CURL_LIB_H

#define CURL_DISABLE_TYPECHECK /* curl's own macros of these names */
#include <curl/curl.h>

/* The functions used, without "curl_". */
/* clang-format off */
#define CURL_LIB_FUNCTIONS(X) \
    X(easy_cleanup) \
    X(easy_getinfo) \
    X(easy_init) \
    X(easy_pause) \
    X(easy_perform) \
    X(easy_reset) \
    X(easy_setopt) \
    X(easy_strerror) \
    X(global_cleanup) \
    X(global_init) \
    X(multi_add_handle) \
    X(multi_assign) \
    X(multi_cleanup) \
    X(multi_info_read) \
    X(multi_init) \
    X(multi_remove_handle) \
    X(multi_setopt) \
    X(multi_socket_action) \
    X(multi_strerror) \
    X(share_cleanup) \
    X(share_init) \
    X(share_setopt) \
    X(slist_append) \
    X(slist_free_all)
/* clang-format on */

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#undef curl_share_setopt

struct curl_lib {
#define MEMBER(name) __typeof__(&curl_##name) name;
    CURL_LIB_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* Written once by curl_lib_load, like the linker's own table; only read after that. */
extern struct curl_lib curl_lib;

/* Loads the library; later calls do nothing. NULL, or a static text saying why it cannot be had.
 * Thread safe. */
const char *curl_lib_load(void);

#define curl_easy_cleanup        curl_lib.easy_cleanup
#define curl_easy_getinfo        curl_lib.easy_getinfo
#define curl_easy_init           curl_lib.easy_init
#define curl_easy_pause          curl_lib.easy_pause
#define curl_easy_perform        curl_lib.easy_perform
#define curl_easy_reset          curl_lib.easy_reset
#define curl_easy_setopt         curl_lib.easy_setopt
#define curl_easy_strerror       curl_lib.easy_strerror
#define curl_global_cleanup      curl_lib.global_cleanup
#define curl_global_init         curl_lib.global_init
#define curl_multi_add_handle    curl_lib.multi_add_handle
#define curl_multi_assign        curl_lib.multi_assign
#define curl_multi_cleanup       curl_lib.multi_cleanup
#define curl_multi_info_read     curl_lib.multi_info_read
#define curl_multi_init          curl_lib.multi_init
#define curl_multi_remove_handle curl_lib.multi_remove_handle
#define curl_multi_setopt        curl_lib.multi_setopt
#define curl_multi_socket_action curl_lib.multi_socket_action
#define curl_multi_strerror      curl_lib.multi_strerror
#define curl_share_cleanup       curl_lib.share_cleanup
#define curl_share_init          curl_lib.share_init
#define curl_share_setopt        curl_lib.share_setopt
#define curl_slist_append        curl_lib.slist_append
#define curl_slist_free_all      curl_lib.slist_free_all

#endif
