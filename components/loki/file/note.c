/* Notes of files as text. */
#include "components/loki/file/note.h"

#include "base/assert.h"
#include "base/num.h"

void file_note_write(const struct file_note *n, char *out)
{
    struct buf b = BUF_INIT(NOTE_TEXT_MAX);

    buf_printf(&b, "ino=%llu head=%u:%llu", (unsigned long long)n->ino, n->head.n,
               (unsigned long long)n->head.hash);
    if (n->since > 0) buf_printf(&b, " since=%llu", (unsigned long long)n->since);
    for (u32 i = 0; i < n->n_late; i++) {
        const struct late_note *l = &n->late[i];
        buf_printf(&b, " late=%llu:%u:%llu:%llu", (unsigned long long)l->ino, l->head.n,
                   (unsigned long long)l->head.hash, (unsigned long long)l->offset);
    }
    ASSERT(!buf_err(&b) && b.n < NOTE_TEXT_MAX);
    memcpy(out, b.p, b.n);
    out[b.n] = '\0';
    buf_done(&b);
}

static bool cut_number(struct str *rest, char until, u64 *ret)
{
    return num_parse_u64(str_cut(rest, until), ret) == 0;
}

static bool parse_head(struct str *rest, char until, struct head *ret)
{
    u64 length;

    if (!cut_number(rest, ':', &length) || length > HEAD_MAX) return false;
    ret->n = (u32)length;
    return cut_number(rest, until, &ret->hash);
}

static bool parse_late(struct str text, struct file_note *n)
{
    struct late_note l;

    if (n->n_late == NOTE_LATE_MAX || !cut_number(&text, ':', &l.ino) ||
        !parse_head(&text, ':', &l.head) || num_parse_u64(text, &l.offset) != 0)
        return false;
    n->late[n->n_late++] = l;
    return true;
}

static bool parse_word(struct str word, struct file_note *n)
{
    if (str_starts(word, STR("since=")))
        return num_parse_u64(str_sub(word, 6, word.n), &n->since) == 0;
    if (str_starts(word, STR("late="))) return parse_late(str_sub(word, 5, word.n), n);
    return false;
}

bool file_note_parse(struct str text, struct file_note *ret)
{
    struct str ino = str_cut(&text, ' '), head = str_cut(&text, ' ');
    struct file_note note = {0};

    *ret = note;
    if (!str_starts(ino, STR("ino=")) || !str_starts(head, STR("head="))) return false;
    head = str_sub(head, 5, head.n);
    if (num_parse_u64(str_sub(ino, 4, ino.n), &note.ino) != 0 ||
        !parse_head(&head, ' ', &note.head))
        return false;
    while (text.n)
        if (!parse_word(str_cut(&text, ' '), &note)) return false;
    *ret = note;
    return true;
}
