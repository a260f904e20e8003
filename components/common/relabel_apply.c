/* Rules at work on one label set. What the set's texts are made of lives in the set; what is
 * expanded goes through a buffer of the call. Spec: pipelines B.3. */
#include "components/common/relabel_int.h"

#include <errno.h>

#include "base/budget.h"
#include "base/digest.h"
#include "base/num.h"
#include "base/utf8.h"

#define EXPANDED_MAX ((size_t)16 << 20)
#define FEW_GROUPS   16

struct work {
    struct label_set *set;
    const struct relabel *rules;
    bool *limited;
};

/* Values of the source labels with the separator in between. One of them needs no copy. */
static struct str source_text(struct work *w, const struct relabel_step *st)
{
    const struct str_list *names = &st->source_labels;
    size_t n = names->n ? (names->n - 1) * st->separator.n : 0;

    if (names->n == 1) return label_set_get(w->set, names->v[0]);
    for (size_t i = 0; i < names->n; i++)
        n += label_set_get(w->set, names->v[i]).n;
    char *text = n ? label_set_room(w->set, n) : NULL, *at = text;
    if (!text) return STR("");
    for (size_t i = 0; i < names->n; i++) {
        struct str value = label_set_get(w->set, names->v[i]);
        if (i > 0) at = (char *)mempcpy(at, st->separator.p, st->separator.n);
        if (value.n) at = (char *)mempcpy(at, value.p, value.n);
    }
    return str_n(text, n);
}

/* A match that gave up counts as none, and is told. */
static bool match(struct work *w, const struct relabel_step *st, struct str text, ssize_t *ov,
                  size_t n_ov)
{
    int rc = regex_match(st->regex, text, 0, ov, n_ov);

    if (rc < 0 && w->limited) *w->limited = true;
    return rc == 1;
}

static bool matches(struct work *w, const struct relabel_step *st, struct str text)
{
    return st->any || match(w, st, text, NULL, 0);
}

/* An empty value takes the label away. */
static void set_label(struct work *w, struct str name, struct str value)
{
    if (value.n > 0)
        label_set_put(w->set, name, value);
    else
        label_set_del(w->set, name);
}

/* --- texts with groups --- */

struct matched {
    const struct relabel_step *step;
    struct str text;
    ssize_t *ov;
    int groups;
};

static struct str group_text(const struct matched *m, int group)
{
    if (group > m->groups || m->ov[2 * group] < 0) return STR("");
    return str_sub(m->text, (size_t)m->ov[2 * group], (size_t)m->ov[2 * group + 1]);
}

/* The text lives in the template, in what was matched, or in scratch. */
static struct str expand(const struct matched *m, const struct relabel_template *t,
                         struct buf *scratch)
{
    if (t->kind == TEMPLATE_FIXED) return t->text;
    if (t->kind == TEMPLATE_GROUP) return group_text(m, t->group);
    regex_expand(m->step->regex, t->text, m->text, m->ov, scratch);
    return buf_view(scratch);
}

static bool is_name(const struct work *w, struct str name)
{
    return w->rules->names == RELABEL_NAMES_CLASSIC ? relabel_is_classic(name)
                                                    : name.n > 0 && utf8_valid(name);
}

static void replace_matched(struct work *w, const struct matched *m)
{
    struct buf name_text = BUF_INIT(EXPANDED_MAX), value_text = BUF_INIT(EXPANDED_MAX);
    struct str name = expand(m, &m->step->target, &name_text);

    if (is_name(w, name)) set_label(w, name, expand(m, &m->step->replacement, &value_text));
    if (buf_err(&name_text) || buf_err(&value_text)) w->set->err = -ENOMEM;
    buf_done(&name_text);
    buf_done(&value_text);
}

/* --- matches with their groups --- */

typedef void matched_fn(struct work *w, const struct matched *m);

static void with_offsets(struct work *w, struct matched *m, matched_fn *fn)
{
    size_t pairs = (size_t)m->groups + 1;
    ssize_t few[2 * FEW_GROUPS];

    m->ov = pairs <= FEW_GROUPS ? few : budget_alloc(2 * pairs * sizeof(*m->ov));
    if (!m->ov)
        w->set->err = -ENOMEM;
    else if (match(w, m->step, m->text, m->ov, pairs))
        fn(w, m);
    if (m->ov != few) free(m->ov);
}

static void when_matched(struct work *w, const struct relabel_step *st, struct str text,
                         matched_fn *fn)
{
    struct matched m = {.step = st, .text = text, .groups = regex_groups(st->regex)};
    ssize_t all[] = {0, (ssize_t)text.n, 0, (ssize_t)text.n};

    if (!st->any) {
        with_offsets(w, &m, fn);
        return;
    }
    m.ov = all;
    fn(w, &m);
}

/* --- actions; false: the set is dropped --- */

typedef bool action_fn(struct work *w, const struct relabel_step *st);

static bool replace(struct work *w, const struct relabel_step *st)
{
    when_matched(w, st, source_text(w, st), replace_matched);
    return true;
}

static bool keep(struct work *w, const struct relabel_step *st)
{
    return matches(w, st, source_text(w, st));
}

static bool drop(struct work *w, const struct relabel_step *st)
{
    return !matches(w, st, source_text(w, st));
}

static bool equal(struct work *w, const struct relabel_step *st)
{
    return str_eq(label_set_get(w->set, st->target.text), source_text(w, st));
}

static bool keepequal(struct work *w, const struct relabel_step *st)
{
    return equal(w, st);
}

static bool dropequal(struct work *w, const struct relabel_step *st)
{
    return !equal(w, st);
}

static u64 hash_of(struct str text)
{
    u8 sum[16];
    u64 n = 0;

    md5(text.p, text.n, sum);
    for (int i = 8; i < 16; i++)
        n = n << 8 | sum[i];
    return n;
}

static bool hashmod(struct work *w, const struct relabel_step *st)
{
    char digits[24];
    u64 n = hash_of(source_text(w, st)) % st->modulus;
    int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

    set_label(w, st->target.text, str_n(digits, (size_t)length));
    return true;
}

static void change_case(struct work *w, const struct relabel_step *st, u32 (*fold)(u32))
{
    struct str text = source_text(w, st);
    struct buf out = BUF_INIT(EXPANDED_MAX);

    while (text.n > 0) {
        u32 c;
        size_t n = utf8_decode(text, &c, NULL);
        utf8_encode(&out, fold(c));
        text = str_sub(text, n, text.n);
    }
    if (buf_err(&out)) w->set->err = -ENOMEM;
    set_label(w, st->target.text, buf_view(&out));
    buf_done(&out);
}

static bool lowercase(struct work *w, const struct relabel_step *st)
{
    change_case(w, st, utf8_lower);
    return true;
}

static bool uppercase(struct work *w, const struct relabel_step *st)
{
    change_case(w, st, utf8_upper);
    return true;
}

/* --- actions on names --- */

struct naming {
    struct work *work;
    const struct relabel_step *step;
    bool wanted;
};

static bool names_kept(const struct label *l, void *arg)
{
    const struct naming *n = arg;

    return matches(n->work, n->step, l->name) == n->wanted;
}

static bool labeldrop(struct work *w, const struct relabel_step *st)
{
    label_set_filter(w->set, names_kept, &(struct naming){w, st, false});
    return true;
}

static bool labelkeep(struct work *w, const struct relabel_step *st)
{
    label_set_filter(w->set, names_kept, &(struct naming){w, st, true});
    return true;
}

/* New names wait in `made` until the walk over the old ones is done. */
struct map_work {
    struct work work;
    struct label_set made;
    struct str value; /* of the label at hand */
};

static void map_matched(struct work *w, const struct matched *m)
{
    struct map_work *mw = container_of(w, struct map_work, work);
    struct buf text = BUF_INIT(EXPANDED_MAX);
    struct str name = expand(m, &m->step->replacement, &text);

    if (name.n > 0) label_set_put_view(&mw->made, label_set_keep(&mw->made, name), mw->value);
    if (buf_err(&text)) mw->made.err = -ENOMEM;
    buf_done(&text);
}

/* In the order of the old names, so that of two with the same new name the last counts. */
static bool labelmap(struct work *w, const struct relabel_step *st)
{
    struct map_work mw = {.work = *w};

    label_set_init(&mw.made);
    for (u32 i = 0; i < w->set->n; i++) {
        mw.value = w->set->v[i].value;
        when_matched(&mw.work, st, w->set->v[i].name, map_matched);
    }
    for (u32 i = 0; i < mw.made.n; i++)
        label_set_put(w->set, mw.made.v[i].name, mw.made.v[i].value);
    if (mw.made.err) w->set->err = mw.made.err;
    label_set_done(&mw.made);
    return true;
}

static action_fn *const actions[RELABEL_ACTIONS] = {
    [RELABEL_REPLACE] = replace,     [RELABEL_KEEP] = keep,
    [RELABEL_DROP] = drop,           [RELABEL_HASHMOD] = hashmod,
    [RELABEL_LABELMAP] = labelmap,   [RELABEL_LABELDROP] = labeldrop,
    [RELABEL_LABELKEEP] = labelkeep, [RELABEL_LOWERCASE] = lowercase,
    [RELABEL_UPPERCASE] = uppercase, [RELABEL_KEEPEQUAL] = keepequal,
    [RELABEL_DROPEQUAL] = dropequal,
};

static bool has_value(const struct label *l, void *arg)
{
    return l->value.n > 0;
}

bool relabel_apply(const struct relabel *r, struct label_set *s, bool *limited)
{
    struct work w = {.set = s, .rules = r, .limited = limited};

    if (relabel_empty(r)) return true;
    label_set_filter(s, has_value, NULL);
    for (size_t i = 0; i < r->program->n; i++)
        if (!actions[r->program->v[i].action](&w, &r->program->v[i])) return false;
    return true;
}
