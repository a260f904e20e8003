/* Notes of files as text. */
#include "components/loki/file/note.h"

#include "base/num.h"

void file_note_write(const struct file_note *n, char *out, size_t size)
{
    int len = snprintf(out, size, "ino=%llu head=%u:%llu", (unsigned long long)n->ino, n->head.n,
                       (unsigned long long)n->head.hash);

    if (n->since > 0 && (size_t)len < size)
        (void)snprintf(out + len, size - (size_t)len, " since=%llu", (unsigned long long)n->since);
}

bool file_note_parse(struct str text, struct file_note *ret)
{
    struct str ino = str_cut(&text, ' '), head = str_cut(&text, ' '), since = text;
    struct str n = str_cut(&head, ':');
    u64 length;

    *ret = (struct file_note){0};
    if (!str_starts(ino, STR("ino=")) || !str_starts(n, STR("head="))) return false;
    struct file_note note = {0};
    bool fine = num_parse_u64(str_sub(ino, 4, ino.n), &note.ino) == 0 &&
                num_parse_u64(str_sub(n, 5, n.n), &length) == 0 && length <= HEAD_MAX &&
                num_parse_u64(head, &note.head.hash) == 0;
    note.head.n = fine ? (u32)length : 0;
    if (fine && str_starts(since, STR("since=")))
        fine = num_parse_u64(str_sub(since, 6, since.n), &note.since) == 0;
    if (fine) *ret = note;
    return fine;
}
