/* Where reading of a path begins: at its saved position, if the file there is still the one the
 * position belongs to; else with what is left of that one. Notes beside the positions tell (Alloy,
 * which has none, reads a file that was rotated meanwhile from the offset of its predecessor). */
#include <errno.h>
#include <stdlib.h>

#include "base/num.h"
#include "components/loki/file/late.h"
#include "components/loki/file/rotated.h"
#include "components/loki/file/tailer.h"

struct saved {
    bool known;
    u64 offset;
    struct file_note note; /* head.n 0: none */
};

static struct logger *log_of(const struct tailer *t)
{
    return t->source->shard->comp->log;
}

/* --- the saved position --- */

static struct str saved_value(const struct tailer *t, struct str *ret_note)
{
    const struct positions *p = t->source->positions;
    struct str path = str_of(t->path), labels = str_of(t->key_labels);
    struct str v = positions_get(p, path, labels);

    *ret_note = positions_note(p, path, labels);
    if (t->source->conf->legacy && (!v.p || str_is(v, "0"))) {
        struct str old = positions_get(p, path, STR("{}"));
        if (old.p) return old;
    }
    return v;
}

static void on_bad_value(struct tailer *t, struct str value)
{
    static const char *const what[] = {[RESTART_FROM_BEGINNING] = "reading from the beginning",
                                       [RESTART_FROM_END] = "reading from the end",
                                       [SKIP_FILE] = "the file is skipped"};

    log_warn(log_of(t), "a saved position is no number", F_CSTR("path", t->path),
             F_STR("value", value), F_CSTR("action", what[t->source->conf->on_bad_position]));
}

/* False: the file is to be skipped. */
static bool load_saved(struct tailer *t, struct saved *ret, bool *ret_from_end)
{
    struct str note, value = saved_value(t, &note);

    *ret = (struct saved){0};
    *ret_from_end = t->source->conf->tail_from_end;
    if (!value.p) return true;
    if (num_parse_u64(value, &ret->offset) < 0) {
        on_bad_value(t, value);
        *ret_from_end = t->source->conf->on_bad_position == RESTART_FROM_END;
        return t->source->conf->on_bad_position != SKIP_FILE;
    }
    /* A note says that there was a position, even at 0. */
    ret->known = ret->offset > 0 || note.n > 0;
    (void)file_note_parse(note, &ret->note);
    return true;
}

/* --- the file --- */

static void begin_at(struct handle *h, u64 offset)
{
    handle_seek(h, offset);
    h->start = offset;
}

/* Whether the position is one of this file. */
static bool is_the_file(struct tailer *t, struct handle *h, const struct saved *s, u64 size)
{
    if (h->packed) return true;
    if (s->note.head.n > 0 && !handle_has_head(h, &t->source->reading, &s->note.head)) return false;
    return size >= s->offset;
}

static void tell_lost(struct tailer *t, const struct saved *s, bool noted)
{
    metric_inc(t->source->gaps);
    log_warn(log_of(t),
             noted
                 ? "the file was replaced while it was not read, and what was left of the old one "
                   "is not beside it: lines may be missing; reading from the start of the new one"
                 : "the file is shorter than its saved position: reading from its start",
             F_CSTR("path", t->path), F_UINT("position", s->offset));
}

/* What is left of the file that the position belongs to, and what came after it. */
static bool append_rest(struct tailer *t, const struct saved *s, u64 ino_now)
{
    const struct lost lost = {
        .head = s->note.head, .ino = s->note.ino, .offset = s->offset, .now = ino_now};
    handle_list list = {0};
    bool found = rotated_rest(t->path, &lost, &t->source->reading, &list);

    if (found) {
        tailer_append(t, list.v[0]);
        tailer_append_all(t, &list, 1);
        log_info(log_of(t), "reading what was left of a rotated file", F_CSTR("path", t->path),
                 F_UINT("position", s->offset), F_UINT("files", list.n));
    }
    vec_done(&list);
    return found;
}

/* The file was empty when the position was saved, so no head tells whether it is the same: what was
 * rotated away since then was not read. */
static void append_written_since(struct tailer *t, const struct saved *s, u64 ino_now)
{
    handle_list list = {0};

    if (s->offset > 0 || s->note.head.n > 0 || s->note.since == 0) return;
    rotated_since(t->path, (i64)s->note.since + 1, NULL, ino_now, &t->source->reading, &list);
    tailer_append_all(t, &list, 0);
    vec_done(&list);
}

static void resume_late(struct tailer *t, const struct saved *s, u64 ino_now)
{
    for (u32 i = 0; s->known && i < s->note.n_late; i++)
        if (!late_resume(t, &s->note.late[i], ino_now))
            log_debug(log_of(t), "a renamed file is not beside its path any more",
                      F_CSTR("path", t->path), F_UINT("position", s->note.late[i].offset));
}

static void begin_after_replacement(struct tailer *t, struct handle *h, const struct saved *s)
{
    if (!append_rest(t, s, h->ino)) tell_lost(t, s, s->note.head.n > 0);
    begin_at(h, 0);
}

static int begin(struct tailer *t, struct handle *h, const struct saved *s, bool from_end)
{
    struct stat st;
    int err = handle_stat(h, &st);

    if (err) return err;
    resume_late(t, s, h->ino);
    append_written_since(t, s, h->ino);
    if (s->known && !is_the_file(t, h, s, (u64)st.st_size))
        begin_after_replacement(t, h, s);
    else if (s->known)
        begin_at(h, s->offset);
    else if (from_end && !h->packed)
        err = handle_seek_last_line(h, &t->source->reading);
    if (err) {
        late_close(t); /* it is begun again */
        return err;
    }
    h->start = h->offset;
    tailer_append(t, h);
    return 0;
}

/* The path names nothing now, but it did when the position was saved. */
static int begin_without_file(struct tailer *t, const struct saved *s)
{
    resume_late(t, s, 0);
    if (s->known && s->note.head.n > 0) (void)append_rest(t, s, 0);
    append_written_since(t, s, 0);
    if (!t->first) late_look(t);
    if (!t->first) late_close(t);
    return t->first ? 0 : -ENOENT;
}

int tailer_start(struct tailer *t)
{
    struct handle *h;
    struct saved saved;
    bool from_end;

    if (!load_saved(t, &saved, &from_end)) {
        t->finished = true;
        return 0;
    }
    int err = handle_open(t->path, &h);
    if (err == -ENOENT) return begin_without_file(t, &saved);
    if (err) return err;
    if (t->source->conf->unpack) handle_unpack(h, t->source->conf->format);
    err = begin(t, h, &saved, from_end);
    if (err) handle_close(h);
    return err;
}
