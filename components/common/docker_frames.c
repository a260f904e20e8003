/* Frames: 8 bytes of head (type, three zeroes, length of the payload), then the payload, which is
 * as a rule one line or a piece of one. */
#include "components/common/docker_frames.h"

#include <errno.h>
#include "base/rfc3339.h"

#define PIECE       16384        /* bytes of text after which the engine cuts a line */
#define STAMP_MAX   ((size_t)64) /* more is no timestamp */
#define MESSAGE_MAX ((size_t)400)
#define SHOWN_MAX   ((size_t)100)   /* of a line that is skipped */
#define KEEP_MAX    ((size_t)16384) /* memory that a line in wait may keep */

enum frame_type { FRAME_STDIN, FRAME_STDOUT, FRAME_STDERR, FRAME_SYSTEM_ERROR };

void docker_frames_init(struct docker_frames *f, const struct docker_frames_conf *conf)
{
    *f = (struct docker_frames){.conf = *conf};
    for (int i = 0; i < DOCKER_STREAMS; i++)
        buf_init(&f->lines[i].text, DOCKER_LINE_MAX);
    buf_init(&f->message, MESSAGE_MAX);
}

void docker_frames_done(struct docker_frames *f)
{
    for (int i = 0; i < DOCKER_STREAMS; i++)
        buf_done(&f->lines[i].text);
    buf_done(&f->message);
}

/* --- lines --- */

/* Splits "TIME TEXT". */
static bool read_stamp(struct str line, i64 *ret_time, struct str *ret_text)
{
    struct str text = line, stamp = str_cut(&text, ' ');

    if (!text.p || rfc3339_parse(stamp, ret_time) != 0) return false;
    *ret_text = text;
    return true;
}

/* Length of "TIME " in front, or 0. */
static size_t stamp_length(struct str s)
{
    struct str text;
    i64 time;

    s = str_sub(s, 0, MIN(s.n, STAMP_MAX));
    return read_stamp(s, &time, &text) ? s.n - text.n : 0;
}

/* With a TTY nothing marks the pieces but their size: behind each 16 KiB of text the next piece's
 * timestamp follows at once. Takes those out, in place; returns the length left. */
static size_t take_stamps_out(char *text, size_t n)
{
    size_t from = PIECE, to = PIECE;

    for (size_t stamp; from < n && (stamp = stamp_length(str_n(text + from, n - from)));) {
        from += stamp;
        size_t take = MIN(n - from, (size_t)PIECE);
        memmove(text + to, text + from, take);
        from += take;
        to += take;
    }
    memmove(text + to, text + from, n - from);
    return to + (n - from);
}

static void fault(struct docker_frames *f, enum docker_line_fault what, struct str text)
{
    f->conf.fault(f->conf.arg, what, str_sub(text, 0, MIN(text.n, SHOWN_MAX)));
}

static bool emit(struct docker_frames *f, enum docker_stream from, struct str line)
{
    struct str text;
    i64 time;

    if (line.n && line.p[line.n - 1] == '\r') line.n--;
    if (line.n == 0) return true;
    if (!read_stamp(line, &time, &text)) {
        fault(f, DOCKER_LINE_NO_TIME, line);
        return true;
    }
    return text.n == 0 || f->conf.line(f->conf.arg, from, time, text);
}

/* A line that was gathered. */
static bool emit_kept(struct docker_frames *f, enum docker_stream from, struct buf *b)
{
    struct str line = buf_view(b);
    size_t stamp = f->conf.tty ? stamp_length(line) : 0;

    if (line.n && line.p[line.n - 1] == '\r') line.n--;
    if (stamp && line.n - stamp > PIECE)
        line.n = stamp + take_stamps_out(b->p + stamp, line.n - stamp);
    return emit(f, from, line);
}

static void forget(struct docker_frames_line *l)
{
    if (l->text.cap > KEEP_MAX)
        buf_done(&l->text);
    else
        buf_reset(&l->text);
    l->skip = false;
}

static void keep(struct docker_frames *f, enum docker_stream from, const char *p, size_t n)
{
    struct docker_frames_line *l = &f->lines[from];

    if (l->skip || n == 0) return;
    buf_add(&l->text, p, n);
    if (!buf_err(&l->text)) return;
    fault(f, buf_err(&l->text) == -ENOMEM ? DOCKER_LINE_NO_MEMORY : DOCKER_LINE_TOO_LONG,
          buf_view(&l->text));
    forget(l);
    l->skip = true;
}

/* The rest of a line. */
static bool end_line(struct docker_frames *f, enum docker_stream from, const char *p, size_t n)
{
    struct docker_frames_line *l = &f->lines[from];
    bool in_place = f->conf.tty && n > PIECE;

    if (l->text.n == 0 && !l->skip && !in_place) return emit(f, from, str_n(p, n));
    keep(f, from, p, n);
    bool more = l->skip || emit_kept(f, from, &l->text);
    forget(l);
    return more;
}

/* Bytes of one stream, up to and with the first end of a line. Returns how many it took. */
static size_t take_text(struct docker_frames *f, enum docker_stream from, const char *p, size_t n,
                        bool *ret_more)
{
    const char *end = memchr(p, '\n', n);

    if (end) {
        *ret_more = end_line(f, from, p, (size_t)(end - p));
        return (size_t)(end - p) + 1;
    }
    keep(f, from, p, n);
    return n;
}

/* --- frames --- */

static void break_off(struct docker_frames *f, const char *what, struct str text)
{
    (void)snprintf(f->error, sizeof(f->error), "%s" STR_FMT, what, STR_ARG(text));
}

static enum docker_stream stream_of(const struct docker_frames *f)
{
    return f->type == FRAME_STDERR ? DOCKER_STDERR : DOCKER_STDOUT;
}

static void end_frame(struct docker_frames *f)
{
    if (f->type == FRAME_SYSTEM_ERROR)
        break_off(f, "error from daemon in stream: ", str_trim(buf_view(&f->message)));
    else if (f->last == '\n')
        f->lines[stream_of(f)].join = false;
    else if (f->length >= PIECE)
        f->lines[stream_of(f)].join = true;
    f->n_head = 0;
}

static void begin_frame(struct docker_frames *f)
{
    f->type = f->head[0];
    f->length = f->left =
        (u32)f->head[4] << 24 | (u32)f->head[5] << 16 | (u32)f->head[6] << 8 | (u32)f->head[7];
    f->last = 0;
    if (f->type > FRAME_SYSTEM_ERROR) {
        (void)snprintf(f->error, sizeof(f->error), "unrecognized stream: %u", f->type);
        return;
    }
    f->at_stamp = f->type != FRAME_SYSTEM_ERROR && f->lines[stream_of(f)].join;
    if (f->left == 0) end_frame(f);
}

static size_t take_head(struct docker_frames *f, const char *p, size_t n)
{
    size_t take = MIN(n, sizeof(f->head) - f->n_head);

    memcpy(f->head + f->n_head, p, take);
    f->n_head += (u32)take;
    if (f->n_head == sizeof(f->head)) begin_frame(f);
    return take;
}

static void end_stamp(struct docker_frames *f, bool *ret_more)
{
    struct str stamp = buf_view(&f->message);

    if (stamp_length(stamp) != stamp.n)
        (void)take_text(f, stream_of(f), stamp.p, stamp.n, ret_more); /* it is none */
    buf_reset(&f->message);
    f->at_stamp = false;
}

static const char *find_stamp_end(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] == ' ' || p[i] == '\n') return p + i;
    return NULL;
}

/* The timestamp of a frame that goes on with a line is gathered in `message`, which is free between
 * the engine's own. */
static size_t take_stamp(struct docker_frames *f, const char *p, size_t n, bool *ret_more)
{
    size_t take = MIN(n, MIN(STAMP_MAX - f->message.n, (size_t)f->left));
    const char *end = find_stamp_end(p, take);

    if (end) take = (size_t)(end - p) + 1;
    buf_add(&f->message, p, take);
    if (end || f->message.n == STAMP_MAX || take == f->left) end_stamp(f, ret_more);
    return take;
}

static size_t take_message(struct docker_frames *f, const char *p, size_t n)
{
    size_t take = MIN(n, (size_t)f->left);

    buf_add(&f->message, p, MIN(take, MESSAGE_MAX - f->message.n));
    return take;
}

static size_t take_payload(struct docker_frames *f, const char *p, size_t n, bool *ret_more)
{
    size_t take;

    if (f->type == FRAME_SYSTEM_ERROR)
        take = take_message(f, p, n);
    else if (f->at_stamp)
        take = take_stamp(f, p, n, ret_more);
    else
        take = take_text(f, stream_of(f), p, MIN(n, (size_t)f->left), ret_more);
    f->last = p[take - 1];
    f->left -= (u32)take;
    if (f->left == 0) end_frame(f);
    return take;
}

size_t docker_frames_feed(struct docker_frames *f, const char *p, size_t n)
{
    size_t at = 0;

    for (bool more = true; at < n && more && !f->error[0];) {
        if (f->conf.tty)
            at += take_text(f, DOCKER_STDOUT, p + at, n - at, &more);
        else if (f->n_head < sizeof(f->head))
            at += take_head(f, p + at, n - at);
        else
            at += take_payload(f, p + at, n - at, &more);
    }
    return at;
}
