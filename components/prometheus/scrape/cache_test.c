/* Tests of the lines of the last scrape: found in their places and out of them, doubles, markers
 * that are due, failed scrapes that forget nothing, references. */
#include "base/hash.h"
#include "base/test.h"
#include "components/prometheus/scrape/scrape.h"

static struct series_table *table;
static struct scrape_cache cache;
static struct buf gone; /* names: "a " with a marker, "(a) " without; "+a" when kept */

static int setup(void **state)
{
    table = series_table_new();
    cache = (struct scrape_cache){0};
    buf_init(&gone, 10000);
    return 0;
}

static size_t alive(void)
{
    struct series_stats st;

    series_table_stats(table, &st);
    return st.series;
}

static int teardown(void **state)
{
    for (size_t i = 0; i < cache.last.n; i++)
        series_unref(table, line_series(&cache.last.v[i]));
    cache_free(&cache);
    buf_done(&gone);
    assert_int_equal(alive(), 0);
    series_table_free(table);
    return 0;
}

static struct series *make(char name)
{
    return series_intern(table, &(struct label){STR("__name__"), str_n(&name, 1)}, 1);
}

static void on_gone(void *arg, struct series *s, bool stale, bool leaves)
{
    struct str name = series_name(s);

    buf_printf(&gone, stale ? "%s" STR_FMT " " : "%s(" STR_FMT ") ", leaves ? "" : "+",
               STR_ARG(name));
    if (leaves) series_unref(table, s);
}

/* A capital stands for the series of its small letter under another text; * behind a letter: with a
 * time. What the lines were: = found, + new, 2 there already. */
static void scrape(const char *lines, const char *want)
{
    struct buf b = BUF_INIT(1000);

    cache_begin(&cache);
    for (const char *p = lines; *p; p++) {
        u64 hash = hash_bytes(p, 1, 7);
        const struct line *l = cache_expected(&cache);
        u32 flags = p[1] == '*' ? LINE_TIMED : 0;
        struct series *s = NULL;
        int found = cache_find(&cache, hash, l && l->hash == hash, flags, &s);
        char name = *p >= 'a' ? *p : (char)(*p - 'A' + 'a');
        if (found == 0)
            buf_ch(&b, cache_add(&cache, hash, 1, flags, make(name)) ? '+' : '2');
        else
            buf_ch(&b, found == 1 ? '=' : '2');
        if (found) assert_int_equal(*series_name(s).p, name);
        if (flags) p++;
    }
    assert_buf(&b, want);
    buf_done(&b);
}

static void end(const char *want)
{
    cache_end(&cache, false, on_gone, NULL);
    assert_buf(&gone, want);
}

static void fails(const char *want)
{
    cache_fail(&cache, false, on_gone, NULL);
    assert_buf(&gone, want);
}

static void lines_in_their_places(void **state)
{
    scrape("abc", "+++");
    end("");
    scrape("abc", "===");
    assert_false(cache.moved);
    end("");
    scrape("ab", "==");
    end("c ");
    assert_int_equal(alive(), 2);
    scrape("", "");
    end("a b ");
    assert_int_equal(alive(), 0);
}

static void lines_out_of_place(void **state)
{
    scrape("abcd", "++++");
    end("");
    scrape("dxba", "=+==");
    end("c ");
    scrape("dxba", "====");
    end("");
    scrape("aabxd", "=2===");
    end("");
}

static void another_text_of_a_series(void **state)
{
    scrape("aA", "+2");
    end("");
    scrape("aA", "=2");
    end("");
    scrape("A", "=");
    end("(a) "); /* its series goes on */
    scrape("a", "+");
    end("(a) ");
    scrape("", "");
    end("a ");
}

static void timed_lines_get_no_markers(void **state)
{
    scrape("a*b", "++");
    end("");
    scrape("", "");
    end("(a) b ");
    scrape("ab", "++");
    end("");
    scrape("a*b", "==");
    end("");
    cache_begin(&cache);
    cache_end(&cache, true, on_gone, NULL);
    assert_buf(&gone, "a b ");
}

static void a_failed_scrape_keeps_the_lines(void **state)
{
    scrape("abc", "+++");
    end("");
    scrape("abx", "==+");
    fails("(x) +a +b +c ");
    assert_int_equal(alive(), 3);
    scrape("a", "=");
    fails(""); /* markers are sent once */
    scrape("abc", "===");
    assert_false(cache.moved);
    assert_int_equal(cache.added, 0);
    end("");
    scrape("ab", "==");
    end("c ");
}

static void what_a_failed_scrape_ended_gets_no_second_marker(void **state)
{
    scrape("abc", "+++");
    end("");
    fails("+a +b +c ");
    scrape("ca", "==");
    end("(b) ");
    scrape("c", "=");
    end("a ");
}

static void failures_with_doubles(void **state)
{
    scrape("aAb", "+2+");
    end("");
    scrape("bBaA", "=2=2");
    fails("(b) +a +b ");
    cache_forget(&cache, on_gone, NULL);
    assert_buf(&gone, "(a) (a) (b) ");
    assert_int_equal(alive(), 0);
    scrape("a", "+");
    fails("(a) ");
    assert_int_equal(alive(), 0);
}

static void lengths_that_fit(void **state)
{
    cache_begin(&cache);
    assert_true(cache_add(&cache, 1, 65535, 0, make('a')));
    assert_true(cache_add(&cache, 2, 65536, 0, make('b')));
    end("");
    assert_int_equal(line_length(&cache.last.v[0]), 65535);
    assert_int_equal(line_length(&cache.last.v[1]), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(lines_in_their_places),           T(lines_out_of_place),
        T(another_text_of_a_series),        T(timed_lines_get_no_markers),
        T(a_failed_scrape_keeps_the_lines), T(what_a_failed_scrape_ended_gets_no_second_marker),
        T(failures_with_doubles),           T(lengths_that_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
