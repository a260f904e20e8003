/* A name is cut into words (runs of letters and digits); what unit and kind add are further words.
 */
#include "components/common/prom_names.h"

#include "base/utf8.h"
#include "base/vec.h"

typedef VEC(struct str) words;

struct unit {
    struct str of, word;
};

static const struct unit units[] = {
    {STR("d"), STR("days")},
    {STR("h"), STR("hours")},
    {STR("min"), STR("minutes")},
    {STR("s"), STR("seconds")},
    {STR("ms"), STR("milliseconds")},
    {STR("us"), STR("microseconds")},
    {STR("ns"), STR("nanoseconds")},
    {STR("By"), STR("bytes")},
    {STR("KiBy"), STR("kibibytes")},
    {STR("MiBy"), STR("mebibytes")},
    {STR("GiBy"), STR("gibibytes")},
    {STR("TiBy"), STR("tibibytes")},
    {STR("KBy"), STR("kilobytes")},
    {STR("MBy"), STR("megabytes")},
    {STR("GBy"), STR("gigabytes")},
    {STR("TBy"), STR("terabytes")},
    {STR("m"), STR("meters")},
    {STR("V"), STR("volts")},
    {STR("A"), STR("amperes")},
    {STR("J"), STR("joules")},
    {STR("W"), STR("watts")},
    {STR("g"), STR("grams")},
    {STR("Cel"), STR("celsius")},
    {STR("Hz"), STR("hertz")},
    {STR("1"), STR("")},
    {STR("%"), STR("percent")},
};
static const struct unit per_units[] = {
    {STR("s"), STR("second")}, {STR("m"), STR("minute")}, {STR("h"), STR("hour")},
    {STR("d"), STR("day")},    {STR("w"), STR("week")},   {STR("mo"), STR("month")},
    {STR("y"), STR("year")},
};

static bool is_name_char(u32 c)
{
    return utf8_is_letter(c) || utf8_is_digit(c);
}

/* --- words --- */

/* Cuts the next word off the front of *s; empty at the end. */
static struct str next_word(struct str *s)
{
    struct str word = {s->p, 0};
    u32 c;

    while (s->n > 0) {
        size_t n = utf8_decode(*s, &c, NULL);
        bool in = is_name_char(c);
        if (!in && word.n > 0) break;
        *s = str_sub(*s, n, s->n);
        if (in)
            word.n += n;
        else
            word.p = s->p;
    }
    return word;
}

static void split(words *w, struct str name)
{
    for (struct str word; (word = next_word(&name)).n > 0;)
        vec_push(w, word);
}

static bool has_word(const words *w, struct str word)
{
    for (size_t i = 0; i < w->n; i++)
        if (str_eq(w->v[i], word)) return true;
    return false;
}

/* At the end, and nowhere else. */
static void move_to_end(words *w, struct str word)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->n; i++)
        if (!str_eq(w->v[i], word)) w->v[kept++] = w->v[i];
    w->n = kept;
    vec_push(w, word);
}

static void join(struct buf *out, const words *w)
{
    if (w->n > 0 && w->v[0].p[0] >= '0' && w->v[0].p[0] <= '9') buf_ch(out, '_');
    for (size_t i = 0; i < w->n; i++) {
        if (i > 0) buf_ch(out, '_');
        buf_str(out, w->v[i]);
    }
}

/* --- units --- */

/* The word of a unit: the table's, else its own words joined, in room. */
static struct str unit_word(struct str unit, const struct unit *table, size_t n, struct buf *room)
{
    words own = {0};

    unit = str_trim(unit);
    if (str_chr(unit, '{') >= 0 || str_chr(unit, '}') >= 0) return STR("");
    for (size_t i = 0; i < n; i++)
        if (str_eq(table[i].of, unit)) return table[i].word;
    split(&own, unit);
    buf_reset(room);
    join(room, &own);
    vec_done(&own);
    return buf_view(room);
}

static void add_units(words *w, struct str unit, struct buf *main_room, struct buf *per_room)
{
    struct str per = unit;
    struct str main = str_cut(&per, '/');
    struct str word = unit_word(main, units, ARRAY_LEN(units), main_room);

    if (word.n > 0 && !has_word(w, word)) vec_push(w, word);
    if (!per.p) return;
    word = unit_word(per, per_units, ARRAY_LEN(per_units), per_room);
    if (word.n == 0 || has_word(w, word)) return;
    vec_push(w, STR("per"));
    vec_push(w, word);
}

/* --- names --- */

void prom_metric_name(struct buf *out, struct str name, struct str unit, enum prom_kind kind)
{
    struct buf main_room = BUF_INIT(1024), per_room = BUF_INIT(1024);
    words w = {0};

    split(&w, name);
    add_units(&w, unit, &main_room, &per_room);
    if (kind == PROM_COUNTER) move_to_end(&w, STR("total"));
    if (kind == PROM_GAUGE && str_is(unit, "1")) move_to_end(&w, STR("ratio"));
    join(out, &w);
    vec_done(&w);
    buf_done(&main_room);
    buf_done(&per_room);
}

void prom_metric_name_plain(struct buf *out, struct str name)
{
    bool gap = false, begun = false;
    u32 c;

    for (size_t n; name.n > 0; name = str_sub(name, n, name.n)) {
        n = utf8_decode(name, &c, NULL);
        if (!is_name_char(c) && c != '_' && c != ':') {
            gap = true;
            continue;
        }
        if (gap && begun) buf_ch(out, '_');
        if (!begun && c >= '0' && c <= '9') buf_ch(out, '_');
        buf_add(out, name.p, n);
        begun = true;
        gap = false;
    }
}

/* Whether the name begins with a character that is or becomes an underscore. */
static bool begins_with_gap(struct str name, size_t *ret_n)
{
    u32 c;

    *ret_n = name.n > 0 ? utf8_decode(name, &c, NULL) : 0;
    return name.n > 0 && (c == '_' || !is_name_char(c));
}

void prom_label_name(struct buf *out, struct str name)
{
    size_t first, second;
    bool digit = name.n > 0 && name.p[0] >= '0' && name.p[0] <= '9';
    bool underscore =
        begins_with_gap(name, &first) && !begins_with_gap(str_sub(name, first, name.n), &second);
    u32 c;

    if (digit) buf_cstr(out, "key_");
    if (underscore) buf_cstr(out, "key");
    for (size_t n; name.n > 0; name = str_sub(name, n, name.n)) {
        n = utf8_decode(name, &c, NULL);
        if (is_name_char(c))
            buf_add(out, name.p, n);
        else
            buf_ch(out, '_');
    }
}
