/* Log records as logfmt or JSON: ts, level, msg, then the fields in order of attachment. */
#include "base/log_impl.h"

#include <math.h>
#include "base/num.h"
#include "base/utf8.h"

/* Go's text handler quotes the empty text, anything with blanks, quotes, '=' or what cannot be
 * printed; not DEL. */
static bool needs_quotes(struct str s)
{
    bool need = s.n == 0;
    size_t word = 0;

    while (word < s.n && s.p[word] > ' ' && s.p[word] < 0x7F && s.p[word] != '"' &&
           s.p[word] != '=')
        word++; /* nearly all texts are such a word to their end */
    s = str_sub(s, word, s.n);
    while (s.n && !need) {
        bool bad;
        u32 c;
        size_t width = utf8_decode(s, &c, &bad);

        if (c < 0x80)
            need = c <= ' ' || c == '"' || c == '=';
        else
            need = c == UTF8_INVALID || utf8_is_space(c) || !utf8_is_print(c);
        s = str_sub(s, width, s.n);
    }
    return need;
}

static void add_text(struct buf *b, struct str s)
{
    if (needs_quotes(s))
        utf8_quote(b, s);
    else
        buf_str(b, s);
}

/* A key must stay one word whatever it is called. */
static void add_key(struct buf *b, const char *key)
{
    static const char breaks[] = " =\"\t\n\v\f\r";
    struct str s = str_of(key);

    if (!key[strcspn(key, breaks)]) {
        buf_str(b, s);
        return;
    }
    s = str_trim(s);
    for (size_t i = 0; i < s.n; i++)
        buf_ch(b, strchr(breaks, s.p[i]) ? '_' : s.p[i]);
}

static void add_text_value(struct buf *b, const struct log_field *f)
{
    switch (f->kind) {
    case LF_STR: add_text(b, f->s); break;
    case LF_INT: buf_printf(b, "%lld", (long long)f->i); break;
    case LF_UINT: buf_printf(b, "%llu", (unsigned long long)f->u); break;
    case LF_FLOAT: num_f64_g(b, f->f); break;
    case LF_BOOL: buf_cstr(b, f->b ? "true" : "false"); break;
    case LF_DUR: dur_format(b, f->i); break;
    }
}

static void add_json_value(struct json_out *j, const struct log_field *f)
{
    switch (f->kind) {
    case LF_STR: json_str(j, f->s); break;
    case LF_INT:
    case LF_DUR: json_i64(j, f->i); break;
    case LF_UINT: json_u64(j, f->u); break;
    case LF_FLOAT: json_f64(j, f->f); break;
    case LF_BOOL: json_bool(j, f->b); break;
    }
}

void log_line_fields(struct log_line *l, const struct log_field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (l->format == LOG_JSON) {
            json_key(&l->json, str_of(fields[i].key));
            add_json_value(&l->json, &fields[i]);
        } else {
            if (l->b->n) buf_ch(l->b, ' ');
            add_key(l->b, fields[i].key);
            buf_ch(l->b, '=');
            add_text_value(l->b, &fields[i]);
        }
    }
}

void log_line_begin(struct log_line *l, struct buf *b, enum log_format format, i64 now,
                    enum log_level level, const char *msg)
{
    struct buf ts = BUF_INIT(64);

    *l = (struct log_line){.b = b, .format = format, .json = {.b = b}};
    if (format == LOG_JSON) json_obj(&l->json);
    time_rfc3339(&ts, now, false);
    log_line_fields(l, &F_STR("ts", buf_view(&ts)), 1);
    log_line_fields(l, &F_CSTR("level", log_level_name(level)), 1);
    if (msg && *msg) log_line_fields(l, &F_CSTR("msg", msg), 1);
    buf_done(&ts);
}

void log_line_end(struct log_line *l)
{
    if (l->format == LOG_JSON) json_obj_end(&l->json);
    buf_ch(l->b, '\n');
}
