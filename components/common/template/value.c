/* Values: their Go types, truth, equality, printing; maps and lists. */
#include "components/common/template/value.h"

#include "base/num.h"
#include "base/time_layout.h"
#include "components/common/template/run.h"

/* --- what they are called --- */

static const char *const int_names[] = {"int",           "int64",      "int32",       "uint8",
                                        "time.Duration", "time.Month", "time.Weekday"};

static const char *list_name(struct tval v)
{
    static const char *const names[] = {"[]interface {}", "[]string", "[]int"};
    return names[v.sub];
}

const char *tv_go_type(struct tval v)
{
    switch ((enum ttype)v.type) {
    case T_NIL: return "<nil>";
    case T_BOOL: return "bool";
    case T_INT: return int_names[v.sub];
    case T_FLOAT: return "float64";
    case T_STRING: return "string";
    case T_LIST: return list_name(v);
    case T_MAP: return v.sub == ELEM_STRING ? "map[string]string" : "map[string]interface {}";
    case T_TIME: return "time.Time";
    case T_VERSION: return "*semver.Version";
    case T_CERT: return "sprig.certificate";
    }
    return "";
}

const char *tv_kind(struct tval v)
{
    switch ((enum ttype)v.type) {
    case T_NIL: return "invalid";
    case T_INT:
        return v.sub == INT_DURATION ? "int64" : v.sub > INT_DURATION ? "int" : int_names[v.sub];
    case T_LIST: return "slice";
    case T_MAP: return "map";
    case T_TIME:
    case T_CERT: return "struct";
    case T_VERSION: return "ptr";
    case T_BOOL:
    case T_FLOAT:
    case T_STRING: return tv_go_type(v);
    }
    return "";
}

bool tv_is_missing(struct tval v)
{
    return v.type == T_NIL && v.i == 1;
}

static size_t map_size(const struct run *r, struct tmap *m)
{
    if (m->lazy) tmap_force((struct run *)r, m);
    return m->n;
}

bool tv_truth(const struct run *r, struct tval v)
{
    switch ((enum ttype)v.type) {
    case T_NIL: return false;
    case T_BOOL:
    case T_INT: return v.i != 0;
    case T_FLOAT: return v.f != 0;
    case T_STRING: return v.s.n > 0;
    case T_LIST: return v.list.n > 0;
    case T_MAP: return map_size(r, v.map) > 0;
    case T_TIME:
    case T_VERSION:
    case T_CERT: return true;
    }
    return false;
}

/* --- equality --- */

static bool lists_equal(struct run *r, struct tlist a, struct tlist b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (!tv_equal(r, a.v[i], b.v[i])) return false;
    return true;
}

static bool maps_equal(struct run *r, struct tmap *a, struct tmap *b)
{
    if (map_size(r, a) != map_size(r, b)) return false;
    for (size_t i = 0; i < a->n; i++)
        if (!str_eq(a->v[i].key, b->v[i].key) || !tv_equal(r, a->v[i].value, b->v[i].value))
            return false;
    return true;
}

static bool parts_equal(struct run *r, struct tval a, struct tval b)
{
    switch ((enum ttype)a.type) {
    case T_NIL: return true;
    case T_BOOL:
    case T_INT: return a.i == b.i;
    case T_FLOAT: return a.f == b.f;
    case T_STRING: return str_eq(a.s, b.s);
    case T_LIST: return lists_equal(r, a.list, b.list);
    case T_MAP: return maps_equal(r, a.map, b.map);
    case T_TIME: return a.time->unix_s == b.time->unix_s && a.time->nsec == b.time->nsec;
    case T_VERSION: return str_eq(a.version->original, b.version->original);
    case T_CERT: return str_eq(a.cert->cert, b.cert->cert) && str_eq(a.cert->key, b.cert->key);
    }
    return false;
}

/* Maps may hold themselves: depth is bounded. */
bool tv_equal(struct run *r, struct tval a, struct tval b)
{
    bool equal = false;
    if (a.type != b.type || a.sub != b.sub) return false;
    if (++r->depth > DEPTH_LIMIT || ++r->steps > STEP_LIMIT)
        run_too_big(r);
    else
        equal = parts_equal(r, a, b);
    r->depth--;
    return equal;
}

/* --- printing --- */

static void print_list(struct run *r, struct buf *out, struct tlist l)
{
    buf_ch(out, '[');
    for (size_t i = 0; i < l.n && !buf_err(out) && !run_failed(r); i++) {
        if (i) buf_ch(out, ' ');
        tv_print(r, out, l.v[i]);
    }
    buf_ch(out, ']');
}

static void print_map(struct run *r, struct buf *out, struct tmap *m)
{
    tmap_force(r, m);
    buf_cstr(out, "map[");
    for (size_t i = 0; i < m->n && !buf_err(out) && !run_failed(r); i++) {
        if (i) buf_ch(out, ' ');
        buf_str(out, m->v[i].key);
        buf_ch(out, ':');
        tv_print(r, out, m->v[i].value);
    }
    buf_ch(out, ']');
}

static void print_time(struct buf *out, const struct ttime *t)
{
    struct time_layout *l = time_layout_new(STR("2006-01-02 15:04:05.999999999 -0700 MST"));
    time_layout_format_s(l, t->unix_s, t->nsec, t->zone, out);
    time_layout_free(l);
}

static void print_int(struct buf *out, struct tval v)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    if (v.sub == INT_DURATION)
        dur_format(out, v.i);
    else if (v.sub == INT_MONTH && v.i >= 1 && v.i <= 12)
        buf_cstr(out, months[v.i - 1]);
    else if (v.sub == INT_WEEKDAY && v.i >= 0 && v.i <= 6)
        buf_cstr(out, days[v.i]);
    else
        buf_printf(out, "%lld", (long long)v.i);
}

static void print_version(struct buf *out, const struct tversion *v)
{
    buf_printf(out, "%llu.%llu.%llu", (unsigned long long)v->major, (unsigned long long)v->minor,
               (unsigned long long)v->patch);
    if (v->pre.n) buf_printf(out, "-" STR_FMT, STR_ARG(v->pre));
    if (v->meta.n) buf_printf(out, "+" STR_FMT, STR_ARG(v->meta));
}

static void print_parts(struct run *r, struct buf *out, struct tval v)
{
    switch ((enum ttype)v.type) {
    case T_NIL: buf_cstr(out, "<nil>"); return;
    case T_BOOL: buf_cstr(out, v.i ? "true" : "false"); return;
    case T_INT: print_int(out, v); return;
    case T_FLOAT: num_f64_g(out, v.f); return;
    case T_STRING: buf_str(out, v.s); return;
    case T_LIST: print_list(r, out, v.list); return;
    case T_MAP: print_map(r, out, v.map); return;
    case T_TIME: print_time(out, v.time); return;
    case T_VERSION: print_version(out, v.version); return;
    case T_CERT:
        buf_printf(out, "{" STR_FMT " " STR_FMT "}", STR_ARG(v.cert->cert), STR_ARG(v.cert->key));
        return;
    }
}

void tv_print(struct run *r, struct buf *out, struct tval v)
{
    if (++r->depth > DEPTH_LIMIT || ++r->steps > STEP_LIMIT)
        run_too_big(r);
    else
        print_parts(r, out, v);
    r->depth--;
}

/* --- maps and lists --- */

struct tmap *tmap_new(struct run *r)
{
    run_room(r, sizeof(struct tmap));
    return arena_new(r->arena, struct tmap);
}

void tmap_force(struct run *r, struct tmap *m)
{
    struct str *names, *values;
    if (!m->lazy) return;
    m->lazy = false;
    size_t n = r->data->all(r->data->arg, r->arena, &names, &values);
    m->v = arena_array(r->arena, struct tpair, n + 1);
    m->n = m->cap = n;
    for (size_t i = 0; i < n; i++)
        m->v[i] = (struct tpair){names[i], tv_str(values[i])};
}

/* The place of the key, or where it belongs. */
static size_t place(const struct tmap *m, struct str key, bool *ret_found)
{
    size_t lo = 0, hi = m->n;
    *ret_found = false;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(m->v[mid].key, key);
        if (c == 0) *ret_found = true;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct tval *tmap_get(struct run *r, struct tmap *m, struct str key)
{
    bool found;
    tmap_force(r, m);
    size_t i = place(m, key, &found);
    return found ? &m->v[i].value : NULL;
}

static bool grow(struct run *r, struct tmap *m)
{
    size_t cap = m->cap ? 2 * m->cap : 8;
    if (!run_room(r, cap * sizeof(*m->v))) return false;
    struct tpair *v = arena_array(r->arena, struct tpair, cap);
    if (m->n) memcpy(v, m->v, m->n * sizeof(*v));
    m->v = v;
    m->cap = cap;
    return true;
}

void tmap_put(struct run *r, struct tmap *m, struct str key, struct tval v)
{
    bool found;
    tmap_force(r, m);
    size_t i = place(m, key, &found);
    if (!found) {
        if (m->n == m->cap && !grow(r, m)) return;
        memmove(&m->v[i + 1], &m->v[i], (m->n - i) * sizeof(*m->v));
        m->n++;
    }
    m->v[i] = (struct tpair){key, v};
}

void tmap_del(struct run *r, struct tmap *m, struct str key)
{
    bool found;
    tmap_force(r, m);
    size_t i = place(m, key, &found);
    if (!found) return;
    memmove(&m->v[i], &m->v[i + 1], (m->n - i - 1) * sizeof(*m->v));
    m->n--;
}

struct tval tlist_new(struct run *r, enum elem_type elem, size_t n)
{
    struct tval l = {.type = T_LIST, .sub = (u8)elem};
    if (n > MEMORY_LIMIT / sizeof(struct tval)) {
        run_too_big(r);
        return l;
    }
    if (!run_room(r, n * sizeof(struct tval))) return l;
    l.list.v = arena_array(r->arena, struct tval, n + 1);
    l.list.n = n;
    return l;
}
