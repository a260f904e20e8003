/* Positions: loading, saving within a second, legacy files, forgetting, disks that refuse. */
#include "components/common/positions.h"

#include <errno.h>
#include <sys/stat.h>
#include "components/common/source_testing.h"

static int set_up(void **state)
{
    source_world_init(*state = xnew(struct source_world));
    return 0;
}

static int tear_down(void **state)
{
    source_world_free(*state);
    free(*state);
    return 0;
}

static struct positions *load(struct source_world *w)
{
    struct positions *p = NULL;
    char *err = NULL;

    if (positions_load(&w->comp, &p, &err) < 0) fail_msg("%s", err);
    return p;
}

static void assert_file(const struct source_world *w, const char *name, const char *want)
{
    char *got = read_file_text(source_path(w, name));

    assert_non_null(got);
    assert_string_equal(got, want);
    free(got);
}

static void test_saves_within_a_second(void **state)
{
    struct source_world *w = *state;
    struct positions *p = load(w);
    struct stat st;

    positions_start(p, &w->shard);
    positions_put_number(p, STR("cursor-a"), STR("{}"), 12);
    source_world_settle(w);
    assert_null(read_file_text(source_path(w, "data/positions.yml")));
    source_world_advance(w, NS_PER_SEC);
    source_world_settle(w);
    assert_file(w, "data/positions.yml",
                "positions:\n  ? path: cursor-a\n    labels: '{}'\n  : \"12\"\n");
    assert_int_equal(stat(source_path(w, "data/positions.yml"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    positions_stop(p);
    positions_free(p);

    p = load(w);
    assert_text(positions_get(p, STR("cursor-a"), STR("{}")), "12");
    assert_null(positions_get(p, STR("cursor-a"), STR("")).p);
    positions_free(p);
}

static void test_saves_at_once_when_asked(void **state)
{
    struct source_world *w = *state;
    struct positions *p = load(w);

    positions_start(p, &w->shard);
    positions_put(p, STR("cursor-a"), STR(""), STR("s=1"));
    positions_save(p);
    assert_file(w, "data/positions.yml",
                "positions:\n  ? path: cursor-a\n    labels: \"\"\n  : s=1\n");
    positions_del(p, STR("cursor-a"), STR(""));
    positions_save(p);
    assert_file(w, "data/positions.yml", "positions: {}\n");
    positions_free(p);
}

static void test_forgets_what_is_gone(void **state)
{
    struct source_world *w = *state;
    struct positions *p = load(w);
    struct str here = str_of(source_path(w, "here")), gone = str_of(source_path(w, "gone"));

    write_file_text(here.p, "w", STR("x"));
    positions_start(p, &w->shard);
    positions_put(p, here, STR("{}"), STR("1"));
    positions_put(p, gone, STR("{}"), STR("2"));
    positions_put(p, STR("cursor-x"), STR(""), STR("3"));
    positions_put(p, STR("journal-x"), STR(""), STR("4"));
    source_world_advance(w, 11 * NS_PER_SEC);
    source_world_settle(w);
    assert_int_equal(positions_count(p), 3);
    assert_null(positions_get(p, gone, STR("{}")).p);
    source_world_advance(w, NS_PER_SEC);
    source_world_settle(w);
    char *text = read_file_text(source_path(w, "data/positions.yml"));
    assert_null(strstr(text, "gone"));
    assert_non_null(strstr(text, "here"));
    free(text);
    positions_free(p);
}

static void test_notes_belong_to_their_value(void **state)
{
    struct source_world *w = *state;
    struct positions *p = load(w);
    struct str a = STR("cursor-a"), b = STR("cursor-b"), none = STR("");

    positions_put_noted(p, a, none, 7, STR("ino=1"));
    positions_put_noted(p, b, none, 8, STR("ino=2"));
    positions_save(p);
    positions_put_number(p, b, none, 9); /* as Alloy would, which knows no notes */
    assert_null(positions_note(p, b, none).p);
    char *notes = read_file_text(source_path(w, "data/positions-notes.yml"));
    positions_save(p);
    write_file_text(source_path(w, "data/positions-notes.yml"), "w", str_of(notes));
    positions_free(p);

    p = load(w);
    assert_text(positions_note(p, a, none), "ino=1");
    assert_text(positions_get(p, b, none), "9");
    assert_null(positions_note(p, b, none).p);
    positions_free(p);

    write_file_text(source_path(w, "data/positions-notes.yml"), "w", STR("positions: {"));
    p = load(w);
    assert_text(positions_get(p, a, none), "7");
    positions_free(p);
    free(notes);
}

/* The notes are written first. A process that is killed before it came to the positions leaves
 * values there that are as old as the save before, and notes that belong to the new ones. */
static void test_killed_between_notes_and_positions(void **state)
{
    struct source_world *w = *state;
    struct positions *p = load(w);
    struct str a = STR("cursor-a"), b = STR("cursor-b"), c = STR("cursor-c"), none = STR("");

    positions_put_noted(p, a, none, 7, STR("ino=1"));
    positions_put_noted(p, b, none, 8, STR("ino=2"));
    positions_put_number(p, c, none, 1);
    positions_save(p);
    char *before = read_file_text(source_path(w, "data/positions.yml"));
    positions_put_noted(p, a, none, 70, STR("ino=3"));
    positions_put_number(p, c, none, 2);
    positions_save(p);
    positions_free(p);
    p = load(w);
    assert_text(positions_get(p, a, none), "70");
    positions_free(p);

    write_file_text(source_path(w, "data/positions.yml"), "w", str_of(before));
    p = load(w);
    assert_text(positions_get(p, a, none), "70");
    assert_text(positions_note(p, a, none), "ino=3");
    assert_text(positions_get(p, b, none), "8");
    assert_text(positions_note(p, b, none), "ino=2");
    assert_text(positions_get(p, c, none), "1");
    assert_int_equal(positions_count(p), 3);
    positions_free(p);

    /* Anything else in the file was written by somebody else, and counts. */
    write_file_text(source_path(w, "data/positions.yml"), "w",
                    STR("positions:\n  ? path: cursor-a\n    labels: ''\n  : \"7\"\n"));
    p = load(w);
    assert_text(positions_get(p, a, none), "7");
    assert_null(positions_note(p, a, none).p);
    assert_int_equal(positions_count(p), 1);
    positions_free(p);
    free(before);
}

static void test_a_file_cut_short_is_refused(void **state)
{
    struct source_world *w = *state;
    struct positions *p = NULL;
    char *err = NULL;
    char want[300];

    write_file_text(source_path(w, "data/positions.yml"), "w",
                    STR("positions:\n  ? path: /a\n    labels: '{a=\"b"));
    assert_int_equal(positions_load(&w->comp, &p, &err), -EBADMSG);
    (void)snprintf(want, sizeof(want), "invalid yaml positions file [%s]: yaml: line ",
                   source_path(w, "data/positions.yml"));
    assert_true(str_starts(str_of(err), str_of(want)));
    free(err);
    write_file_text(source_path(w, "data/positions.yml"), "w", STR(""));
    positions_free(load(w));
}

static void test_legacy_files(void **state)
{
    struct source_world *w = *state;
    struct positions *p = load(w);
    char *err = NULL;
    const char *old = source_path(w, "old.yml");

    assert_int_equal(positions_load_legacy(p, old, &err), 0); /* there is none */
    write_file_text(old, "w", STR("positions: [1]\n"));
    assert_int_equal(positions_load_legacy(p, old, &err), 0); /* malformed: ignored */
    assert_int_equal(positions_count(p), 0);
    write_file_text(old, "w", STR("positions:\n  /var/log/a: \"7\"\n"));
    assert_int_equal(positions_load_legacy(p, old, &err), 0);
    assert_text(positions_get(p, STR("/var/log/a"), STR("{}")), "7");
    positions_put(p, STR("cursor-a"), STR("{}"), STR("1"));
    positions_start(p, &w->shard);
    positions_save(p);
    positions_free(p);

    write_file_text(old, "w", STR("positions:\n  /var/log/b: \"7\"\n"));
    p = load(w);
    assert_int_equal(positions_load_legacy(p, old, &err), 0); /* not empty any more */
    assert_int_equal(positions_count(p), 2);
    positions_free(p);

    assert_int_equal(unlink(source_path(w, "data/positions.yml")), 0);
    p = load(w);
    assert_int_not_equal(positions_load_legacy(p, w->folder, &err), 0); /* a folder */
    assert_non_null(strstr(err, "exists but could not be read, refusing to start"));
    free(err);
    positions_free(p);
}

static void test_a_disk_that_refuses(void **state)
{
    struct source_world *w = *state;
    struct positions *p = load(w);
    char *data = xstrdup(source_path(w, "data")), *away = xstrdup(source_path(w, "away"));

    positions_start(p, &w->shard);
    assert_int_equal(rename(data, away), 0);
    positions_put(p, STR("cursor-a"), STR(""), STR("1"));
    source_world_advance(w, NS_PER_SEC);
    source_world_settle(w);
    assert_int_equal(w->health, HEALTH_UNHEALTHY);
    assert_non_null(strstr(w->health_text, "positions are not saved: open"));
    assert_int_equal(rename(away, data), 0);
    source_world_advance(w, 6 * NS_PER_SEC);
    source_world_settle(w);
    assert_int_equal(w->health, HEALTH_HEALTHY);
    char *text = read_file_text(source_path(w, "data/positions.yml"));
    assert_non_null(text);
    free(text);
    positions_free(p);
    free(data);
    free(away);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_saves_within_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_saves_at_once_when_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forgets_what_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_notes_belong_to_their_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_between_notes_and_positions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_cut_short_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_legacy_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_disk_that_refuses, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
