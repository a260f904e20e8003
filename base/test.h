/* What the unit tests share: cmocka in its required order, and assertions about bytes. */
#ifndef BASE_TEST_H
#define BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/buf.h"

static inline void assert_text(struct str got, const char *want)
{
    if (str_is(got, want)) return;
    print_error("got  \"" STR_FMT "\"\nwant \"%s\"\n", STR_ARG(got), want);
    fail();
}

/* The contents of b, which is emptied. */
static inline void assert_buf(struct buf *b, const char *want)
{
    assert_int_equal(buf_err(b), 0);
    assert_text(buf_view(b), want);
    buf_reset(b);
}

#endif
