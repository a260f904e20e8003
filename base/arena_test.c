/* Tests of base/arena.h. */
#include "base/arena.h"
#include "base/test.h"

static void alignment_and_zeroes(void **state)
{
    static const char zeroes[5000];
    struct arena a;

    arena_init(&a, 256);
    assert_int_equal(arena_size(&a), 0);
    for (size_t n = 0; n < 5000; n = n * 2 + 1) {
        char *p = arena_alloc(&a, n);

        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        assert_memory_equal(p, zeroes, n);
        memset(p, 0xAA, n);
    }
    assert_true(arena_size(&a) > 5000);
    arena_done(&a);
    assert_int_equal(arena_size(&a), 0);
}

/* Pieces never overlap, whatever their order of sizes. */
static void pieces_are_apart(void **state)
{
    unsigned char *p[200];
    struct arena a;

    arena_init(&a, 0);
    for (int i = 0; i < 200; i++) {
        size_t n = (size_t)(i * 37 % 700 + 1);
        p[i] = arena_alloc(&a, n);
        memset(p[i], i, n);
    }
    for (int i = 0; i < 200; i++) {
        for (int k = 0; k < i * 37 % 700 + 1; k++)
            assert_int_equal(p[i][k], i);
    }
    arena_done(&a);
}

static void texts(void **state)
{
    struct arena a;

    arena_init(&a, 64);
    assert_string_equal(arena_strdup(&a, STR("hello")), "hello");
    assert_string_equal(arena_strdup(&a, (struct str){0}), "");
    assert_text(arena_str(&a, STR("x")), "x");
    assert_string_equal(arena_printf(&a, "%s-%d", "a", 5), "a-5");
    assert_int_equal(strlen(arena_printf(&a, "%0900d", 1)), 900);
    assert_memory_equal(arena_memdup(&a, "abc", 3), "abc", 3);
    assert_non_null(arena_memdup(&a, NULL, 0));
    arena_done(&a);
}

/* Registered 1, 2, 3; each writes its own digit. */
struct step {
    struct buf *out;
    char digit;
};

static void say(void *arg)
{
    struct step *s = arg;

    buf_ch(s->out, s->digit);
}

static void cleanups_run_backwards(void **state)
{
    struct buf out = BUF_INIT(100);
    struct step steps[] = {{&out, '1'}, {&out, '2'}, {&out, '3'}};
    struct arena a;

    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        arena_cleanup(&a, say, &steps[i]);
    arena_reset(&a);
    assert_buf(&out, "321");
    arena_cleanup(&a, say, &steps[1]);
    arena_done(&a);
    assert_buf(&out, "2");
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alignment_and_zeroes),
        cmocka_unit_test(pieces_are_apart),
        cmocka_unit_test(texts),
        cmocka_unit_test(cleanups_run_backwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
